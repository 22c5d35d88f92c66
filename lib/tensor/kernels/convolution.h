/* Convolutions of images [N, H, W, C] with weights [O, KH, KW, C], and their two gradients, by one
 * of several backends. A dd_convolution is created once, when a graph is planned. It is read-only
 * from then on, so any number of threads may run it. */
#ifndef DD_CONVOLUTION_H
#define DD_CONVOLUTION_H

#include "base/ieee.h"

#include <ddaebm/context.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum dd_convolution_kind {
    DD_CONVOLUTION_FORWARD, /* y of x and weights */
    DD_CONVOLUTION_INPUT,   /* x's gradient, of y's and weights */
    DD_CONVOLUTION_WEIGHT   /* the weights' gradient, of x and y's */
} dd_convolution_kind;

/* y[n, i, j, o] = sum of w[o, k, l, c] x[n, i stride + k - before, j stride + l - before, c]; all
 * products of sizes that make rows or columns of a matrix fit an int (checked when a graph is
 * planned). */
typedef struct dd_convolution_shape {
    size_t images, height, width, channels; /* x */
    size_t rows, columns, filters;          /* y, an image each */
    size_t down, across;                    /* the taps of a filter */
    ptrdiff_t stride, before;
    bool packed_once; /* weights are packed once for many runs, so that packing pays sooner */
} dd_convolution_shape;

typedef struct dd_convolution_backend dd_convolution_backend;

/* A convolution; each backend has a struct that begins with this one. */
typedef struct dd_convolution {
    const dd_convolution_backend *backend;
    ddaebm_context *context;
    dd_convolution_kind kind;
    dd_convolution_shape shape;
    size_t parts;   /* into which it is cut */
    bool sums;      /* each part fills a whole result of its own; their sum is the result */
    size_t memory;  /* bytes of its own */
    size_t scratch; /* floats that a part works in */
    size_t packed;  /* floats of the weights packed into the backend's order; 0: read as they are */
} dd_convolution;

/* The work of one part. */
typedef struct dd_convolution_call {
    size_t part;
    const float *a,
        *b; /* forward: x, weights (packed, if it packs them); input: y, weights; weight: x, y */
    float *out;     /* where the result begins; for parts that are to be summed, the part's own */
    float *scratch; /* at the start of a cache line */
} dd_convolution_call;

struct dd_convolution_backend {
    const char *name;
    ddaebm_status (*create)(dd_convolution **out, ddaebm_context *context, dd_convolution_kind kind,
                            const dd_convolution_shape *shape, size_t parts);
    void (*destroy)(dd_convolution *self);
    /* Packs part `part` of the weights; NULL if they are read as they are. */
    void (*pack)(const dd_convolution *self, size_t part, const float *weights, float *packed);
    /* Whether both can read the same packed weights. */
    bool (*same_packing)(const dd_convolution *a, const dd_convolution *b);
    void (*run)(const dd_convolution *self, const dd_convolution_call *call);
};

/* Matrix products of patches (im2col), on any machine. */
extern const dd_convolution_backend dd_convolution_blas;
#ifdef DD_HAVE_ONEDNN
/* oneDNN; matrix products where they are as fast. */
extern const dd_convolution_backend dd_convolution_onednn;
#endif

/* Winograd's minimal filtering where it is faster; elsewhere the fastest of the others. */
extern const dd_convolution_backend dd_convolution_winograd;

/* Returns the fastest backend that was built in, and the fastest without minimal filtering. */
const dd_convolution_backend *dd_convolution_choose(void);
const dd_convolution_backend *dd_convolution_choose_direct(void);

#endif
