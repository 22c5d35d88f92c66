/* The fixtures `schedules` and `optimizer`. */
#include "base/context.h"
#include "diffusion/noise_schedule.h"
#include "support/fixture.h"
#include "train/adam.h"

#include <stdio.h>
#include <string.h>

/* --- Schedules: <kind>.<range>.T<T>.<precision>.<table>. --- */

static bool parse_group(dd_settings *settings, const char *name, const json_t *ranges,
                        char table[32]) {
    char kind[16], range[16], precision[16];
    int steps = 0;
    if (sscanf(name, "%15[^.].%15[^.].T%d.%15[^.].%31s", kind, range, &steps, precision, table) !=
        5)
        return false;
    const json_t *options = json_object_get(ranges, range);
    settings->diffusion.timesteps = steps;
    settings->diffusion.schedule =
        strcmp(kind, "geometric") == 0 ? DD_SCHEDULE_GEOMETRIC : DD_SCHEDULE_VP;
    settings->diffusion.grid = strcmp(kind, "lsun") == 0 ? DD_GRID_LSUN : DD_GRID_UNIFORM;
    settings->diffusion.precision =
        strcmp(precision, "float64") == 0 ? DD_PRECISION_FLOAT64 : DD_PRECISION_FLOAT32;
    settings->diffusion.beta_min = json_number_value(json_object_get(options, "beta_min"));
    settings->diffusion.beta_max = json_number_value(json_object_get(options, "beta_max"));
    const json_t *limit = json_object_get(options, "max_beta"),
                 *floor = json_object_get(options, "var_floor");
    settings->diffusion.beta_limit = json_is_number(limit) ? json_number_value(limit) : 1;
    settings->diffusion.variance_floor = json_is_number(floor) ? json_number_value(floor) : 0;
    return options != NULL;
}

static const double *table_of(const dd_noise_schedule *s, const char *table, size_t *count) {
    const struct {
        const char *name;
        const double *values;
        bool a_step; /* has T entries, not T+1 */
    } tables[] = {{"t", s->t, false},
                  {"var", s->var, false},
                  {"weight", s->weight, false},
                  {"betas", s->betas, false},
                  {"a", s->a, false},
                  {"sigma", s->sigma, false},
                  {"a_cum", s->a_cum, false},
                  {"sigma_cum", s->sigma_cum, false},
                  {"abar", s->abar, false},
                  {"post_coef_x0", s->post_coef_x0, true},
                  {"post_coef_next", s->post_coef_next, true},
                  {"post_var", s->post_var, true},
                  {"post_logvar", s->post_logvar, true}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strcmp(table, tables[i].name) == 0) {
            *count = s->steps + !tables[i].a_step;
            return tables[i].values;
        }
    return NULL;
}

void test_check_schedules(test_fixture *fixture) {
    const json_t *ranges = json_object_get(fixture->config, "ranges");
    for (size_t i = 0; i < dd_safetensors_count(fixture->file); i++) {
        const dd_tensor_entry *entry = dd_safetensors_entry(fixture->file, i);
        dd_settings settings = {0};
        dd_noise_schedule schedule;
        char table[32];
        size_t count = 0;
        if (!parse_group(&settings, entry->name, ranges, table) ||
            dd_noise_schedule_make(&schedule, fixture->context, &settings) != DDAEBM_OK) {
            test_fixture_problem(fixture, "%s: a table of what is not known", entry->name);
            return;
        }
        const double *values = table_of(&schedule, table, &count);
        if (values)
            test_fixture_compare_doubles(fixture, TEST_TABLES, entry->name, values, count,
                                         entry->dtype == DD_STORED_F64 ? 1e-9 : 1e-5);
        dd_noise_schedule_free(&schedule);
    }
}

/* --- Optimizer: Adam and averages on two parameters, and the cosine rate. --- */

enum { MOST_STEPS = 64, MOST_ELEMENTS = 64 };

static bool skipped(const test_fixture *fixture, const char *parameter, size_t step) {
    size_t index;
    json_t *value;
    json_array_foreach(json_object_get(json_object_get(fixture->config, "skipped"), parameter),
                       index, value) {
        if ((size_t)json_integer_value(value) == step)
            return true;
    }
    return false;
}

static double number(const test_fixture *fixture, const char *key) {
    return json_number_value(json_object_get(fixture->config, key));
}

static void check_parameter(test_fixture *fixture, const char *tag, double beta1,
                            const char *parameter) {
    char name[64];
    float weights[MOST_ELEMENTS] = {0}, m[MOST_ELEMENTS] = {0}, v[MOST_ELEMENTS] = {0},
          average[MOST_ELEMENTS] = {0};
    float gradients[MOST_STEPS * MOST_ELEMENTS], history[4][MOST_STEPS * MOST_ELEMENTS];
    dd_settings settings = {0};
    settings.optimizer.beta1 = beta1;
    settings.optimizer.beta2 = number(fixture, "beta2");
    settings.optimizer.epsilon = number(fixture, "adam_eps");
    (void)snprintf(name, sizeof name, "in.%s.param", parameter);
    const dd_tensor_entry *entry = test_fixture_tensor(fixture, name);
    size_t count = entry ? entry->elements : 0, steps = (size_t)number(fixture, "steps");
    if (count == 0 || count > MOST_ELEMENTS || steps > MOST_STEPS)
        return;
    test_fixture_floats(fixture, name, weights, count);
    (void)snprintf(name, sizeof name, "in.%s.grads", parameter);
    test_fixture_floats(fixture, name, gradients, steps * count);
    dd_adam_state state = {.m = m, .v = v};
    for (size_t step = 0; step < steps; step++) {
        if (!skipped(fixture, parameter, step)) {
            double decay = state.updates == 0 ? 0 : number(fixture, "ema_decay");
            dd_adam_update(&state, weights, gradients + step * count, count, number(fixture, "lr"),
                           &settings, dd_context_pool(fixture->context));
            dd_average_update(average, weights, count, decay, dd_context_pool(fixture->context));
        }
        const float *now[4] = {weights, m, v, average};
        for (int k = 0; k < 4; k++)
            memcpy(history[k] + step * count, now[k], count * sizeof(float));
    }
    static const char *const what[4] = {"param", "m", "v", "ema"};
    for (int k = 0; k < 4; k++) {
        (void)snprintf(name, sizeof name, "out.%s.%s.%s", tag, parameter, what[k]);
        test_fixture_compare(fixture, TEST_WEIGHTS, name, history[k], steps * count);
    }
}

void test_check_optimizer(test_fixture *fixture) {
    double rates[MOST_STEPS];
    dd_settings settings = {0};
    settings.optimizer.rate_schedule = DD_RATE_COSINE;
    settings.optimizer.final_rate = number(fixture, "lr_min");
    size_t epochs = (size_t)number(fixture, "epochs");
    char first[24];
    (void)snprintf(first, sizeof first, "beta1_%g", number(fixture, "beta1"));
    for (int i = 0; i < 2; i++) {
        check_parameter(fixture, i ? "beta1_0.5" : first, i ? 0.5 : number(fixture, "beta1"), "a");
        check_parameter(fixture, i ? "beta1_0.5" : first, i ? 0.5 : number(fixture, "beta1"), "b");
    }
    for (size_t epoch = 0; epoch <= epochs && epoch < MOST_STEPS; epoch++)
        rates[epoch] = dd_learning_rate(&settings, number(fixture, "lr"), epoch, epochs);
    test_fixture_compare_doubles(fixture, TEST_TABLES, "out.cosine_lr", rates, epochs + 1, 1e-5);
}
