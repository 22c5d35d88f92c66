/* One training step and one sampling run from a fixture's weights and noise. */
#include "base/context.h"
#include "model/model_file.h"
#include "sample/sampler.h"
#include "support/fixture.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A key of the reference's configuration, and ours. */
static const struct {
    const char *theirs, *ours;
} keys[] = {{"T", "diffusion.timesteps"},
            {"schedule", "diffusion.schedule"},
            {"grid", "diffusion.grid"},
            {"schedule_precision", "diffusion.precision"},
            {"beta_min", "diffusion.beta_min"},
            {"beta_max", "diffusion.beta_max"},
            {"max_beta", "diffusion.beta_limit"},
            {"var_floor", "diffusion.variance_floor"},
            {"batch", "training.batch"},
            {"w_latent", "objective.latent_weight"},
            {"gamma", "objective.gamma"},
            {"recon", "objective.reconstruction"},
            {"beta1", "optimizer.beta1"},
            {"beta2", "optimizer.beta2"},
            {"adam_eps", "optimizer.epsilon"},
            {"lr_energy", "optimizer.energy_rate"},
            {"lr_generator", "optimizer.generator_rate"},
            {"x_dim", "data.width"},
            {"nz", "network.latent_width"},
            {"pos_dim", "network.time_width"},
            {"encoder_layers", "energy.feature_layers"},
            {"encoder_layers", "generator.feature_layers"},
            {"encoder_layers", "encoder.feature_layers"},
            {"decoder_layers", "energy.hidden_layers"},
            {"decoder_layers", "generator.hidden_layers"},
            {"decoder_layers", "encoder.hidden_layers"},
            {"image_size", "data.image_size"},
            {"channels", "data.channels"},
            {"nf", "energy.channels"},
            {"nf", "generator.channels"},
            {"ch_mult", "energy.multipliers"},
            {"ch_mult", "generator.multipliers"},
            {"num_res_blocks_energy", "energy.blocks"},
            {"num_res_blocks", "generator.blocks"},
            {"attn_resolutions", "energy.attention"},
            {"attn_resolutions", "generator.attention"},
            {"dropout", "image.dropout"},
            {"fir", "image.fir"},
            {"fir_kernel", "image.fir_kernel"},
            {"skip_rescale", "image.skip_rescale"},
            {"progressive_input", "image.progressive_input"},
            {"centered", "image.centered"},
            {"tanh", "image.tanh"},
            {"z_emb_dim", "network.latent_embedding"},
            {"n_mlp", "network.mapping_layers"},
            {"ngf", "encoder.channels"},
            {"t_emb_dim", "network.time_width"}};

/* The reference's encoders "small" and "64" are one of ours. */
static void set_encoder(const test_fixture *fixture, json_t *values) {
    const char *encoder = json_string_value(json_object_get(fixture->config, "encoder"));
    if (!encoder)
        return;
    json_object_set_new(values, "network.family", json_string("ncsnpp"));
    json_object_set_new(values, "encoder.kind",
                        json_string(strcmp(encoder, "large") == 0 ? "large" : "convolutional"));
}

static ddaebm_config *make_config(test_fixture *fixture) {
    ddaebm_config *config = NULL;
    json_t *values = json_object();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *value = json_object_get(fixture->config, keys[i].theirs);
        if (value && !json_is_null(value)) /* null: no limit, the preset's value */
            json_object_set(values, keys[i].ours, value);
    }
    const char *name;
    json_t *value;
    json_object_foreach(fixture->config, name, value) { /* fixtures of our own have our names */
        if (strchr(name, '.'))
            json_object_set(values, name, value);
    }
    set_encoder(fixture, values);
    bool reverse = json_is_true(json_object_get(fixture->config, "kl_only"));
    if (reverse)
        json_object_set_new(values, "objective.divergence", json_string("reverse_kl"));
    char *text = json_dumps(values, 0);
    if (ddaebm_config_create(&config, fixture->context, "toy") != DDAEBM_OK ||
        ddaebm_config_parse(config, text, strlen(text)) != DDAEBM_OK)
        test_fixture_problem(fixture, "config: %s", ddaebm_error_message());
    free(text);
    json_decref(values);
    return config;
}

static ddaebm_model *make_model(test_fixture *fixture) {
    ddaebm_model *model = NULL;
    ddaebm_config *config = make_config(fixture);
    if (!fixture->problem[0] &&
        ddaebm_model_create(&model, fixture->context, config, 0) != DDAEBM_OK)
        test_fixture_problem(fixture, "model: %s", ddaebm_error_message());
    if (model && dd_model_file_read_weights(&model->weights, &model->parameters, fixture->file,
                                            "") != DDAEBM_OK)
        test_fixture_problem(fixture, "weights: %s", ddaebm_error_message());
    for (size_t i = 0; model && !fixture->problem[0] && i < model->parameters.count; i++)
        (void)test_fixture_tensor(fixture, model->parameters.items[i].name);
    ddaebm_config_free(config);
    return model;
}

