/* The other scores: what they are made of, and that typicality is Mahalanobis's distance from the
 * data that it was fitted to. */
#define _GNU_SOURCE
#include "diffusion/noise_schedule.h"
#include "layers/symmetry.h"
#include "sample/scorer.h"
#include "sample/statistics.h"
#include "sample/typicality.h"
#include "support/counted.h"
#include "support/small.h"
#include "support/tamper.h"

#include <ddaebm/scorer.h>
#include <math.h>

enum { ROWS = 300, WIDTH = 2, TIMESTEPS = 4, STATISTICS = TIMESTEPS * DD_PLAIN_STATISTICS };

static ddaebm_model *model;
static ddaebm_dataset *data;
static ddaebm_scorer *scorer;
static float rows[ROWS * WIDTH], scores[ROWS];

static void begin(void) {
    open_context(2);
    model = small_model(context, "\"diffusion.beta_max\":20", 3);
    data = small_rows(context, ROWS, WIDTH);
    ASSERT_OK(ddaebm_dataset_read(data, 0, ROWS, rows));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
}

static void end(void) {
    ddaebm_scorer_free(scorer);
    ddaebm_dataset_free(data);
    ddaebm_model_free(model);
    close_context();
}

START_TEST(scores_have_names) {
    ck_assert_str_eq(ddaebm_score_name(DDAEBM_SCORE_ENERGY), "energy");
    ck_assert_str_eq(ddaebm_score_name(DDAEBM_SCORE_GRADIENT), "gradient");
    ck_assert_str_eq(ddaebm_score_name(DDAEBM_SCORE_RECONSTRUCTION), "reconstruction");
    ck_assert_str_eq(ddaebm_score_name(DDAEBM_SCORE_TYPICALITY), "typicality");
    ck_assert_ptr_null(ddaebm_score_name(4));
}
END_TEST

/* The same noise for every row, here taken from where the library takes it. */
START_TEST(statistics_are_their_formulas) {
    static const uint64_t shared_seed = 0x5EED;
    begin();
    dd_noise_schedule schedule;
    dd_statistics *statistics = NULL;
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    ASSERT_OK(dd_statistics_create(&statistics, model));
    double temperature = ddaebm_model_temperature(model);
    for (size_t t = 0; t < TIMESTEPS; t++) {
        float noise[WIDTH], diffused[ROWS * WIDTH], gradients[ROWS * WIDTH], energies[ROWS],
            all[ROWS * DD_PLAIN_STATISTICS];
        dd_rng_normals(noise, shared_seed, dd_stream(DD_STREAM_SAMPLE_NOISE, t), 0, WIDTH);
        for (size_t i = 0; i < ROWS * WIDTH; i++)
            diffused[i] = (float)schedule.a_cum[t] * rows[i] +
                          (float)schedule.sigma_cum[t] * noise[i % WIDTH];
        ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, diffused, ROWS, t, energies));
        ASSERT_OK(ddaebm_scorer_gradient(scorer, diffused, ROWS, t, gradients));
        ASSERT_OK(
            dd_statistics_measure(statistics, &(dd_statistics_job){.rows = {.narrow = rows},
                                                                   .count = ROWS,
                                                                   .timestep = t,
                                                                   .out = all,
                                                                   .stride = DD_PLAIN_STATISTICS}));
        for (size_t i = 0; i < ROWS; i++) {
            double square = 0;
            for (size_t j = 0; j < WIDTH; j++)
                square +=
                    pow(schedule.sigma_cum[t] * temperature * (double)gradients[i * WIDTH + j], 2) /
                    WIDTH;
            const float *one = all + i * DD_PLAIN_STATISTICS;
            ck_assert_double_eq_tol((double)one[DD_STATISTIC_ENERGY],
                                    temperature * (double)energies[i], 1e-4);
            ck_assert_double_eq_tol((double)one[DD_STATISTIC_GRADIENT], log(square + 1e-12), 1e-3);
            ck_assert(isfinite(one[DD_STATISTIC_RECONSTRUCTION]));
        }
    }
    dd_statistics_free(statistics);
    dd_noise_schedule_free(&schedule);
    end();
}
END_TEST

