/* Convolutions of 3 x 3 taps and stride 1 by Winograd's minimal filtering (Lavin and Gray, "Fast
 * algorithms for convolutional neural networks", 2016). Sums transform a tile of 4 x 4 pixels of x
 * to 16 points. One product a point, channel and filter then gives 2 x 2 pixels of y: 16 products
 * where a direct sum takes 36, 2.25 times fewer. Large images have tiles of 6 x 6 pixels of x and 4
 * x 4 of y: 36 products where a direct sum takes 144, 4 times fewer. Over all tiles and channels,
 * the products of a point are one matrix product.
 *
 * The gradient in x is such a convolution of y's gradient with flipped taps. The gradient in the
 * weights has tiles of y's gradient in the place of taps, and sums over tiles. Another backend
 * computes what does not fit. */
#include "base/context.h"
#include "tensor/kernels/convolution.h"
#include "tensor/kernels/share.h"
#include "tensor/kernels/tiles.h"

enum {
    MOST_POINTS = DD_TILE_MOST_POINTS,
    UNIT = DD_TILE_UNIT,
    TILE_COLUMNS = DD_TILE_COLUMNS,
    POINT_FLOATS = 3 << 15, /* of a strip, which stay in the second-level cache */
    FEWEST_TILES = 24,      /* of all images */
    FEWEST_OF_IMAGE = 9,
    SMALL_WEIGHTS = 1 << 13 /* channels times filters */
};

typedef struct plane {
    size_t rows, columns, channels;
} plane;

typedef struct winograd_convolution {
    dd_convolution base;
    const dd_tile_kernels *kernels;
    const dd_tile_transforms *transforms;
    plane in, out;       /* tiles of points are of the one, those of side x side of the other */
    ptrdiff_t before;    /* zeros before the former's first row and column */
    size_t down, across; /* tiles of an image */
    size_t tiles;        /* of all images */
    size_t at_a_time;    /* tiles of a strip */
    size_t in_apart, out_apart, sums_apart; /* floats from one point of them to the next */
} winograd_convolution;

static size_t round_up(size_t count, size_t unit) {
    return (count + unit - 1) / unit * unit;
}

/* Tiles of side x side pixels of an image. */
static size_t tiles_of_image(size_t rows, size_t columns, size_t side) {
    return (rows + side - 1) / side * ((columns + side - 1) / side);
}

/* The taps, and how many channels and tiles make the transforms worth it, as measured. Weights that
 * are packed once are for any number of images, so that each must have tiles enough. */
static bool fits(const dd_convolution_shape *s, size_t parts) {
    size_t tiles = tiles_of_image(s->rows, s->columns, 2);
    return s->down == 3 && s->across == 3 && s->stride == 1 && s->channels % UNIT == 0 &&
           s->filters % UNIT == 0 && s->channels >= 2 * UNIT && s->filters >= 2 * UNIT &&
           (s->packed_once ? tiles >= FEWEST_OF_IMAGE : tiles * s->images >= FEWEST_TILES * parts);
}

static void set_planes(winograd_convolution *self) {
    const dd_convolution_shape *s = &self->base.shape;
    self->in = (plane){s->height, s->width, s->channels};
    self->out = (plane){s->rows, s->columns, s->filters};
    self->before = s->before;
    if (self->base.kind == DD_CONVOLUTION_INPUT) {
        self->in = self->out;
        self->out = (plane){s->height, s->width, s->channels};
        self->before = 2 - s->before;
    }
}

/* Whether packed weights of 2.25 times the size pay. Where they are packed for each run, many tiles
 * must share them. Where they are packed once, one image must have many tiles, or they must stay in
 * the second-level cache. */
static bool large_weights_pay(const winograd_convolution *self, size_t tiles) {
    const dd_convolution_shape *s = &self->base.shape;
    if (!s->packed_once)
        return tiles * s->images >= FEWEST_TILES * self->base.parts;
    return tiles >= FEWEST_OF_IMAGE || s->channels * s->filters <= SMALL_WEIGHTS;
}

/* Chooses the size of tiles. Small ones fit images better of which a part of a tile would be left.
 */
