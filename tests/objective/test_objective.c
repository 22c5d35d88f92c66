/* The losses of a step and their gradients, in every form that the configuration offers:
 *
 * - what the executor computes in float, against the plain-loop twin in double: losses, gradients,
 * statistics and observed values within FLOAT of the tensor's largest (a gradient: of its network's
 * largest);
 * - the twin's gradients against central differences of the twin's losses, within DIFFERENCES of
 * the network's largest gradient;
 * - the terms of the losses against their formulas in double, within EXACT. */
#define _GNU_SOURCE
#include "base/context.h"
#include "config/config.h"
#include "config/key_print.h"
#include "config/settings_check.h"
#include "objective/objective.h"
#include "support/counted.h"
#include "support/extremes.h"
#include "support/plain.h"
#include "support/small.h"
#include "tensor/exec/computation.h"
#include "tensor/exec/workspace.h"
#include "tensor/graph/node.h"

#include <math.h>

#define FLOAT 2e-5
#define DIFFERENCES 1e-6
#define EXACT 1e-12

/* Weights of each network that are tried; the step of a difference. */
enum { TRIED = 24, BATCH = 6 };
static const double step_size = 1e-5;

#define ALL_SILU                                                                                   \
    "\"energy.activation\":\"silu\",\"generator.activation\":\"silu\",\"encoder.activation\":"     \
    "\"silu\""
#define ALL_WAVES "\"energy.frequencies\":3,\"generator.frequencies\":1,\"encoder.frequencies\":2"
#define SOFTPLUS                                                                                   \
    "\"objective.contrast\":\"softplus\",\"objective.margin\":0.7,\"objective.contrast_weight\":2"
#define KARRAS "\"diffusion.schedule\":\"karras\",\"diffusion.sigma_min\":0.05"

static const char *const rows[] = {
    "",
    ALL_SILU ",\"generator.norm\":\"none\",\"encoder.norm\":\"none\"",
    "\"energy.norm\":\"batch\",\"objective.gamma\":0.5",
    ALL_WAVES,
    "\"form.energy\":\"distance\",\"form.residual\":true",
    "\"form.proposal\":true,\"generator.frequencies\":2,\"data.width\":3",
    "\"form.energy\":\"distance\",\"objective.penalty\":\"score\",\"energy.activation\":\"silu\","
    "\"objective.gamma\":1",
    "\"objective.penalty\":\"score\",\"objective.latent_weight\":0.5,\"data.width\":3,\"network."
    "latent_width\":4",
    "\"objective.fake_gamma\":0.3," SOFTPLUS,
    "\"objective.noise_contrast\":0.5,\"objective.temperature\":3,\"data.width\":1",
    "\"objective.timestep_contrast\":0.5,\"form.energy\":\"density\"",
    "\"objective.transform_contrast\":0.5,\"objective.latent_weight\":0.3,\"energy.activation\":"
    "\"silu\"",
    "\"objective.reverse_weight\":0.7,\"diffusion.schedule\":\"cosine\",\"diffusion.sigma_min\":0."
    "05",
    "\"objective.energy_score\":3,\"diffusion.timesteps\":5",
    KARRAS ",\"objective.reconstruction\":\"weighted_gaussian_nll\"",
    "\"diffusion.schedule\":\"geometric\",\"objective.divergence\":\"reverse_kl\",\"generator."
    "activation\":\"silu\"",
    "\"objective.reconstruction\":\"mse_prior\",\"diffusion.beta_max\":20",
    "\"objective.reconstruction\":\"mse_posterior\",\"objective.latent_weight\":0",
    "\"objective.divergence\":\"forward_kl\",\"diffusion.schedule\":\"log_snr\"",
    "\"objective.divergence\":\"none\",\"objective.energy_score\":2",
    "\"diffusion.noise\":\"student\",\"objective.penalty\":\"score\",\"objective.timestep_"
    "contrast\":0.3",
    "\"diffusion.noise\":\"mixture\",\"objective.timestep_contrast\":0.3,\"data.width\":3",
    "\"diffusion.schedule\":\"levels\",\"diffusion.timesteps\":2,\"diffusion.levels\":[0.1,0.5,3]",
    "\"network.latent\":false,\"objective.energy_score\":2",
    "\"objective.kind\":\"logistic\",\"objective.gamma\":0.5,\"energy.frequencies\":2",
    "\"objective.kind\":\"logistic\",\"form.energy\":\"density\",\"objective.energy_score\":1",
    KARRAS "," ALL_SILU "," ALL_WAVES "," SOFTPLUS
           ",\"form.energy\":\"distance\",\"form.residual\":true,\"form.proposal\":true,"
           "\"objective.penalty\":\"score\",\"objective.gamma\":0.2,"
           "\"objective.fake_gamma\":0.1,\"objective.noise_contrast\":0.2,\"objective.timestep_"
           "contrast\":0.3,\"objective."
           "transform_contrast\":0.1,"
           "\"objective.temperature\":0.5,\"energy.norm\":\"batch\"",
};