/* Each score of one row is what it is among many. */
START_TEST(scores_do_not_depend_on_company) {
    begin();
    ASSERT_OK(ddaebm_model_fit_typicality(model, data));
    for (int kind = DDAEBM_SCORE_ENERGY; kind <= DDAEBM_SCORE_TYPICALITY; kind++) {
        float one = 0;
        ASSERT_OK(ddaebm_scorer_score(scorer, (ddaebm_score)kind, rows, ROWS, 1, scores));
        for (size_t i = 0; i < ROWS; i += 37) {
            ASSERT_OK(
                ddaebm_scorer_score(scorer, (ddaebm_score)kind, rows + i * WIDTH, 1, 1, &one));
            ck_assert_double_eq_tol((double)one, (double)scores[i],
                                    1e-3 * (1 + fabs((double)scores[i])));
        }
    }
    end();
}
END_TEST

/* Over the rows of the fit, the mean of the squared distance is the number of statistics, but for
 * the ridge and one row. */
START_TEST(typicality_is_a_distance_from_the_data) {
    begin();
    ASSERT_FAILS(ddaebm_scorer_score(scorer, DDAEBM_SCORE_TYPICALITY, rows, ROWS, 0, scores),
                 DDAEBM_STATE, "fit_typicality");
    ASSERT_OK(ddaebm_model_fit_typicality(model, data));
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_TYPICALITY, rows, ROWS, 0, scores));
    double mean = 0, far = 0;
    for (size_t i = 0; i < ROWS; i++)
        mean += -2 * (double)scores[i] / ROWS;
    ck_assert_double_gt(mean,
                        0.5 * STATISTICS); /* the ridge counts where statistics say much the same */
    ck_assert_double_lt(mean, 1.02 * STATISTICS);
    float shifted[ROWS * WIDTH];
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        shifted[i] = rows[i] + 20;
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_TYPICALITY, shifted, ROWS, 0, scores));
    for (size_t i = 0; i < ROWS; i++)
        far += -2 * (double)scores[i] / ROWS;
    ck_assert_double_gt(far, 10 * mean);
    end();
}
END_TEST

START_TEST(typicality_travels_in_the_file) {
    begin();
    ddaebm_model *loaded = NULL;
    ddaebm_scorer *other = NULL;
    float again[ROWS];
    ASSERT_OK(ddaebm_model_fit_typicality(model, data));
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_TYPICALITY, rows, ROWS, 0, scores));
    ASSERT_OK(ddaebm_model_save(model, in_folder("typical.safetensors")));
    ASSERT_OK(ddaebm_model_load(&loaded, context, in_folder("typical.safetensors")));
    ck_assert(same_models(model, loaded));
    ASSERT_OK(ddaebm_scorer_create(&other, loaded));
    ASSERT_OK(ddaebm_scorer_score(other, DDAEBM_SCORE_TYPICALITY, rows, ROWS, 0, again));
    ck_assert_mem_eq(scores, again, sizeof scores);
    ddaebm_scorer_free(other);
    ddaebm_model_free(loaded);
    loaded = NULL;
    static const test_tamper changes[] = {{.drop = "typicality.mean"},
                                          {.drop = "typicality.precision"},
                                          {.shorten = "typicality.mean"},
                                          {.poke = "typicality.precision", .value = NAN}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        test_tamper_file(in_folder("typical.safetensors"), in_folder("changed.safetensors"),
                         &changes[i]);
        ASSERT_FAILS(ddaebm_model_load(&loaded, context, in_folder("changed.safetensors")),
                     i < 3 ? DDAEBM_MISMATCH : DDAEBM_NOT_FINITE, "typicality.");
        ck_assert_ptr_null(loaded);
    }
    end();
}
END_TEST

/* --- Orientation, of images. --- */

enum { SIDE = 6, INNER = 8, IMAGES = 60 };