static void choose_tiles(winograd_convolution *self) {
    const dd_tile_transforms *small = &self->kernels->small, *large = &self->kernels->large;
    const plane *out = &self->out;
    size_t few = tiles_of_image(out->rows, out->columns, large->side),
           many = tiles_of_image(out->rows, out->columns, small->side);
    bool pays = few * large->points < many * small->points && large_weights_pay(self, few);
    self->transforms = pays ? large : small;
    self->tiles = self->base.shape.images * (pays ? few : many);
    self->across = (out->columns + self->transforms->side - 1) / self->transforms->side;
    self->down = (out->rows + self->transforms->side - 1) / self->transforms->side;
}

/* Returns the floats from one point to the next: a cache line more than they take, since powers of
 * 2 would put all points of a tile into the same few lines of the first-level cache. */
static size_t apart(size_t floats) {
    return round_up(floats, TILE_COLUMNS) + TILE_COLUMNS;
}

/* Tiles of a strip: as many as the cache holds, or, since each strip reads all weights, so many
 * that these are no more than twice its own floats. */
static size_t tiles_of_strip(size_t in, size_t out, size_t points) {
    size_t fit = POINT_FLOATS / (points * (in + out)), fewest = in * out / (2 * (in + out));
    if (fewest < FEWEST_TILES)
        fewest = FEWEST_TILES;
    return fit < fewest ? fewest : fit;
}

/* Scratch: a pixel of zeros, the points of a strip on either side, and the points of the weights'
 * gradient. */
static void set_sizes(winograd_convolution *self) {
    size_t in = self->in.channels, out = self->out.channels, points = self->transforms->points;
    self->at_a_time = tiles_of_strip(in, out, points);
    self->in_apart = apart(self->at_a_time * in);
    self->out_apart = apart(self->at_a_time * out);
    self->sums_apart = apart(in * out);
    self->base.scratch =
        round_up(in > out ? in : out, TILE_COLUMNS) + points * (self->in_apart + self->out_apart);
    if (self->base.kind == DD_CONVOLUTION_WEIGHT)
        self->base.scratch += points * self->sums_apart;
    else
        self->base.packed = points * apart(in * round_up(out, TILE_COLUMNS));
}

/* Leaves what does not fit to the fastest other backend. */
static ddaebm_status create(dd_convolution **out, ddaebm_context *context, dd_convolution_kind kind,
                            const dd_convolution_shape *shape, size_t parts) {
    if (!fits(shape, parts))
        return dd_convolution_choose_direct()->create(out, context, kind, shape, parts);

    winograd_convolution *self = dd_alloc_zero(context, 1, sizeof *self);
    if (!self)
        return DDAEBM_OUT_OF_MEMORY;
    self->base = (dd_convolution){.backend = &dd_convolution_winograd,
                                  .context = context,
                                  .kind = kind,
                                  .shape = *shape,
                                  .parts = parts,
                                  .sums = kind == DD_CONVOLUTION_WEIGHT && parts > 1,
                                  .memory = sizeof *self};

    self->kernels = dd_tile_kernels_choose();
    set_planes(self);
    choose_tiles(self);
    set_sizes(self);
    *out = &self->base;
    return DDAEBM_OK;
}

static void destroy(dd_convolution *base) {
    dd_free(base->context, base);
}

/* --- Packing: the weights at each point, [in channels, out channels], 16 columns of it side by
 * side. --- */

/* The taps of filter o, from channel c on; flipped for the gradient in x. */
static void find_taps(const winograd_convolution *self, const float *weights, size_t o, size_t c,
                      const float *taps[9]) {
    size_t channels = self->base.shape.channels;
    for (size_t k = 0; k < 9; k++)
        taps[self->base.kind == DD_CONVOLUTION_INPUT ? 8 - k : k] =
            weights + (o * 9 + k) * channels + c;
}

/* Forward, filter o is a column. */
static void pack_column(const winograd_convolution *self, const float *weights, size_t o,
                        float *packed) {
    const dd_tile_transforms *transforms = self->transforms;
    size_t channels = self->in.channels, point = self->base.packed / transforms->points;
    float *to = packed + o / TILE_COLUMNS * TILE_COLUMNS * channels + o % TILE_COLUMNS,
          points[MOST_POINTS * UNIT];
    for (size_t c = 0; c < channels; c += UNIT) {
        const float *taps[9];
        find_taps(self, weights, o, c, taps);
        transforms->taps_to_points(points, UNIT, taps, UNIT);
        for (size_t p = 0; p < transforms->points; p++)
            for (size_t i = 0; i < UNIT; i++)
                to[p * point + (c + i) * TILE_COLUMNS] = points[p * UNIT + i];
    }
}

