/* What the contrasts are for: after a short run the score is the log-density of data whose density
 * is known, at a slope of 1, on rows that were held out; and it is lower where data is not, between
 * components and beyond them. */
#define _GNU_SOURCE
#include "base/rng.h"
#include "diffusion/noise_schedule.h"
#include "model/model.h"
#include "support/harness.h"

#include <ddaebm/ddaebm.h>
#include <math.h>
#include <string.h>

enum {
    WIDTH = 3,
    ROWS = 6000,
    HELD_OUT = 2000,
    SIDE = 8,
    PIXELS = SIDE * SIDE,
    IMAGES = 4000,
    HELD_IMAGES = 500
};

static const double pi = 3.14159265358979323846;

/* --- Two components of different sizes, axis by axis. --- */

typedef struct component {
    double probability, mean[WIDTH], deviation[WIDTH];
} component;

static const component components[] = {{0.7, {-1, 0.5, 0}, {0.5, 0.3, 0.6}},
                                       {0.3, {1.2, -0.6, 0.4}, {0.3, 0.6, 0.4}}};

static void draw_rows(uint64_t stream, size_t count, float *rows) {
    for (size_t i = 0; i < count; i++) {
        float normals[WIDTH], uniform;
        dd_rng_normals(normals, 11, dd_stream(DD_STREAM_DATA, stream), i * WIDTH, WIDTH);
        dd_rng_uniforms(&uniform, 13, dd_stream(DD_STREAM_DATA, stream), i, 1);
        const component *c = &components[(double)uniform < components[0].probability ? 0 : 1];
        for (size_t j = 0; j < WIDTH; j++)
            rows[i * WIDTH + j] = (float)(c->mean[j] + c->deviation[j] * (double)normals[j]);
    }
}

/* log p of (x - centre) / scale with the noise of timestep 0. */
static double log_density(const float *x, const double *centre, const double *scale, double keep,
                          double sigma) {
    double sum = 0;
    for (size_t k = 0; k < 2; k++) {
        const component *c = &components[k];
        double log_p = log(c->probability);
        for (size_t j = 0; j < WIDTH; j++) {
            double variance = pow(keep * c->deviation[j] / scale[j], 2) + sigma * sigma;
            double away =
                ((double)x[j] - centre[j]) / scale[j] - keep * (c->mean[j] - centre[j]) / scale[j];
            log_p -= 0.5 * (away * away / variance + log(2 * pi * variance));
        }
        sum += exp(log_p);
    }
    return log(sum);
}

/* --- How two lists of numbers agree. --- */

typedef struct agreement {
    double correlation, slope, offset; /* slope of y over x, mean of y - x */
} agreement;

static agreement compare(const double *x, const double *y, size_t count) {
    double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < count; i++) {
        mean_x += x[i] / (double)count;
        mean_y += y[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    return (agreement){xy / sqrt(xx * yy), xy / xx, mean_y - mean_x};
}

/* The model after its steps: where tests are sampled a few are enough, for the memory, and nothing
 * is asked of what was learnt. */
static ddaebm_model *train(const char *preset, const char *changes, const ddaebm_dataset *dataset) {
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL, *trained = NULL;
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_config_create(&config, NULL, preset));
    ASSERT_OK(ddaebm_config_parse(config, changes, strlen(changes)));
    ASSERT_OK(ddaebm_model_create(&model, NULL, config, 1));
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 1));
    uint64_t steps = sampled() ? 20 : (uint64_t)dd_model_settings(model)->training.steps;
    ASSERT_OK(ddaebm_trainer_run_until(trainer, steps, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_snapshot(&trained, trainer));
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_config_free(config);
    return trained;
}

