/* Refinement: chains that follow known densities, whoever computes them and however calls are cut;
 * what guidance may say; what it asks of memory.
 *
 * Draws are fixed by their seed, so that bounds on statistics either hold always or never: 4.5
 * standard errors, and Kolmogorov's distance at which one set in 10,000 is refused. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/small.h"

#include "diffusion/noise_schedule.h"

#include <ddaebm/sampler.h>
#include <ddaebm/scorer.h>
#include <math.h>
#include <pthread.h>

enum { COUNT = 2000, WIDTH = 3, SEED = 42 };

/* Of a chain. Sampled: enough for the memory, and nothing is asked of where it has come. */
#define STEPS (sampled() ? (size_t)20 : (size_t)200)

static const double errors = 4.5, distance = 2.23;

#define SETTINGS                                                                                   \
    "\"data.width\":3,\"diffusion.schedule\":\"karras\",\"diffusion.sigma_min\":0.2,\"diffusion."  \
    "sigma_max\":12,"                                                                              \
    "\"diffusion.precision\":\"float64\",\"network.latent_width\":2"

static void clear_energy(ddaebm_model *model) {
    static const float zeros[4096];
    for (size_t i = 0; i < model->parameters.count; i++) {
        const dd_parameter *p = &model->parameters.items[i];
        if (p->network != DDAEBM_NETWORK_ENERGY || p->role != DD_ROLE_WEIGHT)
            continue;
        ck_assert_uint_le(p->elements, sizeof zeros / sizeof *zeros);
        ASSERT_OK(ddaebm_model_set_parameter(model, p->name, zeros, p->elements));
    }
}

/* A model with data of its own units: column j has mean 2j - 1 and scale 1 + j. */
static ddaebm_model *create(const char *more) {
    char changes[500];
    snprintf(changes, sizeof changes, SETTINGS "%s", more);
    ddaebm_model *model = small_model(context, changes, 8);
    for (size_t j = 0; j < WIDTH; j++) {
        model->mean[j] = 2 * (double)j - 1;
        model->scale[j] = 1 + (double)j;
    }
    return model;
}

/* Whose f is 0 everywhere, so that guidance is all there is. */
static ddaebm_model *create_flat(void) {
    ddaebm_model *model = create("");
    clear_energy(model);
    return model;
}

/* Whose f(x, t) is -|x|^2 / 2 (sigma_t^2 + 0.01). */
static ddaebm_model *create_gaussian(void) {
    ddaebm_model *model = create(",\"form.energy\":\"distance\"");
    clear_energy(model);
    return model;
}

static ddaebm_sampler *open_refining(const ddaebm_model *model, size_t steps, size_t timesteps) {
    ddaebm_sampler *sampler = NULL;
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_sampler_set_refinement(sampler, steps, timesteps));
    return sampler;
}

static double acceptance(const ddaebm_sampler *sampler) {
    double rate = -1;
    ASSERT_OK(ddaebm_sampler_acceptance(sampler, &rate));
    ck_assert(rate >= 0 && rate <= 1);
    return rate;
}

/* --- Densities. --- */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double normal(double z) {
    return 0.5 * erfc(-z / sqrt(2));
}

static double half_normal(double z) {
    return z < 0 ? 0 : 2 * normal(z) - 1;
}

/* Whether column j, less `mean` and over `deviation`, has a distribution. */
static void assert_column(const double *rows, size_t j, double mean, double deviation,
                          double (*below)(double)) {
    static double sorted[COUNT];
    double worst = 0;
    for (size_t i = 0; i < COUNT; i++)
        sorted[i] = (rows[i * WIDTH + j] - mean) / deviation;
    qsort(sorted, COUNT, sizeof *sorted, ascending);
    for (size_t i = 0; i < COUNT; i++) {
        double expected = below(sorted[i]);
        worst = fmax(worst, fmax(expected - (double)i / COUNT, (double)(i + 1) / COUNT - expected));
    }
    ck_assert_msg(sampled() || worst < distance / sqrt(COUNT),
                  "column %zu: Kolmogorov's distance is %g, 1 %% is %g", j, worst,
                  1.63 / sqrt(COUNT));
}