static ddaebm_model *image_model(const char *changes) {
    char text[700];
    (void)snprintf(text, sizeof text,
                   "\"data.image_size\":%d,\"data.padding\":1,\"network.family\":\"ncsnpp\","
                   "\"network.time_width\":8,"
                   "\"network.latent_embedding\":8,\"network.mapping_layers\":1,\"energy."
                   "channels\":4,\"energy.multipliers\":[1],"
                   "\"energy.blocks\":1,\"energy.attention\":[],\"generator.channels\":4,"
                   "\"generator.multipliers\":[1],"
                   "\"generator.blocks\":1,\"generator.attention\":[],\"encoder.channels\":4,"
                   "\"image.dropout\":0,"
                   "\"form.energy\":\"density\",\"objective.latent_weight\":0.5%s",
                   INNER, changes);
    ddaebm_model *made = small_model(context, text, 5);
    for (size_t i = 0; i < made->parameters.count;
         i++) { /* first weights of nearly zero would make all images alike */
        const dd_parameter *p = &made->parameters.items[i];
        float *values = dd_weights_at(&made->weights, p);
        for (size_t k = 0; p->role == DD_ROLE_WEIGHT && k < p->elements; k++)
            values[k] += 0.03f * ((float)((i + 3 * k) % 7) - 3) / 3;
    }
    return made;
}

/* The image turned, all of it with its margin. */
static void turn(const float *in, unsigned symmetry, float *out) {
    for (size_t i = 0; i < INNER * INNER; i++) {
        size_t y = i / INNER, x = i % INNER;
        dd_symmetry_source(symmetry, INNER, &y, &x);
        out[i] = in[y * INNER + x];
    }
}

/* Number of standard deviations that one of the images' values is above their mean. */
static double deviations_above(const float values[IMAGES], size_t which) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < IMAGES; i++)
        mean += (double)values[i] / IMAGES;
    for (size_t i = 0; i < IMAGES; i++)
        squares += pow((double)values[i] - mean, 2) / (IMAGES - 1);
    return ((double)values[which] - mean) / sqrt(1.001 * squares + 1e-9);
}

/* log softmax over the symmetries, of the diffused image; and typicality from the statistics of all
 * timesteps. */
START_TEST(orientation_is_its_formula) {
    static const uint64_t shared_seed = 0x5EED;
    open_context(2);
    float images[IMAGES * SIDE * SIDE], measured[IMAGES * (DD_PLAIN_STATISTICS + 1)],
        orientations[TIMESTEPS][IMAGES], found[IMAGES];
    double apart = 0;
    ddaebm_model *of_images = image_model(",\"objective.transform_contrast\":1");
    ddaebm_scorer *of_them = NULL;
    ddaebm_dataset *dataset = NULL;
    dd_statistics *statistics = NULL;
    dd_noise_schedule schedule;
    dd_rng_uniforms(images, 3, dd_stream(DD_STREAM_DATA, 0), 0, IMAGES * SIDE * SIDE);
    ASSERT_OK(ddaebm_dataset_create_images_float(&dataset, context, images, IMAGES, SIDE, SIDE, 1));
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(of_images)));
    ASSERT_OK(dd_statistics_create(&statistics, of_images));
    ASSERT_OK(ddaebm_scorer_create(&of_them, of_images));
    ck_assert_uint_eq(dd_model_statistics(of_images), DD_PLAIN_STATISTICS + 1);
    ck_assert_uint_eq(dd_model_typicality_width(of_images), TIMESTEPS * (DD_PLAIN_STATISTICS + 1));

    for (size_t t = 0; t < TIMESTEPS; t++) {
        float noise[INNER * INNER], image[INNER * INNER], turned[INNER * INNER];
        dd_statistics_job all = {.rows = {.narrow = images},
                                 .count = IMAGES,
                                 .timestep = t,
                                 .out = measured,
                                 .stride = DD_PLAIN_STATISTICS + 1};
        ASSERT_OK(dd_statistics_measure(statistics, &all));
        dd_rng_normals(noise, shared_seed, dd_stream(DD_STREAM_SAMPLE_NOISE, t), 0, INNER * INNER);
        for (size_t i = 0; i < IMAGES; i++) {
            double energies[DD_SYMMETRIES], most = -INFINITY, sum = 0;
            dd_model_standardize(of_images, (dd_rows_in){.narrow = images}, i, 1, image);
            for (size_t k = 0; k < INNER * INNER; k++)
                image[k] = (float)(schedule.a_cum[t] * (double)image[k] +
                                   schedule.sigma_cum[t] * (double)noise[k]);
            for (unsigned s = 0; s < DD_SYMMETRIES; s++) {
                float energy = 0;
                turn(image, s, turned);
                ASSERT_OK(dd_scorer_inner_score(of_them, turned, 1, t, &energy));
                energies[s] = (double)energy * ddaebm_model_temperature(of_images) / 0.5;
                most = energies[s] > most ? energies[s] : most;
            }
            for (unsigned s = 0; s < DD_SYMMETRIES; s++)
                sum += exp(energies[s] - most);
            double expected = energies[0] - most - log(sum);
            float orientation = measured[i * all.stride + DD_STATISTIC_ORIENTATION];
            ck_assert_double_eq_tol((double)orientation, expected, 1e-3 + 1e-5 * fabs(most));
            apart += fabs(expected + log(8.0));
            orientations[t][i] = orientation;
        }
    }
    ck_assert_double_gt(apart, 0.1 * IMAGES); /* the energy does not take all for alike */

    /* Without the slope, typicality is lower by half the numbers of standard deviations that
     * orientation is above its mean. */
    ASSERT_OK(ddaebm_model_fit_typicality(of_images, dataset));
    ASSERT_OK(ddaebm_scorer_score(of_them, DDAEBM_SCORE_TYPICALITY, images, IMAGES, 0, found));
    float plain[IMAGES];
    memset(of_images->typical_slope, 0,
           dd_model_typicality_width(of_images) * sizeof *of_images->typical_slope);
    ASSERT_OK(ddaebm_scorer_score(of_them, DDAEBM_SCORE_TYPICALITY, images, IMAGES, 0, plain));
    for (size_t i = 0; i < IMAGES; i++) {
        double expected = 0;
        for (size_t t = 0; t < TIMESTEPS; t++)
            expected += DD_ORIENTATION_WEIGHT * deviations_above(orientations[t], i);
        ck_assert_double_eq_tol((double)found[i] - (double)plain[i], expected,
                                1e-2 * (1 + fabs(expected)));
    }
    dd_noise_schedule_free(&schedule);
    dd_statistics_free(statistics);
    ddaebm_scorer_free(of_them);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(of_images);
    close_context();
}
END_TEST