/* --- Sampling. --- */

static dd_node build_prediction(dd_builder *builder, const dd_process *process,
                                const dd_node in[DD_EVAL_OUT], const void *user) {
    (void)process;
    (void)user;
    return dd_network_generator(builder, in[DD_EVAL_X], in[DD_EVAL_TIMESTEP], in[DD_EVAL_LATENT]);
}

typedef struct reverse_step {
    const float *x, *z, *noise;
    float *out;
    size_t timestep, width, latent;
} reverse_step;

static void run_chunk(void *user, dd_lane *lane, size_t first, size_t count) {
    const reverse_step *s = user;
    memcpy(dd_lane_buffer(lane, DD_EVAL_X), s->x + first * s->width,
           count * s->width * sizeof(float));
    memcpy(dd_lane_buffer(lane, DD_EVAL_LATENT), s->z + first * s->latent,
           count * s->latent * sizeof(float));
    memcpy(dd_lane_buffer(lane, DD_EVAL_NOISE), s->noise + first * s->width,
           count * s->width * sizeof(float));
    dd_lane_compute(lane, s->timestep, count);
    memcpy(s->out + first * s->width, dd_lane_buffer(lane, DD_EVAL_OUT),
           count * s->width * sizeof(float));
}

/* All reverse steps, the rows together or, as one does with few, one by one. */
static void sample(test_fixture *fixture, const ddaebm_model *model, size_t count, bool singly) {
    size_t width = ddaebm_model_width(model), timesteps = ddaebm_model_timesteps(model);
    size_t latent = (size_t)dd_model_settings(model)->network.latent_width, size = count * width;
    float *start = dd_alloc_zero(fixture->context, size, sizeof(float)),
          *z = dd_alloc_zero(fixture->context, timesteps * count * latent, sizeof(float));
    float *noise = dd_alloc_zero(fixture->context, timesteps * size, sizeof(float)),
          *states = dd_alloc_zero(fixture->context, timesteps * size, sizeof(float));
    float *predictions = dd_alloc_zero(fixture->context, timesteps * size, sizeof(float));
    test_fixture_floats(fixture, "in.sample_xT", start, size);
    test_fixture_floats(fixture, "in.sample_z", z, timesteps * count * latent);
    test_fixture_floats(fixture, "in.sample_noise", noise, timesteps * size);
    dd_evaluator *steps = NULL, *generator = NULL;
    if (dd_evaluator_create(&steps, model, dd_sampler_build_step, NULL) != DDAEBM_OK ||
        dd_evaluator_create(&generator, model, build_prediction, NULL) != DDAEBM_OK)
        test_fixture_problem(fixture, "sampling: %s", ddaebm_error_message());
    for (size_t k = 0; !fixture->problem[0] && k < timesteps; k++) {
        for (size_t row = 0, rows = singly ? 1 : count; row < count; row += rows) {
            reverse_step s = {.x = (k > 0 ? states + (k - 1) * size : start) + row * width,
                              .z = z + (k * count + row) * latent,
                              .noise = noise + k * size + row * width,
                              .out = states + k * size + row * width,
                              .timestep = timesteps - 1 - k,
                              .width = width,
                              .latent = latent};
            if (dd_evaluator_run(steps, rows, run_chunk, &s, NULL, NULL) != DDAEBM_OK)
                test_fixture_problem(fixture, "sampling: %s", ddaebm_error_message());
            s.out = predictions + k * size + row * width;
            if (dd_evaluator_run(generator, rows, run_chunk, &s, NULL, NULL) != DDAEBM_OK)
                test_fixture_problem(fixture, "sampling: %s", ddaebm_error_message());
        }
    }
    test_fixture_compare(fixture, TEST_SAMPLES, "out.sample_steps", states, timesteps * size);
    test_fixture_compare(fixture, TEST_SAMPLES, "out.sample_x0", predictions, timesteps * size);
    dd_evaluator_free(steps);
    dd_evaluator_free(generator);
    float *blocks[] = {start, z, noise, states, predictions};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        dd_free(fixture->context, blocks[i]);
}

/* --- The step. --- */

