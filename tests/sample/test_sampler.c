/* The sampler: what a sample depends on, and on nothing else.
 *
 * Rows that are computed together or alone, and chunks of one call or of another, may be added up
 * in another order: NEAR, relative to the largest sample. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/extremes.h"
#include "support/small.h"

#include <ddaebm/sampler.h>
#include <ddaebm/scorer.h>
#include <math.h>
#include <pthread.h>

#define NEAR 1e-5

enum { COUNT = 700, WIDTH = 3, SEED = 42 };

/* A model with data of its own units. */
static ddaebm_model *create(const char *more) {
    char changes[400];
    snprintf(changes, sizeof changes,
             "\"data.width\":3,\"diffusion.beta_min\":0.1,\"diffusion.beta_max\":20,\"network."
             "latent_width\":2%s",
             more);
    ddaebm_model *model = small_model(context, changes, 8);
    for (size_t j = 0; j < WIDTH; j++) {
        model->mean[j] = 2 * (double)j - 1;
        model->scale[j] = 1 + (double)j;
    }
    return model;
}

static ddaebm_sampler *open_sampler(const ddaebm_model *model) {
    ddaebm_sampler *sampler = NULL;
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    return sampler;
}

static float *draw(ddaebm_sampler *sampler, uint64_t seed, uint64_t first, size_t count) {
    float *rows = malloc((count ? count : 1) * WIDTH * sizeof *rows);
    ASSERT_OK(ddaebm_sampler_draw(sampler, seed, first, count, rows));
    return rows;
}

static void assert_near(const float *rows, const float *expected, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count * WIDTH; i++)
        largest = larger(largest, fabs((double)expected[i]));
    for (size_t i = 0; i < count * WIDTH; i++)
        ck_assert_double_eq_tol((double)rows[i], (double)expected[i], NEAR * largest);
}