static void assert_moments(const double *rows, size_t j, double mean, double deviation) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < COUNT; i++) {
        double z = (rows[i * WIDTH + j] - mean) / deviation;
        sum += z;
        squares += z * z;
    }
    ck_assert(sampled() || fabs(sum / COUNT) <= errors / sqrt(COUNT));
    ck_assert(sampled() || fabs(squares / COUNT - 1) <= errors * sqrt(2.0 / COUNT));
}

static double drawn[COUNT * WIDTH], more_drawn[COUNT * WIDTH];

/* f / temperature is the log-density of N(0, temperature (sigma_0^2 + 0.01)) in the networks'
 * units. */
START_TEST(draws_follow_the_energy) {
    open_context(2);
    ddaebm_model *model = create_gaussian();
    dd_noise_schedule schedule;
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    const double temperatures[] = {1, 0.25, 9};
    ddaebm_sampler *plain = NULL;
    for (size_t i = 0; i < 3; i++) {
        ASSERT_OK(ddaebm_model_set_temperature(model, temperatures[i]));
        ddaebm_sampler *sampler = open_refining(model, STEPS, 1);
        ASSERT_OK(ddaebm_model_set_temperature(
            model, 100)); /* the sampler's is the one that it was made with */
        ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 5, COUNT, drawn));
        double deviation = sqrt(temperatures[i] * (pow(schedule.sigma_cum[0], 2) + 0.01));
        for (size_t j = 0; j < WIDTH; j++) {
            assert_moments(drawn, j, model->mean[j], deviation * model->scale[j]);
            assert_column(drawn, j, model->mean[j], deviation * model->scale[j], normal);
        }
        double rate = acceptance(sampler);
        ck_assert(sampled() || (rate > 0.45 && rate < 0.8));
        ddaebm_sampler_free(sampler);
    }
    ASSERT_OK(ddaebm_sampler_create(&plain, model)); /* which the generator alone does not */
    ASSERT_OK(ddaebm_sampler_draw_double(plain, SEED, 5, COUNT, more_drawn));
    double squares = 0;
    for (size_t i = 0; i < COUNT; i++)
        squares += pow(more_drawn[i * WIDTH] - model->mean[0], 2);
    ck_assert_double_gt(fabs(squares / COUNT / (0.04 / 1.04 + 0.01) - 1), 0.2);
    ddaebm_sampler_free(plain);
    dd_noise_schedule_free(&schedule);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* x_t of every timestep that is refined follows f(x, t). */
START_TEST(states_follow_the_energy_of_their_level) {
    static float steps[COUNT * 5 * WIDTH];
    open_context(2);
    ddaebm_model *model = create_gaussian();
    dd_noise_schedule schedule;
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    ck_assert_uint_eq(ddaebm_model_timesteps(model), 4);
    double temperature = ddaebm_model_temperature(model);
    ddaebm_sampler *sampler = open_refining(model, STEPS, 3);
    ASSERT_OK(ddaebm_sampler_draw_steps(sampler, SEED, 0, COUNT, steps));
    for (size_t t = 0; t < 3; t++) {
        for (size_t i = 0; i < COUNT * WIDTH; i++)
            drawn[i] = (double)steps[(i / WIDTH * 5 + 4 - t) * WIDTH + i % WIDTH];
        double deviation = sqrt(temperature * (pow(schedule.sigma_cum[t], 2) + 0.01));
        for (size_t j = 0; j < WIDTH; j++)
            assert_column(drawn, j, model->mean[j], deviation * model->scale[j], normal);
    }
    static float rows[COUNT * WIDTH];
    ASSERT_OK(ddaebm_sampler_draw(sampler, SEED, 0, COUNT, rows));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, COUNT, more_drawn));
    for (size_t i = 0; i < COUNT * WIDTH; i++)
        ck_assert(rows[i] == steps[(i / WIDTH * 5 + 4) * WIDTH + i % WIDTH] &&
                  rows[i] == (float)more_drawn[i]);
    ddaebm_sampler_free(sampler);
    dd_noise_schedule_free(&schedule);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* Guidance of one kind: column j is N(centre[j], spread[j]^2), in the data's units; with `floor`,
 * only what is above the centre is allowed. */
typedef struct bell {
    double centre[WIDTH], spread[WIDTH];
    bool floor;
    size_t calls, rows, stop_at; /* 0: never */
    uint64_t next;
    pthread_t caller;
} bell;

