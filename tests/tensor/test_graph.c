/* Building graphs: equal nodes, shapes that do not fit, gradients with respect to odd things. */
#include "support/plan_bench.h"

START_TEST(equal_nodes_are_made_once) {
    bench b;
    open_bench(&b, 1, 1);
    dd_graph *g = b.graph;
    dd_shape shape = dd_shape_rows(2, 3);
    const float numbers[6] = {1, 2, 3, 4, 5, 6}, others[6] = {1, 2, 3, 4, 5, 7};
    dd_node x = dd_input(g, 0, shape, 0), y = dd_input(g, 1, shape, 0);
    ck_assert_int_eq(dd_input(g, 0, shape, 0), x);
    ck_assert_int_ne(dd_input(g, 0, shape, 1), x);
    ck_assert_int_eq(dd_add(g, x, y), dd_add(g, y, x));
    ck_assert_int_eq(dd_multiply(g, x, y), dd_multiply(g, y, x));
    ck_assert_int_ne(dd_subtract(g, x, y), dd_subtract(g, y, x));
    ck_assert_int_eq(dd_scalar(g, 0.25), dd_scalar(g, 0.25));
    ck_assert_int_eq(dd_constant(g, numbers, shape), dd_constant(g, numbers, shape));
    ck_assert_int_ne(dd_constant(g, numbers, shape), dd_constant(g, others, shape));
    ck_assert_int_ne(dd_constant(g, numbers, shape), dd_constant(g, numbers, dd_shape_rows(3, 2)));
    ck_assert_int_eq(dd_affine(g, dd_affine(g, x, 2, 1), 3, -1), dd_affine(g, x, 6, 2));
    ck_assert_int_eq(dd_affine(g, x, 1, 0), x);
    ck_assert_int_eq(dd_power(g, x, 1), x);
    ck_assert_int_ne(dd_power(g, x, 2), dd_power(g, x, 3));
    ck_assert_int_eq(dd_sum(g, x, shape), x);
    ck_assert_int_eq(dd_expand(g, x, shape), x);
    ck_assert_int_eq(dd_reshape(g, x, shape), x);
    ck_assert_int_eq(dd_slice(g, x, 3, 0, 3), x);
    ck_assert_int_ne(dd_slice(g, x, 3, 0, 2), dd_slice(g, x, 3, 1, 2));
    ck_assert_int_ne(dd_matmul(g, x, false, y, true), dd_matmul(g, y, false, x, true));
    size_t nodes = dd_graph_nodes(g);
    dd_node first, again;
    dd_gradient(g, dd_tanh(g, dd_add(g, x, y)), DD_NONE, &x, 1, &first);
    ck_assert_uint_gt(dd_graph_nodes(g), nodes);
    nodes = dd_graph_nodes(g);
    dd_gradient(g, dd_tanh(g, dd_add(g, x, y)), DD_NONE, &x, 1, &again);
    ck_assert_int_eq(first, again);
    ck_assert_uint_eq(dd_graph_nodes(g), nodes);
    ck_assert_int_eq(dd_graph_status(g), DDAEBM_OK);
    close_bench(&b);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_a_status) {
    for (int i = 0; i < 13; i++) {
        bench b;
        open_bench(&b, 1, 1);
        dd_graph *g = b.graph;
        dd_node x = dd_input(g, 0, dd_shape_rows(2, 3), 0),
                y = dd_input(g, 1, dd_shape_rows(2, 4), 0),
                found[] = {i == 0    ? dd_add(g, x, y)
                           : i == 1  ? dd_matmul(g, x, false, y, false)
                           : i == 2  ? dd_reshape(g, x, dd_shape_rows(2, 4))
                           : i == 3  ? dd_slice(g, x, 3, 2, 2)
                           : i == 4  ? dd_slice(g, x, 3, 4, 1)
                           : i == 5  ? dd_slice(g, x, 3, 1, 0)
                           : i == 6  ? dd_pad(g, x, 3, 2, 4)
                           : i == 7  ? dd_pad(g, x, 3, 5, 4)
                           : i == 8  ? dd_concat(g, x, y, 2)
                           : i == 9  ? dd_sum(g, x, dd_shape_rows(2, 2))
                           : i == 10 ? dd_expand(g, x, dd_shape_rows(2, 6))
                           : i == 11 ? dd_add_rows(g, x, dd_input(g, 2, dd_shape_rows(3, 1), 0), 5)
                                     : dd_tanh(g, DD_NONE)};
        ck_assert_msg(found[0] == DD_NONE && dd_graph_status(g) == DDAEBM_INTERNAL,
                      "case %d went through", i);
        ck_assert_int_eq(dd_add(g, x, x), DD_NONE); /* nothing more is built */
        dd_node gradient = 5;
        dd_gradient(g, x, DD_NONE, &x, 1, &gradient);
        ck_assert_int_eq(gradient, DD_NONE);
        dd_plan *plan = NULL;
        ck_assert_int_eq(dd_plan_create(&plan, g, (dd_plan_options){.phases = 1, .parts = 1}),
                         DDAEBM_INTERNAL);
        close_bench(&b);
    }
}
END_TEST

/* A gradient with respect to what y does not depend on is DD_NONE. */
START_TEST(gradients_of_what_does_not_depend) {
    bench b;
    open_bench(&b, 1, 1);
    dd_graph *g = b.graph;
    dd_node x = dd_input(g, 0, dd_shape_rows(2, 3), 0), y = dd_input(g, 1, dd_shape_rows(2, 3), 0);
    dd_node z = dd_add(g, dd_sin(g, x), dd_multiply(g, dd_detach(g, x), dd_heaviside(g, y)));
    dd_node wrt[] = {x, y, z, dd_tanh(g, z)},
            gradients[4]; /* the last is later than what is differentiated */
    dd_gradient(g, z, DD_NONE, wrt, 4, gradients);
    ck_assert_int_ne(gradients[0], DD_NONE);
    ck_assert_int_eq(gradients[1], DD_NONE);
    ck_assert_int_ne(gradients[2], DD_NONE);
    ck_assert_int_eq(gradients[3], DD_NONE);
    close_bench(&b);
}
END_TEST

/* Gradients with respect to both a tensor and its permutation. */
START_TEST(gradients_of_a_tensor_and_of_its_permutation) {
    enum { ROWS = 2, COLUMNS = 3 };
    bench b;
    open_bench(&b, 1, 1);
    dd_graph *g = b.graph;
    dd_node x = add_input(&b, 0, dd_shape_rows(ROWS, COLUMNS), 0, -1, 1);
    dd_node turned = dd_permute(g, x, (const int[]){0, 1, 3, 2}), wrt[] = {x, turned}, gradients[2];
    dd_gradient(g, dd_multiply(g, turned, turned), DD_NONE, wrt, 2, gradients);
    ask(&b, gradients[0], 0);
    ask(&b, gradients[1], 0);
    make_plan(&b, false, 1);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    check_results(&b, 0, "permutation");
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        float slope = 2 * b.narrow[0][0][i];
        ck_assert_float_eq(b.found[0][i], slope);
        ck_assert_float_eq(b.found[1][i % COLUMNS * ROWS + i / COLUMNS], slope);
    }
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, equal_nodes_are_made_once);
    tcase_add_test(tests, shapes_that_do_not_fit_are_a_status);
    tcase_add_test(tests, gradients_of_what_does_not_depend);
    tcase_add_test(tests, gradients_of_a_tensor_and_of_its_permutation);
}

int main(void) {
    return run_tests("graph", add_tests);
}
