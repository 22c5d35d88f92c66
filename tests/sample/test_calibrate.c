/* The temperature that is fitted on data: what it is where the answer is known, the condition that
 * it meets where it is not, and when there is none.
 *
 * The noise of a fit is fixed by its seed, so that sums over it are known: the fit agrees with them
 * within NEAR. */
#define _GNU_SOURCE
#include "base/context.h"
#include "diffusion/noise_schedule.h"
#include "sample/calibrate.h"
#include "sample/scorer.h"
#include "support/counted.h"
#include "support/extremes.h"
#include "support/small.h"

#include <ddaebm/trainer.h>
#include <math.h>

#define NEAR 1e-4

enum { COUNT = 4000, SEED = 21, MOST_WIDTH = 3 };

static heard said;

static void begin(void) {
    open_context(2);
    said = (heard){0};
}

/* From here on warnings count: models warn of their schedules when they are made. */
static void listen(void) {
    ASSERT_OK(ddaebm_context_set_log(context, hear, &said, DDAEBM_LOG_WARNING));
}

/* --- Data, and what the fit makes of it. --- */

static float *some_rows(size_t width, double deviation, double middle) {
    float *rows = malloc(COUNT * width * sizeof *rows);
    ck_assert_ptr_nonnull(rows);
    dd_rng_normals(rows, 17, dd_stream(DD_STREAM_DATA, 1), 0, COUNT * width);
    for (size_t i = 0; i < COUNT * width; i++)
        rows[i] = (float)(middle + deviation * (double)rows[i]);
    return rows;
}

static ddaebm_dataset *as_dataset(const float *rows, size_t width) {
    ddaebm_dataset *dataset = NULL;
    ASSERT_OK(ddaebm_dataset_create_rows(&dataset, context, rows, COUNT, width));
    return dataset;
}

/* The rows in the networks' units: as they are (sign 0), or at timestep 0 with the noise of the fit
 * times a sign. */
typedef struct diffused {
    double x[COUNT * MOST_WIDTH], noise[COUNT * MOST_WIDTH];
    double keep, sigma;
    double squares, products; /* sums of x^2 and of x noise */
} diffused;

static void diffuse(diffused *d, const ddaebm_model *model, const float *rows, double sign) {
    static float noise[COUNT * MOST_WIDTH];
    size_t width = ddaebm_model_width(model), count = COUNT * width;
    dd_noise_schedule schedule;
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    *d = (diffused){.keep = schedule.a_cum[0], .sigma = schedule.sigma_cum[0]};
    dd_noise_schedule_free(&schedule);
    dd_rng_normals(noise, SEED, dd_stream(DD_STREAM_CALIBRATION, 0), 0, count);
    for (size_t i = 0; i < count; i++) {
        double standard = ((double)rows[i] - model->mean[i % width]) / model->scale[i % width];
        d->noise[i] = sign * (double)noise[i];
        d->x[i] = sign == 0 ? standard : d->keep * standard + d->sigma * d->noise[i];
        d->squares += d->x[i] * d->x[i];
        d->products += d->x[i] * d->noise[i];
    }
}

/* --- Energies that are known. --- */

static void set_unit(ddaebm_model *model, double mean, double scale) {
    for (size_t j = 0; j < ddaebm_model_width(model); j++) {
        model->mean[j] = mean;
        model->scale[j] = scale;
    }
}

static ddaebm_model *create(size_t width, const char *changes) {
    char text[256];
    (void)snprintf(text, sizeof text, "\"data.width\":%zu,%s", width, changes);
    return small_model(context, text, 8);
}

static void clear_energy(ddaebm_model *model) {
    memset(model->weights.values[DDAEBM_NETWORK_ENERGY][DD_ROLE_WEIGHT], 0,
           model->parameters.totals[DDAEBM_NETWORK_ENERGY][DD_ROLE_WEIGHT] * sizeof(float));
}

/* Sets the first element of a tensor of the energy. */
static void set_first(ddaebm_model *model, const char *name, float value) {
    char full[DD_MOST_NAME];
    (void)snprintf(full, sizeof full, "energy.%s", name);
    size_t i = dd_parameters_find(&model->parameters, full);
    ck_assert_msg(i < model->parameters.count, "there is no %s", full);
    *dd_weights_at(&model->weights, &model->parameters.items[i]) = value;
}