static ddaebm_status add_bell(void *user, const ddaebm_guidance_batch *batch, double *log_densities,
                              double *gradients) {
    bell *self = user;
    ck_assert(batch->struct_size == sizeof *batch && batch->width == WIDTH && batch->count >= 1);
    ck_assert(pthread_equal(pthread_self(), self->caller));
    if (++self->calls == self->stop_at)
        return DDAEBM_IO;
    self->rows += batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        ck_assert(log_densities[i] == 0);
        for (size_t j = 0; j < WIDTH; j++) {
            double z = (batch->rows[i * WIDTH + j] - self->centre[j]) / self->spread[j];
            ck_assert(gradients[i * WIDTH + j] == 0 && isfinite(z));
            log_densities[i] += self->floor && z < 0 ? -INFINITY : -z * z / 2;
            gradients[i * WIDTH + j] = self->floor && z < 0 ? NAN : -z / self->spread[j];
        }
    }
    return DDAEBM_OK;
}

static bell some_bell(void) {
    return (bell){.centre = {0.5, -3, 4}, .spread = {0.5, 2, 3}, .caller = pthread_self()};
}

START_TEST(draws_follow_the_guidance) {
    open_context(2);
    ddaebm_model *model = create_flat();
    bell self = some_bell();
    ddaebm_sampler *sampler = open_refining(model, 2 * STEPS, 1);
    ASSERT_OK(ddaebm_sampler_set_guidance(sampler, add_bell, &self));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, COUNT, drawn));
    for (size_t j = 0; j < WIDTH; j++)
        assert_column(drawn, j, self.centre[j], self.spread[j], normal);
    ck_assert_double_gt(acceptance(sampler), sampled() ? 0 : 0.3);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* Of a Gaussian in three columns, only what is above the mean of each is allowed. Most chains begin
 * where they may not be. */
START_TEST(draws_stay_where_guidance_allows_them) {
    open_context(2);
    ddaebm_model *model = create_gaussian();
    dd_noise_schedule schedule;
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    bell self = {.spread = {1e9, 1e9, 1e9}, .floor = true, .caller = pthread_self()};
    memcpy(self.centre, model->mean, sizeof self.centre);
    ddaebm_sampler *sampler = open_refining(model, 2 * STEPS, 1);
    ASSERT_OK(ddaebm_sampler_set_guidance(sampler, add_bell, &self));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, COUNT, drawn));
    double deviation =
        sqrt(ddaebm_model_temperature(model) * (pow(schedule.sigma_cum[0], 2) + 0.01));
    for (size_t j = 0; j < WIDTH; j++)
        assert_column(drawn, j, model->mean[j], deviation * model->scale[j], half_normal);
    for (size_t i = 0; i < COUNT * WIDTH; i++)
        ck_assert(sampled() || drawn[i] >= self.centre[i % WIDTH]);
    ddaebm_sampler_free(sampler);
    dd_noise_schedule_free(&schedule);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* Two hills of unequal width: bins of the first column against the density. */
static double hills(double x, double *slope) {
    double a = exp(-x * x / 2), b = 0.5 * exp(-(x - 2.5) * (x - 2.5) / 0.5);
    if (slope)
        *slope = (-x * a - 4 * (x - 2.5) * b) / (a + b);
    return a + b;
}

static ddaebm_status climb(void *user, const ddaebm_guidance_batch *batch, double *log_densities,
                           double *gradients) {
    (void)user;
    for (size_t i = 0; i < batch->count; i++) {
        const double *row = batch->rows + i * WIDTH;
        log_densities[i] =
            log(hills(row[0], &gradients[i * WIDTH])) - (row[1] * row[1] + row[2] * row[2]) / 2;
        gradients[i * WIDTH + 1] = -row[1];
        gradients[i * WIDTH + 2] = -row[2];
    }
    return DDAEBM_OK;
}

