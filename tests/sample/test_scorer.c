/* The scorer: f / temperature in the data's own units, its gradient, and what it refuses. NEAR:
 * rows alone or together. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/extremes.h"
#include "support/small.h"

#include <ddaebm/scorer.h>
#include <math.h>

#define NEAR 1e-5

enum { COUNT = 700, WIDTH = 3 };

/* SiLU has no kinks for differences to fall over. */
static ddaebm_model *create(void) {
    return small_model(
        context, "\"data.width\":3,\"energy.activation\":\"silu\",\"objective.latent_weight\":0",
        8);
}

static ddaebm_scorer *open_scorer(const ddaebm_model *model) {
    ddaebm_scorer *scorer = NULL;
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    return scorer;
}

static float *some_rows(size_t count) {
    float *rows = malloc(count * WIDTH * sizeof *rows);
    dd_rng_normals(rows, 17, dd_stream(DD_STREAM_DATA, 1), 0, count * WIDTH);
    return rows;
}

static float *score(ddaebm_scorer *scorer, const float *rows, size_t count, size_t timestep) {
    float *scores = malloc(count * sizeof *scores);
    ASSERT_OK(ddaebm_scorer_score(scorer, rows, count, timestep, scores));
    return scores;
}

static float *gradient(ddaebm_scorer *scorer, const float *rows, size_t count, size_t timestep) {
    float *gradients = malloc(count * WIDTH * sizeof *gradients);
    ASSERT_OK(ddaebm_scorer_gradient(scorer, rows, count, timestep, gradients));
    return gradients;
}

static double largest_of(const float *values, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = larger(largest, fabs((double)values[i]));
    return largest;
}

