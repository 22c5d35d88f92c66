/* Networks on images as they begin: first weights, and what they make of the energy. */
#define _GNU_SOURCE
#include "base/context.h"
#include "base/rng.h"
#include "diffusion/noise_schedule.h"
#include "layers/network.h"
#include "model/model.h"
#include "support/counted.h"
#include "support/extremes.h"
#include "tensor/ops.h"
#include "tensor/plan.h"

#include <math.h>

static ddaebm_model *small_images(const char *changes) {
    static const char sizes[] = "{\"data.image_size\": 8, \"data.padding\": 0, \"training.batch\": "
                                "2, \"energy.channels\": 8, \"generator.channels\": 8,"
                                "\"energy.multipliers\": [1, 2], \"generator.multipliers\": [1, "
                                "2], \"encoder.channels\": 4, \"network.latent_embedding\": "
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
        furthest = larger(furthest, fabs((double)values[i] - middle));
    ck_assert_msg(furthest <= reach * (1 + 1e-6) && furthest >= 0.75 * reach,
                  "%s reaches %g, not %g", name, furthest, reach);
}

/* +- sqrt(3 s / fan): fan is the mean of inputs and outputs in energy and generator, the outputs in
 * what was published with a slip. */
START_TEST(first_weights_are_the_published_ones) {
    ddaebm_model *model = small_images("{}");
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
        ck_assert_float_eq(dd_weights_at(&model->weights, style)[i],
                           i < style->elements / 2 ? 1 : 0);
    ddaebm_model_free(model);
    model = small_images("{\"encoder.kind\": \"large\"}");
    assert_fills(model, "encoder.conv3.conv1.0.conv.weight", 0, sqrt(3 / (9 * 32.0)));
    assert_fills(model, "encoder.conv3.conv2.0.conv.weight", 0, sqrt(3e-10 / (9 * 32.0)));
    assert_fills(model, "encoder.end_linear_mean.weight", 0, sqrt(3 / 64.0));
    ck_assert_uint_eq(dd_parameters_find(&model->parameters, "encoder.conv4.dense_t1.weight"),
                      model->parameters.count);
    ddaebm_model_free(model);
}
END_TEST

/* The last convolution of the U-Net begins at nearly 0, so f is nearly -1/2 ||x||^2, whatever the
 * way it is computed. */
START_TEST(the_energy_begins_as_half_the_squared_norm) {
    enum { PIXELS = 64, MOST = 150 };
    static const size_t counts[] = {1, 3, MOST}; /* one by one, and in chunks */
    static float images[MOST * PIXELS], scores[MOST];
    ddaebm_model *model = small_images("{}");
    ddaebm_scorer *scorer = NULL;
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    dd_rng_uniforms(images, 5, dd_stream(DD_STREAM_DATA, 0), 0, sizeof images / sizeof *images);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        ASSERT_OK(ddaebm_scorer_score(scorer, images, counts[c], 2, scores));
        for (size_t i = 0; i < counts[c]; i++) {
            double squares = 0;
            for (size_t j = 0; j < PIXELS; j++)
                squares += (double)images[i * PIXELS + j] * (double)images[i * PIXELS + j];
            ck_assert_double_eq_tol((double)scores[i] * ddaebm_model_temperature(model),
                                    -squares / 2, 1e-3 * squares);
        }
    }
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

/* form.residual, tanh and a last convolution of nearly 0: x_0 begins as tanh(x_1 a / (s^2 + a^2 /
 * 2)), times the gain and cut. */
static void check_first_guess(const char *changes, double gain) {
    enum { PIXELS = 64, COUNT = 3, LEVELS = 4, STATES = LEVELS + 1 };
    static float steps[COUNT * STATES * PIXELS];
    size_t at_an_end = 0;
    ddaebm_model *model = small_images(changes);
    ddaebm_sampler *sampler = NULL;
    dd_noise_schedule schedule;
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_sampler_draw_steps(sampler, 1, 0, COUNT, steps));
    double a = schedule.a_cum[1], s = schedule.sigma_cum[1], of_next = schedule.post_coef_next[0],
           of_guess = schedule.post_coef_x0[0];
    for (size_t i = 0; i < COUNT; i++) {
        const float *x_1 = steps + (i * STATES + LEVELS - 1) * PIXELS;
        for (size_t j = 0; j < PIXELS; j++) {
            double guess = gain * tanh((double)x_1[j] * a / (s * s + a * a / 2));
            double x_0 = of_next * (double)x_1[j] + of_guess * fmax(-1, fmin(1, guess));
            ck_assert_double_eq_tol((double)x_1[PIXELS + j], x_0, 1e-3);
            at_an_end += fabs(guess) > 1;
        }
    }
    ck_assert((at_an_end > 0) == (gain > 1));
    dd_noise_schedule_free(&schedule);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
}