START_TEST(draws_follow_a_density_of_two_hills) {
    enum { BINS = 20, PARTS = 200 };
    double expected[BINS], found[BINS] = {0}, all = 0, chi = 0;
    open_context(2);
    ddaebm_model *model = create_flat();
    ddaebm_sampler *sampler = open_refining(model, 2 * STEPS, 1);
    ASSERT_OK(ddaebm_sampler_set_guidance(sampler, climb, NULL));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, COUNT, drawn));
    for (size_t b = 0; b < BINS; b++) {
        expected[b] = 0;
        for (size_t k = 0; k < PARTS; k++)
            expected[b] += hills(-2.5 + 7.0 * ((double)b + ((double)k + 0.5) / PARTS) / BINS, NULL);
        all += expected[b];
    }
    for (size_t i = 0; i < COUNT; i++) {
        double at = (drawn[i * WIDTH] + 2.5) / 7 * BINS;
        if (at >= 0 && at < BINS)
            found[(size_t)at]++;
    }
    for (size_t b = 0; b < BINS; b++)
        chi += pow(found[b] - expected[b] / all * COUNT, 2) / (expected[b] / all * COUNT + 1);
    ck_assert(sampled() || chi < 50); /* of 20: one in 5,000 */
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* A product of model and guidance: of two Gaussians, whose product is known. */
START_TEST(guidance_multiplies_the_model) {
    open_context(2);
    ddaebm_model *model = create_gaussian();
    dd_noise_schedule schedule;
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    bell self = {.centre = {-0.7, 1.5, 2.6}, .spread = {0.2, 0.5, 0.4}, .caller = pthread_self()};
    ddaebm_sampler *sampler = open_refining(model, STEPS, 1);
    ASSERT_OK(ddaebm_sampler_set_guidance(sampler, add_bell, &self));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, COUNT, drawn));
    double variance = ddaebm_model_temperature(model) * (pow(schedule.sigma_cum[0], 2) + 0.01);
    for (size_t j = 0; j < WIDTH; j++) {
        double a = 1 / (variance * model->scale[j] * model->scale[j]),
               b = 1 / (self.spread[j] * self.spread[j]);
        assert_column(drawn, j, (a * model->mean[j] + b * self.centre[j]) / (a + b),
                      1 / sqrt(a + b), normal);
    }
    ddaebm_sampler_free(sampler);
    dd_noise_schedule_free(&schedule);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* --- What a draw depends on. --- */

enum { SOME = 1300, FEW_STEPS = 9 };

START_TEST(bits_do_not_depend_on_threads_or_cuts) {
    static double whole[SOME * WIDTH], parts[SOME * WIDTH];
    open_context(1);
    ddaebm_model *model = create(",\"form.energy\":\"distance\"");
    for (int deterministic = 0; deterministic < 2; deterministic++) {
        ASSERT_OK(ddaebm_context_set_deterministic(context, deterministic));
        size_t count = deterministic ? 50 : SOME;
        for (int threads = 1; threads <= 3; threads++) {
            ASSERT_OK(ddaebm_context_set_threads(context, threads));
            ddaebm_sampler *sampler = open_refining(model, FEW_STEPS, 2);
            if (threads == 1)
                ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 7, count, whole));
            size_t block = ddaebm_sampler_block(sampler);
            ck_assert_uint_eq(block, deterministic ? 1 : 512);
            for (size_t first = 0; first < count;) {
                size_t part = count - first < 2 * block ? count - first : block;
                ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 7 + first, part,
                                                     parts + first * WIDTH));
                first += part;
            }
            ck_assert_int_eq(memcmp(whole, parts, count * WIDTH * sizeof *parts), 0);
            ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED + 1, 7, count, parts));
            ck_assert_int_ne(memcmp(whole, parts, count * WIDTH * sizeof *parts), 0);
            ddaebm_sampler_free(sampler);
        }
    }
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* Alone, a sample is that of a crowd but for rounding: as few as these are unlikely to have a
 * proposal that rounding decides. */
