/* Rows of the gradient table (test_gradient_table.c): each is an operation in one way of using it.
 * Each family of operations has a file, gradient_FAMILY.c. */
#ifndef TEST_GRADIENT_ROWS_H
#define TEST_GRADIENT_ROWS_H

#include "tensor/graph/graph.h"
#include "tensor/graph/node.h"
#include "tensor/graph/operations.h"

/* Sizes that a row leaves open, set for each run: rows and width. */
#define MANY ((size_t)-1)
#define WIDE ((size_t)0)

/* Rows of a table that indices point into. */
enum { TABLE = 7, MOST_OPERANDS = 2 };

typedef struct filtering {
    size_t taps;
    float values[12];
    int up, down, before, after;
} filtering;

typedef struct row row;
typedef dd_node (*builder)(dd_graph *graph, const dd_node *x, const row *row);

struct row {
    const char *name;
    dd_op op;
    builder build;
    dd_shape shapes[MOST_OPERANDS]; /* size[0] 0 and size[1] 0 for none */
    double low, high;               /* of the operands' numbers */
    double factor, shift;
    int axis; /* or the axes of a sum or the operands to transpose, as bits, a permutation's order
                 as four digits, or a normalisation's groups */
    const struct filtering *filtering;
    bool index;                /* the second operand holds rows of a table */
    bool flat;                 /* no gradient */
    bool no_plan;              /* cannot be asked for as an output */
    int stride, before, after; /* of a convolution */
    dd_shape third;            /* of its gradients: the shape of what they are a gradient in */
};

/* Shapes that many rows have. */
#define FULL                                                                                       \
    {                                                                                              \
        { 2, 3, MANY, WIDE }                                                                       \
    }
#define ROWS                                                                                       \
    {                                                                                              \
        { 1, 1, MANY, WIDE }                                                                       \
    }

/* Returns the shape with size 1 along each axis whose bit is set. */
static inline dd_shape summed(dd_shape shape, int axes) {
    for (int i = 0; i < DD_AXES; i++)
        if (axes >> i & 1)
            shape.size[i] = 1;
    return shape;
}

/* The rows of a family. */
typedef struct row_family {
    const row *rows;
    int count;
} row_family;

#define ROW_FAMILY(name) const row_family rows_##name = {rows, (int)(sizeof rows / sizeof *rows)}

extern const row_family rows_elementwise, rows_reduce, rows_matmul, rows_move, rows_images;

#endif
