/* Images whose energy begins from a normal distribution (form.energy normal): what is measured, and
 * that an energy whose network says nothing is that distribution's log-density. */
#define _GNU_SOURCE
#include "diffusion/noise_schedule.h"
#include "layers/spectral.h"
#include "model/cholesky.h"
#include "model/spectrum_fit.h"
#include "sample/scorer.h"
#include "support/counted.h"
#include "support/small.h"

#include <ddaebm/scorer.h>
#include <ddaebm/trainer.h>
#include <math.h>

enum { SIDE = 8, CHANNELS = 2, WIDTH = SIDE * SIDE * CHANNELS, IMAGES = 200, TIMESTEPS = 4 };

static float images[IMAGES * WIDTH], cosines[SIDE * SIDE];

/* Images around a ramp, smooth across and rough down, of which the second channel follows. */
static ddaebm_dataset *make_images(size_t count) {
    static float normals[IMAGES * WIDTH];
    ddaebm_dataset *dataset = NULL;
    dd_rng_normals(normals, 3, dd_stream(DD_STREAM_DATA, 0), 0, IMAGES * WIDTH);
    for (size_t i = 0; i < count; i++) {
        const float *n = normals + i * WIDTH;
        for (size_t k = 0; k < WIDTH; k++) {
            size_t y = k / CHANNELS / SIDE, x = k / CHANNELS % SIDE, c = k % CHANNELS;
            images[i * WIDTH + k] = 0.1f + 0.05f * (float)y - 0.1f * (float)c + 0.05f * n[y] +
                                    0.01f * (float)x * n[SIDE + c] + 0.01f * n[k];
        }
    }
    ASSERT_OK(
        ddaebm_dataset_create_images_float(&dataset, context, images, count, SIDE, SIDE, CHANNELS));
    return dataset;
}

static ddaebm_model *make_model(const char *changes) {
    char text[900];
    (void)snprintf(text, sizeof text,
                   "\"data.image_size\":%d,\"data.channels\":%d,\"network.family\":\"ncsnpp\","
                   "\"network.time_width\":8,\"network.latent_embedding\":8,"
                   "\"network.mapping_layers\":1,\"energy.channels\":4,\"energy.multipliers\":[1],"
                   "\"energy.blocks\":1,\"energy.attention\":[],\"generator.channels\":4,"
                   "\"generator.multipliers\":[1],\"generator.blocks\":1,"
                   "\"generator.attention\":[],\"encoder.channels\":4,\"image.dropout\":0,"
                   "\"image.patch\":2,\"form.energy\":\"normal\",\"diffusion.beta_max\":20%s",
                   SIDE, CHANNELS, changes);
    return small_model(context, text, 5);
}

static const float *statistic(const dd_weights *weights, const ddaebm_model *model,
                              const char *name) {
    size_t index = dd_parameters_find(&model->parameters, name);
    ck_assert_uint_lt(index, model->parameters.count);
    return dd_weights_at(weights, &model->parameters.items[index]);
}

/* Coefficient of frequency `across`, `down` of an image's channel, by the sum over all pixels. */
static double coefficient(const float *image, size_t c, size_t across, size_t down) {
    double sum = 0;
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++)
            sum += (double)cosines[across * SIDE + x] * (double)cosines[down * SIDE + y] *
                   (double)image[(y * SIDE + x) * CHANNELS + c];
    return sum;
}

START_TEST(the_transform_is_orthonormal) {
    dd_cosine_matrix(cosines, SIDE);
    for (size_t i = 0; i < SIDE; i++)
        for (size_t j = 0; j < SIDE; j++) {
            double sum = 0;
            for (size_t k = 0; k < SIDE; k++)
                sum += (double)cosines[i * SIDE + k] * (double)cosines[j * SIDE + k];
            ck_assert_double_eq_tol(sum, i == j, 1e-6);
        }
    for (size_t k = 0; k < SIDE; k++) /* frequency 0 is the mean */
        ck_assert_double_eq_tol((double)cosines[k], 1 / sqrt(SIDE), 1e-6);
}
END_TEST

