/* The table of parameters against the published one, and the values that a new model begins with.
 */
#define _GNU_SOURCE
#include "config/config.h"
#include "diffusion/noise_schedule.h"
#include "layers/dense.h"
#include "layers/network.h"
#include "model/model.h"
#include "support/counted.h"
#include "support/extremes.h"
#include "support/fixture.h"
#include "support/plain.h"

#include <math.h>

static ddaebm_config *toy(const char *changes) {
    ddaebm_config *config = NULL;
    ASSERT_OK(ddaebm_config_create(&config, context, "toy"));
    ASSERT_OK(ddaebm_config_parse(config, changes, strlen(changes)));
    return config;
}

static dd_parameters declare(const char *changes) {
    ddaebm_config *config = toy(changes);
    dd_parameters parameters = {0};
    ASSERT_OK(dd_network_declare(&parameters, context, dd_config_settings(config)));
    ddaebm_config_free(config);
    return parameters;
}

static bool is_parameter(const char *name) {
    for (int n = 0; n < DD_NETWORKS; n++) {
        const char *network = dd_network_name((ddaebm_network)n);
        if (strncmp(name, network, strlen(network)) == 0 && name[strlen(network)] == '.')
            return true;
    }
    return false;
}

/* Same names, roles and shapes; where the file has a width of 96 the table has `hidden`. */
static void compare_with_fixture(const dd_parameters *parameters, size_t hidden) {
    test_fixture fixture;
    size_t found = 0;
    test_fixture_open(&fixture, TEST_DATA "/toy25.safetensors");
    ck_assert_str_eq(fixture.problem, "");
    for (size_t i = 0; i < dd_safetensors_count(fixture.file); i++) {
        const dd_tensor_entry *entry = dd_safetensors_entry(fixture.file, i);
        if (!is_parameter(entry->name))
            continue;
        size_t index = dd_parameters_find(parameters, entry->name);
        ck_assert_msg(index < parameters->count, "%s is not declared", entry->name);
        const dd_parameter *p = &parameters->items[index];
        found++;
        ck_assert_uint_eq(p->rank, entry->rank);
        for (size_t axis = 0; axis < p->rank; axis++)
            ck_assert_uint_eq(p->shape[axis],
                              entry->shape[axis] == 96 ? hidden : entry->shape[axis]);
        bool statistic = strstr(entry->name, "running_") != NULL;
        ck_assert_int_eq(p->role, entry->dtype == DD_STORED_I64 ? DD_ROLE_COUNTER
                                  : statistic                   ? DD_ROLE_STATISTIC
                                                                : DD_ROLE_WEIGHT);
        ck_assert_str_eq(p->name, entry->name);
        ck_assert_int_eq(
            strncmp(p->name, dd_network_name(p->network), strlen(dd_network_name(p->network))), 0);
    }
    ck_assert_uint_eq(found, parameters->count);
    ck_assert_uint_gt(found, 70);
    test_fixture_close(&fixture);
}

START_TEST(the_toy_networks_are_the_published_ones) {
    dd_parameters wide = declare("{}");
    compare_with_fixture(&wide, 300);
    dd_parameters_free(&wide);
    dd_parameters narrow = declare("{\"energy.hidden_layers\":[96,96],\"generator.hidden_layers\":["
                                   "96,96],\"encoder.hidden_layers\":[96,96]}");
    compare_with_fixture(&narrow, 96);
    dd_parameters_free(&narrow);
}
END_TEST