/* f = -c |x|^2 / 2 + 5: a distance to a point that stays at 0. */
static ddaebm_model *bowl(size_t width, double *c) {
    ddaebm_model *model = create(width, "\"form.energy\":\"distance\"");
    dd_noise_schedule schedule;
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    *c = 1 / (schedule.sigma_cum[0] * schedule.sigma_cum[0] + 0.01);
    dd_noise_schedule_free(&schedule);
    clear_energy(model);
    size_t bias = dd_parameters_find(&model->parameters, "energy.net.layers.2.bias");
    ck_assert_uint_eq(model->parameters.items[bias].elements, width + 1);
    dd_weights_at(&model->weights, &model->parameters.items[bias])[width] = 5;
    return model;
}

/* f = slope |first column|: a rectifier with slope -1, and after it numbers that stay positive. */
static ddaebm_model *wedge(size_t width, float slope) {
    ddaebm_model *model = create(width, "\"energy.activation\":\"prelu\"");
    clear_energy(model);
    set_first(model, "x_encoder.layers.0.weight", 1);
    set_first(model, "x_encoder.activation_fn.0.weight", -1);
    set_first(model, "x_encoder.layers.1.weight", 1);
    set_first(model, "net.layers.0.weight", 1);
    set_first(model, "net.layers.1.weight", 1);
    set_first(model, "net.layers.2.weight", slope);
    return model;
}

static double fit(ddaebm_model *model, const ddaebm_dataset *dataset) {
    ASSERT_OK(dd_calibrate(model, dataset, SEED));
    return ddaebm_model_temperature(model);
}

static ddaebm_scorer *open_scorer(const ddaebm_model *model) {
    ddaebm_scorer *scorer = NULL;
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    return scorer;
}

/* --- The answer is known: f / temperature is the log-density of a normal distribution. --- */

static void assert_near(double value, double expected, double tolerance) {
    ck_assert_msg(fabs(value - expected) <= tolerance * fabs(expected), "%.8g, not %.8g", value,
                  expected);
}

/* In whatever units the data comes. */
START_TEST(a_bowl_gets_the_datas_variance) {
    static const double units[][2] = {{0, 1}, {-3, 0.5}, {40, 25}}; /* mean and scale */
    static diffused d, opposite;
    begin();
    for (size_t width = 1; width <= MOST_WIDTH; width++)
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            const double deviation = 0.8;
            double c, numbers = (double)(COUNT * width);
            ddaebm_model *model = bowl(width, &c);
            set_unit(model, units[u][0], units[u][1]);
            float *rows = some_rows(width, deviation * units[u][1], units[u][0]);
            ddaebm_dataset *dataset = as_dataset(rows, width);
            double temperature = fit(model, dataset), variance = deviation * deviation, expected;
            diffuse(&d, model, rows, width <= 2 ? 0 : 1);
            diffuse(&opposite, model, rows, -1);
            expected = c * d.squares / numbers;
            if (width > 2) {
                expected =
                    c * d.sigma * (d.squares + opposite.squares) / (d.products + opposite.products);
                variance = pow(d.keep * deviation, 2) + d.sigma * d.sigma;
            }
            assert_near(temperature, expected, NEAR);
            assert_near(temperature, c * variance,
                        4 * (width <= 2 ? 1 : 2) * sqrt(2 / numbers)); /* deviations of the sums */
            ddaebm_dataset_free(dataset);
            free(rows);
            ddaebm_model_free(model);
        }
    close_context();
}
END_TEST

/* --- It is not: the condition of the maximum, or of the least squares. --- */

/* Mean of f over the box around the data, a quarter of its extent further on each side, under exp(f
 * / temperature), from the scores f / temperature on a grid of another size than the fit's; and its
 * deviation. */
static void mean_under_the_model(double *mean, double *deviation, ddaebm_scorer *scorer,
                                 const float *rows, size_t width) {
    enum { ACROSS = 250 };
    size_t points = width == 1 ? ACROSS : (size_t)ACROSS * ACROSS;
    float *grid = malloc(points * width * sizeof *grid), *scores = malloc(points * sizeof *scores);
    ck_assert(grid && scores);
    for (size_t j = 0; j < width; j++) {
        double low = (double)rows[j], high = low;
        for (size_t i = 0; i < COUNT; i++) {
            low = smaller(low, (double)rows[i * width + j]);
            high = larger(high, (double)rows[i * width + j]);
        }
        for (size_t i = 0; i < points; i++) {
            double at = ((double)(j == 0 ? i % ACROSS : i / ACROSS) + 0.5) / ACROSS;
            grid[i * width + j] = (float)(low + (high - low) * (1.5 * at - 0.25));
        }
    }
    ASSERT_OK(ddaebm_scorer_score(scorer, grid, points, 0, scores));
    double total = 0, first = 0, second = 0;
    for (size_t i = 0; i < points; i++) {
        double weight = exp((double)(scores[i] - scores[points / 2]));
        total += weight;
        first += weight * (double)scores[i];
        second += weight * pow((double)scores[i], 2);
    }
    *mean = first / total;
    *deviation = sqrt(second / total - *mean * *mean);
    free(grid);
    free(scores);
}

