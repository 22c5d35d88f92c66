/* Weights that several hold: who changes them gets a copy, and nobody else sees the change, with
 * memory or without. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/small.h"

static const ddaebm_network NETWORK = DDAEBM_NETWORK_ENERGY, OTHER = DDAEBM_NETWORK_GENERATOR;

static size_t elements_of(const ddaebm_model *model) {
    return model->parameters.totals[NETWORK][DD_ROLE_WEIGHT];
}

START_TEST(who_is_alone_owns_already) {
    ddaebm_model *model = small_model(context, "", 1);
    dd_weights held;
    float *numbers = model->weights.values[NETWORK][DD_ROLE_WEIGHT];
    size_t calls = counted.calls;
    ASSERT_OK(dd_weights_own(&model->weights, &model->parameters, NETWORK));
    dd_weights_share(&held, &model->weights, NETWORK);
    dd_weights_free(&held);
    ASSERT_OK(dd_weights_own(&model->weights, &model->parameters,
                             NETWORK)); /* the other holder is gone */
    ck_assert_ptr_eq(model->weights.values[NETWORK][DD_ROLE_WEIGHT], numbers);
    ck_assert_uint_eq(counted.calls, calls);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(what_is_shared_outlives_its_first_holder) {
    ddaebm_model *model = small_model(context, "", 1), *same = small_model(context, "", 1);
    dd_weights held;
    dd_weights_share(&held, &model->weights, NETWORK);
    ck_assert_ptr_eq(held.values[NETWORK][DD_ROLE_WEIGHT],
                     model->weights.values[NETWORK][DD_ROLE_WEIGHT]);
    ck_assert_ptr_null(held.values[OTHER][DD_ROLE_WEIGHT]); /* one network alone */
    size_t bytes = elements_of(model) * sizeof(float);
    ddaebm_model_free(model);
    ck_assert_mem_eq(held.values[NETWORK][DD_ROLE_WEIGHT],
                     same->weights.values[NETWORK][DD_ROLE_WEIGHT], bytes);
    dd_weights_free(&held);
    ddaebm_model_free(same);
}
END_TEST

/* Each of the allocations fails in turn: no number of either holder changes, and no memory is lost
 * (close_context). */
START_TEST(a_change_is_the_changers_alone) {
    ddaebm_model *model = small_model(context, "", 1), *same = small_model(context, "", 1);
    dd_weights held;
    dd_weights_share(&held, &model->weights, NETWORK);
    float *numbers = held.values[NETWORK][DD_ROLE_WEIGHT];
    size_t bytes = elements_of(model) * sizeof(float), failures = 0;
    for (counted.fail_at = counted.calls + 1;
         dd_weights_own(&model->weights, &model->parameters, NETWORK) != DDAEBM_OK; failures++) {
        ck_assert(same_models(model, same));
        ck_assert_mem_eq(numbers, same->weights.values[NETWORK][DD_ROLE_WEIGHT], bytes);
        ck_assert_uint_lt(failures, 10);
        counted.fail_at = counted.calls + 2 - failures % 2;
    }
    counted.fail_at = 0;
    ck_assert_uint_ge(failures, 1);
    ck_assert_ptr_ne(model->weights.values[NETWORK][DD_ROLE_WEIGHT], numbers);
    ck_assert_ptr_eq(held.values[NETWORK][DD_ROLE_WEIGHT], numbers);
    ck_assert(same_models(model, same));
    model->weights.values[NETWORK][DD_ROLE_WEIGHT][0] += 1;
    ck_assert_mem_eq(numbers, same->weights.values[NETWORK][DD_ROLE_WEIGHT], bytes);
    dd_weights_free(&held);
    ddaebm_model_free(model);
    ddaebm_model_free(same);
}
END_TEST

/* The same of the public call: a parameter that others hold is set, or is what it was. */
START_TEST(a_parameter_is_set_or_is_what_it_was) {
    enum { MOST = 4096 };
    static float before[MOST], now[MOST], changed[MOST];
    ddaebm_model *model = small_model(context, "", 1);
    const dd_parameter *parameter = NULL;
    for (size_t i = 0; i < model->parameters.count && !parameter; i++)
        if (model->parameters.items[i].network == NETWORK &&
            model->parameters.items[i].role == DD_ROLE_WEIGHT)
            parameter = &model->parameters.items[i];
    ck_assert_ptr_nonnull(parameter);
    ck_assert_uint_le(parameter->elements, MOST);
    ASSERT_OK(ddaebm_model_get_parameter(model, parameter->name, before, parameter->elements));
    for (size_t i = 0; i < parameter->elements; i++)
        changed[i] = before[i] + 1;
    dd_weights held;
    dd_weights_share(&held, &model->weights, NETWORK);
    counted.fail_at = counted.calls + 1;
    ck_assert_int_eq(
        ddaebm_model_set_parameter(model, parameter->name, changed, parameter->elements),
        DDAEBM_OUT_OF_MEMORY);
    ASSERT_OK(ddaebm_model_get_parameter(model, parameter->name, now, parameter->elements));
    ck_assert_mem_eq(now, before, parameter->elements * sizeof(float));
    ASSERT_OK(ddaebm_model_set_parameter(model, parameter->name, changed, parameter->elements));
    ASSERT_OK(ddaebm_model_get_parameter(model, parameter->name, now, parameter->elements));
    ck_assert_mem_eq(now, changed, parameter->elements * sizeof(float));
    ck_assert_mem_eq(dd_weights_at(&held, parameter), before, parameter->elements * sizeof(float));
    dd_weights_free(&held);
    ddaebm_model_free(model);
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("parameters", who_is_alone_owns_already,
                     what_is_shared_outlives_its_first_holder, a_change_is_the_changers_alone,
                     a_parameter_is_set_or_is_what_it_was);
}