START_TEST(one_sample_is_that_of_many) {
    static double one[WIDTH];
    open_context(2);
    ddaebm_model *model = create_gaussian();
    ddaebm_sampler *sampler = open_refining(model, 20, 2);
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, 30, drawn));
    for (size_t i = 0; i < 30; i++) {
        ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, i, 1, one));
        for (size_t j = 0; j < WIDTH; j++)
            ck_assert_double_eq_tol(one[j], drawn[i * WIDTH + j], 1e-4);
    }
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(refinement_can_be_turned_off) {
    open_context(2);
    ddaebm_model *model = create("");
    ddaebm_sampler *plain = NULL, *sampler = open_refining(model, 5, 1);
    double rate = 7;
    ASSERT_OK(ddaebm_sampler_create(&plain, model));
    ASSERT_OK(ddaebm_sampler_draw_double(plain, SEED, 0, COUNT, drawn));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, COUNT, more_drawn));
    ck_assert_int_ne(memcmp(drawn, more_drawn, sizeof drawn), 0);
    ck_assert_double_ge(acceptance(sampler), 0);
    ASSERT_OK(ddaebm_sampler_set_refinement(sampler, 0, 0));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, COUNT, more_drawn));
    ck_assert_int_eq(memcmp(drawn, more_drawn, sizeof drawn), 0);
    ASSERT_FAILS(ddaebm_sampler_acceptance(sampler, &rate), DDAEBM_STATE, "not refined");
    ASSERT_FAILS(ddaebm_sampler_acceptance(plain, &rate), DDAEBM_STATE,
                 "ddaebm_sampler_set_refinement");
    ck_assert(rate == 7);
    ddaebm_sampler_free(sampler);
    ddaebm_sampler_free(plain);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* The energy whose samples are refined is that of the weights that the sampler was made with,
 * whenever refinement is asked for. */
START_TEST(refinement_uses_the_samplers_weights) {
    open_context(2);
    ddaebm_model *model = create(",\"form.energy\":\"distance\"");
    ddaebm_sampler *early = open_refining(model, 5, 1), *late = NULL;
    ASSERT_OK(ddaebm_sampler_create(&late, model));
    clear_energy(model);
    ASSERT_OK(ddaebm_sampler_set_refinement(late, 5, 1));
    ddaebm_sampler *other = open_refining(model, 5, 1);
    ASSERT_OK(ddaebm_sampler_draw_double(early, SEED, 0, 100, drawn));
    ASSERT_OK(ddaebm_sampler_draw_double(late, SEED, 0, 100, more_drawn));
    ck_assert_int_eq(memcmp(drawn, more_drawn, 100 * WIDTH * sizeof *drawn), 0);
    ASSERT_OK(ddaebm_sampler_draw_double(other, SEED, 0, 100, more_drawn));
    ck_assert_int_ne(memcmp(drawn, more_drawn, 100 * WIDTH * sizeof *drawn), 0);
    ddaebm_sampler_free(early);
    ddaebm_sampler_free(late);
    ddaebm_sampler_free(other);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* A column that was constant is that constant, to the chain and to the guidance, and its gradient
 * does nothing. */
START_TEST(constant_columns_stay_constant) {
    open_context(2);
    ddaebm_model *model = create_flat();
    model->scale[1] = 0;
    model->mean[1] = 1e9 + 1;
    bell self = {.centre = {0.5, 1e9, 4}, .spread = {0.5, 1, 3}, .caller = pthread_self()};
    ddaebm_sampler *sampler = open_refining(model, 2 * STEPS, 1);
    ASSERT_OK(ddaebm_sampler_set_guidance(sampler, add_bell, &self));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, COUNT, drawn));
    for (size_t i = 0; i < COUNT; i++)
        ck_assert(drawn[i * WIDTH + 1] == 1e9 + 1);
    assert_column(drawn, 0, 0.5, 0.5, normal);
    assert_column(drawn, 2, 4, 3, normal);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* Draws every pixel of an image to a value of its own. */
static double pixel(size_t j) {
    return 0.05 * (double)j - 0.5;
}

static ddaebm_status paint(void *user, const ddaebm_guidance_batch *batch, double *log_densities,
                           double *gradients) {
    const size_t *width = user;
    ck_assert_uint_eq(batch->width, *width);
    for (size_t i = 0; i < batch->count * batch->width; i++) {
        double z = (batch->rows[i] - pixel(i % batch->width)) / 0.1;
        log_densities[i / batch->width] -= z * z / 2;
        gradients[i] = -z / 0.1;
    }
    return DDAEBM_OK;
}

#define CONVOLUTIONAL                                                                              \
    "\"data.image_size\":8,\"data.padding\":2,\"network.family\":\"ncsnpp\",\"network.time_"       \
    "width\":8,"                                                                                   \
    "\"network.latent_embedding\":8,\"energy.channels\":4,\"energy.multipliers\":[1],\"generator." \
    "channels\":4,"                                                                                \
    "\"generator.multipliers\":[1],\"encoder.channels\":4"

/* Images with a border: guided pixel by pixel, each where it belongs. The f of convolutional
 * networks without weights is -|x|^2 / 2. */
