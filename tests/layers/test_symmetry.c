/* The symmetries of the square: a group of eight different ones, on pixels and in graphs. */
#define _GNU_SOURCE
#include "layers/symmetry.h"
#include "support/counted.h"
#include "support/plain.h"

#include <string.h>

enum {
    SIDE = 5,
    PIXELS = SIDE * SIDE,
    CHANNELS = 2,
    IMAGES = 2,
    NUMBERS = IMAGES * PIXELS * CHANNELS
};

/* Where each pixel comes from. */
static void fill_map(unsigned symmetry, size_t *map) {
    for (size_t i = 0; i < PIXELS; i++) {
        size_t y = i / SIDE, x = i % SIDE;
        dd_symmetry_source(symmetry, SIDE, &y, &x);
        ck_assert(y < SIDE && x < SIDE);
        map[i] = y * SIDE + x;
    }
}

static int find(size_t maps[DD_SYMMETRIES][PIXELS], const size_t *map) {
    int found = -1;
    for (int s = 0; s < DD_SYMMETRIES; s++)
        if (memcmp(maps[s], map, sizeof maps[s]) == 0) {
            ck_assert_int_eq(found, -1);
            found = s;
        }
    return found;
}

/* The first changes nothing; one after another is one of them, and each is undone by one. */
START_TEST(they_are_a_group) {
    size_t maps[DD_SYMMETRIES][PIXELS], both[PIXELS];
    for (unsigned s = 0; s < DD_SYMMETRIES; s++)
        fill_map(s, maps[s]);
    for (size_t i = 0; i < PIXELS; i++)
        ck_assert_uint_eq(maps[0][i], i);
    for (int s = 0; s < DD_SYMMETRIES; s++) {
        bool undone = false;
        for (int t = 0; t < DD_SYMMETRIES; t++) {
            for (size_t i = 0; i < PIXELS; i++)
                both[i] = maps[s][maps[t][i]];
            int found = find(maps, both);
            ck_assert_int_ge(found, 0);
            undone = undone || found == 0;
        }
        ck_assert(undone);
    }
}
END_TEST

/* Neighbours stay neighbours: distances of pixels are kept. */
START_TEST(distances_are_kept) {
    for (unsigned s = 0; s < DD_SYMMETRIES; s++)
        for (int i = 0; i < PIXELS; i++)
            for (int j = 0; j < PIXELS; j++) {
                size_t a = (size_t)i / SIDE, b = (size_t)i % SIDE, c = (size_t)j / SIDE,
                       d = (size_t)j % SIDE;
                int before = (int)((a - c) * (a - c) + (b - d) * (b - d));
                dd_symmetry_source(s, SIDE, &a, &b);
                dd_symmetry_source(s, SIDE, &c, &d);
                ck_assert_int_eq((int)((a - c) * (a - c) + (b - d) * (b - d)), before);
            }
}
END_TEST

START_TEST(graphs_turn_each_image_alike) {
    open_context(1);
    double in[NUMBERS];
    for (int i = 0; i < NUMBERS; i++)
        in[i] = i;
    for (unsigned s = 0; s < DD_SYMMETRIES; s++) {
        dd_graph *graph = NULL;
        size_t map[PIXELS];
        ASSERT_OK(dd_graph_create(&graph, context));
        dd_node out =
            dd_turned(graph, dd_input(graph, 0, (dd_shape){{IMAGES, SIDE, SIDE, CHANNELS}}, 0), s);
        ASSERT_OK(dd_graph_status(graph));
        fill_map(s, map);
        test_plain *twin = test_plain_create(graph);
        test_plain_run(twin, &(test_plain_input){0, -1, in}, 1);
        for (size_t i = 0; i < NUMBERS; i++) {
            size_t image = i / (PIXELS * CHANNELS), pixel = i / CHANNELS % PIXELS;
            ck_assert_double_eq(test_plain_value(twin, out)[i],
                                in[(image * PIXELS + map[pixel]) * CHANNELS + i % CHANNELS]);
        }
        test_plain_free(twin);
        dd_graph_free(graph);
    }
    close_context();
}
END_TEST

START_TEST(memory_may_run_out) {
    open_context(1);
    dd_graph *graph = NULL;
    ASSERT_OK(dd_graph_create(&graph, context));
    dd_node x = dd_input(graph, 0, (dd_shape){{IMAGES, SIDE, SIDE, CHANNELS}}, 0);
    counted.fail_at = counted.calls + 1;
    ck_assert_int_eq(dd_turned(graph, x, 3), DD_NONE);
    counted.fail_at = 0;
    ck_assert_int_eq(dd_graph_status(graph), DDAEBM_OUT_OF_MEMORY);
    dd_graph_free(graph);
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("symmetry", they_are_a_group, distances_are_kept, graphs_turn_each_image_alike,
                     memory_may_run_out);
}
