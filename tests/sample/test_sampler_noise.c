/* Samples of models whose noise has a scale, and what such models and discriminators refuse. */
#define _GNU_SOURCE
#include "base/context.h"
#include "diffusion/noise_scale.h"
#include "support/counted.h"
#include "support/small.h"

#include <ddaebm/normaliser.h>
#include <ddaebm/scorer.h>
#include <math.h>

enum { COUNT = 300, WIDTH = 3, STATES = 5, SEED = 4 };

#define WIDE "\"data.width\":3,\"diffusion.beta_max\":20"

/* A model whose generator predicts 0, so that x_t is a sum of the noises alone. */
static ddaebm_model *silent(const char *changes) {
    ddaebm_model *model = small_model(context, changes, 3);
    for (size_t i = 0; i < model->parameters.count; i++) {
        const dd_parameter *p = &model->parameters.items[i];
        if (p->network == DDAEBM_NETWORK_GENERATOR && p->role == DD_ROLE_WEIGHT)
            memset(dd_weights_at(&model->weights, p), 0, p->elements * sizeof(float));
    }
    return model;
}

static float *draw_steps(const ddaebm_model *model, uint64_t first, size_t count) {
    ddaebm_sampler *sampler = NULL;
    float *steps = malloc(count * STATES * WIDTH * sizeof *steps);
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_sampler_draw_steps(sampler, SEED, first, count, steps));
    ddaebm_sampler_free(sampler);
    return steps;
}

/* Each sample is the normal one times its scale, at every timestep. */
START_TEST(a_sample_has_one_scale) {
    static const char *const noises[] = {WIDE ",\"diffusion.noise\":\"student\"",
                                         WIDE ",\"diffusion.noise\":\"mixture\""};
    ddaebm_model *normal = silent(WIDE), *scaled = silent(noises[_i]);
    float *plain = draw_steps(normal, 7, COUNT), *found = draw_steps(scaled, 7, COUNT);
    for (uint64_t i = 0; i < COUNT; i++) {
        double scale = sqrt(dd_noise_scale_draw(dd_model_settings(scaled), SEED,
                                                dd_stream(DD_STREAM_SAMPLE_SCALE, 0), 7 + i));
        for (size_t k = 0; k + 1 < STATES; k++) /* the last state is the prediction */
            for (size_t j = 0; j < WIDTH; j++) {
                size_t at = ((size_t)i * STATES + k) * WIDTH + j;
                ck_assert_double_eq_tol((double)found[at], scale * (double)plain[at],
                                        1e-5 * scale * (1 + fabs((double)plain[at])));
            }
    }
    float *part = draw_steps(scaled, 7 + 100, 20);
    for (size_t i = 0; i < 20 * STATES * WIDTH; i++)
        ck_assert_double_eq_tol((double)part[i], (double)found[100 * STATES * WIDTH + i], 1e-5);
    free(part);
    free(plain);
    free(found);
    ddaebm_model_free(normal);
    ddaebm_model_free(scaled);
}
END_TEST

START_TEST(refinement_needs_normal_noise) {
    ddaebm_model *model = small_model(context, WIDE ",\"diffusion.noise\":\"student\"", 3);
    ddaebm_sampler *sampler = NULL;
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_FAILS(ddaebm_sampler_set_refinement(sampler, 3, 1), DDAEBM_STATE,
                 "refinement needs normal noise");
    ASSERT_OK(ddaebm_sampler_set_refinement(sampler, 0, 0));
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(a_discriminator_is_no_energy) {
    ddaebm_model *model = small_model(context, WIDE ",\"objective.kind\":\"logistic\"", 3);
    ddaebm_dataset *dataset = small_rows(context, 50, WIDTH);
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    ddaebm_normaliser_options options = DDAEBM_NORMALISER_OPTIONS_INIT;
    float *steps = draw_steps(model, 0, 10);
    ck_assert(isfinite(steps[10 * STATES * WIDTH - 1]));
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_FAILS(ddaebm_sampler_set_refinement(sampler, 3, 1), DDAEBM_STATE, "has no energy");
    ASSERT_FAILS(ddaebm_scorer_create(&scorer, model), DDAEBM_STATE, "has no energy");
    ck_assert_ptr_null(scorer);
    ASSERT_FAILS(ddaebm_model_fit_normaliser(model, &options, NULL, NULL), DDAEBM_STATE,
                 "has no energy");
    ASSERT_FAILS(ddaebm_model_fit_typicality(model, dataset), DDAEBM_STATE, "has no energy");
    free(steps);
    ddaebm_sampler_free(sampler);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
}
END_TEST

/* Combinations of keys that cannot be. */
START_TEST(other_keys_of_an_energy_are_refused) {
    static const char *const cases[][2] = {
        {"\"objective.kind\":\"logistic\",\"objective.noise_contrast\":1",
         "objective.noise_contrast"},
        {"\"objective.kind\":\"logistic\",\"objective.penalty\":\"score\"", "objective.penalty"},
        {"\"objective.kind\":\"logistic\",\"training.calibrate\":true", "training.calibrate"},
        {"\"objective.kind\":\"logistic\",\"training.held_out\":0.1", "training.held_out"},
        {"\"objective.divergence\":\"none\"", "must train the generator"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ddaebm_config *config = small_config(context, cases[i][0]);
        ddaebm_model *model = NULL;
        ASSERT_FAILS(ddaebm_model_create(&model, context, config, 0), DDAEBM_OUT_OF_RANGE,
                     cases[i][1]);
        ddaebm_config_free(config);
    }
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    const TTest *const each[] = {a_sample_has_one_scale};
    const TTest *const once[] = {refinement_needs_normal_noise, a_discriminator_is_no_energy,
                                 other_keys_of_an_energy_are_refused};
    int failed = run_loop_tests("sampler_noise, both", each, 1, 2);
    return run_tests("sampler_noise", once, 3) || failed;
}