/* d/ds of the log-likelihood at s = 1 / temperature vanishes. */
START_TEST(the_likelihood_is_greatest) {
    begin();
    for (size_t width = 1; width <= 2; width++) {
        ddaebm_model *model =
            create(width, "\"form.energy\":\"distance\",\"energy.activation\":\"silu\"");
        set_unit(model, 2, 3);
        float *rows = some_rows(width, 1.5, 2.5), scores[COUNT];
        ddaebm_dataset *dataset = as_dataset(rows, width);
        ck_assert_double_ne(fit(model, dataset), 0.1); /* not as it was */
        ddaebm_scorer *scorer = open_scorer(model);
        double under_model, deviation, under_data = 0;
        ASSERT_OK(ddaebm_scorer_score(scorer, rows, COUNT, 0, scores));
        for (size_t i = 0; i < COUNT; i++)
            under_data += (double)scores[i] / COUNT;
        mean_under_the_model(&under_model, &deviation, scorer, rows, width);
        ck_assert_msg(fabs(under_data - under_model) <= 1e-3 * deviation,
                      "%g over the data, %g under the model, of %g", under_data, under_model,
                      deviation);
        ddaebm_scorer_free(scorer);
        free(rows);
        ddaebm_dataset_free(dataset);
        ddaebm_model_free(model);
    }
    close_context();
}
END_TEST

static float *noisy_rows(const diffused *d, const ddaebm_model *model) {
    size_t width = ddaebm_model_width(model);
    float *rows = malloc(COUNT * width * sizeof *rows);
    ck_assert_ptr_nonnull(rows);
    for (size_t i = 0; i < COUNT * width; i++)
        rows[i] = (float)(d->x[i] * model->scale[i % width] + model->mean[i % width]);
    return rows;
}