/* Each network's tensors of a role lie one after the other, in the order of the table. */
START_TEST(places_are_flat_and_without_gaps) {
    dd_parameters parameters = declare("{}");
    size_t used[DD_NETWORKS][DD_ROLES] = {{0}};
    for (size_t i = 0; i < parameters.count; i++) {
        const dd_parameter *p = &parameters.items[i];
        size_t elements = 1;
        for (size_t axis = 0; axis < p->rank; axis++)
            elements *= p->shape[axis];
        ck_assert_uint_eq(p->elements, elements);
        ck_assert_uint_eq(p->offset, used[p->network][p->role]);
        used[p->network][p->role] += elements;
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(parameters.items[k].name, p->name);
    }
    for (int n = 0; n < DD_NETWORKS; n++)
        for (int role = 0; role < DD_ROLES; role++)
            ck_assert_uint_eq(used[n][role], parameters.totals[n][role]);
    ck_assert_uint_eq(dd_parameters_find(&parameters, "energy"), parameters.count);
    ck_assert_uint_eq(parameters.totals[DDAEBM_NETWORK_ENERGY][DD_ROLE_STATISTIC], 0);
    dd_parameters_free(&parameters);
    dd_parameters_free(&parameters);
}
END_TEST

START_TEST(settings_shape_the_networks) {
    dd_parameters p = declare("{\"energy.hidden_layers\":[],\"energy.norm\":\"batch\",\"generator."
                              "norm\":\"none\",\"generator.activation\":\"silu\","
                              "\"data.width\":5,\"network.latent_width\":3,\"network.time_width\":"
                              "7,\"encoder.feature_layers\":[9,11]}");
    size_t out = dd_parameters_find(&p, "energy.net.layers.0.weight"),
           in = dd_parameters_find(&p, "generator.x_encoder.layers.0.weight");
    size_t mean = dd_parameters_find(&p, "encoder.fc_mu.weight");
    ck_assert_uint_eq(
        p.items[out].shape[0],
        1); /* no hidden layer: two branches of twice the time's width straight to one number */
    ck_assert_uint_eq(p.items[out].shape[1], 28);
    ck_assert_uint_eq(p.items[in].shape[1], 8);
    ck_assert_uint_eq(p.items[mean].shape[0], 3);
    ck_assert_uint_eq(p.items[mean].shape[1], 11);
    ck_assert_uint_gt(p.totals[DDAEBM_NETWORK_ENERGY][DD_ROLE_STATISTIC], 0);
    ck_assert_uint_eq(p.totals[DDAEBM_NETWORK_GENERATOR][DD_ROLE_STATISTIC], 0);
    ck_assert_uint_eq(dd_parameters_find(&p, "generator.net.activation_fn.0.weight"), p.count);
    ck_assert_uint_lt(dd_parameters_find(&p, "encoder.net.activation_fn.0.weight"), p.count);
    dd_parameters_free(&p);
}
END_TEST

/* The last layers come after as many as the lists may hold. */
START_TEST(the_longest_lists_keep_their_last_layers) {
#define SIXTEEN "[2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,3]"
#define LISTS(network)                                                                             \
    "\"" network ".hidden_layers\":" SIXTEEN ",\"" network ".feature_layers\":" SIXTEEN
    dd_parameters p = declare("{" LISTS("energy") "," LISTS("generator") "," LISTS(
        "encoder") ",\"network.time_width\":7}");
    static const struct {
        const char *name;
        size_t out, in;
    } rows[] = {{"energy.net.layers.16.weight", 1, 3},
                {"energy.x_encoder.layers.16.weight", 14, 3},
                {"energy.t_encoder.layers.16.weight", 14, 3},
                {"generator.net.layers.16.weight", 2, 3},
                {"encoder.net.layers.16.weight", 2, 3},
                {"encoder.net.layers.31.weight", 3, 2},
                {"encoder.fc_mu.weight", 2, 3}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t at = dd_parameters_find(&p, rows[i].name);
        ck_assert_msg(at < p.count, "%s is not declared", rows[i].name);
        ck_assert_uint_eq(p.items[at].shape[0], rows[i].out);
        ck_assert_uint_eq(p.items[at].shape[1], rows[i].in);
    }
    ck_assert_uint_eq(dd_parameters_find(&p, "energy.net.layers.17.weight"), p.count);
    dd_parameters_free(&p);
}
END_TEST

