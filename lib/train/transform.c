#include "train/transform.h"

#include "base/rng.h"
#include "layers/symmetry.h"

#include <string.h>

typedef enum kind { SYMMETRY, NEGATION, BLOCKS, SHIFT } kind;

/* One transformation of an image of side x side pixels. */
typedef struct transformation {
    kind kind;
    unsigned symmetry;     /* not 0 */
    size_t side, block;    /* side of the blocks */
    size_t down, right;    /* shift */
    uint64_t seed, number; /* of the blocks' order */
} transformation;

static size_t below(uint32_t word, size_t bound) {
    return (size_t)((uint64_t)word * bound >> 32);
}

/* Chooses a block side that divides the image's, at most half of it; 0 if that is prime. */
static size_t choose_block(size_t side, uint32_t word) {
    size_t count = 0, found = 0;
    for (size_t block = 1; block <= side / 2; block++)
        count += block > 1 && side % block == 0;
    size_t wanted = count > 0 ? below(word, count) : 0;
    for (size_t block = 2; block <= side / 2 && found == 0; block++)
        if (side % block == 0 && wanted-- == 0)
            found = block;
    return found;
}

enum { WORDS = 5 };

/* Draws transformation `index` of (seed, stream). */
static transformation choose(size_t side, uint64_t seed, uint64_t stream, uint64_t index) {
    uint32_t words[WORDS];
    dd_rng_words(words, seed, stream, index * WORDS, WORDS);
    transformation t = {.kind = SYMMETRY,
                        .side = side,
                        .seed = seed,
                        .number = (uint64_t)words[4] << 32 | words[3]};
    t.symmetry = 1 + (unsigned)below(words[1], DD_SYMMETRIES - 1);
    t.block = choose_block(side, words[1]);
    t.down = below(words[1], side);
    t.right = below(words[2], side);
    if (words[0] >> 31)
        t.kind = (kind)(NEGATION + below(words[0] << 1, 3));
    if (t.kind == BLOCKS && t.block == 0)
        t.kind = NEGATION;
    return t;
}

/* Replaces (y, x) by the place that its pixel comes from. */
static void find_source(const transformation *t, size_t *y, size_t *x) {
    size_t blocks = t->block > 0 ? t->side / t->block : 0;
    switch (t->kind) {
    case SYMMETRY:
        dd_symmetry_source(t->symmetry, t->side, y, x);
        break;
    case BLOCKS: {
        uint64_t from = dd_rng_permute(*y / t->block * blocks + *x / t->block,
                                       (uint64_t)blocks * blocks, t->seed, t->number);
        *y = (size_t)(from / blocks) * t->block + *y % t->block;
        *x = (size_t)(from % blocks) * t->block + *x % t->block;
        break;
    }
    case SHIFT:
        *y = (*y + t->down) % t->side;
        *x = (*x + t->right) % t->side;
        break;
    case NEGATION:
        break;
    }
}

/* Applies a transformation to an image inside its margin. */
static void transform_image(const dd_settings *settings, const transformation *t, const float *in,
                            float *out) {
    size_t whole = (size_t)settings->data.image_size, channels = (size_t)settings->data.channels;
    size_t margin = (size_t)settings->data.padding;
    memcpy(out, in, whole * whole * channels * sizeof *out);
    for (size_t y = 0; y < t->side; y++)
        for (size_t x = 0; x < t->side; x++) {
            size_t from_y = y, from_x = x;
            find_source(t, &from_y, &from_x);
            const float *source = in + ((margin + from_y) * whole + margin + from_x) * channels;
            float *pixel = out + ((margin + y) * whole + margin + x) * channels;
            for (size_t c = 0; c < channels; c++)
                pixel[c] = t->kind == NEGATION ? -source[c] : source[c];
        }
}

static void reflect_row(size_t width, uint64_t seed, uint64_t stream, uint64_t index,
                        const float *in, float *out) {
    for (size_t j = 0; j < width; j++) {
        uint32_t word;
        dd_rng_words(&word, seed, stream, index * width + j, 1);
        out[j] = word >> 31 ? -in[j] : in[j];
    }
}

void dd_transform(const dd_settings *settings, uint64_t seed, uint64_t stream, uint64_t index,
                  const float *in, float *out) {
    if (settings->network.family != DD_FAMILY_NCSNPP) {
        reflect_row(dd_settings_inner_width(settings), seed, stream, index, in, out);
        return;
    }
    transformation t = choose(dd_settings_outer_side(settings), seed, stream, index);
    transform_image(settings, &t, in, out);
}