enum { ROW_COUNT = sizeof rows / sizeof *rows };

static void *room(size_t count, size_t size) {
    void *block = calloc(count + 1, size);
    ck_assert_ptr_nonnull(block);
    return block;
}

/* --- Every choice has its row. --- */

static bool belongs(const dd_key *key) {
    const char *name = key->name;
    if (strstr(key->meaning, "(ncsnpp)")) /* the rows are perceptrons */
        return false;
    static const char *const names[] = {"form.",          "energy.",    "generator.",
                                        "encoder.",       "objective.", "diffusion.schedule",
                                        "diffusion.noise"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* How many values a key should be seen with: all of a choice, the first and another of a number. */
static int values_of(const dd_key *key) {
    int count = 1;
    for (const char *at = key->choices; at && *at; at++)
        count += *at == '|';
    return key->type == DDAEBM_TYPE_CHOICE ? count : 2;
}

static int value_in(const dd_key *key, const dd_settings *settings, const dd_settings *first) {
    if (key->type == DDAEBM_TYPE_REAL)
        return dd_key_real(key, settings) != dd_key_real(key, first);
    return key->type == DDAEBM_TYPE_INTEGER
               ? dd_key_integer(key, settings) != dd_key_integer(key, first)
               : (int)dd_key_integer(key, settings);
}

START_TEST(the_rows_cover_every_choice) {
    unsigned seen[DD_MOST_KEYS] = {0};
    ddaebm_config *first = small_config(context, "");
    for (int i = 0; i < ROW_COUNT; i++) {
        ddaebm_config *config = small_config(context, rows[i]);
        ASSERT_OK(dd_settings_check(dd_config_settings(config)));
        for (size_t k = 0; k < dd_key_count(); k++)
            if (dd_key_at(k)->most_elements == 0 && belongs(dd_key_at(k)))
                seen[k] |= 1u << value_in(dd_key_at(k), dd_config_settings(config),
                                          dd_config_settings(first));
        ddaebm_config_free(config);
    }
    for (size_t k = 0; k < dd_key_count(); k++)
        ck_assert_msg(seen[k] == 0 || seen[k] == (1u << values_of(dd_key_at(k))) - 1,
                      "%s: a value has no row (seen: %#x)", dd_key_at(k)->name, seen[k]);
    ddaebm_config_free(first);
}
END_TEST

/* --- One row: the graph, its twin, and numbers that a float holds too. --- */

typedef struct bench {
    const char *row;
    ddaebm_model *model;
    const dd_parameters *parameters;
    dd_step_graph step;
    dd_step_slots slots;
    dd_plan *plan; /* the graph is the plan's */
    test_plain *twin;
    double *inputs[DD_SLOT_INPUTS];
    double **weights[2]; /* by phase, [parameters]; but for the energy's the same */
    test_plain_input *bound;
    size_t bound_count;
} bench;

static size_t input_elements(const dd_settings *settings, int slot) {
    if (slot == DD_SLOT_DROPOUT_SEED)
        return 4;
    if (slot == DD_SLOT_TIMESTEP || slot == DD_SLOT_NOISE_SCALE)
        return BATCH;
    if (slot == DD_SLOT_NOISE_DENSITY)
        return BATCH * 2;
    bool latent =
        slot == DD_SLOT_LATENT || slot == DD_SLOT_NOISE_ENCODER || slot == DD_SLOT_LATENT_SCORE;
    return BATCH * (size_t)(latent ? settings->network.latent_width : settings->data.width);
}

/* scale times normal numbers, added. */
static void stir(double *numbers, size_t count, uint64_t number, double scale) {
    float *normals = room(count, sizeof *normals);
    dd_rng_normals(normals, 29, dd_stream(DD_STREAM_DATA, number), 0, count);
    for (size_t i = 0; i < count; i++)
        numbers[i] = (double)(float)(numbers[i] + scale * (double)normals[i]);
    free(normals);
}

static void fill_inputs(bench *b) {
    for (int slot = 0; slot < DD_SLOT_INPUTS; slot++) {
        size_t count = input_elements(dd_model_settings(b->model), slot);
        b->inputs[slot] = room(count, sizeof(double));
        if (slot != DD_SLOT_TIMESTEP)
            stir(b->inputs[slot], count, (uint64_t)slot, 1);
        for (size_t i = 0; slot == DD_SLOT_TIMESTEP && i < count; i++)
            b->inputs[slot][i] = (double)((i + 3) % ddaebm_model_timesteps(b->model));
        b->bound[b->bound_count++] = (test_plain_input){slot, -1, b->inputs[slot]};
    }
}

/* The energy has other weights in phase 1, as after its update. */
static void fill_weights(bench *b) {
    for (size_t i = 0; i < b->parameters->count; i++) {
        const dd_parameter *p = &b->parameters->items[i];
        if (p->role == DD_ROLE_COUNTER)
            continue;
        dd_slot slot = b->slots.parameters + (dd_slot)i;
        double *values = b->weights[0][i] = b->weights[1][i] = room(p->elements, sizeof *values);
        for (size_t j = 0; j < p->elements; j++)
            values[j] = (double)dd_weights_at(&b->model->weights, p)[j];
        if (p->role == DD_ROLE_WEIGHT)
            stir(values, p->elements, 100 + i, 0.1);
        if (p->network == DDAEBM_NETWORK_ENERGY && p->role == DD_ROLE_WEIGHT) {
            b->weights[1][i] = room(p->elements, sizeof *values);
            memcpy(b->weights[1][i], values, p->elements * sizeof *values);
            stir(b->weights[1][i], p->elements, 900 + i, 0.05);
            b->bound[b->bound_count++] = (test_plain_input){slot, 1, b->weights[1][i]};
        }
        b->bound[b->bound_count++] = (test_plain_input){slot, -1, values};
    }
}

static void open_bench(bench *b, int row) {
    *b = (bench){.row = rows[row], .model = small_model(context, rows[row], 3)};
    b->parameters = &b->model->parameters;
    b->slots = dd_step_slots_of(b->parameters);
    ASSERT_OK(dd_step_graph_build(&b->step, context, dd_model_settings(b->model),
                                  &b->model->parameters, BATCH, DD_STEP_OBSERVED));
    dd_plan_options options = {.phases = 2, .parts = 1 + row % 3};
    ASSERT_OK(dd_plan_create(&b->plan, b->step.graph, options));
    b->twin = test_plain_create(b->step.graph);
    b->bound = room(DD_SLOT_INPUTS + 2 * b->parameters->count, sizeof *b->bound);
    for (int phase = 0; phase < 2; phase++)
        b->weights[phase] = room(b->parameters->count, sizeof(double *));
    fill_inputs(b);
    fill_weights(b);
}

static void close_bench(bench *b) {
    for (int slot = 0; slot < DD_SLOT_INPUTS; slot++)
        free(b->inputs[slot]);
    for (size_t i = 0; i < b->parameters->count; i++) {
        if (b->weights[1][i] != b->weights[0][i])
            free(b->weights[1][i]);
        free(b->weights[0][i]);
    }
    free(b->weights[0]);
    free(b->weights[1]);
    free(b->bound);
    test_plain_free(b->twin);
    dd_plan_free(b->plan);
    dd_step_graph_free(&b->step);
    ddaebm_model_free(b->model);
}

static void run_twin(const bench *b) {
    test_plain_run(b->twin, b->bound, b->bound_count);
}

/* What is written to a slot; DD_NONE for nothing. */
static dd_node output_of(const bench *b, dd_slot slot) {
    for (size_t n = 0; n < dd_graph_nodes(b->step.graph); n++) {
        const dd_node_data *data = dd_graph_node(b->step.graph, (dd_node)n);
        if (data->op == DD_OP_OUTPUT && data->constants.slot == slot)
            return (dd_node)n;
    }
    return DD_NONE;
}

static size_t elements_of(const bench *b, dd_node node) {
    return dd_shape_elements(dd_graph_shape(b->step.graph, node));
}

static double largest_in(const bench *b, dd_node node) {
    double largest = 0;
    for (size_t j = 0; node != DD_NONE && j < elements_of(b, node); j++)
        largest = larger(largest, fabs(test_plain_value(b->twin, node)[j]));
    return largest;
}

static double largest_gradient(const bench *b, ddaebm_network network) {
    double largest = 0;
    for (size_t i = 0; i < b->parameters->count; i++)
        if (b->parameters->items[i].network == network)
            largest = larger(largest, largest_in(b, output_of(b, b->slots.gradients + (dd_slot)i)));
    return largest;
}

/* --- In float, through the executor. --- */

typedef struct executed {
    dd_workspace *workspace;
    float *inputs[DD_SLOT_INPUTS], **weights, **out; /* out: by slot */
    size_t slots;
} executed;

static float *as_floats(const double *numbers, size_t count) {
    float *floats = room(count, sizeof *floats);
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)numbers[i];
    return floats;
}

static void bind_outputs(const bench *b, executed *e) {
    e->slots = (size_t)b->slots.observed + b->step.observed_count;
    e->out = room(e->slots, sizeof *e->out);
    for (size_t slot = 0; slot < e->slots; slot++) {
        dd_node node = output_of(b, (dd_slot)slot);
        if (node == DD_NONE)
            continue;
        e->out[slot] = room(elements_of(b, node), sizeof(float));
        dd_workspace_bind(e->workspace, (dd_slot)slot, e->out[slot]);
    }
}

static void execute(const bench *b, executed *e) {
    *e = (executed){.weights = room(b->parameters->count, sizeof(float *))};
    ASSERT_OK(dd_workspace_create(&e->workspace, b->plan));
    for (int slot = 0; slot < DD_SLOT_INPUTS; slot++) {
        e->inputs[slot] =
            as_floats(b->inputs[slot], input_elements(dd_model_settings(b->model), slot));
        dd_workspace_bind(e->workspace, slot, e->inputs[slot]);
    }
    bind_outputs(b, e);
    dd_computation_begin();
    for (int phase = 0; phase < 2; phase++) {
        for (size_t i = 0; i < b->parameters->count; i++) {
            if (!b->weights[phase][i])
                continue;
            free(e->weights[i]);
            e->weights[i] = as_floats(b->weights[phase][i], b->parameters->items[i].elements);
            dd_workspace_bind(e->workspace, b->slots.parameters + (dd_slot)i, e->weights[i]);
        }
        dd_workspace_run(e->workspace, phase, dd_context_pool(context), false);
    }
    dd_computation_end();
}

static void free_executed(const bench *b, executed *e) {
    dd_workspace_free(e->workspace);
    for (int slot = 0; slot < DD_SLOT_INPUTS; slot++)
        free(e->inputs[slot]);
    for (size_t i = 0; i < b->parameters->count; i++)
        free(e->weights[i]);
    for (size_t slot = 0; slot < e->slots; slot++)
        free(e->out[slot]);
    free(e->weights);
    free(e->out);
}

/* What an output is, for messages; and what its errors are measured by. */
static const char *describe(const bench *b, dd_slot slot, double *scale) {
    *scale = largest_in(b, output_of(b, slot));
    if (slot < b->slots.parameters)
        return "a loss";
    if (slot >= b->slots.observed)
        return b->step.observed[slot - b->slots.observed].name;
    size_t i =
        (size_t)(slot - (slot < b->slots.statistics ? b->slots.gradients : b->slots.statistics));
    if (slot < b->slots.statistics)
        *scale = largest_gradient(b, b->parameters->items[i].network);
    return b->parameters->items[i].name;
}

START_TEST(the_executor_computes_what_the_twin_does) {
    bench b;
    executed e;
    size_t compared = 0;
    open_bench(&b, _i);
    run_twin(&b);
    execute(&b, &e);
    for (size_t slot = 0; slot < e.slots; slot++) {
        if (!e.out[slot])
            continue;
        dd_node node = output_of(&b, (dd_slot)slot);
        double scale, worst = 0;
        const char *name = describe(&b, (dd_slot)slot, &scale);
        for (size_t j = 0; j < elements_of(&b, node); j++) {
            double error = fabs((double)e.out[slot][j] - test_plain_value(b.twin, node)[j]);
            worst = error <= worst ? worst : error; /* NaN is the worst */
        }
        ck_assert_msg(worst <= FLOAT * scale, "{%s}, slot %zu (%s): off by %g of %g", b.row, slot,
                      name, worst, scale);
        compared++;
    }
    ck_assert_uint_gt(compared, DD_LOSSES + b.step.observed_count);
    free_executed(&b, &e);
    close_bench(&b);
}
END_TEST

/* --- Gradients and differences, in double. --- */

static double loss_at(const bench *b, dd_loss loss, double *weight, double value) {
    *weight = value;
    run_twin(b);
    return *test_plain_value(b->twin, output_of(b, b->slots.losses + (dd_slot)loss));
}

/* Tries one weight; an unused one must not move the loss at all. */
static void check_weight(const bench *b, size_t i, size_t j, double gradient, double scale) {
    const dd_parameter *p = &b->parameters->items[i];
    dd_loss loss = p->network == DDAEBM_NETWORK_ENERGY ? DD_LOSS_ENERGY : DD_LOSS_GENERATOR;
    double *weight = &b->weights[0][i][j], middle = *weight;
    double above = loss_at(b, loss, weight, middle + step_size),
           below = loss_at(b, loss, weight, middle - step_size);
    double difference = (above - below) / (2 * step_size);
    *weight = middle;
    if (!b->step.used[i])
        ck_assert_msg(above == below, "{%s}: %s is unused and moves the loss", b->row, p->name);
    ck_assert_msg(fabs(difference - gradient) <= DIFFERENCES * scale,
                  "{%s}: %s[%zu]: %.10g, by differences %.10g, of %g", b->row, p->name, j, gradient,
                  difference, scale);
}

/* The TRIED weights of a network are spread over its tensors, at random places. */
static void check_network(const bench *b, ddaebm_network network) {
    run_twin(b);
    const double scale = largest_gradient(b, network);
    size_t tensors[256], count = 0;
    for (size_t i = 0; i < b->parameters->count && count < 256; i++)
        if (b->parameters->items[i].network == network &&
            b->parameters->items[i].role == DD_ROLE_WEIGHT)
            tensors[count++] = i;
    ck_assert_uint_gt(count, 0);
    uint32_t words[2 * TRIED];
    double gradients[TRIED] = {0};
    dd_rng_words(words, 31, (uint64_t)network, 0, 2 * TRIED);
    for (size_t k = 0; k < TRIED; k++) {
        words[2 * k] =
            (uint32_t)tensors[k < count ? k : words[2 * k] % count]; /* each tensor first */
        words[2 * k + 1] %= (uint32_t)b->parameters->items[words[2 * k]].elements;
        dd_node node = output_of(b, b->slots.gradients + (dd_slot)words[2 * k]);
        ck_assert_int_eq(node != DD_NONE, b->step.used[words[2 * k]]);
        gradients[k] = node == DD_NONE ? 0 : test_plain_value(b->twin, node)[words[2 * k + 1]];
    }
    for (size_t k = 0; k < TRIED; k++)
        check_weight(b, words[2 * k], words[2 * k + 1], gradients[k], scale);
}

START_TEST(gradients_are_those_of_differences) {
    bench b;
    open_bench(&b, _i);
    for (int n = 0; n < DD_NETWORKS; n++)
        check_network(&b, (ddaebm_network)n);
    close_bench(&b);
}
END_TEST

/* --- What the losses are made of. --- */

static const double *observed(const bench *b, const char *name) {
    for (size_t i = 0; i < b->step.observed_count; i++)
        if (strcmp(b->step.observed[i].name, name) == 0)
            return test_plain_value(b->twin, b->step.observed[i].node);
    ck_abort_msg("%s is not observed", name);
    return NULL;
}

static double loss_of(const bench *b, dd_loss loss) {
    return *test_plain_value(b->twin, output_of(b, b->slots.losses + (dd_slot)loss));
}

static bool has_reverse_terms(const dd_settings *settings) {
    return settings->objective.kind == DD_OBJECTIVE_LOGISTIC ||
           settings->objective.divergence == DD_DIVERGENCE_JEFFREY ||
           settings->objective.divergence == DD_DIVERGENCE_REVERSE_KL;
}

/* log(1 + exp(x)) */
static double softplus(double x) {
    return log1p(exp(x));
}

/* The contrast of sample i, and its part of the generator's adversarial loss. */
static double contrast_of(const dd_settings *settings, double f_real, double f_fake) {
    if (settings->objective.kind == DD_OBJECTIVE_LOGISTIC)
        return softplus(-f_real) + softplus(f_fake);
    double difference = f_fake - f_real;
    if (settings->objective.contrast == DD_CONTRAST_SOFTPLUS)
        difference = softplus(difference + settings->objective.margin);
    return settings->objective.contrast_weight * difference;
}

static double adversarial_of(const dd_settings *settings, double f_pos, double log_q) {
    if (settings->objective.kind == DD_OBJECTIVE_LOGISTIC)
        return softplus(-f_pos);
    return -settings->objective.reverse_weight * (f_pos / settings->objective.temperature + log_q);
}

static void assert_close(double value, double expected, double scale) {
    ck_assert_msg(fabs(value - expected) <= EXACT * scale, "%.15g, not %.15g", value, expected);
}

START_TEST(losses_are_the_sums_of_their_terms) {
    bench b;
    open_bench(&b, _i);
    run_twin(&b);
    const dd_settings *settings = dd_model_settings(b.model);
    const double *f_real = observed(&b, "f_real"), *f_fake = observed(&b, "f_fake");
    bool reverse = has_reverse_terms(settings),
         logistic = settings->objective.kind == DD_OBJECTIVE_LOGISTIC;
    const double *f_pos = reverse ? observed(&b, "f_pos") : f_fake;
    const double *log_q = reverse && !logistic ? observed(&b, "log_q_pos") : f_fake;
    double energy = loss_of(&b, DD_LOSS_PENALTY), adversarial = 0, size = 1;
    for (int i = 0; i < BATCH; i++) {
        energy += contrast_of(settings, f_real[i], f_fake[i]) / BATCH;
        adversarial += reverse ? adversarial_of(settings, f_pos[i], log_q[i]) / BATCH : 0;
        size = larger(size, fabs(f_pos[i]) + fabs(log_q[i]) + fabs(f_real[i]) + fabs(f_fake[i]));
    }
    double further = loss_of(&b, DD_LOSS_ENERGY) - energy; /* softpluses, so above 0 */
    double generator = loss_of(&b, DD_LOSS_ADVERSARIAL) + loss_of(&b, DD_LOSS_LATENT) +
                       loss_of(&b, DD_LOSS_DIVERGENCE) + loss_of(&b, DD_LOSS_RECONSTRUCTION);
    if (settings->objective.noise_contrast > 0 || settings->objective.timestep_contrast > 0 ||
        settings->objective.transform_contrast > 0)
        ck_assert_double_gt(further, 0);
    else
        assert_close(further, 0, size + fabs(energy));
    assert_close(loss_of(&b, DD_LOSS_ADVERSARIAL), adversarial, size);
    if (settings->objective.energy_score > 0)
        ck_assert_double_gt(loss_of(&b, DD_LOSS_GENERATOR),
                            generator); /* by the triangle's inequality */
    else
        assert_close(loss_of(&b, DD_LOSS_GENERATOR), generator, size + fabs(generator));
    ck_assert_double_ge(loss_of(&b, DD_LOSS_PENALTY), 0);
    close_bench(&b);
}
END_TEST

/* What two of the losses alone read moves their network's loss, and only where they are asked for.
 */
START_TEST(inputs_of_one_loss_move_it_alone) {
    bench b;
    double before[DD_LOSSES];
    open_bench(&b, _i);
    const dd_settings *settings = dd_model_settings(b.model);
    const struct {
        int slot;
        dd_loss loss;
        double weight;
    } inputs[] = {{DD_SLOT_NOISE_CONTRAST, DD_LOSS_ENERGY, settings->objective.noise_contrast},
                  {DD_SLOT_NOISE_DENSITY, DD_LOSS_ENERGY, settings->objective.noise_contrast},
                  {DD_SLOT_TRANSFORMED_X0, DD_LOSS_ENERGY, settings->objective.transform_contrast},
                  {DD_SLOT_TRANSFORMED_T, DD_LOSS_ENERGY, settings->objective.transform_contrast},
                  {DD_SLOT_LATENT_SCORE, DD_LOSS_GENERATOR,
                   settings->network.latent ? settings->objective.energy_score : 0}};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        run_twin(&b);
        for (int loss = 0; loss < DD_LOSSES; loss++)
            before[loss] = loss_of(&b, (dd_loss)loss);
        stir(b.inputs[inputs[i].slot], input_elements(settings, inputs[i].slot), 77, 1);
        run_twin(&b);
        for (dd_loss loss = 0; loss < DD_LOSSES; loss++)
            ck_assert_msg((loss_of(&b, loss) != before[loss]) ==
                              (loss == inputs[i].loss && inputs[i].weight > 0),
                          "{%s}: loss %d", b.row, (int)loss);
    }
    close_bench(&b);
}
END_TEST

START_TEST(memory_may_run_out) {
    ddaebm_model *model = small_model(context, rows[ROW_COUNT - 1], 3);
    dd_step_graph step = {0};
    for (int on = 0; on < 2; on++) {
        SWEEP_ALLOCATIONS_FROM(counted, step.graph,
                               dd_step_graph_build(&step, context, dd_model_settings(model),
                                                   &model->parameters, BATCH, DD_STEP_OBSERVED),
                               on);
        dd_graph_free(step.graph);
        dd_step_graph_free(&step);
    }
    ddaebm_model_free(model);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    const TTest *const each[] = {
        the_executor_computes_what_the_twin_does, gradients_are_those_of_differences,
        losses_are_the_sums_of_their_terms, inputs_of_one_loss_move_it_alone};
    const TTest *const once[] = {the_rows_cover_every_choice, memory_may_run_out};
    int failed = run_loop_tests("objective, each row", each, sizeof each / sizeof *each, ROW_COUNT);
    return run_tests("objective", once, sizeof once / sizeof *once) || failed;
}
