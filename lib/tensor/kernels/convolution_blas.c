/* Convolutions as matrix products: under each pixel of y lies a patch of x, a row of down * across
 * * channels numbers; the rows of a strip of pixels are copied side by side (im2col) and multiplied
 * by the weights. Strips are short enough to stay in the second-level cache. Where the patches are
 * the image as it lies in memory, nothing is copied. */
#include "base/context.h"
#include "tensor/kernels/blas_matmul.h"
#include "tensor/kernels/convolution.h"
#include "tensor/kernels/share.h"

#include <string.h>

/* Floats of a strip, and the fewest pixels that a product is worth making for. */
enum { PATCH_FLOATS = 1 << 16, STRIP_PIXELS = 256 };

typedef struct blas_convolution {
    dd_convolution base;
    bool plain;       /* x's memory is the matrix of patches */
    size_t pixels;    /* of y, all images together */
    size_t patch;     /* numbers of a patch */
    size_t at_a_time; /* pixels of a strip */
    size_t taps;      /* of a strip */
    bool by_channels; /* the gradient of x is cut by channels, not by images */
} blas_convolution;

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t most(size_t a, size_t b) {
    return a > b ? a : b;
}

/* One pixel an image over all of it, or one pixel under each. */
static bool is_plain(const dd_convolution_shape *s) {
    bool whole = s->rows == 1 && s->columns == 1 && s->down == s->height && s->across == s->width;
    bool single = s->down == 1 && s->across == 1 && s->stride == 1 && s->rows == s->height &&
                  s->columns == s->width;
    return s->before == 0 && (whole || single);
}

/* Patches are added to the image they overlap, so that no two parts may work on one image, unless
 * parts keep to channels of their own. */
static bool cuts_channels(const dd_convolution_shape *s, size_t parts) {
    bool uneven = s->images % parts != 0 && s->images < 8 * parts;
    return uneven && s->channels >= 16 * parts;
}

/* Decides the size of strips: pixels, and taps where not all fit. */
static ddaebm_status create(dd_convolution **out, ddaebm_context *context, dd_convolution_kind kind,
                            const dd_convolution_shape *shape, size_t parts) {
    blas_convolution *self = dd_alloc_zero(context, 1, sizeof *self);
    if (!self)
        return DDAEBM_OUT_OF_MEMORY;
    self->base = (dd_convolution){.backend = &dd_convolution_blas,
                                  .context = context,
                                  .kind = kind,
                                  .shape = *shape,
                                  .parts = parts,
                                  .memory = sizeof *self};

    self->plain = is_plain(shape);
    self->pixels = shape->images * shape->rows * shape->columns;
    self->patch = shape->down * shape->across * shape->channels;
    self->at_a_time = least(most(PATCH_FLOATS / self->patch, STRIP_PIXELS), self->pixels);
    self->taps = least(most(PATCH_FLOATS / (self->at_a_time * shape->channels), 1),
                       shape->down * shape->across);
    self->by_channels = kind == DD_CONVOLUTION_INPUT && cuts_channels(shape, parts);
    if (self->by_channels)
        self->taps = 1;

    self->base.sums = kind == DD_CONVOLUTION_WEIGHT && !self->plain && parts > 1;
    self->base.scratch = self->plain ? 0 : self->at_a_time * self->taps * shape->channels;
    *out = &self->base;
    return DDAEBM_OK;
}

static void destroy(dd_convolution *base) {
    dd_free(base->context, base);
}

/* --- Strips: `count` pixels of y from `first` on, `taps` taps from `tap` on, and `channels`
 * channels from `channel` on. --- */

typedef struct strip {
    size_t first, count, tap, taps, channel, channels;
} strip;

/* Where a pixel of y is, and how its patch lies. */
typedef struct place {
    size_t image, row, column;
} place;

static place place_of(const dd_convolution_shape *s, size_t pixel) {
    return (place){pixel / s->columns / s->rows, pixel / s->columns % s->rows, pixel % s->columns};
}

static void advance(const dd_convolution_shape *s, place *at) {
    if (++at->column < s->columns)
        return;
    at->column = 0;
    if (++at->row < s->rows)
        return;
    at->row = 0;
    at->image++;
}