/* A file of November 2026 with the sum of orientation over the timesteps in place of each; the
 * scores are those of the library that wrote it. */
START_TEST(earlier_files_keep_their_scores) {
    static const double expected[] = {16.537357, -10.519737, 4.590866, -5.732743, -11.56061};
    enum { COUNT = sizeof expected / sizeof *expected };
    open_context(1);
    ddaebm_model *earlier = NULL;
    ddaebm_scorer *of_it = NULL;
    float images[COUNT * SIDE * SIDE], found[COUNT];
    for (int i = 0; i < COUNT * SIDE * SIDE; i++)
        images[i] = (float)((7 * i * i + 3 * i + i / (SIDE * SIDE) * i % 5) % 11 * 25) / 127.5f - 1;
    ASSERT_OK(
        ddaebm_model_load(&earlier, context, TEST_DATA "/typicality_before_slope.safetensors"));
    ASSERT_OK(ddaebm_scorer_create(&of_it, earlier));
    ASSERT_OK(ddaebm_scorer_score(of_it, DDAEBM_SCORE_TYPICALITY, images, COUNT, 0, found));
    for (int i = 0; i < COUNT; i++)
        ck_assert_double_eq_tol((double)found[i], expected[i], 1e-2);

    /* written again, it is a file of today */
    ddaebm_model *again = NULL;
    ASSERT_OK(ddaebm_model_save(earlier, in_folder("today.safetensors")));
    ASSERT_OK(ddaebm_model_load(&again, context, in_folder("today.safetensors")));
    ck_assert_mem_eq(again->typical_mean, earlier->typical_mean,
                     dd_model_typicality_width(earlier) * sizeof(float));
    ck_assert_mem_eq(again->typical_slope, earlier->typical_slope,
                     dd_model_typicality_width(earlier) * sizeof(float));
    static const test_tamper changes[] = {{.drop = "typicality.mean"},
                                          {.shorten = "typicality.precision"},
                                          {.shorten = "typicality.mean"},
                                          {.poke = "typicality.precision", .value = NAN}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        ddaebm_model *none = NULL;
        test_tamper_file(TEST_DATA "/typicality_before_slope.safetensors",
                         in_folder("changed.safetensors"), &changes[i]);
        ASSERT_FAILS(ddaebm_model_load(&none, context, in_folder("changed.safetensors")),
                     i < 3 ? DDAEBM_MISMATCH : DDAEBM_NOT_FINITE, "typicality.");
    }
    static const test_tamper slopes[] = {{.shorten = "typicality.slope"},
                                         {.poke = "typicality.slope", .value = INFINITY}};
    for (size_t i = 0; i < sizeof slopes / sizeof *slopes; i++) {
        ddaebm_model *none = NULL;
        test_tamper_file(in_folder("today.safetensors"), in_folder("changed.safetensors"),
                         &slopes[i]);
        ASSERT_FAILS(ddaebm_model_load(&none, context, in_folder("changed.safetensors")),
                     i < 1 ? DDAEBM_MISMATCH : DDAEBM_NOT_FINITE, "typicality.slope");
    }
    ddaebm_scorer_free(of_it);
    ddaebm_model_free(again);
    ddaebm_model_free(earlier);
    close_context();
}
END_TEST

