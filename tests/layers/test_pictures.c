/* Networks on pictures as they begin: first weights, and what they make of the energy. */
#define _GNU_SOURCE
#include "base/rng.h"
#include "model/model.h"
#include "support/harness.h"

#include <math.h>

static fussy counted;
static ddaebm_context *context;

static void begin(void) {
    context = fussy_context(&counted);
}

static void end(void) {
    ddaebm_context_free(context);
    ck_assert_uint_eq(counted.live, 0);
}

static ddaebm_model *small_pictures(const char *changes) {
    static const char sizes[] =
        "{\"data.image_size\": 8, \"data.padding\": 0, \"training.batch\": 2, \"energy.channels\": 8, \"generator.channels\": 8,"
        "\"energy.multipliers\": [1, 2], \"generator.multipliers\": [1, 2], \"encoder.channels\": 4, \"network.latent_embedding\": "
        "6}";
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_config_create(&config, context, "fashion"));
    ASSERT_OK(ddaebm_config_parse(config, sizes, sizeof sizes - 1));
    ASSERT_OK(ddaebm_config_parse(config, changes, strlen(changes)));
    ASSERT_OK(ddaebm_model_create(&model, context, config, 3));
    ddaebm_config_free(config);
    return model;
}

static const dd_parameter *parameter(const ddaebm_model *model, const char *name) {
    size_t index = dd_parameters_find(&model->parameters, name);
    ck_assert_msg(index < model->parameters.count, "%s is not there", name);
    return &model->parameters.items[index];
}

/* The parameter's numbers fill [middle - reach, middle + reach] and do not leave it. */
static void assert_fills(const ddaebm_model *model, const char *name, double middle, double reach) {
    const dd_parameter *p = parameter(model, name);
    const float *values = dd_weights_at(&model->weights, p);
    double furthest = 0;
    for (size_t i = 0; i < p->elements; i++)
        furthest = fmax(furthest, fabs((double)values[i] - middle));
    ck_assert_msg(furthest <= reach * (1 + 1e-6) && furthest >= 0.75 * reach, "%s reaches %g, not %g", name, furthest, reach);
}

/* +- sqrt(3 s / fan): fan is the mean of inputs and outputs in energy and generator, the outputs in what was published with a slip. */
START_TEST(first_weights_are_the_published_ones) {
    begin();
    ddaebm_model *model = small_pictures("{}");
    assert_fills(model, "energy.all_modules.2.weight", 0, sqrt(3 / (9 * (1 + 8) / 2.0)));
    assert_fills(model, "energy.all_modules.3.Conv_0.weight", 0, sqrt(3 / (9 * 8.0)));
    assert_fills(model, "energy.all_modules.3.Conv_1.weight", 0, sqrt(3e-10 / (9 * 8.0)));
    assert_fills(model, "energy.all_modules.3.Dense_0.weight", 0, sqrt(3 / ((32 + 8) / 2.0)));
    assert_fills(model, "energy.all_modules.3.GroupNorm_0.weight", 1, 0);
    assert_fills(model, "energy.all_modules.3.Conv_0.bias", 0, 0);
    assert_fills(model, "generator.z_transform.1.weight", 0, sqrt(3 / 6.0));
    assert_fills(model, "generator.all_modules.3.GroupNorm_0.style.weight", 0, sqrt(3 / 16.0));
    assert_fills(model, "encoder.conv2.weight", 0, 1 / sqrt(16 * 4.0));
    assert_fills(model, "encoder.dense_t1.weight", 0, sqrt(3 / 4.0));
    assert_fills(model, "encoder.conv31.bias", 0, 1 / sqrt(16 * 8.0));
    const dd_parameter *style = parameter(model, "generator.all_modules.3.GroupNorm_1.style.bias");
    for (size_t i = 0; i < style->elements; i++) /* scales, then shifts */
        ck_assert_float_eq(dd_weights_at(&model->weights, style)[i], i < style->elements / 2 ? 1 : 0);
    ddaebm_model_free(model);
    model = small_pictures("{\"encoder.kind\": \"large\"}");
    assert_fills(model, "encoder.conv3.conv1.0.conv.weight", 0, sqrt(3 / (9 * 32.0)));
    assert_fills(model, "encoder.conv3.conv2.0.conv.weight", 0, sqrt(3e-10 / (9 * 32.0)));
    assert_fills(model, "encoder.end_linear_mean.weight", 0, sqrt(3 / 64.0));
    ck_assert_uint_eq(dd_parameters_find(&model->parameters, "encoder.conv4.dense_t1.weight"), model->parameters.count);
    ddaebm_model_free(model);
    end();
}
END_TEST

/* The last convolution of the U-Net begins at nearly 0, so f is nearly -1/2 ||x||^2, whatever the way it is computed. */
START_TEST(the_energy_begins_as_half_the_squared_norm) {
    enum { PIXELS = 64, MOST = 150 };
    static const size_t counts[] = {1, 3, MOST}; /* one by one, and in chunks */
    static float pictures[MOST * PIXELS], scores[MOST];
    begin();
    ddaebm_model *model = small_pictures("{}");
    ddaebm_scorer *scorer = NULL;
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    dd_rng_uniforms(pictures, 5, dd_stream(DD_STREAM_DATA, 0), 0, sizeof pictures / sizeof *pictures);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        ASSERT_OK(ddaebm_scorer_score(scorer, pictures, counts[c], 2, scores));
        for (size_t i = 0; i < counts[c]; i++) {
            double squares = 0;
            for (size_t j = 0; j < PIXELS; j++)
                squares += (double)pictures[i * PIXELS + j] * (double)pictures[i * PIXELS + j];
            ck_assert_double_eq_tol((double)scores[i] * ddaebm_model_temperature(model), -squares / 2, 1e-3 * squares);
        }
    }
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
    end();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {first_weights_are_the_published_ones, the_energy_begins_as_half_the_squared_norm};
    return run_tests("pictures", tests, sizeof tests / sizeof *tests);
}