static void assert_near(const float *values, const float *expected, size_t count,
                        double tolerance) {
    double largest = largest_of(expected, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_double_eq_tol((double)values[i], (double)expected[i], tolerance * largest);
}

START_TEST(rows_are_scored_alone_as_together) {
    static const size_t cuts[] = {1, 4, 6, 7, 100, 256, 511};
    ddaebm_model *model = create();
    ddaebm_scorer *scorer = open_scorer(model);
    float *rows = some_rows(COUNT);
    for (size_t timestep = 0; timestep < ddaebm_model_timesteps(model); timestep++) {
        float *scores = score(scorer, rows, COUNT, timestep),
              *gradients = gradient(scorer, rows, COUNT, timestep);
        double scale = largest_of(scores, COUNT), slope = largest_of(gradients, COUNT * WIDTH);
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
            for (size_t first = 0; first < COUNT; first += cuts[i] + (cuts[i] < 7 ? 50 : 0)) {
                size_t count = COUNT - first < cuts[i] ? COUNT - first : cuts[i];
                float *part = score(scorer, rows + first * WIDTH, count, timestep);
                float *slopes = gradient(scorer, rows + first * WIDTH, count, timestep);
                for (size_t k = 0; k < count; k++)
                    ck_assert_double_eq_tol((double)part[k], (double)scores[first + k],
                                            NEAR * scale);
                for (size_t k = 0; k < count * WIDTH; k++)
                    ck_assert_double_eq_tol((double)slopes[k], (double)gradients[first * WIDTH + k],
                                            NEAR * slope);
                free(part);
                free(slopes);
            }
        free(scores);
        free(gradients);
    }
    free(rows);
    ddaebm_scorer_free(scorer);
    ddaebm_scorer_free(NULL);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(the_same_call_gives_the_same_bits) {
    ddaebm_model *model = create();
    float *rows = some_rows(COUNT);
    for (int threads = 1; threads <= 3; threads++) {
        ASSERT_OK(ddaebm_context_set_threads(context, threads));
        ddaebm_scorer *a = open_scorer(model), *b = open_scorer(model);
        float *first = score(a, rows, COUNT, 1), *second = score(a, rows, COUNT, 1),
              *third = score(b, rows, COUNT, 1);
        float *slope = gradient(a, rows, COUNT, 1), *again = gradient(b, rows, COUNT, 1),
              *other = score(a, rows, COUNT, 2);
        ck_assert_int_eq(memcmp(first, second, COUNT * sizeof(float)), 0);
        ck_assert_int_eq(memcmp(first, third, COUNT * sizeof(float)), 0);
        ck_assert_int_eq(memcmp(slope, again, COUNT * WIDTH * sizeof(float)), 0);
        ck_assert_int_ne(memcmp(first, other, COUNT * sizeof(float)), 0); /* the timestep matters */
        float *const all[] = {first, second, third, slope, again, other};
        for (size_t i = 0; i < 6; i++)
            free(all[i]);
        ddaebm_scorer_free(a);
        ddaebm_scorer_free(b);
    }
    free(rows);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(gradients_are_those_of_the_scores) {
    enum { FEW_ROWS = 40 };
    ddaebm_model *model = create();
    for (size_t j = 0; j < WIDTH; j++) {
        model->mean[j] = (double)j;
        model->scale[j] = 0.5 + (double)j;
    }
    ASSERT_OK(ddaebm_model_set_temperature(model, 0.2));
    ddaebm_scorer *scorer = open_scorer(model);
    float *rows = some_rows(FEW_ROWS), *moved = malloc(FEW_ROWS * WIDTH * sizeof *moved);
    for (size_t timestep = 0; timestep < ddaebm_model_timesteps(model); timestep++) {
        float *gradients = gradient(scorer, rows, FEW_ROWS, timestep),
              differences[FEW_ROWS * WIDTH];
        for (size_t j = 0; j < WIDTH; j++) {
            double step = 0.05 * model->scale[j];
            float *scores[2];
            for (int side = 0; side < 2; side++) {
                memcpy(moved, rows, FEW_ROWS * WIDTH * sizeof *moved);
                for (size_t i = 0; i < FEW_ROWS; i++)
                    moved[i * WIDTH + j] += (float)(side ? step : -step);
                scores[side] = score(scorer, moved, FEW_ROWS, timestep);
            }
            for (size_t i = 0; i < FEW_ROWS; i++)
                differences[i * WIDTH + j] =
                    (float)(((double)scores[1][i] - (double)scores[0][i]) / (2 * step));
            free(scores[0]);
            free(scores[1]);
        }
        assert_near(gradients, differences, FEW_ROWS * WIDTH, 2e-3);
        free(gradients);
    }
    free(rows);
    free(moved);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(rows_are_in_the_datas_units) {
    ddaebm_model *plain = create(), *model = create();
    float *rows = some_rows(COUNT), *raw = some_rows(COUNT);
    for (size_t j = 0; j < WIDTH; j++) {
        model->mean[j] = 100 * (double)j;
        model->scale[j] = 4 * ((double)j + 1);
    }
    for (size_t i = 0; i < COUNT * WIDTH; i++)
        raw[i] = (float)((double)rows[i] * model->scale[i % WIDTH] + model->mean[i % WIDTH]);
    ddaebm_scorer *a = open_scorer(plain), *b = open_scorer(model);
    float *expected = score(a, rows, COUNT, 0), *scores = score(b, raw, COUNT, 0);
    float *slopes = gradient(a, rows, COUNT, 0), *own = gradient(b, raw, COUNT, 0);
    assert_near(scores, expected, COUNT, 1e-4); /* means of 100 cost digits */
    for (size_t i = 0; i < COUNT * WIDTH; i++)
        slopes[i] /= (float)model->scale[i % WIDTH];
    assert_near(own, slopes, COUNT * WIDTH, 1e-3);
    float *const all[] = {rows, raw, expected, scores, slopes, own};
    for (size_t i = 0; i < 6; i++)
        free(all[i]);
    ddaebm_scorer_free(a);
    ddaebm_scorer_free(b);
    ddaebm_model_free(model);
    ddaebm_model_free(plain);
}
END_TEST

START_TEST(the_temperature_divides) {
    ddaebm_model *model = create();
    float *rows = some_rows(COUNT);
    ddaebm_scorer *at_one = open_scorer(model);
    ASSERT_OK(ddaebm_model_set_temperature(model, 0.25));
    ddaebm_scorer *at_quarter = open_scorer(model);
    float *one = score(at_one, rows, COUNT, 0), *quarter = score(at_quarter, rows, COUNT, 0);
    float *slope = gradient(at_one, rows, COUNT, 0), *steep = gradient(at_quarter, rows, COUNT, 0);
    for (size_t i = 0; i < COUNT; i++)
        one[i] *= 4;
    for (size_t i = 0; i < COUNT * WIDTH; i++)
        slope[i] *= 4;
    assert_near(quarter, one, COUNT, 1e-6);
    assert_near(steep, slope, COUNT * WIDTH, 1e-6);
    float *const all[] = {rows, one, quarter, slope, steep};
    for (size_t i = 0; i < 5; i++)
        free(all[i]);
    ddaebm_scorer_free(at_one);
    ddaebm_scorer_free(at_quarter);
    ddaebm_model_free(model);
}
END_TEST

/* Also for what it has not been asked for yet. */
START_TEST(a_scorer_keeps_the_weights_it_was_made_with) {
    ddaebm_model *model = create();
    float *rows = some_rows(20), *bias = malloc(4 * sizeof *bias);
    ddaebm_scorer *first = open_scorer(model), *second = open_scorer(model);
    float *before = score(first, rows, 20, 0), *slope_before = gradient(first, rows, 20, 0);
    for (int i = 0; i < 4; i++)
        bias[i] = 3;
    ASSERT_OK(ddaebm_model_set_parameter(model, "energy.x_encoder.layers.0.bias", bias, 4));
    float *after = score(second, rows, 20, 0), *slope_after = gradient(second, rows, 20, 0);
    ck_assert_int_eq(memcmp(before, after, 20 * sizeof(float)), 0);
    ck_assert_int_eq(memcmp(slope_before, slope_after, 20 * WIDTH * sizeof(float)), 0);
    ddaebm_scorer *fresh = open_scorer(model);
    float *changed = gradient(fresh, rows, 20, 0);
    ck_assert_int_ne(memcmp(slope_before, changed, 20 * WIDTH * sizeof(float)), 0);
    float *const all[] = {rows, bias, before, slope_before, after, slope_after, changed};
    for (size_t i = 0; i < 7; i++)
        free(all[i]);
    ddaebm_scorer_free(first);
    ddaebm_scorer_free(second);
    ddaebm_scorer_free(fresh);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(scoring_does_not_allocate) {
    ddaebm_model *model = create();
    float *rows = some_rows(COUNT), *out = malloc(COUNT * WIDTH * sizeof *out);
    for (int threads = 1; threads <= 3; threads++) {
        ASSERT_OK(ddaebm_context_set_threads(context, threads));
        ddaebm_scorer *scorer = open_scorer(model);
        ASSERT_OK(ddaebm_scorer_score(scorer, rows, 1, 0, out));
        size_t calls = counted.calls;
        static const size_t counts[] = {1, COUNT, 7, 256, 3};
        for (size_t i = 0; i < 5; i++) {
            ASSERT_OK(ddaebm_scorer_score(scorer, rows, counts[i], i % 4, out));
            ASSERT_OK(ddaebm_scorer_gradient(scorer, rows, counts[i], i % 4, out));
        }
        ck_assert_uint_eq(counted.calls, calls);
        ddaebm_scorer_free(scorer);
    }
    free(rows);
    free(out);
    ddaebm_model_free(model);
}
END_TEST

/* --- What is refused. --- */

START_TEST(a_row_that_is_not_finite_is_named) {
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    static const size_t places[] = {0, 3, 5, 6, 300, COUNT - 1};
    ddaebm_model *model = create();
    ddaebm_scorer *scorer = open_scorer(model);
    float *rows = some_rows(COUNT), *out = malloc(COUNT * WIDTH * sizeof *out);
    for (size_t p = 0; p < sizeof places / sizeof *places; p++)
        for (size_t k = 0; k < 3; k++) {
            char name[32];
            snprintf(name, sizeof name, "row %zu holds", places[p]);
            float before = rows[places[p] * WIDTH + k];
            rows[places[p] * WIDTH + k] = bad[k];
            ASSERT_FAILS(ddaebm_scorer_score(scorer, rows, places[p] + 1, 0, out),
                         DDAEBM_NOT_FINITE, name);
            ASSERT_FAILS(ddaebm_scorer_gradient(scorer, rows, COUNT, 0, out), DDAEBM_NOT_FINITE,
                         name);
            if (places[p] > 0)
                ASSERT_OK(
                    ddaebm_scorer_score(scorer, rows, places[p], 0, out)); /* the rows before it */
            rows[places[p] * WIDTH + k] = before;
        }
    ASSERT_OK(ddaebm_scorer_score(scorer, rows, COUNT, 0, out));
    free(rows);
    free(out);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

/* A model of padded images scores what one of rows does with the same weights, of images on black;
 * its gradient is the inside's. */
START_TEST(images_are_scored_on_black) {
    enum { IMAGES = 20, OUTER = 3 * 3, INNER = 5 * 5 };
    static float images[IMAGES * OUTER], rows[IMAGES * INNER], gradients[IMAGES * OUTER],
        others[IMAGES * INNER];
    float scores[IMAGES], expected[IMAGES];
    static const char common[] = "\"energy.activation\":\"silu\"";
    char text[128];
    (void)snprintf(text, sizeof text, "\"data.image_size\":5,\"data.padding\":1,%s", common);
    ddaebm_model *model = small_model(context, text, 8);
    (void)snprintf(text, sizeof text, "\"data.width\":25,%s", common);
    ddaebm_model *plain = small_model(context, text, 8);
    ddaebm_scorer *scorer = open_scorer(model), *other = open_scorer(plain);
    dd_rng_normals(images, 17, dd_stream(DD_STREAM_DATA, 1), 0, IMAGES * OUTER);
    for (size_t i = 0; i < IMAGES * INNER; i++)
        rows[i] = -1;
    for (size_t i = 0; i < IMAGES * OUTER; i++)
        rows[i / OUTER * INNER + (i % OUTER / 3 + 1) * 5 + i % 3 + 1] = images[i];
    ASSERT_OK(ddaebm_scorer_score(scorer, images, IMAGES, 2, scores));
    ASSERT_OK(ddaebm_scorer_score(other, rows, IMAGES, 2, expected));
    ck_assert_int_eq(memcmp(scores, expected, sizeof scores), 0);
    ASSERT_OK(ddaebm_scorer_gradient(scorer, images, IMAGES, 2, gradients));
    ASSERT_OK(ddaebm_scorer_gradient(other, rows, IMAGES, 2, others));
    for (size_t i = 0; i < IMAGES * OUTER; i++)
        ck_assert(gradients[i] == others[i / OUTER * INNER + (i % OUTER / 3 + 1) * 5 + i % 3 + 1]);
    ddaebm_scorer_free(scorer);
    ddaebm_scorer_free(other);
    ddaebm_model_free(model);
    ddaebm_model_free(plain);
}
END_TEST

START_TEST(arguments_are_checked) {
    ddaebm_model *model = create();
    ddaebm_scorer *scorer = NULL;
    float rows[WIDTH] = {0}, out[WIDTH] = {0};
    ASSERT_FAILS(ddaebm_scorer_create(NULL, model), DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_scorer_create(&scorer, NULL), DDAEBM_INVALID_ARGUMENT, "model");
    ck_assert_ptr_null(scorer);
    scorer = open_scorer(model);
    ASSERT_FAILS(ddaebm_scorer_score(scorer, rows, 1, 4, out), DDAEBM_OUT_OF_RANGE,
                 "timestep is 4; allowed: 0 to 3");
    ASSERT_FAILS(ddaebm_scorer_gradient(scorer, rows, 1, SIZE_MAX, out), DDAEBM_OUT_OF_RANGE,
                 "allowed: 0 to 3");
    ASSERT_OK(ddaebm_scorer_score(scorer, rows, 1, 3, out));
    ASSERT_FAILS(ddaebm_scorer_score(NULL, rows, 1, 0, out), DDAEBM_INVALID_ARGUMENT, "scorer");
    ASSERT_FAILS(ddaebm_scorer_score(scorer, NULL, 1, 0, out), DDAEBM_INVALID_ARGUMENT, "rows");
    ASSERT_FAILS(ddaebm_scorer_score(scorer, rows, 1, 0, NULL), DDAEBM_INVALID_ARGUMENT, "scores");
    ASSERT_FAILS(ddaebm_scorer_gradient(NULL, rows, 1, 0, out), DDAEBM_INVALID_ARGUMENT, "scorer");
    ASSERT_FAILS(ddaebm_scorer_gradient(scorer, NULL, 1, 0, out), DDAEBM_INVALID_ARGUMENT, "rows");
    ASSERT_FAILS(ddaebm_scorer_gradient(scorer, rows, 1, 0, NULL), DDAEBM_INVALID_ARGUMENT,
                 "gradients");
    ASSERT_OK(ddaebm_scorer_score(scorer, NULL, 0, 0, NULL));
    ASSERT_OK(ddaebm_scorer_gradient(scorer, NULL, 0, 0, NULL));
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(memory_may_run_out) {
    ddaebm_model *model = create();
    for (int on = 0; on < 2; on++) {
        ddaebm_scorer *scorer = NULL;
        SWEEP_ALLOCATIONS_FROM(counted, scorer, ddaebm_scorer_create(&scorer, model), on);
        ddaebm_scorer_free(scorer);
    }
    ddaebm_model_free(model);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("scorer", rows_are_scored_alone_as_together, the_same_call_gives_the_same_bits,
                     gradients_are_those_of_the_scores, rows_are_in_the_datas_units,
                     the_temperature_divides, a_scorer_keeps_the_weights_it_was_made_with,
                     scoring_does_not_allocate, a_row_that_is_not_finite_is_named,
                     images_are_scored_on_black, arguments_are_checked, memory_may_run_out);
}