/* Neighbouring numbers of a patch that lie in one row of the image: `count` floats, at `in_patch`
 * and `in_image`; before them, and after them up to `end`, the patch is outside. */
typedef struct stretch {
    size_t begin, end, in_patch, in_image, count;
} stretch;

/* The next taps of one row of the filter, from `tap` on. */
static stretch next_stretch(const dd_convolution_shape *s, const strip *t, place at, size_t tap) {
    size_t k = tap / s->across, l = tap % s->across,
           l_end = least(s->across, l + t->tap + t->taps - tap);
    ptrdiff_t row = (ptrdiff_t)at.row * s->stride - s->before + (ptrdiff_t)k;
    ptrdiff_t column = (ptrdiff_t)at.column * s->stride - s->before; /* of tap 0 */
    stretch run = {.begin = (tap - t->tap) * t->channels,
                   .end = (tap - t->tap + l_end - l) * t->channels};

    run.in_patch = run.begin;
    ptrdiff_t from = column < 0 && (ptrdiff_t)l < -column ? -column : (ptrdiff_t)l;
    ptrdiff_t to = (ptrdiff_t)s->width - column < (ptrdiff_t)l_end ? (ptrdiff_t)s->width - column
                                                                   : (ptrdiff_t)l_end;
    if (row < 0 || row >= (ptrdiff_t)s->height || from >= to)
        return run;
    run.in_patch += (size_t)(from - (ptrdiff_t)l) * t->channels;
    run.in_image =
        ((at.image * s->height + (size_t)row) * s->width + (size_t)(column + from)) * s->channels +
        t->channel;
    run.count = (size_t)(to - from) * t->channels;
    return run;
}

/* Copies a few numbers: cheaper than a call of memcpy. */
static void copy(float *restrict out, const float *restrict x, size_t count) {
    if (count >= 64)
        memcpy(out, x, count * sizeof *out);
    else
        for (size_t i = 0; i < count; i++)
            out[i] = x[i];
}

static void clear(float *out, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = 0;
}

static void gather(const dd_convolution_shape *s, const strip *t, const float *x, float *patches) {
    place at = place_of(s, t->first);
    for (size_t p = 0; p < t->count; p++, advance(s, &at), patches += t->taps * t->channels)
        for (size_t tap = t->tap; tap < t->tap + t->taps; tap += s->across - tap % s->across) {
            stretch run = next_stretch(s, t, at, tap);
            clear(patches + run.begin, run.in_patch - run.begin);
            copy(patches + run.in_patch, x + run.in_image, run.count);
            clear(patches + run.in_patch + run.count, run.end - run.in_patch - run.count);
        }
}

/* The transpose of gathering: adds each patch to the image. */
static void scatter(const dd_convolution_shape *s, const strip *t, const float *patches, float *x) {
    place at = place_of(s, t->first);
    for (size_t p = 0; p < t->count; p++, advance(s, &at), patches += t->taps * t->channels)
        for (size_t tap = t->tap; tap < t->tap + t->taps; tap += s->across - tap % s->across) {
            stretch run = next_stretch(s, t, at, tap);
            float *restrict to = x + run.in_image;
            const float *restrict from = patches + run.in_patch;
            for (size_t i = 0; i < run.count; i++)
                to[i] += from[i];
        }
}

/* --- The three products, y = patches W', patches = y W and W = y' patches, of a strip. --- */

/* Pixels by filters. */
static dd_matmul_call forward_product(const blas_convolution *self, const strip *t,
                                      const dd_convolution_call *call) {
    size_t filters = self->base.shape.filters, width = t->taps * t->channels;
    return (dd_matmul_call){.m = t->count,
                            .n = filters,
                            .k = width,
                            .transpose_b = true,
                            .a = call->scratch,
                            .b = call->b + t->tap * t->channels,
                            .c = call->out + t->first * filters,
                            .a_stride = width,
                            .b_stride = self->patch,
                            .c_stride = filters,
                            .beta = t->tap > 0 ? 1 : 0};
}

static dd_matmul_call input_product(const blas_convolution *self, const strip *t,
                                    const dd_convolution_call *call) {
    size_t filters = self->base.shape.filters, width = t->taps * t->channels;
    return (dd_matmul_call){.m = t->count,
                            .n = width,
                            .k = filters,
                            .a = call->a + t->first * filters,
                            .b = call->b + t->tap * self->base.shape.channels + t->channel,
                            .c = call->scratch,
                            .a_stride = filters,
                            .b_stride = self->patch,
                            .c_stride = width};
}

