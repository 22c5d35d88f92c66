/* One tensor as the plain loops see it; for the files of plain.h's twin alone. */
#ifndef TEST_PLAIN_TENSOR_H
#define TEST_PLAIN_TENSOR_H

#include "tensor/graph/node.h"

typedef struct tensor {
    dd_shape shape;
    double *x;
} tensor;

/* Where the element at `at` is kept; an axis of size 1 stands for all of its indices. */
static inline size_t offset_of(dd_shape shape, const size_t at[DD_AXES]) {
    size_t offset = 0;
    for (int i = 0; i < DD_AXES; i++)
        offset = offset * shape.size[i] + (shape.size[i] == 1 ? 0 : at[i]);
    return offset;
}

/* The next index, last axis fastest; false after the last. */
static inline bool next(dd_shape shape, size_t at[DD_AXES]) {
    for (int i = DD_AXES - 1; i >= 0; i--) {
        if (++at[i] < shape.size[i])
            return true;
        at[i] = 0;
    }
    return false;
}

/* Filters, normalisations, softmax, permutations and masks; false for other operations. */
bool test_plain_maps(tensor out, const dd_node_data *data, tensor a, tensor b);

#endif