START_TEST(no_memory_is_a_status) {
    ddaebm_config *config = toy("{}");
    dd_parameters parameters = {0};
    SWEEP_ALLOCATIONS(counted, parameters.items,
                      dd_network_declare(&parameters, context, dd_config_settings(config)));
    dd_parameters_free(&parameters);
    ddaebm_config_free(config);
}
END_TEST

/* --- First values. --- */

static ddaebm_model *create(uint64_t seed) {
    ddaebm_config *config = toy("{}");
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_model_create(&model, context, config, seed));
    ddaebm_config_free(config);
    return model;
}

static void assert_constant(const float *values, size_t count, float expected) {
    for (size_t i = 0; i < count; i++)
        ck_assert_float_eq(values[i], expected);
}

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* All within the bound; with enough of them, uniform: the largest distance between the two
 * distribution functions has a chance of 1e-6 to be beyond 2.7 / sqrt(count). */
static void assert_uniform(const float *values, size_t count, double bound, const char *name) {
    float *sorted = malloc(count * sizeof *sorted);
    double worst = 0;
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ascending);
    for (size_t i = 0; i < count; i++) {
        double below = ((double)sorted[i] / bound + 1) / 2;
        ck_assert_msg(below >= 0 && below <= 1, "%s holds %g, beyond %g", name, (double)sorted[i],
                      bound);
        worst = larger(worst, fmax(fabs(below - (double)i / (double)count),
                                   fabs(below - (double)(i + 1) / (double)count)));
    }
    ck_assert_msg(worst < 2.7 / sqrt((double)count), "%s is not uniform: %g", name, worst);
    free(sorted);
}

/* Inputs of the linear layer that a weight or bias belongs to; 0 if it belongs to another kind. */
static size_t inputs_of(const dd_parameters *parameters, const dd_parameter *p) {
    char name[DD_MOST_NAME];
    if (!strstr(p->name, ".layers.") && !strstr(p->name, ".fc_"))
        return 0;
    snprintf(name, sizeof name, "%s", p->name);
    memcpy(strrchr(name, '.'), ".weight", sizeof ".weight");
    return parameters->items[dd_parameters_find(parameters, name)].shape[1];
}