/* In the gradient in x, filter o is a row. */
static void pack_row(const winograd_convolution *self, const float *weights, size_t o,
                     float *packed) {
    size_t filters = self->in.channels, channels = self->out.channels,
           point = self->base.packed / self->transforms->points;
    for (size_t c = 0; c < channels; c += TILE_COLUMNS) {
        const float *taps[9];
        find_taps(self, weights, o, c, taps);
        size_t left = channels - c;
        self->transforms->taps_to_points(packed + c * filters + o * TILE_COLUMNS, point, taps,
                                         left < TILE_COLUMNS ? left : TILE_COLUMNS);
    }
}

static void pack(const dd_convolution *base, size_t part, const float *weights, float *packed) {
    const winograd_convolution *self = (const winograd_convolution *)base;
    dd_range mine = dd_share(base->shape.filters, part, base->parts);
    for (size_t o = mine.first; o < mine.last; o++)
        if (base->kind == DD_CONVOLUTION_INPUT)
            pack_row(self, weights, o, packed);
        else
            pack_column(self, weights, o, packed);
}

static bool same_packing(const dd_convolution *a, const dd_convolution *b) {
    const winograd_convolution *one = (const winograd_convolution *)a,
                               *other = (const winograd_convolution *)b;
    return a->kind == b->kind && one->transforms == other->transforms;
}

/* --- Strips of tiles. --- */

/* Where a tile is: its image, and the place of its first pixel of y. */
typedef struct place {
    size_t image, row, column;
} place;

static place place_of(const winograd_convolution *self, size_t tile) {
    size_t side = self->transforms->side;
    return (place){tile / self->across / self->down, tile / self->across % self->down * side,
                   tile % self->across * side};
}

/* The size x size pixels from (row, column) on; `outside` for those that the image has not. */
static void find_pixels(const float **found, const float *images, const plane *p, place at,
                        ptrdiff_t before, ptrdiff_t size, const float *outside) {
    ptrdiff_t row = (ptrdiff_t)at.row - before, column = (ptrdiff_t)at.column - before;
    ptrdiff_t rows = (ptrdiff_t)p->rows, columns = (ptrdiff_t)p->columns,
              channels = (ptrdiff_t)p->channels;
    const float *image = images + at.image * p->rows * p->columns * p->channels;
    bool within = row >= 0 && column >= 0 && row + size <= rows && column + size <= columns;
    for (ptrdiff_t i = row; i < row + size; i++)
        for (ptrdiff_t j = column; j < column + size; j++)
            *found++ = within || (i >= 0 && i < rows && j >= 0 && j < columns)
                           ? image + (i * columns + j) * channels
                           : outside;
}

/* The parts of a scratch. */
typedef struct room {
    float *zeros, *in, *out, *sums;
} room;

static room room_of(const winograd_convolution *self, float *scratch) {
    size_t wide = self->in.channels > self->out.channels ? self->in.channels : self->out.channels;
    room r = {.zeros = scratch, .in = scratch + round_up(wide, TILE_COLUMNS)};
    r.out = r.in + self->transforms->points * self->in_apart;
    r.sums = r.out + self->transforms->points * self->out_apart;
    for (size_t i = 0; i < wide; i++)
        r.zeros[i] = 0;
    return r;
}

static void input_to_points(const winograd_convolution *self, const float *images, dd_range tiles,
                            const room *r) {
    const dd_tile_transforms *transforms = self->transforms;
    size_t channels = self->in.channels;
    for (size_t tile = tiles.first; tile < tiles.last; tile++) {
        const float *pixels[MOST_POINTS];
        find_pixels(pixels, images, &self->in, place_of(self, tile), self->before,
                    (ptrdiff_t)transforms->side + 2, r->zeros);
        transforms->input_to_points(r->in + (tile - tiles.first) * channels, self->in_apart, pixels,
                                    channels);
    }
}

