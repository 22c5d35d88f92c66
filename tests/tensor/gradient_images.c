/* The gradient table's rows of operations on images: filters, normalisations, convolutions. */
#include "tensor/gradient_rows.h"

static dd_node build_filter(dd_graph *g, const dd_node *x, const row *r) {
    const filtering *f = r->filtering;
    dd_node taps = dd_constant(g, f->values, (dd_shape){{1, 1, 1, f->taps}});
    return dd_filter(g, x[0], taps, f->up, f->down, f->before, f->after);
}

static dd_node build_normalize(dd_graph *g, const dd_node *x, const row *r) {
    return dd_normalize(g, x[0], (size_t)r->axis, r->factor);
}

/* Only gradient rules make the gradient of a normalisation and the inverse standard deviation. */
static dd_node build_normalize_gradient(dd_graph *g, const dd_node *x, const row *r) {
    dd_node gradient = DD_NONE;
    dd_gradient(g, build_normalize(g, x, r), x[1], x, 1, &gradient);
    return gradient;
}

static dd_node build_inverse_std(dd_graph *g, const dd_node *x, const row *r) {
    dd_shape shape = dd_graph_shape(g, x[0]), small = {{shape.size[0], 1, 1, (size_t)r->axis}};
    return dd_graph_make(g, (dd_node_data){.op = r->op,
                                           .inputs = {x[0], DD_NONE},
                                           .shape = small,
                                           .constants.normalize = {(size_t)r->axis, r->factor}});
}

static dd_node build_convolve(dd_graph *g, const dd_node *x, const row *r) {
    return dd_convolve(g, x[0], x[1], r->stride, r->before, r->after);
}

/* Zeros of the row's third shape. Sizes that it leaves open are the first operand's number of
 * images, and the channels of the operand that has them. */
static dd_node zeros(dd_graph *g, dd_shape shape) {
    return dd_expand(g, dd_scalar(g, 0), shape);
}

static dd_node build_convolve_input(dd_graph *g, const dd_node *x, const row *r) {
    dd_shape shape = r->third;
    dd_node gradient = DD_NONE;
    shape.size[0] = dd_graph_shape(g, x[0]).size[0];
    shape.size[3] = dd_graph_shape(g, x[1]).size[3];
    dd_node image = zeros(g, shape);
    dd_gradient(g, dd_convolve(g, image, x[1], r->stride, r->before, r->after), x[0], &image, 1,
                &gradient);
    return gradient;
}

static dd_node build_convolve_weight(dd_graph *g, const dd_node *x, const row *r) {
    dd_shape shape = r->third;
    dd_node gradient = DD_NONE;
    shape.size[0] = dd_graph_shape(g, x[1]).size[3];
    shape.size[3] = dd_graph_shape(g, x[0]).size[3];
    dd_node weights = zeros(g, shape);
    dd_gradient(g, dd_convolve(g, x[0], weights, r->stride, r->before, r->after), x[1], &weights, 1,
                &gradient);
    return gradient;
}

/* Taps are not symmetric, so that flipping them is seen. */
static const filtering filterings[] = {
    {4, {0.125f, 0.5f, 0.25f, 0.375f}, 1, 1, 2, 1},
    {4, {0.125f, 0.5f, 0.25f, 0.375f}, 2, 1, 2, 1},
    {4, {0.125f, 0.5f, 0.25f, 0.375f}, 1, 2, 1, 1},
    {2, {0.75f, 0.25f}, 1, 1, -1, 2},
    {3, {0.75f, -0.25f, 0.5f}, 2, 2, 1, 3},
    {5, {0.5f, 0.25f, -1, 0.125f, 0.75f}, 1, 2, 3, -1},
    {8, {1, 2, -3, 0.5f, 0.25f, -1, 0.5f, 2}, 2, 1, 6, 5},
    {8, {1, 2, -3, 0.5f, 0.25f, -1, 0.5f, 2}, 1, 2, 4, 4},
    {2, {0.75f, 0.25f}, 3, 2, 1, 2},
    {3, {0.5f, 1, 0.25f}, 2, 3, 4, 2},
    {11, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 1, 1, 5, 5},
    {1, {0.5f}, 1, 1, 0, 0},
};

#define FILTER(word, which)                                                                        \
    {"filter " word,                                                                               \
     DD_OP_FILTER,                                                                                 \
     build_filter,                                                                                 \
     {{{1, 4, 4, WIDE}}},                                                                          \
     .low = -2,                                                                                    \
     .high = 2,                                                                                    \
     .filtering = &filterings[which]},                                                             \
    {                                                                                              \
        "filter " word ", many", DD_OP_FILTER, build_filter, {{{MANY, 5, 5, 2}}},                  \
            .low = -2, .high = 2, .filtering = &filterings[which]                                  \
    }

