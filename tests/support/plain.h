/* The plain-loop twin of every operation: a graph's values in double, node by node, with no tiles,
 * no fusion, no BLAS and no plan. What the executor computes in float is held against it, and
 * central differences are taken through it. */
#ifndef TEST_PLAIN_H
#define TEST_PLAIN_H

#include "tensor/graph/node.h"

/* What a slot holds in a phase. */
typedef struct test_plain_input {
    dd_slot slot;
    int phase; /* -1 for any */
    const double *numbers;
} test_plain_input;

typedef struct test_plain test_plain;

/* A twin for the graph's present nodes. The graph must outlive it and must not grow while it is
 * used. Ends the test if memory runs out. */
test_plain *test_plain_create(const dd_graph *graph);
void test_plain_free(test_plain *plain);

/* Computes every node whose inputs are given, in the order of their numbers; the first entry that
 * fits a slot and phase is the one taken. An input that no entry fits holds NaN. */
void test_plain_run(test_plain *plain, const test_plain_input *inputs, size_t count);

/* A node's numbers after the last run; the twin's own. */
const double *test_plain_value(const test_plain *plain, dd_node node);

#endif