START_TEST(images_are_refined_inside_their_border) {
    enum { IMAGES = 150, SIDE = 4 };
    static const char *const kinds[] = {"\"data.image_size\":8,\"data.padding\":2", CONVOLUTIONAL};
    static float images[IMAGES * SIDE * SIDE];
    size_t width = SIDE * SIDE;
    open_context(2);
    ddaebm_model *model = small_model(context, kinds[_i], 8);
    clear_energy(model);
    ddaebm_sampler *sampler = open_refining(model, STEPS + STEPS / 2, 1);
    ASSERT_OK(ddaebm_sampler_draw(sampler, SEED, 0, IMAGES, images)); /* f alone */
    ASSERT_OK(ddaebm_sampler_set_guidance(sampler, paint, &width));
    ASSERT_OK(ddaebm_sampler_draw(sampler, SEED, 0, IMAGES, images));
    double precision = 100 + (_i == 1 ? 1 / ddaebm_model_temperature(model) : 0);
    for (size_t j = 0; j < width; j++) {
        double mean = 0;
        for (size_t i = 0; i < IMAGES; i++)
            mean += (double)images[i * width + j] / IMAGES;
        ck_assert(sampled() ||
                  fabs(mean - pixel(j) * 100 / precision) <= errors / sqrt(IMAGES * precision));
    }
    float alone[SIDE * SIDE];
    ASSERT_OK(ddaebm_sampler_draw(sampler, SEED, 3, 1, alone));
    for (size_t j = 0; j < width; j++)
        ck_assert(sampled() || fabs((double)alone[j] - pixel(j)) <= 0.6);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* --- What may go wrong. --- */

typedef struct answer {
    double log_density, gradient;
    size_t row; /* which gets it */
} answer;

static ddaebm_status say(void *user, const ddaebm_guidance_batch *batch, double *log_densities,
                         double *gradients) {
    const answer *self = user;
    if (self->row >= batch->first && self->row - batch->first < batch->count) {
        log_densities[self->row - batch->first] = self->log_density;
        gradients[(self->row - batch->first) * batch->width + 1] = self->gradient;
    }
    return DDAEBM_OK;
}

START_TEST(guidance_is_checked) {
    static const struct {
        answer said;
        const char *text;
    } cases[] = {{{NAN, 0, 3}, "log-density of sample 3 is nan"},
                 {{INFINITY, 0, 0}, "log-density of sample 0 is inf"},
                 {{0, NAN, 41}, "number 1 of sample 41 is nan"},
                 {{0, INFINITY, 1}, "number 1 of sample 1 is inf"},
                 {{1, -INFINITY, 450}, "number 1 of sample 450 is -inf"},
                 {{-NAN, NAN, 0}, "log-density of sample 0"}};
    open_context(2);
    ddaebm_model *model = create("");
    ddaebm_sampler *sampler = open_refining(model, 3, 1);
    double rate = 7;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ASSERT_OK(ddaebm_sampler_set_guidance(sampler, say, (void *)&cases[i].said));
        ASSERT_FAILS(ddaebm_sampler_draw_double(sampler, SEED, 0, 500, drawn), DDAEBM_NOT_FINITE,
                     cases[i].text);
        ASSERT_FAILS(ddaebm_sampler_acceptance(sampler, &rate), DDAEBM_STATE, "last draw");
    }
    answer good = {-INFINITY, NAN, 2}; /* ruled out: allowed, whatever its gradient */
    ASSERT_OK(ddaebm_sampler_set_guidance(sampler, say, &good));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, 500, drawn));
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* Wherever the function stops a draw, its status is the draw's, and the sampler draws as before. */
START_TEST(guidance_may_stop_a_draw) {
    enum { DRAWN = 500, ASKED = 3 };
    open_context(2);
    ddaebm_model *model = create("");
    ddaebm_sampler *sampler = open_refining(model, ASKED, 2);
    bell self = some_bell();
    ASSERT_OK(ddaebm_sampler_set_guidance(sampler, add_bell, &self));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, DRAWN, drawn));
    ck_assert_uint_eq(self.rows, DRAWN * 2 * (ASKED + 1));
    size_t calls = self.calls;
    ck_assert_uint_eq(calls, 4 * 2 * (ASKED + 1)); /* four pieces */
    for (size_t stop = 1; stop <= calls; stop++) {
        self = some_bell();
        self.stop_at = stop;
        ASSERT_FAILS(ddaebm_sampler_draw_double(sampler, SEED, 0, DRAWN, more_drawn), DDAEBM_IO,
                     "guidance function stopped the draw");
        ck_assert_uint_eq(self.calls, stop);
    }
    self = some_bell();
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, DRAWN, more_drawn));
    ck_assert_int_eq(memcmp(drawn, more_drawn, DRAWN * WIDTH * sizeof *drawn), 0);
    ASSERT_OK(ddaebm_sampler_set_guidance(sampler, NULL, NULL));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, DRAWN, more_drawn));
    ck_assert_int_ne(memcmp(drawn, more_drawn, DRAWN * WIDTH * sizeof *drawn), 0);
    ck_assert_uint_eq(self.calls, calls);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* Its function may use other handles of the same context. */