/* A trainer measures the mean image and the variance of each frequency, for its weights and their
 * averages; the file keeps them. */
START_TEST(a_trainer_measures_the_images) {
    open_context(2);
    dd_cosine_matrix(cosines, SIDE);
    ddaebm_dataset *dataset = make_images(IMAGES);
    ddaebm_model *model = make_model(",\"optimizer.ema_decay\":0.9"), *trained = NULL,
                 *loaded = NULL;
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 1));
    for (int after = 0; after < 3; after++) {
        ASSERT_OK(ddaebm_trainer_run_until(trainer, (uint64_t)after, NULL, NULL));
        ASSERT_OK(ddaebm_trainer_snapshot(&trained, trainer));
        ASSERT_OK(ddaebm_model_save(trained, in_folder("normal.safetensors")));
        ASSERT_OK(ddaebm_model_load(&loaded, context, in_folder("normal.safetensors")));
        const float *mean = statistic(&loaded->weights, loaded, DD_SPECTRAL_MEAN),
                    *variance = statistic(&loaded->weights, loaded, DD_SPECTRAL_VARIANCE);
        static float inner[IMAGES * WIDTH];
        ASSERT_OK(dd_model_read(model, dataset, 0, IMAGES, inner));
        for (size_t k = 0; k < WIDTH; k++) {
            double sum = 0;
            for (size_t i = 0; i < IMAGES; i++)
                sum += (double)inner[i * WIDTH + k] / IMAGES;
            ck_assert_double_eq_tol((double)mean[k], sum, 1e-5);
        }
        for (size_t k = 0; k < WIDTH; k++) {
            size_t c = k / (SIDE * SIDE), across = k / SIDE % SIDE, down = k % SIDE;
            double sum = 0, squares = 0;
            for (size_t i = 0; i < IMAGES; i++)
                sum += coefficient(inner + i * WIDTH, c, across, down) / IMAGES;
            for (size_t i = 0; i < IMAGES; i++)
                squares += pow(coefficient(inner + i * WIDTH, c, across, down) - sum, 2);
            ck_assert_double_eq_tol((double)variance[k], fmax(squares / (IMAGES - 1), 1e-6),
                                    1e-6 + 1e-4 * squares / IMAGES);
        }
        ddaebm_model_free(trained);
        ddaebm_model_free(loaded);
    }
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
    close_context();
}
END_TEST

/* log N(x; a m, a^2 D' v D + sigma^2) by a Cholesky factor of the whole covariance. */
static double log_density(const float *mean, const float *variance, double a, double sigma,
                          const float *x, double *gradient) {
    static double covariance[WIDTH * WIDTH], away[WIDTH];
    for (size_t i = 0; i < WIDTH; i++)
        for (size_t j = 0; j < WIDTH; j++) {
            size_t c = i % CHANNELS, d = j % CHANNELS, y = i / CHANNELS / SIDE,
                   x_i = i / CHANNELS % SIDE, z = j / CHANNELS / SIDE, x_j = j / CHANNELS % SIDE;
            double sum = i == j ? sigma * sigma : 0;
            for (size_t k = 0; c == d && k < SIDE * SIDE; k++)
                sum +=
                    a * a * (double)variance[c * SIDE * SIDE + k] *
                    (double)cosines[k / SIDE * SIDE + x_i] * (double)cosines[k % SIDE * SIDE + y] *
                    (double)cosines[k / SIDE * SIDE + x_j] * (double)cosines[k % SIDE * SIDE + z];
            covariance[i * WIDTH + j] = sum;
        }
    for (size_t i = 0; i < WIDTH; i++)
        away[i] = (double)x[i] - a * (double)mean[i];
    ck_assert(dd_cholesky(covariance, WIDTH));
    dd_lower_solve(covariance, WIDTH, away);
    double sum = -0.5 * WIDTH * log(6.28318530717958647692);
    for (size_t i = 0; i < WIDTH; i++)
        sum -= 0.5 * away[i] * away[i] + log(covariance[i * WIDTH + i]);
    dd_lower_solve_transposed(covariance, WIDTH, away);
    for (size_t i = 0; i < WIDTH; i++)
        gradient[i] = -away[i];
    return sum;
}