static void set_inputs(test_fixture *fixture, ddaebm_trainer *trainer) {
    static const char *const names[DD_SLOT_INPUTS] = {
        "in.x0",           "in.t", "in.noise_t", "in.noise_next", "in.noise_posterior", "in.z",
        "in.noise_encoder"};
    for (int i = 0; i < DD_SLOT_INPUTS; i++)
        if (names[i]) /* the reference adds no noise to what the energy is shown, and drops nothing
                         out */
            test_fixture_floats(fixture, names[i], trainer->batch.inputs[i],
                                trainer->batch.size *
                                    dd_batch_row_size(dd_model_settings(trainer->model), i));
}

static void compare_observed(test_fixture *fixture, ddaebm_trainer *trainer, int phase) {
    for (size_t i = 0; i < trainer->planned.graph.observed_count; i++) {
        const dd_observed *observed = &trainer->planned.graph.observed[i];
        char name[64];
        if (observed->phase != phase)
            continue;
        (void)snprintf(name, sizeof name, "out.%s", observed->name);
        bool loss =
            strncmp(observed->name, "loss_", 5) == 0 || strcmp(observed->name, "penalty") == 0;
        test_fixture_compare(fixture, loss ? TEST_LOSSES : TEST_FORWARD, name,
                             trainer->planned.observed[i], dd_shape_elements(observed->shape));
    }
}

static void compare_gradients(test_fixture *fixture, const ddaebm_trainer *trainer, bool energy) {
    for (size_t i = 0; i < trainer->model->parameters.count; i++) {
        const dd_parameter *p = &trainer->model->parameters.items[i];
        char name[2 * DD_MOST_NAME];
        if (p->role != DD_ROLE_WEIGHT || (p->network == DDAEBM_NETWORK_ENERGY) != energy)
            continue;
        (void)snprintf(name, sizeof name, "grad.%s", p->name);
        test_fixture_compare(fixture, TEST_GRADIENTS, name,
                             trainer->planned.gradients[p->network] + p->offset, p->elements);
    }
}

static double rate_of(const ddaebm_trainer *trainer, const dd_parameter *p) {
    const dd_settings *settings = dd_model_settings(trainer->model);
    return p->network == DDAEBM_NETWORK_ENERGY ? settings->optimizer.energy_rate
                                               : settings->optimizer.generator_rate;
}

/* What a weight's gradient must exceed for its Adam step to have a sure sign; infinity where the
 * whole gradient vanishes. */
static double least_gradient(const test_fixture *fixture, const char *parameter,
                             const dd_tensor_entry *gradient) {
    double largest = 0;
    for (size_t i = 0; i < gradient->elements; i++)
        largest = fmax(largest, fabs(test_fixture_element(gradient, i)));
    return test_fixture_vanishes(fixture, parameter) ? INFINITY : 1e-4 * largest;
}

/* An Adam step from zero state is the rate times the gradient's sign, so where a gradient is
 * rounding noise a weight may go either way: no element is further off than twice the rate, and
 * those with a gradient above 1e-4 of the tensor's largest are nearly all within 1e-6 (of weights
 * of order 1). What no loss depends on does not move. */
static void compare_weights_end_to_end(test_fixture *fixture, const ddaebm_trainer *trainer) {
    size_t off = 0, all = 0;
    for (size_t i = 0; i < trainer->model->parameters.count; i++) {
        const dd_parameter *p = &trainer->model->parameters.items[i];
        char name[2 * DD_MOST_NAME];
        (void)snprintf(name, sizeof name, "after.%s", p->name);
        if (p->role == DD_ROLE_STATISTIC)
            test_fixture_compare(fixture, TEST_WEIGHTS, name,
                                 dd_weights_at(&trainer->model->weights, p), p->elements);
        const dd_tensor_entry *entry = test_fixture_tensor(fixture, name);
        if (!entry || entry->elements != p->elements)
            return;
        if (p->role == DD_ROLE_COUNTER)
            test_fixture_note(fixture, TEST_WEIGHTS, name,
                              fabs((double)trainer->model->weights.counters[p->network][p->offset] -
                                   test_fixture_element(entry, 0)),
                              0.5);
        if (p->role != DD_ROLE_WEIGHT)
            continue;
        (void)snprintf(name, sizeof name, "grad.%s", p->name);
        const dd_tensor_entry *gradient = test_fixture_tensor(fixture, name);
        if (!gradient || gradient->elements != p->elements)
            return;
        double worst = 0, least = least_gradient(fixture, p->name, gradient);
        for (size_t j = 0; j < p->elements; j++) {
            double error = fabs((double)dd_weights_at(&trainer->model->weights, p)[j] -
                                test_fixture_element(entry, j));
            worst = error <= worst ? worst : error;
            if (fabs(test_fixture_element(gradient, j)) > least) {
                all++;
                off += !(error <= 1e-6);
            }
        }
        (void)snprintf(name, sizeof name, "after.%s", p->name);
        test_fixture_note(fixture, TEST_WEIGHTS, name, worst,
                          trainer->planned.graph.used[i] ? 2.1 * rate_of(trainer, p) : 1e-9);
    }
    test_fixture_note(fixture, TEST_WEIGHTS, "share of weights off by more than 1e-6",
                      (double)off / (double)(all + 1), 0.005);
}