static ddaebm_status ask_scorer(void *user, const ddaebm_guidance_batch *batch,
                                double *log_densities, double *gradients) {
    static float scores[COUNT];
    ASSERT_OK(ddaebm_scorer_score_double(user, DDAEBM_SCORE_ENERGY, batch->rows, batch->count,
                                         batch->timestep, scores));
    for (size_t i = 0; i < batch->count; i++)
        log_densities[i] = (double)scores[i];
    return ddaebm_scorer_gradient_double(user, batch->rows, batch->count, batch->timestep,
                                         gradients);
}

START_TEST(a_model_may_guide_itself) {
    open_context(2);
    ddaebm_model *model = create_gaussian();
    dd_noise_schedule schedule;
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    ddaebm_sampler *sampler = open_refining(model, STEPS, 1);
    ddaebm_scorer *scorer = NULL;
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ASSERT_OK(ddaebm_sampler_set_guidance(sampler, ask_scorer, scorer));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, COUNT, drawn));
    double deviation =
        sqrt(ddaebm_model_temperature(model) * (pow(schedule.sigma_cum[0], 2) + 0.01) /
             2); /* the square of its density */
    for (size_t j = 0; j < WIDTH; j++)
        assert_column(drawn, j, model->mean[j], deviation * model->scale[j], normal);
    ddaebm_scorer_free(scorer);
    ddaebm_sampler_free(sampler);
    dd_noise_schedule_free(&schedule);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(draws_that_refine_do_not_allocate) {
    static const size_t counts[] = {1, 700, 7, 401, 3};
    bell self = some_bell();
    open_context(2);
    ddaebm_model *model = create("");
    for (int threads = 1; threads <= 3; threads++)
        for (int guided = 0; guided < 2; guided++) {
            ASSERT_OK(ddaebm_context_set_threads(context, threads));
            ddaebm_sampler *sampler = open_refining(model, 4, 2);
            if (guided)
                ASSERT_OK(ddaebm_sampler_set_guidance(sampler, add_bell, &self));
            size_t calls = counted.calls;
            for (size_t i = 0; i < 5; i++)
                ASSERT_OK(ddaebm_sampler_draw_double(sampler, i, i, counts[i], drawn));
            ASSERT_OK(ddaebm_sampler_set_refinement(sampler, 6, 3)); /* nor do other steps */
            ASSERT_OK(ddaebm_sampler_draw_double(sampler, 1, 0, 9, drawn));
            ck_assert_uint_eq(counted.calls, calls);
            ddaebm_sampler_free(sampler);
        }
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* A model whose energy is no number, or whose samples are none, fails or leaves samples as they
 * were; it does not hang. */
START_TEST(runaway_energies_are_survived) {
    open_context(2);
    ddaebm_model *model = create("");
    float *weights = model->weights.values[DDAEBM_NETWORK_ENERGY][DD_ROLE_WEIGHT];
    for (size_t i = 0; i < model->parameters.totals[DDAEBM_NETWORK_ENERGY][DD_ROLE_WEIGHT]; i++)
        weights[i] = 3e38f;
    ddaebm_sampler *sampler = open_refining(model, 6, 1), *plain = NULL;
    ASSERT_OK(ddaebm_sampler_create(&plain, model));
    ASSERT_OK(ddaebm_sampler_draw_double(plain, SEED, 0, COUNT, drawn));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, COUNT, more_drawn));
    ck_assert_int_eq(memcmp(drawn, more_drawn, sizeof drawn), 0);
    ck_assert(acceptance(sampler) == 0);
    ddaebm_sampler_free(sampler);
    ddaebm_sampler_free(plain);

    weights = model->weights.values[DDAEBM_NETWORK_GENERATOR][DD_ROLE_WEIGHT];
    for (size_t i = 0; i < model->parameters.totals[DDAEBM_NETWORK_GENERATOR][DD_ROLE_WEIGHT]; i++)
        weights[i] = 3e38f;
    sampler = open_refining(model, 6, 1);
    ASSERT_FAILS(ddaebm_sampler_draw_double(sampler, SEED, 0, COUNT, drawn), DDAEBM_NOT_FINITE,
                 "not finite");
    bell self = some_bell();
    ASSERT_OK(ddaebm_sampler_set_guidance(sampler, add_bell, &self));
    ASSERT_FAILS(ddaebm_sampler_draw_double(sampler, SEED, 0, COUNT, drawn), DDAEBM_NOT_FINITE,
                 "not finite");
    ck_assert_uint_eq(self.calls, 0);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(what_refinement_takes_is_checked) {
    open_context(2);
    ddaebm_model *model = create("");
    ddaebm_sampler *sampler = open_refining(model, 2, 4);
    double rate = 0;
    bell self = some_bell();
    ASSERT_FAILS(ddaebm_sampler_set_refinement(NULL, 1, 1), DDAEBM_INVALID_ARGUMENT, "sampler");
    ASSERT_FAILS(ddaebm_sampler_set_refinement(sampler, 100001, 1), DDAEBM_OUT_OF_RANGE,
                 "100001; allowed: 0 to 100000");
    ASSERT_FAILS(ddaebm_sampler_set_refinement(sampler, 1, 0), DDAEBM_OUT_OF_RANGE,
                 "timesteps to refine are 0; allowed: 1 to 4");
    ASSERT_FAILS(ddaebm_sampler_set_refinement(sampler, 1, 5), DDAEBM_OUT_OF_RANGE,
                 "5; allowed: 1 to 4");
    ASSERT_FAILS(ddaebm_sampler_set_guidance(NULL, add_bell, &self), DDAEBM_INVALID_ARGUMENT,
                 "sampler");
    ASSERT_FAILS(ddaebm_sampler_acceptance(NULL, &rate), DDAEBM_INVALID_ARGUMENT, "sampler");
    ASSERT_FAILS(ddaebm_sampler_acceptance(sampler, NULL), DDAEBM_INVALID_ARGUMENT, "rate");
    ASSERT_FAILS(ddaebm_sampler_acceptance(sampler, &rate), DDAEBM_STATE, "no acceptance");
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, 20,
                                         drawn)); /* as it was set before those failed */
    acceptance(sampler);
    ASSERT_OK(ddaebm_sampler_set_refinement(sampler, 0, 99));
    ASSERT_OK(ddaebm_sampler_set_guidance(sampler, add_bell, &self));
    ASSERT_FAILS(ddaebm_sampler_draw_double(sampler, SEED, 0, 20, drawn), DDAEBM_STATE,
                 "guidance needs refinement");
    ASSERT_OK(ddaebm_sampler_set_refinement(sampler, 1,
                                            1)); /* the fewest, none of them to find a size in */
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, SEED, 0, 20, drawn));
    acceptance(sampler);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {draws_follow_the_energy,
                                  states_follow_the_energy_of_their_level,
                                  draws_follow_the_guidance,
                                  draws_stay_where_guidance_allows_them,
                                  draws_follow_a_density_of_two_hills,
                                  guidance_multiplies_the_model,
                                  bits_do_not_depend_on_threads_or_cuts,
                                  one_sample_is_that_of_many,
                                  refinement_can_be_turned_off,
                                  refinement_uses_the_samplers_weights,
                                  constant_columns_stay_constant,
                                  guidance_is_checked,
                                  guidance_may_stop_a_draw,
                                  a_model_may_guide_itself,
                                  draws_that_refine_do_not_allocate,
                                  runaway_energies_are_survived,
                                  what_refinement_takes_is_checked};
    const TTest *const images[] = {images_are_refined_inside_their_border};
    return run_tests("refine", tests, sizeof tests / sizeof *tests) |
           run_loop_tests("refine images", images, 1, 2);
}