START_TEST(a_residual_generator_begins_with_its_input) {
    check_first_guess("{\"form.residual\": true, \"diffusion.precision\": \"float64\"}", 1);
    check_first_guess(
        "{\"form.residual\": true, \"diffusion.precision\": \"float64\", \"image.tanh_gain\": 1.5}",
        1.5);
}
END_TEST

/* d/dz of a sum over the generator's images, weights all alike but for their signs. */
static void differentiate_by_latent(const ddaebm_model *model, const float *x, const float *z,
                                    size_t latent, float *gradient) {
    enum { X, LEVEL, LATENT, OUT, FIRST, SIDE = 8 };
    static float timestep;
    dd_graph *graph = NULL;
    dd_plan *plan = NULL;
    dd_workspace *workspace = NULL;
    ASSERT_OK(dd_graph_create(&graph, context));
    dd_parameters parameters = model->parameters;
    dd_builder builder = {.graph = graph,
                          .settings = dd_model_settings(model),
                          .parameters = &parameters,
                          .first_slot = FIRST};
    dd_node in = dd_input(graph, LATENT, dd_shape_rows(1, latent), 0), out = DD_NONE;
    dd_node images =
        dd_network_generator(&builder, dd_input(graph, X, (dd_shape){{1, SIDE, SIDE, 1}}, 0),
                             dd_input(graph, LEVEL, dd_shape_rows(1, 1), 0), in);
    dd_gradient(graph, dd_multiply(graph, images, images), DD_NONE, &in, 1, &out);
    dd_output(graph, out, OUT, 0);
    ASSERT_OK(dd_plan_create(&plan, graph, (dd_plan_options){.phases = 1, .parts = 1}));
    ASSERT_OK(dd_workspace_create(&workspace, plan));
    dd_workspace_bind(workspace, X, (float *)x);
    dd_workspace_bind(workspace, LEVEL, &timestep);
    dd_workspace_bind(workspace, LATENT, (float *)z);
    dd_workspace_bind(workspace, OUT, gradient);
    for (size_t i = 0; i < parameters.count; i++)
        if (parameters.items[i].role != DD_ROLE_COUNTER)
            dd_workspace_bind(workspace, FIRST + (dd_slot)i,
                              dd_weights_at(&model->weights, &parameters.items[i]));
    dd_workspace_run(workspace, 0, dd_context_pool(context), true);
    dd_workspace_free(workspace);
    dd_plan_free(plan);
}

/* network.latent_maps: the first convolution sees them beside the image, and the generator's images
 * depend on every number of z. */
START_TEST(maps_of_the_latent_are_seen) {
    enum { PIXELS = 64, STYLE = 5, MAPS = 2, LATENT = STYLE + MAPS * PIXELS / 4 };
    static float x[PIXELS], z[LATENT], gradient[LATENT];
    ddaebm_model *model = small_images(
        "{\"image.patch\": 2, \"network.latent_maps\": 2, \"network.latent_width\": 5}");
    const dd_parameter *first = parameter(model, "generator.all_modules.2.weight");
    ck_assert_uint_eq(first->shape[1], 4 + MAPS);
    for (size_t i = 0; i < model->parameters.count;
         i++) { /* so that the last convolution says something */
        const dd_parameter *p = &model->parameters.items[i];
        if (p->role == DD_ROLE_WEIGHT)
            dd_rng_normals(dd_weights_at(&model->weights, p), i, dd_stream(DD_STREAM_DATA, 0), 0,
                           p->elements);
    }
    dd_rng_normals(x, 1, dd_stream(DD_STREAM_DATA, 0), 0, PIXELS);
    dd_rng_normals(z, 2, dd_stream(DD_STREAM_DATA, 0), 0, LATENT);
    differentiate_by_latent(model, x, z, LATENT, gradient);
    for (size_t i = 0; i < LATENT; i++) {
        ck_assert(isfinite(gradient[i]));
        ck_assert_float_ne(gradient[i], 0);
    }
    ddaebm_model_free(model);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("images", first_weights_are_the_published_ones,
                     the_energy_begins_as_half_the_squared_norm,
                     a_residual_generator_begins_with_its_input, maps_of_the_latent_are_seen);
}