/* Adam itself, closely: fed with the stored gradients it gives the stored weights. */
static void compare_weights_from_gradients(test_fixture *fixture, const ddaebm_trainer *trainer) {
    ddaebm_context *context = fixture->context;
    for (size_t i = 0; i < trainer->model->parameters.count; i++) {
        const dd_parameter *p = &trainer->model->parameters.items[i];
        char name[2 * DD_MOST_NAME];
        if (p->role != DD_ROLE_WEIGHT || !trainer->planned.graph.used[i])
            continue;
        float *weights = dd_alloc_zero(context, 4 * p->elements, sizeof *weights),
              *gradients = weights + p->elements;
        dd_adam_state state = {.m = gradients + p->elements, .v = gradients + 2 * p->elements};
        test_fixture_floats(fixture, p->name, weights, p->elements);
        (void)snprintf(name, sizeof name, "grad.%s", p->name);
        test_fixture_floats(fixture, name, gradients, p->elements);
        dd_adam_update(&state, weights, gradients, p->elements, rate_of(trainer, p),
                       dd_model_settings(trainer->model), dd_context_pool(context));
        (void)snprintf(name, sizeof name, "after.%s", p->name);
        test_fixture_compare(fixture, TEST_WEIGHTS, name, weights, p->elements);
        dd_free(context, weights);
    }
}

static void check_halves(test_fixture *fixture, ddaebm_trainer *trainer) {
    set_inputs(fixture, trainer);
    if (fixture->problem[0])
        return;
    dd_planned_step_compute(trainer, 0);
    trainer->stage = DD_STAGE_ENERGY_GRADIENTS;
    compare_observed(fixture, trainer, 0);
    compare_gradients(fixture, trainer, true);
    ddaebm_status status = ddaebm_trainer_energy_update(trainer);
    if (status == DDAEBM_OK)
        status = ddaebm_trainer_generator_gradients(trainer);
    compare_observed(fixture, trainer, 1);
    compare_gradients(fixture, trainer, false);
    if (status == DDAEBM_OK)
        status = ddaebm_trainer_generator_update(trainer, NULL);
    if (status != DDAEBM_OK)
        test_fixture_problem(fixture, "step: %s", ddaebm_error_message());
    compare_weights_end_to_end(fixture, trainer);
    compare_weights_from_gradients(fixture, trainer);
}

static void check_tables(test_fixture *fixture, const ddaebm_model *model) {
    dd_noise_schedule s;
    if (dd_noise_schedule_make(&s, fixture->context, dd_model_settings(model)) != DDAEBM_OK) {
        test_fixture_problem(fixture, "schedule: %s", ddaebm_error_message());
        return;
    }
    const struct {
        const char *name;
        const double *values;
        size_t count;
    } tables[] = {{"schedule.t", s.t, s.steps + 1},
                  {"schedule.weight", s.weight, s.steps + 1},
                  {"schedule.betas", s.betas, s.steps + 1},
                  {"schedule.a", s.a, s.steps + 1},
                  {"schedule.sigma", s.sigma, s.steps + 1},
                  {"schedule.a_cum", s.a_cum, s.steps + 1},
                  {"schedule.sigma_cum", s.sigma_cum, s.steps + 1},
                  {"schedule.abar", s.abar, s.steps + 1},
                  {"schedule.post_coef_x0", s.post_coef_x0, s.steps},
                  {"schedule.post_coef_next", s.post_coef_next, s.steps},
                  {"schedule.post_var", s.post_var, s.steps},
                  {"schedule.post_logvar", s.post_logvar, s.steps}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        test_fixture_compare_doubles(fixture, TEST_TABLES, tables[i].name, tables[i].values,
                                     tables[i].count, 1e-5);
    dd_noise_schedule_free(&s);
}

void test_check_step(test_fixture *fixture) {
    ddaebm_model *model = make_model(fixture);
    ddaebm_trainer *trainer = NULL;
    const dd_tensor_entry *start = test_fixture_tensor(fixture, "in.sample_xT");
    if (!fixture->problem[0] && start) {
        check_tables(fixture, model);
        sample(fixture, model, start->shape[0], false);
        sample(fixture, model, start->shape[0], true);
        if (dd_trainer_create(&trainer, model, NULL, 0, true) == DDAEBM_OK)
            check_halves(fixture, trainer);
        else
            test_fixture_problem(fixture, "trainer: %s", ddaebm_error_message());
    }
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
}
