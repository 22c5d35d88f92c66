/* When values are computed, for which rows, and where outputs are written. */
#include "support/plan_bench.h"

/* Weights in slot 0 and rows in slot 1: phase 0 could prepare what the weights fix. */
static void build_prepared(bench *b) {
    dd_node w = add_input(b, 0, dd_shape_rows(6, 6), 0, -1, 1),
            x = add_input(b, 1, dd_shape_rows(3, 6), 1, -1, 1);
    dd_node folded = dd_tanh(b->graph, dd_matmul(b->graph, w, false, w, true));
    dd_node again =
        dd_reshape(b->graph, dd_sum(b->graph, folded, dd_shape_rows(1, 6)), dd_shape_rows(6, 1));
    dd_node y =
        dd_matmul(b->graph, dd_matmul(b->graph, x, false, folded, false), false, again, false);
    ask(b, dd_add(b->graph, y, dd_scalar(b->graph, 1)), 1);
}

START_TEST(what_no_output_needs_is_left_out) {
    bench b;
    open_bench(&b, 1, 1);
    dd_node x = add_input(&b, 0, dd_shape_rows(4, 4), 0, -1, 1);
    (void)dd_matmul(b.graph, x, false, x, true);
    ask(&b, dd_sum(b.graph, x, dd_shape_rows(4, 1)), 0);
    make_plan(&b, false, 1);
    ck_assert_uint_eq(dd_plan_tasks(b.plan), 1);
    ck_assert_double_eq(dd_plan_multiply_adds(b.plan, 0), 0);
    close_bench(&b);
}
END_TEST

