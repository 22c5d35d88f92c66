/* Fused loops: what becomes one, and that tiles hold the right rows. */
#include "support/plan_bench.h"

START_TEST(a_chain_is_one_task) {
    bench b;
    open_bench(&b, 1, 1);
    dd_node x = add_input(&b, 0, dd_shape_rows(9, 70), 0, -1, 1), y = x;
    dd_node bias = add_input(&b, 1, dd_shape_rows(1, 70), 0, -1, 1),
            column = add_input(&b, 2, dd_shape_rows(9, 1), 0, -1, 1);
    for (int i = 0; i < 5; i++)
        y = dd_multiply(
            b.graph, column,
            dd_tanh(b.graph, dd_add(b.graph, dd_sin(b.graph, dd_add(b.graph, y, bias)), x)));
    ask(&b, y, 0);
    make_plan(&b, false, 1);
    ck_assert_uint_eq(dd_plan_tasks(b.plan), 1);
    ck_assert_uint_eq(b.plan->arena, 0);
    ck_assert_double_eq(dd_plan_multiply_adds(b.plan, 0), 0);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    check_results(&b, 0, "chain");
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

/* Parts may begin in the middle of a row, or of a run of rows that read the same row: what a tile
 * still holds from the one before must be right for it. */
START_TEST(repeated_operands_in_any_tile) {
    const dd_shape shapes[] = {{{3, 5, 1, 513}}, {{3, 7, 9, 100}}, {{5, 7, 11, 3}},
                               {{3, 1, 700, 1}}, {{1, 3, 5, 300}}, {{2, 1, 1, 1500}}};
    for (int parts = 1; parts <= 7; parts++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            bench b;
            open_bench(&b, 2, 1);
            dd_shape shape = shapes[s];
            dd_node y = add_input(&b, 0, shape, 0, -1, 1);
            for (int axes = 1; axes < 16; axes++) { /* the axes that are not broadcast, as bits */
                dd_shape part = shape;
                for (int i = 0; i < DD_AXES; i++)
                    part.size[i] = axes >> i & 1 ? shape.size[i] : 1;
                y = dd_tanh(b.graph, dd_add(b.graph, y, add_input(&b, axes, part, 0, -1, 1)));
            }
            ask(&b, y, 0);
            make_plan(&b, false, parts);
            dd_workspace *workspace = make_workspace(&b);
            run_phase(&b, workspace, 0, false);
            check_results(&b, 0, "repeated operands");
            dd_workspace_free(workspace);
            close_bench(&b);
        }
}
END_TEST

/* A loop has at most DD_MOST_MEMBERS operations, of one shape. */
START_TEST(long_chains_are_cut) {
    bench b;
    open_bench(&b, 1, 1);
    dd_node y = add_input(&b, 0, dd_shape_rows(3, 600), 0, -1, 1),
            small = add_input(&b, 1, dd_shape_rows(3, 1), 0, -1, 1);
    for (int i = 0; i < 3; i++)
        small = dd_cos(b.graph, small);
    for (int i = 0; i < 2 * DD_MOST_MEMBERS + 1; i++)
        y = dd_sin(b.graph, y);
    ask(&b, dd_add(b.graph, y, small), 0);
    make_plan(&b, false, 1);
    ck_assert_uint_eq(dd_plan_tasks(b.plan), 3 + 1);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    check_results(&b, 0, "long chain");
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, a_chain_is_one_task);
    tcase_add_test(tests, repeated_operands_in_any_tile);
    tcase_add_test(tests, long_chains_are_cut);
}

int main(void) {
    return run_tests("fuse", add_tests);
}