/* The three operations on images of as many channels, in as many groups. */
#define NORMALIZATIONS(word, channels, groups)                                                     \
    {"normalize " word, DD_OP_NORMALIZE, build_normalize, {{{2, 3, MANY, channels}}},              \
     .low = 1,          .high = 3,       .factor = 0.25,  .axis = groups},                         \
        {"normalize_gradient " word,                                                               \
         DD_OP_NORMALIZE_GRADIENT,                                                                 \
         build_normalize_gradient,                                                                 \
         {{{2, 3, MANY, channels}}, {{2, 3, MANY, channels}}},                                     \
         .low = 1,                                                                                 \
         .high = 3,                                                                                \
         .factor = 0.25,                                                                           \
         .axis = groups},                                                                          \
    {                                                                                              \
        "inverse_std " word, DD_OP_INVERSE_STD, build_inverse_std, {{{2, 3, MANY, channels}}},     \
            .low = 1, .high = 3, .factor = 0.25, .axis = groups                                    \
    }

/* A convolution of n images of h x w pixels and c channels with o filters of kh x kw taps, and its
 * two gradients. */
#define PLACES(size, taps, s, b, a) (((size) + (b) + (a) - (taps)) / (s) + 1)
#define CONVOLUTION_ROW(word, OP, function, first, second, other, s, b, a)                         \
    {                                                                                              \
        word, OP, function, {first, second}, .low = -1, .high = 1, .stride = s, .before = b,       \
                                             .after = a, .third = other                            \
    }
#define IMAGES(n, h, w, c)                                                                         \
    {                                                                                              \
        { n, h, w, c }                                                                             \
    }
#define CONVOLUTIONS(word, n, h, w, c, o, kh, kw, s, b, a)                                         \
    CONVOLUTION_ROW("convolve, " word, DD_OP_CONVOLVE, build_convolve, IMAGES(n, h, w, c),         \
                    IMAGES(o, kh, kw, c), IMAGES(0, 0, 0, 0), s, b, a),                            \
        CONVOLUTION_ROW("convolve input, " word, DD_OP_CONVOLVE_INPUT, build_convolve_input,       \
                        IMAGES(n, PLACES(h, kh, s, b, a), PLACES(w, kw, s, b, a), o),              \
                        IMAGES(o, kh, kw, c), IMAGES(0, h, w, 0), s, b, a),                        \
        CONVOLUTION_ROW("convolve weight, " word, DD_OP_CONVOLVE_WEIGHT, build_convolve_weight,    \
                        IMAGES(n, h, w, c),                                                        \
                        IMAGES(n, PLACES(h, kh, s, b, a), PLACES(w, kw, s, b, a), o),              \
                        IMAGES(0, kh, kw, 0), s, b, a)

static const row rows[] = {
    FILTER("same size", 0),
    FILTER("doubling", 1),
    FILTER("halving", 2),
    FILTER("cut at the front", 3),
    FILTER("up and down by 2", 4),
    FILTER("halving, cut at the end", 5),
    FILTER("doubling, 8 taps", 6),
    FILTER("halving, 8 taps", 7),
    FILTER("by 3/2", 8),
    FILTER("by 2/3", 9),
    FILTER("of 11 taps", 10),
    FILTER("of one tap", 11),
    {"filter of an image that is not square",
     DD_OP_FILTER,
     build_filter,
     {{{1, MANY, 5, WIDE}}},
     .low = -2,
     .high = 2,
     .filtering = &filterings[0]},
    NORMALIZATIONS("one group", WIDE, 1),
    NORMALIZATIONS("groups of 4", 8, 2),
    NORMALIZATIONS("groups of 1", 3, 3),
    NORMALIZATIONS("groups of 2", 6, 3),
    CONVOLUTIONS("3 x 3", MANY, 5, 4, WIDE, 3, 3, 3, 1, 1, 1),
    CONVOLUTIONS("3 x 3 of one channel", MANY, 4, 5, 1, WIDE, 3, 3, 1, 1, 1),
    CONVOLUTIONS("3 x 3 of one image", 1, 9, 8, WIDE, 2, 3, 3, 1, 1, 1),
    CONVOLUTIONS("3 x 3 of two images", 2, 5, 6, 3, WIDE, 3, 3, 1, 1, 1),
    CONVOLUTIONS("3 x 3, 2 apart, zeros after", MANY, 6, 4, 3, WIDE, 3, 3, 2, 0, 1),
    CONVOLUTIONS("3 x 3, 2 apart, a row left over", MANY, 6, 5, WIDE, 1, 3, 3, 2, 0, 0),
    CONVOLUTIONS("3 x 3, more zeros than it needs", MANY, 3, 4, WIDE, 2, 3, 3, 1, 1, 3),
    CONVOLUTIONS("4 x 4, 2 apart", MANY, 6, 4, WIDE, 2, 4, 4, 2, 1, 1),
    CONVOLUTIONS("4 x 4 over all", MANY, 4, 4, 3, WIDE, 4, 4, 1, 0, 0),
    CONVOLUTIONS("1 x 3, 3 apart", MANY, 4, 7, 3, WIDE, 1, 3, 3, 1, 2),
    CONVOLUTIONS("1 x 1", MANY, 3, 2, WIDE, 5, 1, 1, 1, 0, 0),
    CONVOLUTIONS("1 x 1, 2 apart", MANY, 5, 3, WIDE, 2, 1, 1, 2, 0, 0),
};

ROW_FAMILY(images);