START_TEST(the_score_of_rows_is_their_log_density) {
    static const char changes[] = "{\"data.width\":3,\"diffusion.fit\":false,\"diffusion.sigma_"
                                  "min\":0.1,\"diffusion.timesteps\":5,\"energy.hidden_layers\":["
                                  "64,64],"
                                  "\"generator.hidden_layers\":[16],\"encoder.hidden_layers\":[16],"
                                  "\"encoder.feature_layers\":[8],\"network.latent_width\":2,"
                                  "\"form.energy\":\"density\",\"objective.timestep_contrast\":10,"
                                  "\"objective.contrast_weight\":0.05,\"objective.fake_"
                                  "gamma\":0,"
                                  "\"training.batch\":256,\"training.steps\":1200,\"training.held_"
                                  "out\":0,\"optimizer.ema_decay\":0.99}";
    static float rows[ROWS * WIDTH], held_out[HELD_OUT * WIDTH], scores[HELD_OUT];
    static double found[HELD_OUT], known[HELD_OUT];
    ddaebm_dataset *dataset = NULL;
    ddaebm_scorer *scorer = NULL;
    dd_noise_schedule schedule;
    draw_rows(0, ROWS, rows);
    draw_rows(1, HELD_OUT, held_out);
    ASSERT_OK(ddaebm_dataset_create_rows(&dataset, NULL, rows, ROWS, WIDTH));
    ddaebm_model *model = train("vector", changes, dataset);
    ASSERT_OK(dd_noise_schedule_make(&schedule, model->context, dd_model_settings(model)));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, held_out, HELD_OUT, 0, scores));
    for (size_t i = 0; i < HELD_OUT; i++) {
        found[i] = (double)scores[i];
        known[i] = log_density(held_out + i * WIDTH, model->mean, model->scale, schedule.a_cum[0],
                               schedule.sigma_cum[0]);
    }
    agreement all = compare(known, found, HELD_OUT);
    ck_assert_msg(sampled() || all.correlation > 0.95, "correlation %g", all.correlation);
    ck_assert_msg(sampled() || fabs(all.slope - 1) < 0.1, "slope %g", all.slope);
    ck_assert_msg(sampled() || fabs(all.offset) < 0.6, "offset %g", all.offset); /* normalised */

    /* Half-way between the means, and three times as far out as each: where the density is a
     * hundredth of the data's, so is the score's. */
    const float elsewhere[] = {0.1f, -0.05f, 0.2f, -3.2f, 1.6f, -0.2f, 3.5f, -1.8f, 1.2f};
    float low[3];
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, elsewhere, 3, 0, low));
    for (size_t i = 0; i < 3; i++) {
        double truth = log_density(elsewhere + i * WIDTH, model->mean, model->scale,
                                   schedule.a_cum[0], schedule.sigma_cum[0]);
        ck_assert_msg(sampled() || (double)low[i] < fmax(0.5 * truth, truth + 1.5),
                      "place %zu: %g, not %g", i, (double)low[i], truth);
    }
    dd_noise_schedule_free(&schedule);
    ddaebm_scorer_free(scorer);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
}
END_TEST

/* --- Images: neighbouring pixels are correlated, x[y][x] an autoregression on both axes. --- */

static const double along = 0.7, spread = 0.2;

/* Row by row and column by column: covariance spread^2 along^(|dy| + |dx|), whose inverse is a
 * product over both axes. */
static void draw_images(uint64_t stream, size_t count, float *images) {
    const double rest = sqrt(1 - along * along);
    for (size_t n = 0; n < count; n++) {
        float *image = images + n * PIXELS;
        dd_rng_normals(image, 17, dd_stream(DD_STREAM_DATA, stream), n * PIXELS, PIXELS);
        for (size_t i = 0; i < PIXELS; i++)
            if (i % SIDE > 0)
                image[i] = (float)(along * (double)image[i - 1] + rest * (double)image[i]);
        for (size_t i = SIDE; i < PIXELS; i++)
            image[i] = (float)(along * (double)image[i - SIDE] + rest * (double)image[i]);
        for (size_t i = 0; i < PIXELS; i++)
            image[i] *= (float)spread;
    }
}

/* log N(x; 0, keep^2 C + sigma^2 I), by a Cholesky factor. */
static void factorise(double keep, double sigma, double *root) {
    for (size_t i = 0; i < PIXELS; i++)
        for (size_t j = 0; j <= i; j++) {
            double apart = fabs((double)(i / SIDE) - (double)(j / SIDE)) +
                           fabs((double)(i % SIDE) - (double)(j % SIDE));
            double sum =
                keep * keep * spread * spread * pow(along, apart) + (i == j ? sigma * sigma : 0);
            for (size_t k = 0; k < j; k++)
                sum -= root[i * PIXELS + k] * root[j * PIXELS + k];
            root[i * PIXELS + j] = i == j ? sqrt(sum) : sum / root[j * PIXELS + j];
        }
}