START_TEST(prepared_values_are_kept) {
    bench b;
    open_bench(&b, 1, 2);
    build_prepared(&b);
    make_plan(&b, true, 1);
    ck_assert_double_eq(dd_plan_multiply_adds(b.plan, 0), 6 * 6 * 6);
    ck_assert_double_eq(dd_plan_multiply_adds(b.plan, 1), 3 * 6 * 6 + 3 * 6);
    check_memory(b.plan);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    for (size_t i = 0; i < b.inputs[0]; i++) /* a run that read the weights again would see these */
        b.narrow[0][0][i] = b.narrow[1][0][i] = NAN;
    for (int run = 0; run < 3; run++) {
        forget_results(&b);
        run_phase(&b, workspace, 1, true);
        check_results(&b, 0, "prepared");
    }
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

START_TEST(unprepared_values_wait_until_they_are_needed) {
    bench b;
    open_bench(&b, 1, 2);
    build_prepared(&b);
    make_plan(&b, false, 1);
    ck_assert_double_eq(dd_plan_multiply_adds(b.plan, 0), 0);
    ck_assert_double_eq(dd_plan_multiply_adds(b.plan, 1), 6 * 6 * 6 + 3 * 6 * 6 + 3 * 6);
    close_bench(&b);
}
END_TEST

/* As in training, slot 0 holds other numbers after phase 0. What phase 0 computed and phase 1 reads
 * is not computed a second time. */
START_TEST(a_slot_may_change_between_phases) {
    for (int prepare = 0; prepare < 2; prepare++) {
        bench b;
        open_bench(&b, 2, 2);
        dd_shape shape = dd_shape_rows(40, 300);
        dd_node before = add_input(&b, 0, shape, 0, -1, 1),
                after = add_input(&b, 0, shape, 1, -1, 1);
        dd_node x = add_input(&b, 1, shape, 0, -1, 1);
        for (size_t i = 0; i < b.inputs[1]; i++)
            b.wide[1][1][i] = (double)(b.narrow[1][1][i] = NAN); /* not read in phase 1 */
        dd_node kept = dd_sin(b.graph, dd_multiply(b.graph, before, x)),
                sum = dd_sum(b.graph, kept, dd_shape_rows(40, 1));
        ask(&b, kept, 0); /* and read again in phase 1, so that it is a copy */
        ask(&b, sum, 0);
        ask(&b, dd_add(b.graph, dd_multiply(b.graph, kept, after), sum), 1);
        ask(&b, kept, 1);
        ask(&b, sum, 1);
        make_plan(&b, prepare, 2);
        check_memory(b.plan);
        dd_workspace *workspace = make_workspace(&b);
        for (int run = 0; run < 3; run++) {
            forget_results(&b);
            run_phase(&b, workspace, 0, false);
            for (int i = 2; i < b.results; i++)
                for (size_t j = 0; j < b.sizes[i]; j++)
                    ck_assert(isnan(b.found[i][j])); /* written only in their phase */
            for (int i = 0; i < 2; i++)
                for (size_t j = 0; j < b.sizes[i]; j++)
                    b.found[3 + i][j] = b.found[i][j]; /* the caller's from here on */
            run_phase(&b, workspace, 1, false);
            check_results(&b, 0, "two phases");
        }
        dd_workspace_free(workspace);
        close_bench(&b);
    }
}
END_TEST

START_TEST(outputs_are_computed_in_place) {
    bench b;
    open_bench(&b, 1, 1);
    dd_node x = add_input(&b, 0, dd_shape_rows(8, 8), 0, -1, 1);
    dd_node product = dd_matmul(b.graph, x, false, x, true), curved = dd_tanh(b.graph, product);
    ask(&b, product, 0); /* read again in the same phase */
    ask(&b, curved, 0);
    make_plan(&b, false, 1);
    ck_assert_uint_eq(dd_plan_tasks(b.plan), 2);
    ck_assert_uint_eq(b.plan->arena, 0);
    ck_assert_int_eq(b.plan->locations[product].place, DD_PLACE_SLOT);
    ck_assert_int_eq(b.plan->locations[curved].place, DD_PLACE_SLOT);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    check_results(&b, 0, "in place");
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

START_TEST(anything_can_be_an_output) {
    const float numbers[6] = {1, -2, 3, -4, 5, -6};
    for (int prepare = 0; prepare < 2; prepare++) {
        bench b;
        open_bench(&b, 2, 2);
        dd_graph *g = b.graph;
        dd_node x = add_input(&b, 0, dd_shape_rows(2, 3), 0, -1, 1),
                one = add_input(&b, 1, dd_shape_rows(1, 1), 0, -1, 1);
        dd_node sine = dd_sin(g, x), constant = dd_constant(g, numbers, dd_shape_rows(2, 3)),
                scalar = dd_scalar(g, 0.375);
        dd_node turned = dd_reshape(g, sine, dd_shape_rows(3, 2));
        const dd_node asked[] = {
            x,
            one,
            constant,
            scalar,
            dd_reshape(g, x, dd_shape_rows(6, 1)),
            dd_reshape(g, constant, dd_shape_rows(1, 6)),
            dd_detach(g, scalar),
            dd_detach(g, x),
            sine,
            turned,
            dd_reshape(g, turned, dd_shape_rows(2, 3)),
            dd_detach(g, turned),
            dd_add(g, dd_detach(g, scalar), one),
            dd_add(g, dd_detach(g, scalar), x),
            dd_add(g, dd_reshape(g, turned, dd_shape_rows(2, 3)), sine),
            dd_pad(g, scalar, 3, 1, 4),
            dd_concat(g, scalar, one, 2),
            dd_matmul(g, scalar, false, dd_reshape(g, x, dd_shape_rows(1, 6)), false)};
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
            ask(&b, asked[i], 0);
            ask(&b, asked[i], 1);
        }
        ask(&b, sine, 0); /* the same twice */
        make_plan(&b, prepare, 2);
        check_memory(b.plan);
        dd_workspace *workspace = make_workspace(&b);
        forget_results(&b);
        for (size_t i = 0; i < 6; i++) /* sources that a later phase gives out are read then */
            b.narrow[1][0][i] = b.narrow[0][0][i];
        b.narrow[1][1][0] = b.narrow[0][1][0];
        run_phase(&b, workspace, 0, false);
        run_phase(&b, workspace, 1, false);
        check_results(&b, 0, "outputs");
        dd_workspace_free(workspace);
        close_bench(&b);
    }
}
END_TEST

/* Of three products that are summed, only two need places of their own. */
START_TEST(terms_of_a_sum_wait_in_the_output) {
    bench b;
    open_bench(&b, 1, 1);
    dd_node x = add_input(&b, 0, dd_shape_rows(32, 32), 0, -1, 1), terms[3];
    for (int i = 0; i < 3; i++)
        terms[i] = dd_matmul(b.graph, x, i == 1, x, i == 2);
    ask(&b, dd_add(b.graph, dd_add(b.graph, terms[0], terms[1]), terms[2]), 0);
    make_plan(&b, false, 1);
    ck_assert_uint_eq(b.plan->arena, 2 * 32 * 32);
    ck_assert_int_eq(b.plan->locations[terms[0]].place, DD_PLACE_SLOT);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    check_results(&b, 0, "sum");
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

/* Runs the first rows alone, in a workspace that prepared nothing itself. */
START_TEST(some_rows_are_run_where_another_prepared) {
    bench b;
    dd_workspace *beside = NULL;
    open_bench(&b, 1, 2);
    b.options = (dd_plan_options){.rows = 3};
    build_prepared(&b);
    make_plan(&b, true, 1);
    ck_assert_uint_eq(dd_plan_rows(b.plan), 3);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    ck_assert_int_eq(dd_workspace_create_beside(&beside, b.plan, workspace), DDAEBM_OK);
    dd_workspace_bind(beside, RESULTS, b.found[0]);
    dd_workspace_bind(beside, 1, b.narrow[1][1]);
    for (size_t rows = 1; rows <= 3; rows++) {
        forget_results(&b);
        dd_workspace_run_rows(beside, rows, dd_context_pool(b.context), true);
        for (size_t i = 0; i < 3; i++)
            if (i < rows)
                ck_assert_double_eq_tol((double)b.found[0][i], b.expected[0][i],
                                        1e-5 * (1 + fabs(b.expected[0][i])));
            else
                ck_assert(isnan(b.found[0][i]));
    }
    dd_workspace_free(beside);
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

/* _i: an operation that mixes rows, or changes their number. */
START_TEST(rows_that_are_mixed_are_run_together) {
    bench b;
    open_bench(&b, 1, 2);
    b.options = (dd_plan_options){.rows = 3};
    dd_node w = add_input(&b, 0, dd_shape_rows(3, 6), 0, -1, 1),
            x = add_input(&b, 1, dd_shape_rows(3, 6), 1, -1, 1);
    dd_node y = dd_multiply(b.graph, x, w);
    switch (_i) {
    case 0:
        y = dd_add(b.graph, y, dd_sum(b.graph, x, dd_shape_rows(1, 6)));
        break;
    case 1:
        y = dd_matmul(b.graph, dd_matmul(b.graph, y, false, x, true), false, w, false);
        break;
    case 2:
        y = dd_slice(b.graph, dd_concat(b.graph, w, y, 2), 2, 1, 3);
        break;
    default:
        y = dd_matmul(b.graph, w, false, dd_matmul(b.graph, x, true, w, false), false);
        break;
    }
    ask(&b, dd_tanh(b.graph, y), 1);
    make_plan(&b, true, 1);
    ck_assert_uint_eq(dd_plan_rows(b.plan), 0);
    close_bench(&b);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, what_no_output_needs_is_left_out);
    tcase_add_test(tests, prepared_values_are_kept);
    tcase_add_test(tests, unprepared_values_wait_until_they_are_needed);
    tcase_add_test(tests, a_slot_may_change_between_phases);
    tcase_add_test(tests, outputs_are_computed_in_place);
    tcase_add_test(tests, anything_can_be_an_output);
    tcase_add_test(tests, terms_of_a_sum_wait_in_the_output);
    tcase_add_test(tests, some_rows_are_run_where_another_prepared);
    tcase_add_loop_test(tests, rows_that_are_mixed_are_run_together, 0, 4);
}

int main(void) {
    return run_tests("schedule", add_tests);
}
