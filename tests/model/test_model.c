/* Models in memory: what they hold, by name and by number, and what they refuse. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/small.h"

#include <math.h>

START_TEST(a_model_is_what_its_configuration_says) {
    open_context(2);
    ddaebm_config *config = small_config(context, "\"data.width\":3,\"diffusion.timesteps\":6");
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_model_create(&model, context, config, 1));
    ck_assert_uint_eq(ddaebm_model_width(model), 3);
    ck_assert_uint_eq(ddaebm_model_timesteps(model), 6);
    ck_assert_ptr_ne(ddaebm_model_config(model), config);
    ASSERT_OK(
        ddaebm_config_set_integer(config, "diffusion.timesteps", 2)); /* the model has a copy */
    ck_assert_uint_eq(ddaebm_model_timesteps(model), 6);
    ddaebm_config_free(config);
    int64_t steps = 0;
    ASSERT_OK(ddaebm_config_get_integer(ddaebm_model_config(model), "diffusion.timesteps", &steps));
    ck_assert_int_eq(steps, 6);
    for (size_t j = 0; j < 3; j++) {
        ck_assert_double_eq(model->mean[j], 0);
        ck_assert_double_eq(model->scale[j], 1);
    }
    ddaebm_model_free(model);
    ddaebm_model_free(NULL);
    close_context();
}
END_TEST

START_TEST(seeds_make_models) {
    open_context(2);
    ddaebm_model *a = small_model(context, "", 1), *b = small_model(context, "", 1),
                 *c = small_model(context, "", 2);
    ck_assert(same_models(a, b));
    ck_assert(!same_models(a, c));
    ddaebm_model_free(a);
    ddaebm_model_free(b);
    ddaebm_model_free(c);
    close_context();
}
END_TEST

START_TEST(a_model_keeps_its_context) {
    open_context(2);
    ddaebm_model *model = small_model(context, "", 1);
    ddaebm_context_free(context);
    ASSERT_OK(ddaebm_model_set_temperature(model, 2));
    ck_assert_uint_gt(counted.live, 0);
    ddaebm_model_free(model);
    ck_assert_uint_eq(counted.live, 0);
}
END_TEST

START_TEST(the_context_may_be_the_models_own) {
    ddaebm_config *config = small_config(NULL, "");
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_model_create(&model, NULL, config, 1));
    ddaebm_model_free(model);
    ddaebm_config_free(config);
}
END_TEST

/* --- Parameters. --- */