/* d/ds of mean |s gradient f + noise / sigma|^2 vanishes at s = 1 / temperature. */
START_TEST(the_scores_are_matched_best) {
    enum { WIDTH = 3 };
    static diffused d;
    static float gradients[COUNT * WIDTH];
    begin();
    ddaebm_model *model =
        create(WIDTH, "\"form.energy\":\"distance\",\"energy.activation\":\"silu\"");
    set_unit(model, 2, 3);
    float *rows = some_rows(WIDTH, 1.5, 2.5);
    ddaebm_dataset *dataset = as_dataset(rows, WIDTH);
    (void)fit(model, dataset);
    ddaebm_scorer *scorer = open_scorer(model);
    double square = 0, product = 0;
    for (int sign = -1; sign <= 1; sign += 2) {
        diffuse(&d, model, rows, sign);
        float *noisy = noisy_rows(&d, model);
        ASSERT_OK(ddaebm_scorer_gradient(scorer, noisy, COUNT, 0, gradients));
        for (size_t i = 0; i < COUNT * WIDTH; i++) {
            double gradient = 3 * (double)gradients[i]; /* of a standardised row */
            square += gradient * gradient;
            product += gradient * d.noise[i] / d.sigma;
        }
        free(noisy);
    }
    assert_near(-product, square, NEAR);
    ddaebm_scorer_free(scorer);
    free(rows);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* What is fitted is the gradient that the networks see, border and its noise included. */
START_TEST(images_are_matched_with_their_border) {
    enum { IMAGES = 50, OUTER = 2 * 2, INNER = 4 * 4 };
    float pixels[IMAGES * OUTER], noise[IMAGES * INNER], noisy[IMAGES * INNER],
        gradients[IMAGES * INNER];
    begin();
    ddaebm_model *model = create(5, "\"data.image_size\":4,\"data.padding\":1,\"form.energy\":"
                                    "\"distance\",\"energy.activation\":\"silu\"");
    ddaebm_dataset *dataset = NULL;
    dd_noise_schedule schedule;
    dd_rng_uniforms(pixels, 3, dd_stream(DD_STREAM_DATA, 0), 0, IMAGES * OUTER);
    ASSERT_OK(ddaebm_dataset_create_images_float(&dataset, context, pixels, IMAGES, 2, 2, 1));
    (void)fit(model, dataset);
    ddaebm_scorer *scorer = open_scorer(model);
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    dd_rng_normals(noise, SEED, dd_stream(DD_STREAM_CALIBRATION, 0), 0, IMAGES * INNER);
    double square = 0, product = 0;
    for (int sign = -1; sign <= 1; sign += 2) {
        dd_model_standardize(model, (dd_rows_in){.narrow = pixels}, 0, IMAGES, noisy);
        for (size_t i = 0; i < IMAGES * INNER; i++)
            noisy[i] = (float)(schedule.a_cum[0] * (double)noisy[i] +
                               sign * schedule.sigma_cum[0] * (double)noise[i]);
        ASSERT_OK(dd_scorer_inner_gradient(scorer, noisy, IMAGES, 0, gradients));
        for (size_t i = 0; i < IMAGES * INNER; i++) {
            square += (double)gradients[i] * (double)gradients[i];
            product += sign * (double)gradients[i] * (double)noise[i] / schedule.sigma_cum[0];
        }
    }
    assert_near(-product, square, NEAR);
    dd_noise_schedule_free(&schedule);
    ddaebm_scorer_free(scorer);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(the_temperature_before_does_not_matter) {
    begin();
    for (size_t width = 1; width <= MOST_WIDTH; width += 2) {
        double c, fitted[2];
        float *rows = some_rows(width, 1, 0);
        ddaebm_dataset *dataset = as_dataset(rows, width);
        ddaebm_model *model = bowl(width, &c);
        for (int i = 0; i < 2; i++) {
            ASSERT_OK(ddaebm_model_set_temperature(model, i ? 1e-3 : 50));
            fitted[i] = fit(model, dataset);
        }
        ck_assert_double_eq(fitted[0], fitted[1]);
        ddaebm_model_free(model);
        ddaebm_dataset_free(dataset);
        free(rows);
    }
    close_context();
}
END_TEST

/* --- There is none. --- */

/* An energy that rises away from the data, and one that is flat. */
START_TEST(without_an_answer_the_temperature_stays) {
    begin();
    for (size_t width = 1; width <= MOST_WIDTH; width++)
        for (int flat = 0; flat < 2; flat++) {
            float *rows = some_rows(width, 1, 0);
            ddaebm_dataset *dataset = as_dataset(rows, width);
            ddaebm_model *model = wedge(width, flat ? 0 : 0.5f);
            ASSERT_OK(ddaebm_model_set_temperature(model, 0.25));
            listen();
            size_t before = said.warnings;
            ck_assert_double_eq(fit(model, dataset), 0.25);
            ck_assert_msg(said.warnings == before + 1, "width %zu, flat %d: no warning", width,
                          flat);
            ck_assert_ptr_nonnull(strstr(said.last, "stays 0.25"));
            ASSERT_OK(ddaebm_context_set_log(context, NULL, NULL, DDAEBM_LOG_WARNING));
            ddaebm_model_free(model);
            model = wedge(width, -0.5f); /* turned over, it has one, and says nothing */
            listen();
            ck_assert_double_ne(fit(model, dataset), 0.1);
            ck_assert_uint_eq(said.warnings, before + 1);
            ASSERT_OK(ddaebm_context_set_log(context, NULL, NULL, DDAEBM_LOG_WARNING));
            ddaebm_model_free(model);
            ddaebm_dataset_free(dataset);
            free(rows);
        }
    close_context();
}
END_TEST

/* --- What the data set says. --- */

typedef struct source {
    size_t width;
    ddaebm_status refuse;
    bool poisoned;
    uint64_t first; /* least row read */
} source;

static ddaebm_status read_source(void *user, uint64_t first, size_t count, float *out) {
    source *self = user;
    self->first = first < self->first ? first : self->first;
    dd_rng_normals(out, 3, dd_stream(DD_STREAM_DATA, 0), first * self->width, count * self->width);
    if (self->poisoned)
        out[count * self->width - 1] = NAN;
    return self->refuse;
}

static ddaebm_dataset *as_source(source *self, uint64_t rows) {
    ddaebm_source given = DDAEBM_SOURCE_INIT;
    ddaebm_dataset *dataset = NULL;
    given.width = self->width;
    given.rows = rows;
    given.read = read_source;
    given.user = self;
    ASSERT_OK(ddaebm_dataset_create_source(&dataset, context, &given));
    return dataset;
}

START_TEST(a_failed_read_is_passed_on) {
    begin();
    for (size_t width = 1; width <= MOST_WIDTH; width++) {
        double c;
        source self = {.width = width, .refuse = DDAEBM_IO};
        ddaebm_dataset *dataset = as_source(&self, 500);
        ddaebm_model *model = bowl(width, &c);
        double before = ddaebm_model_temperature(model);
        listen();
        ck_assert_int_eq(dd_calibrate(model, dataset, SEED), DDAEBM_IO);
        self.refuse = DDAEBM_OK;
        self.poisoned = true;
        ck_assert_int_eq(dd_calibrate(model, dataset, SEED), DDAEBM_NOT_FINITE);
        ck_assert_double_eq(ddaebm_model_temperature(model), before);
        self.poisoned = false;
        ck_assert_double_ne(fit(model, dataset), before);
        ck_assert_uint_eq(said.warnings, 0);
        ASSERT_OK(ddaebm_context_set_log(context, NULL, NULL, DDAEBM_LOG_WARNING));
        ddaebm_model_free(model);
        ddaebm_dataset_free(dataset);
    }
    close_context();
}
END_TEST

/* An unbounded set is read where no training run comes: 2^32 rows are a run of 21 million steps of
 * 200. */
START_TEST(rows_without_end_are_fresh) {
    begin();
    double c;
    source self = {.width = 1, .first = UINT64_MAX};
    ddaebm_dataset *unbounded = as_source(&self, 0), *bounded = as_source(&self, 500);
    ddaebm_model *model = bowl(1, &c);
    (void)fit(model, unbounded);
    ck_assert_uint_gt(self.first, UINT64_C(1) << 32);
    (void)fit(model, bounded);
    ck_assert_uint_eq(self.first, 0);
    ddaebm_model_free(model);
    ddaebm_dataset_free(unbounded);
    ddaebm_dataset_free(bounded);
    close_context();
}
END_TEST

/* --- Through the trainer; memory. --- */

START_TEST(snapshots_are_calibrated_where_asked) {
    begin();
    ddaebm_dataset *dataset = small_rows(context, 200, 1);
    double temperatures[2];
    for (int asked = 0; asked < 2; asked++) {
        ddaebm_trainer *trainer = NULL;
        ddaebm_model *snapshot = NULL;
        ddaebm_model *model =
            create(1, asked ? "\"form.energy\":\"distance\",\"training.calibrate\":true"
                            : "\"form.energy\":\"distance\"");
        ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, SEED));
        ASSERT_OK(ddaebm_trainer_step(trainer, NULL));
        ASSERT_OK(ddaebm_trainer_snapshot(trainer, &snapshot));
        temperatures[asked] = ddaebm_model_temperature(snapshot);
        if (!asked) {
            ck_assert_double_eq(temperatures[0], ddaebm_model_temperature(model));
            temperatures[0] = fit(snapshot, dataset);
        }
        ddaebm_model_free(snapshot);
        ddaebm_trainer_free(trainer);
        ddaebm_model_free(model);
    }
    ck_assert_double_eq(temperatures[0], temperatures[1]);
    ddaebm_dataset_free(dataset);
    close_context();
}
END_TEST