/* Filters by taps; beta 1 adds to what earlier strips gave. */
static dd_matmul_call weight_product(const blas_convolution *self, const strip *t,
                                     const dd_convolution_call *call, float beta) {
    size_t filters = self->base.shape.filters, width = t->taps * t->channels;
    return (dd_matmul_call){.m = filters,
                            .n = width,
                            .k = t->count,
                            .transpose_a = true,
                            .a = call->b + t->first * filters,
                            .b = call->scratch,
                            .c = call->out + t->tap * t->channels,
                            .a_stride = filters,
                            .b_stride = width,
                            .c_stride = self->patch,
                            .beta = beta};
}

/* Computes all in one product, cut by rows or columns of the result. */
static void run_plain(const blas_convolution *self, const dd_convolution_call *call) {
    const dd_convolution_shape *s = &self->base.shape;
    const strip all = {.count = self->pixels, .taps = s->down * s->across, .channels = s->channels};
    dd_matmul_call product;

    switch (self->base.kind) {
    case DD_CONVOLUTION_FORWARD:
        product = forward_product(self, &all, call);
        product.a = call->a;
        break;
    case DD_CONVOLUTION_INPUT:
        product = input_product(self, &all, call);
        product.c = call->out;
        break;
    default:
        product = weight_product(self, &all, call, 0);
        product.b = call->a;
        break;
    }

    dd_matmul_run_part(&product, call->part, self->base.parts);
}

/* The taps of one strip of pixels, as many at a time as fit. */
static void run_strip(const blas_convolution *self, const dd_convolution_call *call, strip t,
                      bool first) {
    const dd_convolution_shape *s = &self->base.shape;
    for (t.tap = 0; t.tap < s->down * s->across; t.tap += self->taps) {
        t.taps = least(self->taps, s->down * s->across - t.tap);
        dd_matmul_call product;
        if (self->base.kind == DD_CONVOLUTION_INPUT) {
            product = input_product(self, &t, call);
            dd_matmul_run(&product);
            scatter(s, &t, call->scratch, call->out);
            continue;
        }

        gather(s, &t, call->a, call->scratch);
        product = self->base.kind == DD_CONVOLUTION_FORWARD
                      ? forward_product(self, &t, call)
                      : weight_product(self, &t, call, first ? 0 : 1);
        dd_matmul_run(&product);
    }
}

static void clear_channels(const dd_convolution_shape *s, dd_range images, dd_range channels,
                           float *x) {
    size_t plane = s->height * s->width;
    for (size_t i = images.first * plane; i < images.last * plane; i++)
        clear(x + i * s->channels + channels.first, channels.last - channels.first);
}

/* Runs one part: a range of pixels, or of images or channels where patches are added to the image.
 */
static void run(const dd_convolution *base, const dd_convolution_call *call) {
    const blas_convolution *self = (const blas_convolution *)base;
    const dd_convolution_shape *s = &base->shape;
    dd_range mine = dd_share(self->pixels, call->part, base->parts), channels = {0, s->channels};

    if (self->plain) {
        run_plain(self, call);
        return;
    }

    if (base->kind == DD_CONVOLUTION_INPUT) {
        dd_range images = self->by_channels ? (dd_range){0, s->images}
                                            : dd_share(s->images, call->part, base->parts);
        if (self->by_channels)
            channels = dd_share(s->channels, call->part, base->parts);
        mine = (dd_range){images.first * s->rows * s->columns, images.last * s->rows * s->columns};
        clear_channels(s, images, channels, call->out);
    }

    if (base->kind == DD_CONVOLUTION_WEIGHT && mine.first == mine.last)
        clear(call->out, s->filters * self->patch);
    strip t = {.channel = channels.first, .channels = channels.last - channels.first};
    for (t.first = mine.first; t.first < mine.last; t.first += self->at_a_time) {
        t.count = least(self->at_a_time, mine.last - t.first);
        run_strip(self, call, t, t.first == mine.first);
    }
}

const dd_convolution_backend dd_convolution_blas = {"blas", create, destroy, NULL, NULL, run};