/* The last layers of a new network are nearly zero, so f is the log-density, and its gradient the
 * score, at each timestep. */
START_TEST(the_first_energy_is_a_log_density) {
    open_context(2);
    dd_cosine_matrix(cosines, SIDE);
    ddaebm_dataset *dataset = make_images(IMAGES);
    ddaebm_model *model = make_model(",\"objective.latent_weight\":0.5");
    ddaebm_scorer *scorer = NULL;
    dd_noise_schedule schedule;
    ASSERT_OK(dd_model_fit_spectrum(model, dataset));
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    const float *mean = statistic(&model->weights, model, DD_SPECTRAL_MEAN),
                *variance = statistic(&model->weights, model, DD_SPECTRAL_VARIANCE);
    const double tau = ddaebm_model_temperature(model);
    for (size_t t = 0; t < TIMESTEPS; t++)
        for (size_t i = 0; i < 3; i++) {
            float inner[WIDTH], energy = 0, slope[WIDTH];
            double score[WIDTH];
            ASSERT_OK(dd_model_read(model, dataset, 7 * i, 1, inner));
            double expected =
                log_density(mean, variance, schedule.a_cum[t], schedule.sigma_cum[t], inner, score);
            ASSERT_OK(dd_scorer_inner_score(scorer, inner, 1, t, &energy));
            ck_assert_double_eq_tol((double)energy * tau / 0.5, expected,
                                    1e-2 + 1e-3 * fabs(expected));

            ASSERT_OK(ddaebm_scorer_gradient(scorer, images + 7 * i * WIDTH, 1, t, slope));
            for (size_t k = 0; k < WIDTH; k++)
                ck_assert_double_eq_tol((double)slope[k] * tau / 0.5, score[k],
                                        1e-2 * (1 + fabs(score[k])));
        }
    dd_noise_schedule_free(&schedule);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
    close_context();
}
END_TEST

/* Images that never vary have a least variance, and one image tells nothing; other energies have
 * nothing to measure. */
START_TEST(few_and_constant_images) {
    open_context(1);
    ddaebm_model *model = make_model(""), *other = small_model(context, "", 3);
    ddaebm_dataset *one = make_images(1), *constant = NULL;
    ASSERT_OK(dd_model_fit_spectrum(model, one));
    ck_assert_double_eq((double)statistic(&model->weights, model, DD_SPECTRAL_MEAN)[3], 0);
    ck_assert_double_eq((double)statistic(&model->weights, model, DD_SPECTRAL_VARIANCE)[3], 1);
    for (size_t i = 0; i < 4 * WIDTH; i++)
        images[i] = 0.25f;
    ASSERT_OK(
        ddaebm_dataset_create_images_float(&constant, context, images, 4, SIDE, SIDE, CHANNELS));
    ASSERT_OK(dd_model_fit_spectrum(model, constant));
    for (size_t k = 0; k < WIDTH; k++)
        ck_assert_double_eq_tol((double)statistic(&model->weights, model, DD_SPECTRAL_VARIANCE)[k],
                                1e-6, 1e-9);
    ASSERT_OK(dd_model_fit_spectrum(other, constant));
    ddaebm_dataset_free(one);
    ddaebm_dataset_free(constant);
    ddaebm_model_free(other);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(memory_may_run_out) {
    open_context(1);
    ddaebm_model *model = make_model("");
    ddaebm_dataset *dataset = make_images(IMAGES);
    size_t live = counted.live, nth;
    FAIL_EACH_ALLOCATION(nth, dd_model_fit_spectrum(model, dataset));
    ck_assert_uint_eq(counted.live, live);
    ck_assert_uint_gt(nth, 3);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("normal_images", the_transform_is_orthonormal, a_trainer_measures_the_images,
                     the_first_energy_is_a_log_density, few_and_constant_images,
                     memory_may_run_out);
}