START_TEST(first_values_follow_the_published_rules) {
    ddaebm_model *model = create(1);
    size_t linear = 0, slopes = 0, norms = 0;
    for (size_t i = 0; i < model->parameters.count; i++) {
        const dd_parameter *p = &model->parameters.items[i];
        if (p->role == DD_ROLE_COUNTER) {
            ck_assert_int_eq(model->weights.counters[p->network][p->offset], 0);
            continue;
        }
        const float *values = dd_weights_at(&model->weights, p);
        size_t inputs = inputs_of(&model->parameters, p);
        const char *last = strrchr(p->name, '.') + 1;
        if (inputs > 0) {
            assert_uniform(values, p->elements, 1 / sqrt((double)inputs), p->name);
            linear++;
        } else if (strstr(p->name, ".activation_fn.")) {
            assert_constant(values, p->elements, 0.25f);
            slopes++;
        } else {
            ck_assert_ptr_nonnull(strstr(p->name, ".layers_bn."));
            assert_constant(values, p->elements,
                            strcmp(last, "weight") == 0 || strcmp(last, "running_var") == 0 ? 1.0f
                                                                                            : 0.0f);
            norms++;
        }
    }
    ck_assert_uint_gt(linear, 40);
    ck_assert_uint_gt(slopes, 10);
    ck_assert_uint_gt(norms, 30);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(the_seed_fixes_the_weights) {
    ddaebm_model *a = create(5), *b = create(5), *c = create(6);
    for (size_t i = 0; i < a->parameters.count; i++) {
        const dd_parameter *p = &a->parameters.items[i];
        if (p->role == DD_ROLE_COUNTER)
            continue;
        size_t bytes = p->elements * sizeof(float);
        ck_assert_int_eq(
            memcmp(dd_weights_at(&a->weights, p), dd_weights_at(&b->weights, p), bytes), 0);
        if (p->reach > 0) /* drawn, rather than a constant */
            ck_assert_int_ne(
                memcmp(dd_weights_at(&a->weights, p), dd_weights_at(&c->weights, p), bytes), 0);
    }
    ddaebm_model_free(a);
    ddaebm_model_free(b);
    ddaebm_model_free(c);
}
END_TEST

/* Tensors of one seed are strangers to each other: two layers of the same shape share no number's
 * place. */
START_TEST(tensors_are_drawn_apart) {
    ddaebm_model *model = create(3);
    const dd_parameter *items = model->parameters.items;
    size_t e = dd_parameters_find(&model->parameters, "energy.net.layers.1.weight");
    size_t g = dd_parameters_find(&model->parameters, "generator.net.layers.1.weight");
    const float *first = dd_weights_at(&model->weights, &items[e]),
                *second = dd_weights_at(&model->weights, &items[g]);
    double product = 0, square = 0;
    ck_assert_uint_eq(items[e].elements, items[g].elements);
    for (size_t i = 0; i < items[e].elements; i++) {
        product += (double)first[i] * (double)second[i];
        square += (double)first[i] * (double)first[i];
    }
    ck_assert_double_lt(fabs(product / square), 5 / sqrt((double)items[e].elements));
    ddaebm_model_free(model);
}
END_TEST

START_TEST(levels_are_embedded_as_sines_and_cosines) {
    enum { LEVELS = 9 };
    for (size_t width = 4; width <= 11; width++) {
        dd_graph *graph = NULL;
        ASSERT_OK(dd_graph_create(&graph, context));
        dd_builder builder = {.graph = graph};
        dd_node node = dd_timestep_embedding(&builder, LEVELS, width);
        test_plain *plain = test_plain_create(graph);
        test_plain_run(plain, NULL, 0);
        const double *values = test_plain_value(plain, node);
        size_t half = width / 2;
        for (size_t t = 0; t < LEVELS; t++)
            for (size_t j = 0; j < width; j++) {
                double angle = (double)t * pow(10000, -(double)(j % half) / (double)(half - 1));
                double expected = j >= 2 * half ? 0 : j < half ? sin(angle) : cos(angle);
                ck_assert_double_eq_tol(values[t * width + j], expected, 2e-6);
            }
        test_plain_free(plain);
        dd_graph_free(graph);
    }
}
END_TEST

/* The generator's rows for one timestep, with weights of 0, so that it adds nothing. x [ROWS,
 * width], z [ROWS, latent]. */
enum { PROPOSED_ROWS = 5, PROPOSED_WIDTH = 3, PROPOSED_MOST = 8 };

static void generate_from_nothing(const char *changes, const double *x, const double *z,
                                  double timestep, double *out) {
    enum { X, LEVEL, LATENT, FIRST };
    double timesteps[PROPOSED_ROWS];
    dd_graph *graph = NULL;
    ddaebm_config *config = toy(changes);
    const dd_settings *settings = dd_config_settings(config);
    dd_parameters parameters = declare(changes);
    test_plain_input *inputs = calloc(parameters.count + FIRST, sizeof *inputs);
    double *numbers = calloc(4096, sizeof *numbers); /* the generator's largest tensor has fewer */
    ck_assert(inputs && numbers);
    ASSERT_OK(dd_graph_create(&graph, context));
    dd_builder builder = {
        .graph = graph, .settings = settings, .parameters = &parameters, .first_slot = FIRST};
    dd_node rows = dd_network_generator(
        &builder, dd_input(graph, X, dd_shape_rows(PROPOSED_ROWS, PROPOSED_WIDTH), 0),
        dd_input(graph, LEVEL, dd_shape_rows(PROPOSED_ROWS, 1), 0),
        dd_input(graph, LATENT, dd_shape_rows(PROPOSED_ROWS, dd_settings_latent_width(settings)),
                 0));

    for (size_t i = 0; i < PROPOSED_ROWS; i++)
        timesteps[i] = timestep;
    inputs[X] = (test_plain_input){X, -1, x};
    inputs[LEVEL] = (test_plain_input){LEVEL, -1, timesteps};
    inputs[LATENT] = (test_plain_input){LATENT, -1, z};
    size_t given = FIRST;
    for (size_t i = 0; i < parameters.count; i++) {
        if (parameters.items[i].network != DDAEBM_NETWORK_GENERATOR)
            continue;
        ck_assert_uint_le(parameters.items[i].elements, 4096);
        inputs[given++] = (test_plain_input){FIRST + (dd_slot)i, -1, numbers};
    }
    test_plain *plain = test_plain_create(graph);
    test_plain_run(plain, inputs, given);
    memcpy(out, test_plain_value(plain, rows), PROPOSED_ROWS * PROPOSED_WIDTH * sizeof *out);
    test_plain_free(plain);
    dd_graph_free(graph);
    dd_parameters_free(&parameters);
    ddaebm_config_free(config);
    free(numbers);
    free(inputs);
}

/* form.proposal: a generator that adds nothing draws x_0 as it is given x_{t+1} for normal data, a
 * x_{t+1} + sigma z, with the first numbers of z, or with zeros where there are no more. */
static void check_proposal(size_t latent) {
    double x[PROPOSED_ROWS * PROPOSED_WIDTH], z[PROPOSED_ROWS * PROPOSED_MOST],
        out[PROPOSED_ROWS * PROPOSED_WIDTH];
    char changes[256];
    snprintf(
        changes, sizeof changes,
        "{\"data.width\":3,\"network.latent_width\":%zu,\"form.residual\":true,\"form.proposal\":"
        "true,"
        "\"generator.norm\":\"none\",\"generator.hidden_layers\":[7],\"generator.frequencies\":2}",
        latent);
    for (size_t i = 0; i < PROPOSED_ROWS * PROPOSED_WIDTH; i++)
        x[i] = sin((double)i + 1);
    for (size_t i = 0; i < PROPOSED_ROWS * latent; i++)
        z[i] = cos(3 * (double)i);
    ddaebm_config *config = toy(changes);
    dd_noise_schedule schedule;
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_config_settings(config)));
    for (size_t timestep = 0; timestep < schedule.steps; timestep++) {
        generate_from_nothing(changes, x, z, (double)timestep, out);
        for (size_t i = 0; i < PROPOSED_ROWS; i++)
            for (size_t j = 0; j < PROPOSED_WIDTH; j++) {
                double noise = j < latent ? z[i * latent + j] : 0;
                double expected = schedule.a_cum[timestep + 1] * x[i * PROPOSED_WIDTH + j] +
                                  schedule.sigma_cum[timestep + 1] * noise;
                ck_assert_double_eq_tol(out[i * PROPOSED_WIDTH + j], expected, 1e-6);
            }
    }
    dd_noise_schedule_free(&schedule);
    ddaebm_config_free(config);
}

START_TEST(a_proposal_is_the_draw_for_normal_data) {
    check_proposal(2);
    check_proposal(3);
    check_proposal(PROPOSED_MOST);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("network", the_toy_networks_are_the_published_ones,
                     places_are_flat_and_without_gaps, settings_shape_the_networks,
                     the_longest_lists_keep_their_last_layers, no_memory_is_a_status,
                     first_values_follow_the_published_rules, the_seed_fixes_the_weights,
                     tensors_are_drawn_apart, levels_are_embedded_as_sines_and_cosines,
                     a_proposal_is_the_draw_for_normal_data);
}