static double log_normal(const double *root, const float *x) {
    double white[PIXELS], sum = 0;
    for (size_t i = 0; i < PIXELS; i++) {
        double rest = (double)x[i];
        for (size_t k = 0; k < i; k++)
            rest -= root[i * PIXELS + k] * white[k];
        white[i] = rest / root[i * PIXELS + i];
        sum -= 0.5 * white[i] * white[i] + log(root[i * PIXELS + i]) + 0.5 * log(2 * pi);
    }
    return sum;
}

/* Trains with an energy of a form, and compares the score with the log-density, which it is at
 * least so near to. */
static void compare_images(const char *form, int steps, agreement least) {
    char changes[800];
    (void)snprintf(changes, sizeof changes,
                   "{\"data.image_size\":8,\"data.padding\":0,\"diffusion."
                   "timesteps\":4,\"diffusion.sigma_min\":0.1,\"image.patch\":1,"
                   "\"network.latent_width\":4,\"network.latent_maps\":0,\"network."
                   "time_width\":16,\"network.latent_embedding\":8,"
                   "\"network.mapping_layers\":1,\"energy.channels\":8,\"energy."
                   "multipliers\":[1],\"generator.channels\":4,"
                   "\"generator.multipliers\":[1],\"encoder.channels\":4,"
                   "\"optimizer.energy_rate\":3e-3,\"optimizer.ema_decay\":0.98,"
                   "\"training.batch\":32,\"form.energy\":\"%s\",\"training.steps\":%d,\"objective."
                   "gamma\":1,\"objective.contrast_weight\":0,"
                   "\"objective.noise_contrast\":0.1,\"objective.timestep_"
                   "contrast\":0.1,\"objective.transform_contrast\":0}",
                   form, steps);
    static float images[IMAGES * PIXELS], held_out[HELD_IMAGES * PIXELS],
        rough[HELD_IMAGES * PIXELS], scores[HELD_IMAGES];
    static double root[PIXELS * PIXELS], found[HELD_IMAGES], known[HELD_IMAGES];
    ddaebm_dataset *dataset = NULL;
    ddaebm_scorer *scorer = NULL;
    dd_noise_schedule schedule;
    draw_images(0, IMAGES, images);
    draw_images(1, HELD_IMAGES, held_out);
    ASSERT_OK(ddaebm_dataset_create_images_float(&dataset, NULL, images, IMAGES, SIDE, SIDE, 1));
    ddaebm_model *model = train("fashion-small", changes, dataset);
    ASSERT_OK(dd_noise_schedule_make(&schedule, model->context, dd_model_settings(model)));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, held_out, HELD_IMAGES, 0, scores));
    factorise(schedule.a_cum[0], schedule.sigma_cum[0], root);
    for (size_t i = 0; i < HELD_IMAGES; i++) {
        found[i] = (double)scores[i];
        known[i] = log_normal(root, held_out + i * PIXELS);
    }
    agreement all = compare(known, found, HELD_IMAGES);
    ck_assert_msg(sampled() || all.correlation > least.correlation, "%s: correlation %g", form,
                  all.correlation);
    ck_assert_msg(sampled() || fabs(all.slope - 1) < least.slope, "%s: slope %g", form, all.slope);
    ck_assert_msg(sampled() || fabs(all.offset) < least.offset, "%s: offset %g", form, all.offset);

    /* White noise of the same size, which no gradient at the data tells of, scores lower than any
     * of the data. */
    size_t higher = 0;
    dd_rng_normals(rough, 19, dd_stream(DD_STREAM_DATA, 2), 0, HELD_IMAGES * PIXELS);
    for (size_t i = 0; i < HELD_IMAGES * PIXELS; i++)
        rough[i] *= (float)spread;
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, rough, HELD_IMAGES, 0, scores));
    for (size_t i = 0; i < HELD_IMAGES; i++)
        higher += (double)scores[i] > found[i];
    ck_assert(sampled() || higher == 0);
    dd_noise_schedule_free(&schedule);
    ddaebm_scorer_free(scorer);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
}

START_TEST(the_score_of_images_is_their_log_density) {
    compare_images("density", 400, (agreement){0.92, 0.2, 25});
}
END_TEST

/* It begins from the data's spectrum, which is nearly all that these images have. */
START_TEST(a_normal_form_is_there_at_once) {
    compare_images("normal", 40, (agreement){0.97, 0.03, 1});
}
END_TEST

int main(void) {
    return RUN_TESTS("density", the_score_of_rows_is_their_log_density,
                     the_score_of_images_is_their_log_density, a_normal_form_is_there_at_once);
}