START_TEST(calls_may_cut_the_sequence_anywhere) {
    static const size_t cuts[] = {1, 2, 5, 6, 7, 8, 100, 255, 256, 257, 512, 699};
    open_context(2);
    ddaebm_model *model = create("");
    ddaebm_sampler *sampler = open_sampler(model);
    float *whole = draw(sampler, SEED, 0, COUNT);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        for (size_t first = 0; first < COUNT; first += cuts[i]) {
            size_t count = COUNT - first < cuts[i] ? COUNT - first : cuts[i];
            float *part = draw(sampler, SEED, first, count);
            assert_near(part, whole + first * WIDTH, count);
            free(part);
            if (cuts[i] < 3 && first > 60)
                break; /* one by one is slow */
        }
    free(whole);
    ddaebm_sampler_free(sampler);
    ddaebm_sampler_free(NULL);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(the_same_call_gives_the_same_bits) {
    open_context(2);
    ddaebm_model *model = create("");
    for (int threads = 1; threads <= 3; threads++) {
        ASSERT_OK(ddaebm_context_set_threads(context, threads));
        ddaebm_sampler *a = open_sampler(model), *b = open_sampler(model);
        static const size_t counts[] = {1, 6, 7, 256, COUNT};
        for (size_t i = 0; i < 5; i++) {
            float *first = draw(a, SEED, 3, counts[i]), *other = draw(a, SEED + 1, 3, counts[i]);
            float *again = draw(a, SEED, 3, counts[i]), *elsewhere = draw(b, SEED, 3, counts[i]);
            size_t bytes = counts[i] * WIDTH * sizeof(float);
            ck_assert_int_eq(memcmp(first, again, bytes), 0);
            ck_assert_int_eq(memcmp(first, elsewhere, bytes), 0);
            ck_assert_int_ne(memcmp(first, other, bytes), 0);
            free(first);
            free(other);
            free(again);
            free(elsewhere);
        }
        ddaebm_sampler_free(a);
        ddaebm_sampler_free(b);
    }
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* At the borders of chunks and of what they are cut in, and beside them: rows are those of single
 * ones, drawn and scored. */
START_TEST(any_number_of_rows_is_as_single_ones) {
    enum { MOST = 1300, LEVEL = 1 };
    static const size_t counts[] = {1,   2,   5,   6,   7,   31,   32,   33,   127,
                                    128, 129, 255, 256, 257, 399,  400,  401,  511,
                                    512, 513, 640, 641, 769, 1023, 1024, 1025, MOST};
    static float singles[MOST * WIDTH], scores[MOST], gradients[MOST * WIDTH], found[MOST],
        slopes[MOST * WIDTH];
    open_context(1);
    ddaebm_model *model = create("");
    ddaebm_scorer *scorer = NULL;
    ddaebm_sampler *sampler = open_sampler(model);
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    for (size_t i = 0; i < MOST; i++) {
        float *row = singles + i * WIDTH;
        ASSERT_OK(ddaebm_sampler_draw(sampler, SEED, i, 1, row));
        ASSERT_OK(ddaebm_scorer_score(scorer, row, 1, LEVEL, &scores[i]));
        ASSERT_OK(ddaebm_scorer_gradient(scorer, row, 1, LEVEL, gradients + i * WIDTH));
    }
    ddaebm_scorer_free(scorer);
    ddaebm_sampler_free(sampler);
    for (int threads = 1; threads <= 3; threads++) {
        ASSERT_OK(ddaebm_context_set_threads(context, threads));
        sampler = open_sampler(model);
        ASSERT_OK(ddaebm_scorer_create(&scorer, model));
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            float *rows = draw(sampler, SEED, 0, counts[c]);
            assert_near(rows, singles, counts[c]);
            free(rows);
            ASSERT_OK(ddaebm_scorer_score(scorer, singles, counts[c], LEVEL, found));
            ASSERT_OK(ddaebm_scorer_gradient(scorer, singles, counts[c], LEVEL, slopes));
            for (size_t i = 0; i < counts[c]; i++)
                ck_assert_double_eq_tol((double)found[i], (double)scores[i],
                                        NEAR * (1 + fabs((double)scores[i])));
            assert_near(slopes, gradients, counts[c]);
        }
        ddaebm_scorer_free(scorer);
        ddaebm_sampler_free(sampler);
    }
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* Whatever is left over, and with any number of threads. */
START_TEST(calls_cut_at_blocks_change_no_bit) {
    enum { MOST = 1700 };
    static const size_t ends[] = {1025, 1100, 1152, 1153, 1300, 1535, 1537, MOST};
    float *first[sizeof ends / sizeof *ends] = {NULL};
    open_context(1);
    ddaebm_model *model = create("");
    for (int threads = 1; threads <= 3; threads++) {
        ASSERT_OK(ddaebm_context_set_threads(context, threads));
        ddaebm_sampler *sampler = open_sampler(model);
        size_t block = ddaebm_sampler_block(sampler);
        ck_assert_uint_le(2 * block, ends[0]);
        for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
            float *whole = draw(sampler, SEED, 0, ends[e]), *head = draw(sampler, SEED, 0, block);
            float *tail = draw(sampler, SEED, block, ends[e] - block);
            ck_assert_int_eq(memcmp(whole, head, block * WIDTH * sizeof *head), 0);
            ck_assert_int_eq(
                memcmp(whole + block * WIDTH, tail, (ends[e] - block) * WIDTH * sizeof *tail), 0);
            if (threads == 1)
                first[e] = whole;
            else
                ck_assert_int_eq(memcmp(whole, first[e], ends[e] * WIDTH * sizeof *whole), 0);
            free(threads == 1 ? NULL : whole);
            free(head);
            free(tail);
        }
        ddaebm_sampler_free(sampler);
    }
    for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
        free(first[e]);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* No two samples share their noise, and far ones are as good as near ones. */
START_TEST(samples_are_apart) {
    open_context(2);
    ddaebm_model *model = create("");
    ddaebm_sampler *sampler = open_sampler(model);
    float *near = draw(sampler, SEED, 0, COUNT),
          *far = draw(sampler, SEED, UINT64_C(1) << 40, COUNT);
    for (size_t i = 1; i < COUNT; i++) {
        ck_assert_int_ne(memcmp(near + i * WIDTH, near + (i - 1) * WIDTH, WIDTH * sizeof(float)),
                         0);
        ck_assert_int_ne(memcmp(near + i * WIDTH, far + i * WIDTH, WIDTH * sizeof(float)), 0);
    }
    free(near);
    free(far);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* The same networks without units of their own. */
START_TEST(samples_are_in_the_datas_units) {
    open_context(2);
    ddaebm_model *model = create(""), *plain = create("");
    for (size_t j = 0; j < WIDTH; j++) {
        plain->mean[j] = 0;
        plain->scale[j] = 1;
    }
    ddaebm_sampler *a = open_sampler(model), *b = open_sampler(plain);
    float *rows = draw(a, SEED, 0, COUNT), *bare = draw(b, SEED, 0, COUNT);
    for (size_t i = 0; i < COUNT * WIDTH; i++)
        ck_assert_double_eq_tol((double)rows[i],
                                (double)bare[i] * model->scale[i % WIDTH] + model->mean[i % WIDTH],
                                1e-5);
    free(rows);
    free(bare);
    ddaebm_sampler_free(a);
    ddaebm_sampler_free(b);
    ddaebm_model_free(model);
    ddaebm_model_free(plain);
    close_context();
}
END_TEST

START_TEST(a_sampler_keeps_the_weights_it_was_made_with) {
    static const char *const name = "generator.x_encoder.layers.0.bias";
    open_context(2);
    ddaebm_model *model = create("");
    ddaebm_sampler *sampler = open_sampler(model);
    float *before = draw(sampler, SEED, 0, 20);
    const float other[4] = {3, 3, 3, 3};
    ASSERT_OK(ddaebm_model_set_parameter(model, name, other, 4));
    ddaebm_sampler *fresh = open_sampler(model);
    float *after = draw(sampler, SEED, 0, 20), *changed = draw(fresh, SEED, 0, 20);
    ck_assert_int_eq(memcmp(before, after, 20 * WIDTH * sizeof(float)), 0);
    ck_assert_int_ne(memcmp(before, changed, 20 * WIDTH * sizeof(float)), 0);
    free(before);
    free(after);
    free(changed);
    ddaebm_sampler_free(sampler);
    ddaebm_sampler_free(fresh);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(batch_norms_do_not_mix_rows) {
    open_context(2);
    ddaebm_model *model = create(",\"generator.norm\":\"batch\"");
    for (int n = 0; n < DD_NETWORKS; n++) /* as training would have left them */
        for (size_t i = 0; i < model->parameters.totals[n][DD_ROLE_STATISTIC]; i++)
            model->weights.values[n][DD_ROLE_STATISTIC][i] = 0.5f + 0.01f * (float)i;
    ddaebm_sampler *sampler = open_sampler(model);
    float *whole = draw(sampler, SEED, 0, 300), *alone = draw(sampler, SEED, 299, 1);
    assert_near(alone, whole + 299 * WIDTH, 1);
    free(whole);
    free(alone);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* --- Memory, progress, arguments. --- */

START_TEST(drawing_does_not_allocate) {
    open_context(2);
    ddaebm_model *model = create("");
    for (int threads = 1; threads <= 3; threads++) {
        ASSERT_OK(ddaebm_context_set_threads(context, threads));
        ddaebm_sampler *sampler = open_sampler(model);
        size_t calls = counted.calls;
        float *rows = malloc(COUNT * WIDTH * sizeof *rows);
        static const size_t counts[] = {1, COUNT, 7, 256, 3};
        for (size_t i = 0; i < 5; i++)
            ASSERT_OK(ddaebm_sampler_draw(sampler, i, i, counts[i], rows));
        ck_assert_uint_eq(counted.calls, calls);
        free(rows);
        ddaebm_sampler_free(sampler);
    }
    ddaebm_model_free(model);
    close_context();
}
END_TEST

typedef struct watch {
    uint64_t calls, done, total, stop_at;
} watch;

static int look(void *user, uint64_t done, uint64_t total) {
    watch *self = user;
    ck_assert_uint_gt(done, self->done);
    ck_assert_uint_le(done, total);
    self->calls++;
    self->done = done;
    self->total = total;
    return self->calls == self->stop_at;
}

START_TEST(long_calls_tell_and_can_be_cancelled) {
    enum { MANY = 2000 };
    open_context(2);
    ASSERT_OK(ddaebm_context_set_threads(context, 1));
    ddaebm_model *model = create("");
    ddaebm_sampler *sampler = open_sampler(model);
    watch w = {0};
    ASSERT_OK(ddaebm_sampler_set_progress(sampler, look, &w));
    float *whole = draw(sampler, SEED, 0, MANY), *rows = malloc(MANY * WIDTH * sizeof *rows);
    ck_assert_uint_ge(w.calls, 4);
    ck_assert_uint_eq(w.done, MANY); /* alone, the caller's thread sees the end */
    ck_assert_uint_eq(w.total, MANY);
    w = (watch){.stop_at = 2};
    ASSERT_FAILS(ddaebm_sampler_draw(sampler, SEED, 0, MANY, rows), DDAEBM_CANCELLED,
                 "of 2000 rows");
    ck_assert_uint_eq(w.calls, 2);
    ck_assert_uint_lt(w.done, MANY);
    ASSERT_OK(ddaebm_sampler_set_progress(sampler, NULL, NULL));
    ASSERT_OK(ddaebm_sampler_draw(sampler, SEED, 0, MANY, rows)); /* usable */
    ck_assert_int_eq(memcmp(rows, whole, MANY * WIDTH * sizeof *rows), 0);
    ck_assert_uint_eq(w.calls, 2);
    ddaebm_sampler_free(sampler);
    ASSERT_OK(ddaebm_context_set_threads(context, 3));
    sampler = open_sampler(model);
    w = (watch){.stop_at = 1};
    ASSERT_OK(ddaebm_sampler_set_progress(sampler, look, &w));
    ck_assert_int_eq(ddaebm_sampler_draw(sampler, SEED, 0, MANY, rows) == DDAEBM_CANCELLED,
                     w.calls == 1); /* unless the others were faster */
    free(whole);
    free(rows);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(runaway_weights_are_noticed) {
    open_context(2);
    ddaebm_model *model = create("");
    float *weights = model->weights.values[DDAEBM_NETWORK_GENERATOR][DD_ROLE_WEIGHT],
          rows[20 * WIDTH];
    for (size_t i = 0; i < model->parameters.totals[DDAEBM_NETWORK_GENERATOR][DD_ROLE_WEIGHT]; i++)
        weights[i] = 3e38f;
    ddaebm_sampler *sampler = open_sampler(model);
    ASSERT_FAILS(ddaebm_sampler_draw(sampler, SEED, 0, 20, rows), DDAEBM_NOT_FINITE, "not finite");
    ASSERT_FAILS(ddaebm_sampler_draw(sampler, SEED, 0, 1, rows), DDAEBM_NOT_FINITE, "not finite");
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* The states begin with the noise and end with the sample, and what is in between is none of them.
 */
START_TEST(steps_lead_to_the_sample) {
    static const size_t counts[] = {1, 6, 7, 450};
    open_context(2);
    ddaebm_model *model = create("");
    ddaebm_sampler *sampler = open_sampler(model);
    size_t states = ddaebm_model_timesteps(model) + 1;
    ck_assert_uint_eq(states, 5);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        size_t count = counts[c];
        float *rows = draw(sampler, SEED, 9, count),
              *steps = malloc(count * states * WIDTH * sizeof *steps);
        float *noise = malloc(count * WIDTH * sizeof *noise);
        ASSERT_OK(ddaebm_sampler_draw_steps(sampler, SEED, 9, count, steps));
        dd_rng_normals(noise, SEED, dd_stream(DD_STREAM_SAMPLE_START, 0), 9 * WIDTH, count * WIDTH);
        dd_model_restore(model, noise, count, (dd_rows_out){.narrow = noise}, 0);
        for (size_t i = 0; i < count; i++) {
            const float *state = steps + i * states * WIDTH;
            ck_assert_int_eq(memcmp(state, noise + i * WIDTH, WIDTH * sizeof *noise), 0);
            ck_assert_int_eq(
                memcmp(state + (states - 1) * WIDTH, rows + i * WIDTH, WIDTH * sizeof *rows), 0);
            for (size_t s = 1; s < states; s++)
                ck_assert_int_ne(
                    memcmp(state + s * WIDTH, state + (s - 1) * WIDTH, WIDTH * sizeof *rows), 0);
        }
        free(noise);
        free(steps);
        free(rows);
    }
    ASSERT_OK(ddaebm_sampler_draw_steps(sampler, SEED, 0, 0, NULL));
    ASSERT_FAILS(ddaebm_sampler_draw_steps(sampler, SEED, 0, 1, NULL), DDAEBM_INVALID_ARGUMENT,
                 "steps");
    ASSERT_FAILS(ddaebm_sampler_draw_steps(NULL, SEED, 0, 1, NULL), DDAEBM_INVALID_ARGUMENT,
                 "sampler");
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* A model of padded images draws what one of rows does with the same weights, less the border. */
START_TEST(images_are_cut_from_their_border) {
    enum { IMAGES = 20, OUTER = 3 * 3, INNER = 5 * 5, STATES = 5 };
    static float rows[IMAGES * INNER], images[IMAGES * OUTER], cut[IMAGES * OUTER],
        steps[IMAGES * STATES * OUTER];
    open_context(2);
    ddaebm_model *model = small_model(context, "\"data.image_size\":5,\"data.padding\":1", 8);
    ddaebm_model *plain = small_model(context, "\"data.width\":25", 8);
    ddaebm_sampler *sampler = open_sampler(model), *other = open_sampler(plain);
    ASSERT_OK(ddaebm_sampler_draw(sampler, SEED, 3, IMAGES, images));
    ASSERT_OK(ddaebm_sampler_draw_steps(sampler, SEED, 3, IMAGES, steps));
    ASSERT_OK(ddaebm_sampler_draw(other, SEED, 3, IMAGES, rows));
    for (size_t i = 0; i < IMAGES * OUTER; i++)
        cut[i] = rows[i / OUTER * INNER + (i % OUTER / 3 + 1) * 5 + i % 3 + 1];
    ck_assert_int_eq(memcmp(images, cut, sizeof cut), 0);
    for (size_t i = 0; i < IMAGES; i++)
        ck_assert_int_eq(
            memcmp(steps + (i * STATES + STATES - 1) * OUTER, cut + i * OUTER, OUTER * sizeof *cut),
            0);
    ddaebm_sampler_free(sampler);
    ddaebm_sampler_free(other);
    ddaebm_model_free(model);
    ddaebm_model_free(plain);
    close_context();
}
END_TEST

/* Convolutional networks take fewer rows at a time: 64 images of 8 x 8 are a chunk. */
START_TEST(chunks_of_images_join) {
    enum { IMAGES = 130, OUTER = 6 * 6 };
    static float images[IMAGES * OUTER], alone[OUTER];
    static const size_t some[] = {0, 1, 63, 64, 127, 128, 129};
    open_context(2);
    ddaebm_model *model = small_model(context,
                                      "\"data.image_size\":8,\"data.padding\":1,\"network.family\":"
                                      "\"ncsnpp\",\"network.time_width\":8,"
                                      "\"network.latent_embedding\":8,\"energy.channels\":4,"
                                      "\"energy.multipliers\":[1],\"generator.channels\":4,"
                                      "\"generator.multipliers\":[1],\"encoder.channels\":4",
                                      8);
    ddaebm_sampler *sampler = open_sampler(model);
    ASSERT_OK(ddaebm_sampler_draw(sampler, SEED, 0, IMAGES, images));
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        ASSERT_OK(ddaebm_sampler_draw(sampler, SEED, some[i], 1, alone));
        for (size_t j = 0; j < OUTER; j++)
            ck_assert_double_eq_tol((double)alone[j], (double)images[some[i] * OUTER + j],
                                    10 * NEAR);
    }
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(arguments_are_checked) {
    open_context(2);
    ddaebm_model *model = create("");
    ddaebm_sampler *sampler = NULL;
    float rows[WIDTH] = {0};
    ASSERT_FAILS(ddaebm_sampler_create(NULL, model), DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_sampler_create(&sampler, NULL), DDAEBM_INVALID_ARGUMENT, "model");
    ck_assert_ptr_null(sampler);
    sampler = open_sampler(model);
    ASSERT_FAILS(ddaebm_sampler_draw(NULL, 1, 0, 1, rows), DDAEBM_INVALID_ARGUMENT, "sampler");
    ASSERT_FAILS(ddaebm_sampler_draw(sampler, 1, 0, 1, NULL), DDAEBM_INVALID_ARGUMENT, "rows");
    ASSERT_FAILS(ddaebm_sampler_set_progress(NULL, look, NULL), DDAEBM_INVALID_ARGUMENT, "sampler");
    ASSERT_OK(ddaebm_sampler_draw(sampler, 1, 0, 0, NULL));
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* What a sampler takes on two threads, of a model with two hidden layers of 256 in its generator:
 * its weights once for all threads as they are and once packed, and for each thread room for a
 * chunk's rows in a few layers. A third set of weights would not fit. */
START_TEST(memory_is_bounded) {
    enum { HIDDEN = 256, LAYERS = 2, THREADS = 2, CHUNK = 128, KEPT_LAYERS = 4, REST = 300000 };
    open_context(THREADS);
    ddaebm_model *model = create(",\"generator.hidden_layers\":[256,256]");
    size_t weights =
               model->parameters.totals[DDAEBM_NETWORK_GENERATOR][DD_ROLE_WEIGHT] * sizeof(float),
           before = counted.bytes;
    ck_assert_uint_gt(weights, HIDDEN * HIDDEN * sizeof(float));
    ddaebm_sampler *sampler = open_sampler(model);
    size_t taken = counted.bytes - before,
           rows = (size_t)THREADS * CHUNK * KEPT_LAYERS * HIDDEN * sizeof(float);
    ck_assert_msg(taken <= 2 * weights + rows + REST,
                  "%zu bytes, where weights are %zu and layers of rows %zu", taken, weights, rows);
    counted.most = counted.bytes;
    free(draw(sampler, SEED, 0, 1000));
    ck_assert_uint_eq(counted.most, counted.bytes); /* a call takes nothing */
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(memory_may_run_out) {
    open_context(2);
    ddaebm_model *model = create("");
    for (int on = 0; on < 2; on++) {
        ddaebm_sampler *sampler = NULL;
        SWEEP_ALLOCATIONS_FROM(counted, sampler, ddaebm_sampler_create(&sampler, model), on);
        ddaebm_sampler_free(sampler);
    }
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* --- One model, many threads: each with a sampler and a scorer of its own. --- */

enum { USERS = 8, CALLS = 40, ROWS = 300 };

typedef struct crowd {
    const ddaebm_model *model;
    float *samples, *scores, *gradients; /* what a call gives: [CALLS, ROWS, ...] */
    unsigned differences[USERS];
} crowd;

typedef struct member {
    crowd *all;
    unsigned number;
    pthread_t thread;
} member;

/* The number of rows of a call: one by one, a chunk, several. */
static size_t rows_of(size_t call) {
    static const size_t counts[] = {1, 5, 64, 256, ROWS};
    return counts[call % 5];
}

static void call_all(const ddaebm_model *model, size_t call, ddaebm_sampler *sampler,
                     ddaebm_scorer *scorer, float *samples, float *scores, float *gradients) {
    size_t count = rows_of(call), timestep = call % ddaebm_model_timesteps(model);
    if (ddaebm_sampler_draw(sampler, call, 0, count, samples) != DDAEBM_OK ||
        ddaebm_scorer_score(scorer, samples, count, timestep, scores) != DDAEBM_OK ||
        ddaebm_scorer_gradient(scorer, samples, count, timestep, gradients) != DDAEBM_OK)
        samples[0] = NAN;
}

static void *use(void *argument) {
    member *self = argument;
    const crowd *all = self->all;
    float samples[ROWS * WIDTH], scores[ROWS], gradients[ROWS * WIDTH];
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    unsigned differences = ddaebm_sampler_create(&sampler, all->model) != DDAEBM_OK ||
                           ddaebm_scorer_create(&scorer, all->model) != DDAEBM_OK;
    for (size_t k = 0; k < CALLS && !differences; k++) {
        size_t call = (k * 7 + self->number) % CALLS, count = rows_of(call);
        call_all(all->model, call, sampler, scorer, samples, scores, gradients);
        differences +=
            memcmp(samples, all->samples + call * ROWS * WIDTH, count * WIDTH * sizeof(float)) != 0;
        differences += memcmp(scores, all->scores + call * ROWS, count * sizeof(float)) != 0;
        differences += memcmp(gradients, all->gradients + call * ROWS * WIDTH,
                              count * WIDTH * sizeof(float)) != 0;
    }
    ddaebm_sampler_free(sampler);
    ddaebm_scorer_free(scorer);
    self->all->differences[self->number] = differences;
    return NULL;
}

START_TEST(threads_may_share_a_model) {
    open_context(2);
    ddaebm_model *model = create("");
    ddaebm_sampler *sampler = open_sampler(model);
    ddaebm_scorer *scorer = NULL;
    crowd all = {.model = model,
                 .samples = calloc(CALLS * ROWS * WIDTH, sizeof(float)),
                 .scores = calloc(CALLS * ROWS, sizeof(float)),
                 .gradients = calloc(CALLS * ROWS * WIDTH, sizeof(float))};
    member members[USERS];
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    for (size_t call = 0; call < CALLS; call++) /* alone, and one after the other */
        call_all(model, call, sampler, scorer, all.samples + call * ROWS * WIDTH,
                 all.scores + call * ROWS, all.gradients + call * ROWS * WIDTH);
    for (unsigned i = 0; i < USERS; i++) {
        members[i] = (member){.all = &all, .number = i};
        ck_assert_int_eq(pthread_create(&members[i].thread, NULL, use, &members[i]), 0);
    }
    for (unsigned i = 0; i < USERS; i++)
        ck_assert_int_eq(pthread_join(members[i].thread, NULL), 0);
    for (unsigned i = 0; i < USERS; i++)
        ck_assert_uint_eq(all.differences[i], 0);
    ck_assert(!isnan(all.samples[0]));
    free(all.samples);
    free(all.scores);
    free(all.gradients);
    ddaebm_sampler_free(sampler);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS(
        "sampler", calls_may_cut_the_sequence_anywhere, any_number_of_rows_is_as_single_ones,
        calls_cut_at_blocks_change_no_bit, the_same_call_gives_the_same_bits, samples_are_apart,
        samples_are_in_the_datas_units, a_sampler_keeps_the_weights_it_was_made_with,
        batch_norms_do_not_mix_rows, drawing_does_not_allocate,
        long_calls_tell_and_can_be_cancelled, runaway_weights_are_noticed, steps_lead_to_the_sample,
        images_are_cut_from_their_border, chunks_of_images_join, arguments_are_checked,
        memory_is_bounded, memory_may_run_out, threads_may_share_a_model);
}