/* Without the contrast nobody asked the energy how images stand, and files of such models stay as
 * they were. */
START_TEST(models_without_the_contrast_have_no_orientation) {
    open_context(1);
    ddaebm_model *of_images = image_model("");
    ck_assert_uint_eq(dd_model_statistics(of_images), DD_PLAIN_STATISTICS);
    ck_assert_uint_eq(dd_model_typicality_width(of_images), TIMESTEPS * DD_PLAIN_STATISTICS);
    ddaebm_model_free(of_images);
    ddaebm_model *of_rows = small_model(context, "\"objective.transform_contrast\":1", 3);
    ck_assert_uint_eq(dd_model_statistics(of_rows), DD_PLAIN_STATISTICS);
    ddaebm_model_free(of_rows);
    close_context();
}
END_TEST

START_TEST(what_cannot_be_fitted_or_measured_is_refused) {
    begin();
    ddaebm_dataset *few = small_rows(context, STATISTICS, WIDTH),
                   *wide = small_rows(context, ROWS, WIDTH + 1);
    ASSERT_FAILS(ddaebm_model_fit_typicality(model, few), DDAEBM_OUT_OF_RANGE, "rows");
    ASSERT_FAILS(ddaebm_model_fit_typicality(model, wide), DDAEBM_MISMATCH, "3");
    ASSERT_FAILS(ddaebm_model_fit_typicality(NULL, data), DDAEBM_INVALID_ARGUMENT, "model");
    ASSERT_FAILS(ddaebm_scorer_score(scorer, (ddaebm_score)9, rows, ROWS, 0, scores),
                 DDAEBM_INVALID_ARGUMENT, "9");
    ASSERT_FAILS(ddaebm_scorer_score(scorer, DDAEBM_SCORE_GRADIENT, rows, ROWS, TIMESTEPS, scores),
                 DDAEBM_OUT_OF_RANGE, "timestep");
    rows[5] = NAN;
    ASSERT_FAILS(ddaebm_scorer_score(scorer, DDAEBM_SCORE_RECONSTRUCTION, rows, ROWS, 0, scores),
                 DDAEBM_NOT_FINITE, "row 2");
    ddaebm_dataset_free(few);
    ddaebm_dataset_free(wide);
    end();
}
END_TEST

START_TEST(memory_may_run_out_in_a_fit) {
    begin();
    size_t nth;
    FAIL_EACH_ALLOCATION(nth, ddaebm_model_fit_typicality(model, data));
    ck_assert_uint_gt(nth, 10);
    end();
}
END_TEST

int main(void) {
    return RUN_TESTS("typicality", scores_have_names, statistics_are_their_formulas,
                     scores_do_not_depend_on_company, typicality_is_a_distance_from_the_data,
                     typicality_travels_in_the_file, orientation_is_its_formula,
                     earlier_files_keep_their_scores,
                     models_without_the_contrast_have_no_orientation,
                     what_cannot_be_fitted_or_measured_is_refused, memory_may_run_out_in_a_fit);
}