START_TEST(parameters_are_listed_once_each) {
    open_context(2);
    ddaebm_model *model = small_model(context, "", 1);
    size_t count = ddaebm_model_parameter_count(model), trained[3] = {0}, kept = 0;
    ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
    for (size_t i = 0; i < count; i++) {
        ASSERT_OK(ddaebm_model_parameter(model, i, &info));
        size_t elements = 1;
        for (size_t axis = 0; axis < info.rank; axis++)
            elements *= info.shape[axis];
        ck_assert_uint_eq(elements, info.elements);
        ck_assert_int_eq(strncmp(info.name,
                                 info.network == DDAEBM_NETWORK_ENERGY      ? "energy."
                                 : info.network == DDAEBM_NETWORK_GENERATOR ? "generator."
                                                                            : "encoder.",
                                 7),
                         0);
        ck_assert_int_eq(info.trained, strstr(info.name, "running_") == NULL);
        ck_assert_ptr_null(strstr(info.name, "num_batches_tracked"));
        trained[info.network] += info.trained ? info.elements : 0;
        kept += !info.trained;
    }
    for (int n = 0; n < 3; n++)
        ck_assert_uint_eq(trained[n], model->parameters.totals[n][DD_ROLE_WEIGHT]);
    ck_assert_uint_gt(kept, 0);
    ddaebm_parameter_info before;
    memcpy(&before, &info, sizeof info); /* with what is between its members */
    ASSERT_FAILS(ddaebm_model_parameter(model, count, &info), DDAEBM_NOT_FOUND, "parameter");
    ASSERT_FAILS(ddaebm_model_parameter(model, SIZE_MAX, &info), DDAEBM_NOT_FOUND,
                 "this model has");
    ck_assert_int_eq(memcmp(&before, &info, sizeof info), 0);
    info.struct_size -= 4;
    ASSERT_FAILS(ddaebm_model_parameter(model, 0, &info), DDAEBM_INVALID_ARGUMENT,
                 "DDAEBM_PARAMETER_INFO_INIT");
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(parameters_are_read_and_written_by_name) {
    open_context(2);
    ddaebm_model *model = small_model(context, "", 1);
    ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
    for (size_t i = 0; i < ddaebm_model_parameter_count(model); i++) {
        ASSERT_OK(ddaebm_model_parameter(model, i, &info));
        float *values = malloc((info.elements + 1) * sizeof *values),
              *again = malloc((info.elements + 1) * sizeof *again);
        values[info.elements] = again[info.elements] = 77;
        ASSERT_OK(ddaebm_model_get_parameter(model, info.name, values, info.elements));
        for (size_t k = 0; k < info.elements; k++)
            values[k] = values[k] * 2 + (float)k;
        ASSERT_OK(ddaebm_model_set_parameter(model, info.name, values, info.elements));
        ASSERT_OK(ddaebm_model_get_parameter(model, info.name, again, info.elements));
        ck_assert_int_eq(memcmp(values, again, (info.elements + 1) * sizeof *values), 0);
        free(values);
        free(again);
    }
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(wrong_parameters_change_nothing) {
    open_context(2);
    ddaebm_model *model = small_model(context, "", 1), *same = small_model(context, "", 1);
    const char *const name = "energy.net.layers.0.bias";
    float values[8] = {1, 2, 3, 4, 5, 6, 7, NAN}, out[8] = {9};
    ASSERT_FAILS(ddaebm_model_set_parameter(model, name, values, 8), DDAEBM_NOT_FINITE,
                 "element 7 given for energy.net.layers.0.bias");
    values[7] = INFINITY;
    ASSERT_FAILS(ddaebm_model_set_parameter(model, name, values, 8), DDAEBM_NOT_FINITE, "inf");
    values[7] = 8;
    ASSERT_FAILS(ddaebm_model_set_parameter(model, name, values, 7), DDAEBM_MISMATCH,
                 "has 8 elements, not 7");
    ASSERT_FAILS(ddaebm_model_get_parameter(model, name, out, 9), DDAEBM_MISMATCH, "not 9");
    ASSERT_FAILS(ddaebm_model_get_parameter(model, "energy.net", out, 8), DDAEBM_NOT_FOUND,
                 "energy.net");
    ASSERT_FAILS(ddaebm_model_set_parameter(model, "", values, 8), DDAEBM_NOT_FOUND,
                 "no parameter");
    ASSERT_FAILS(
        ddaebm_model_get_parameter(model, "generator.net.layers_bn.0.num_batches_tracked", out, 1),
        DDAEBM_NOT_FOUND, "num_batches");
    ASSERT_FAILS(ddaebm_model_set_parameter(model, "data.mean", values, 2), DDAEBM_NOT_FOUND,
                 "data.mean");
    ck_assert_float_eq(out[0], 9.0f);
    ck_assert(same_models(model, same));
    ASSERT_OK(ddaebm_model_set_parameter(model, name, values, 8));
    ck_assert(!same_models(model, same));
    ddaebm_model_free(model);
    ddaebm_model_free(same);
    close_context();
}
END_TEST

/* --- Temperature. --- */

START_TEST(temperatures_are_finite_and_above_zero) {
    static const double bad[] = {
        0, -1, -0.0, 1e-50, 1e39, (double)INFINITY, (double)-INFINITY, (double)NAN};
    open_context(2);
    ddaebm_model *model = small_model(context, "\"objective.latent_weight\":0.25", 1);
    ck_assert_double_eq(ddaebm_model_temperature(model),
                        0.25); /* what training with that weight aims at */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ASSERT_FAILS(ddaebm_model_set_temperature(model, bad[i]), DDAEBM_OUT_OF_RANGE,
                     "temperature is");
        ck_assert_double_eq(ddaebm_model_temperature(model), 0.25);
    }
    ASSERT_OK(ddaebm_model_set_temperature(model, 0.1));
    ck_assert_double_eq_tol(ddaebm_model_temperature(model), 0.1, 1e-8);
    ASSERT_OK(ddaebm_model_set_temperature(model, 1e-30));
    ASSERT_OK(ddaebm_model_set_temperature(model, 1e30));
    ddaebm_model_free(model);
    model = small_model(context, "\"objective.latent_weight\":0", 1);
    ck_assert_double_eq(ddaebm_model_temperature(model), 1);
    ddaebm_model_free(model);
    model = small_model(context, "\"objective.latent_weight\":1e-300",
                        1); /* no float: a file would say 0, and not load */
    ck_assert_double_gt(ddaebm_model_temperature(model), 0);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* --- What cannot be. --- */

START_TEST(impossible_configurations_are_refused) {
    static const struct {
        const char *changes, *why;
    } rows[] = {
        {"\"diffusion.beta_min\":0.5,\"diffusion.beta_max\":0.4", "diffusion.beta_min"},
        {"\"diffusion.schedule\":\"geometric\",\"diffusion.beta_max\":2", "diffusion.beta_max"},
        {"\"diffusion.grid\":\"lsun\",\"diffusion.timesteps\":1", "diffusion.timesteps"},
        {"\"encoder.feature_layers\":[]", "encoder.feature_layers"},
        {"\"objective.reconstruction\":\"weighted_gaussian_nll\",\"diffusion.timesteps\":1",
         "diffusion.timesteps"}};
    open_context(2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ddaebm_config *config = small_config(context, rows[i].changes);
        ddaebm_model *model = NULL;
        ASSERT_FAILS(ddaebm_model_create(&model, context, config, 1), DDAEBM_OUT_OF_RANGE,
                     rows[i].why);
        ck_assert_ptr_null(model);
        ddaebm_config_free(config);
    }
    close_context();
}
END_TEST

START_TEST(null_arguments_are_refused) {
    open_context(2);
    ddaebm_config *config = small_config(context, "");
    ddaebm_model *model = small_model(context, "", 1), *out = NULL;
    ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
    const char *const name = "energy.net.layers.0.bias";
    float values[8];
    size_t needed = 0;
    ASSERT_FAILS(ddaebm_model_create(NULL, context, config, 1), DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_model_create(&out, context, NULL, 1), DDAEBM_INVALID_ARGUMENT, "config");
    ASSERT_FAILS(ddaebm_model_load(NULL, context, "x"), DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_model_load(&out, context, NULL), DDAEBM_INVALID_ARGUMENT, "path");
    ASSERT_FAILS(ddaebm_model_load_memory(NULL, context, "x", 1), DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_model_load_memory(&out, context, NULL, 1), DDAEBM_INVALID_ARGUMENT, "data");
    ASSERT_FAILS(ddaebm_model_save(NULL, "x"), DDAEBM_INVALID_ARGUMENT, "model");
    ASSERT_FAILS(ddaebm_model_save(model, NULL), DDAEBM_INVALID_ARGUMENT, "path");
    ASSERT_FAILS(ddaebm_model_save_memory(NULL, NULL, 0, &needed), DDAEBM_INVALID_ARGUMENT,
                 "model");
    ASSERT_FAILS(ddaebm_model_save_memory(model, NULL, 1, &needed), DDAEBM_INVALID_ARGUMENT,
                 "data");
    ASSERT_FAILS(ddaebm_model_set_temperature(NULL, 1), DDAEBM_INVALID_ARGUMENT, "model");
    ASSERT_FAILS(ddaebm_model_parameter(NULL, 0, &info), DDAEBM_INVALID_ARGUMENT, "model");
    ASSERT_FAILS(ddaebm_model_parameter(model, 0, NULL), DDAEBM_INVALID_ARGUMENT, "info");
    ASSERT_FAILS(ddaebm_model_get_parameter(NULL, name, values, 8), DDAEBM_INVALID_ARGUMENT,
                 "model");
    ASSERT_FAILS(ddaebm_model_get_parameter(model, NULL, values, 8), DDAEBM_INVALID_ARGUMENT,
                 "name");
    ASSERT_FAILS(ddaebm_model_get_parameter(model, name, NULL, 8), DDAEBM_INVALID_ARGUMENT,
                 "values");
    ASSERT_FAILS(ddaebm_model_set_parameter(NULL, name, values, 8), DDAEBM_INVALID_ARGUMENT,
                 "model");
    ASSERT_FAILS(ddaebm_model_set_parameter(model, NULL, values, 8), DDAEBM_INVALID_ARGUMENT,
                 "name");
    ASSERT_FAILS(ddaebm_model_set_parameter(model, name, NULL, 8), DDAEBM_INVALID_ARGUMENT,
                 "values");
    ck_assert_ptr_null(out);
    ck_assert_uint_eq(needed, 0);
    ddaebm_model_free(model);
    ddaebm_config_free(config);
    close_context();
}
END_TEST

START_TEST(memory_may_run_out) {
    open_context(2);
    ddaebm_config *config = small_config(context, "");
    for (int on = 0; on < 2; on++) {
        ddaebm_model *model = NULL;
        SWEEP_ALLOCATIONS_FROM(counted, model, ddaebm_model_create(&model, context, config, 1), on);
        ddaebm_model_free(model);
    }
    ddaebm_config_free(config);
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("model", a_model_is_what_its_configuration_says, seeds_make_models,
                     a_model_keeps_its_context, the_context_may_be_the_models_own,
                     parameters_are_listed_once_each, parameters_are_read_and_written_by_name,
                     wrong_parameters_change_nothing, temperatures_are_finite_and_above_zero,
                     impossible_configurations_are_refused, null_arguments_are_refused,
                     memory_may_run_out);
}