static void points_to_output(const winograd_convolution *self, float *images, dd_range tiles,
                             const room *r) {
    const dd_tile_transforms *transforms = self->transforms;
    size_t channels = self->out.channels;
    for (size_t tile = tiles.first; tile < tiles.last; tile++) {
        const float *pixels[MOST_POINTS];
        find_pixels(pixels, images, &self->out, place_of(self, tile), 0,
                    (ptrdiff_t)transforms->side, NULL);
        transforms->points_to_output((float *const *)pixels,
                                     r->out + (tile - tiles.first) * channels, self->out_apart,
                                     channels);
    }
}

static void output_to_points(const winograd_convolution *self, const float *images, dd_range tiles,
                             const room *r) {
    const dd_tile_transforms *transforms = self->transforms;
    size_t channels = self->out.channels;
    for (size_t tile = tiles.first; tile < tiles.last; tile++) {
        const float *pixels[MOST_POINTS];
        find_pixels(pixels, images, &self->out, place_of(self, tile), 0,
                    (ptrdiff_t)transforms->side, r->zeros);
        transforms->output_to_points(r->out + (tile - tiles.first) * channels, self->out_apart,
                                     pixels, channels);
    }
}

/* Points of out = points of in times packed weights. */
static void multiply_by_weights(const winograd_convolution *self, const float *packed, size_t tiles,
                                const room *r) {
    size_t in = self->in.channels, out = self->out.channels;
    for (size_t p = 0; p < self->transforms->points; p++) {
        const dd_tile_product product = {.m = tiles,
                                         .n = out,
                                         .k = in,
                                         .a = r->in + p * self->in_apart,
                                         .b = packed +
                                              p * (self->base.packed / self->transforms->points),
                                         .c = r->out + p * self->out_apart,
                                         .a_row = in,
                                         .a_step = 1,
                                         .b_block = TILE_COLUMNS * in,
                                         .b_step = TILE_COLUMNS,
                                         .c_row = out};
        self->kernels->multiply(&product);
    }
}

/* Adds to the points of the weights' gradient, [out channels, in channels]. */
static void add_to_sums(const winograd_convolution *self, size_t tiles, const room *r, bool add) {
    size_t in = self->in.channels, out = self->out.channels;
    for (size_t p = 0; p < self->transforms->points; p++) {
        const dd_tile_product product = {.m = out,
                                         .n = in,
                                         .k = tiles,
                                         .a = r->out + p * self->out_apart,
                                         .b = r->in + p * self->in_apart,
                                         .c = r->sums + p * self->sums_apart,
                                         .a_row = 1,
                                         .a_step = out,
                                         .b_block = TILE_COLUMNS,
                                         .b_step = in,
                                         .c_row = in,
                                         .add = add};
        self->kernels->multiply(&product);
    }
}

static void sums_to_weights(const winograd_convolution *self, const room *r, float *weights) {
    size_t in = self->in.channels, out = self->out.channels;
    for (size_t o = 0; o < out; o++) {
        float *taps[9];
        for (size_t k = 0; k < 9; k++)
            taps[k] = weights + (o * 9 + k) * in;
        self->transforms->points_to_taps(taps, r->sums + o * in, self->sums_apart, in);
    }
}

/* Runs one part: its tiles, a strip at a time. */
static void run(const dd_convolution *base, const dd_convolution_call *call) {
    const winograd_convolution *self = (const winograd_convolution *)base;
    const room r = room_of(self, call->scratch);
    dd_range mine = dd_share(self->tiles, call->part, base->parts);

    for (dd_range strip = {mine.first, mine.first}; strip.first < mine.last;
         strip.first = strip.last) {
        size_t left = mine.last - strip.first,
               count = left < self->at_a_time ? left : self->at_a_time;
        strip.last = strip.first + count;
        input_to_points(self, call->a, strip, &r);
        if (base->kind == DD_CONVOLUTION_WEIGHT) {
            output_to_points(self, call->b, strip, &r);
            add_to_sums(self, count, &r, strip.first > mine.first);
        } else {
            multiply_by_weights(self, call->b, count, &r);
            points_to_output(self, call->out, strip, &r);
        }
    }

    if (base->kind == DD_CONVOLUTION_WEIGHT)
        sums_to_weights(self, &r, call->out);
}

const dd_convolution_backend dd_convolution_winograd = {"winograd", create,       destroy,
                                                        pack,       same_packing, run};