START_TEST(memory_may_run_out) {
    begin();
    void *none = NULL;
    for (size_t width = 1; width <= MOST_WIDTH; width += 2) {
        double c;
        ddaebm_dataset *dataset = small_rows(context, 20, width);
        ddaebm_model *model = bowl(width, &c);
        double expected = fit(model, dataset);
        listen();
        for (int on = 0; on < 2; on++) {
            ASSERT_OK(ddaebm_model_set_temperature(model, 0.25));
            SWEEP_ALLOCATIONS_FROM(counted, none,
                                   ddaebm_model_temperature(model) != 0.25
                                       ? DDAEBM_STATE
                                       : dd_calibrate(model, dataset, SEED),
                                   on);
            ck_assert_double_eq(ddaebm_model_temperature(model), expected);
        }
        ck_assert_uint_eq(said.warnings, 0);
        ASSERT_OK(ddaebm_context_set_log(context, NULL, NULL, DDAEBM_LOG_WARNING));
        ddaebm_model_free(model);
        ddaebm_dataset_free(dataset);
    }
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("calibrate", a_bowl_gets_the_datas_variance, the_likelihood_is_greatest,
                     the_scores_are_matched_best, images_are_matched_with_their_border,
                     the_temperature_before_does_not_matter,
                     without_an_answer_the_temperature_stays, a_failed_read_is_passed_on,
                     rows_without_end_are_fresh, snapshots_are_calibrated_where_asked,
                     memory_may_run_out);
}
