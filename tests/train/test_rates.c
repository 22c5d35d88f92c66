/* Learning rates: the caller's own schedule, groups by name, frozen weights, an optimiser of the
 * caller's own. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/extremes.h"
#include "support/small.h"
#include "support/tamper.h"
#include "train/trainer.h"

#include <math.h>

static ddaebm_dataset *dataset;

static void begin(void) {
    open_context(1);
    dataset = small_rows(context, 21, 2);
}

static void end(void) {
    ddaebm_dataset_free(dataset);
    close_context();
}

static ddaebm_trainer *train(const char *changes, uint64_t last) {
    ddaebm_model *model = small_model(context, changes, 3);
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 5));
    ASSERT_OK(ddaebm_trainer_run(trainer, last, NULL, NULL));
    ddaebm_model_free(model);
    return trainer;
}

static size_t bytes_of(const ddaebm_trainer *trainer, int network, dd_role role) {
    return trainer->model->parameters.totals[network][role] * sizeof(float);
}

/* Weights, running statistics and moments of a network. */
static bool same_network(const ddaebm_trainer *a, const ddaebm_trainer *b, int network) {
    size_t weights = bytes_of(a, network, DD_ROLE_WEIGHT),
           statistics = bytes_of(a, network, DD_ROLE_STATISTIC);
    return memcmp(a->model->weights.values[network][0], b->model->weights.values[network][0],
                  weights) == 0 &&
           memcmp(a->model->weights.values[network][1], b->model->weights.values[network][1],
                  statistics) == 0 &&
           memcmp(a->moments[network][0], b->moments[network][0], weights) == 0 &&
           memcmp(a->moments[network][1], b->moments[network][1], weights) == 0;
}

static bool same_networks(const ddaebm_trainer *a, const ddaebm_trainer *b) {
    return same_network(a, b, 0) && same_network(a, b, 1) && same_network(a, b, 2);
}

static void set(ddaebm_trainer *trainer, const char *prefix, double factor) {
    ASSERT_OK(ddaebm_trainer_set_rate_factor(trainer, prefix, factor));
}

static double rate_of(const ddaebm_trainer *trainer, const char *name) {
    double rate = -1;
    ASSERT_OK(ddaebm_trainer_get_rate(trainer, name, &rate));
    return rate;
}

/* Largest change of a weight whose name begins with the prefix, from the first values. */
static double moved(const ddaebm_trainer *trainer, const ddaebm_model *start, const char *prefix) {
    double most = 0;
    for (size_t i = 0; i < start->parameters.count; i++) {
        const dd_parameter *p = &start->parameters.items[i];
        if (p->role != DD_ROLE_WEIGHT || strncmp(p->name, prefix, strlen(prefix)) != 0)
            continue;
        const float *now = dd_weights_at(&trainer->model->weights, p),
                    *then = dd_weights_at(&start->weights, p);
        for (size_t j = 0; j < p->elements; j++)
            most = larger(most, fabs((double)now[j] - (double)then[j]));
    }
    return most;
}

/* --- Rates. --- */

#define MEMORY "\"optimizer.ema_decay\":0.9,\"optimizer.beta1\":0.5"

START_TEST(a_schedule_of_the_callers_is_the_librarys_bit_for_bit) {
    ddaebm_trainer *theirs =
        train(MEMORY ",\"optimizer.energy_rate\":1e-3,\"optimizer.generator_rate\":1e-3,"
                     "\"optimizer.rate_schedule\":\"cosine\",\"optimizer.final_rate\":1e-5",
              0);
    ddaebm_trainer *own =
        train(MEMORY ",\"optimizer.energy_rate\":1,\"optimizer.generator_rate\":1", 0);
    ddaebm_step_statistics s = DDAEBM_STEP_STATISTICS_INIT;
    for (int i = 0; i < 20; i++) {
        double rate = 1e-5 + (1e-3 - 1e-5) * (1 + cos(acos(-1) * i / 20.0)) / 2;
        set(own, "", rate);
        ck_assert_double_eq(rate_of(own, "energy.net.layers.0.weight"), rate);
        ck_assert_double_eq_tol(rate_of(theirs, "energy.net.layers.0.weight"), rate, 1e-15);
        ASSERT_OK(ddaebm_trainer_step(theirs, NULL));
        ASSERT_OK(ddaebm_trainer_step(own, &s));
        ck_assert_double_eq(s.learning_rate, 1); /* the schedule's */
        ck_assert(same_networks(theirs, own));
    }
    ddaebm_trainer_free(theirs);
    ddaebm_trainer_free(own);
}
END_TEST

/* Without a first moment the first step is the rate times the gradient's sign. */
START_TEST(a_group_has_its_rate) {
    ddaebm_model *start = small_model(context, "", 3);
    ddaebm_trainer *trainer =
        train("\"optimizer.energy_rate\":1e-3,\"optimizer.generator_rate\":2e-3", 0);
    set(trainer, "energy.", 3);
    set(trainer, "energy.net.layers.1.", 0.5); /* the later word counts */
    set(trainer, "generator.net.", 0);
    ck_assert_double_eq(rate_of(trainer, "energy.net.layers.0.weight"), 3e-3);
    ck_assert_double_eq(rate_of(trainer, "energy.net.layers.1.bias"), 0.5e-3);
    ck_assert_double_eq(rate_of(trainer, "generator.net.layers.0.weight"), 0);
    ck_assert_double_eq(rate_of(trainer, "encoder.fc_mu.weight"), 2e-3);
    ASSERT_OK(ddaebm_trainer_step(trainer, NULL));
    ck_assert_double_eq_tol(moved(trainer, start, "energy.net.layers.0."), 3e-3, 1e-6);
    ck_assert_double_eq_tol(moved(trainer, start, "energy.net.layers.1."), 0.5e-3, 1e-6);
    ck_assert_double_eq_tol(moved(trainer, start, "energy.x_encoder."), 3e-3, 1e-6);
    ck_assert_double_eq(moved(trainer, start, "generator.net."), 0);
    ck_assert_double_eq_tol(moved(trainer, start, "generator.x_encoder."), 2e-3, 1e-6);
    ck_assert_double_eq_tol(moved(trainer, start, "encoder."), 2e-3, 1e-6);
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(start);
}
END_TEST

/* --- Freezing. --- */

/* A frozen energy is one whose update is left out. */
START_TEST(a_frozen_energy_is_one_that_is_not_updated) {
    ddaebm_trainer *frozen = train(EVERYTHING, 3), *halves = train(EVERYTHING, 3);
    set(frozen, "energy.", 0);
    for (int i = 0; i < 5; i++) {
        ASSERT_OK(ddaebm_trainer_step(frozen, NULL));
        ASSERT_OK(ddaebm_trainer_energy_gradients(halves));
        ASSERT_OK(ddaebm_trainer_generator_gradients(halves));
        ASSERT_OK(ddaebm_trainer_generator_update(halves, NULL));
        ck_assert(same_networks(frozen, halves));
    }
    set(frozen, "energy.", 1);
    ASSERT_OK(ddaebm_trainer_step(frozen, NULL));
    ASSERT_OK(ddaebm_trainer_step(halves, NULL));
    ck_assert(same_networks(frozen, halves)); /* its moments and their age had stayed */
    ddaebm_trainer_free(frozen);
    ddaebm_trainer_free(halves);
}
END_TEST

START_TEST(a_frozen_network_alone_stands_still) {
    static const char *const names[] = {"energy.", "generator.", "encoder."};
    for (int n = 0; n < DD_NETWORKS; n++) {
        ddaebm_trainer *before = train(EVERYTHING, 2), *trainer = train(EVERYTHING, 2),
                       *straight = train(EVERYTHING, 3);
        set(trainer, names[n], 0);
        ASSERT_OK(ddaebm_trainer_step(trainer, NULL));
        for (int other = 0; other < DD_NETWORKS; other++) {
            size_t weights = bytes_of(trainer, other, DD_ROLE_WEIGHT),
                   statistics = bytes_of(trainer, other, DD_ROLE_STATISTIC);
            bool stood =
                memcmp(trainer->model->weights.values[other][0],
                       before->model->weights.values[other][0], weights) == 0 &&
                memcmp(trainer->moments[other][1], before->moments[other][1], weights) == 0;
            ck_assert_int_eq(stood, other == n);
            if (statistics) /* of batch norms: of what goes in, not of the weights */
                ck_assert_int_ne(memcmp(trainer->model->weights.values[other][1],
                                        before->model->weights.values[other][1], statistics),
                                 0);
            if (n != DDAEBM_NETWORK_ENERGY) { /* the gradients are those of a step that freezes
                                                 nothing */
                ck_assert_int_eq(
                    memcmp(trainer->gradients[other], straight->gradients[other], weights), 0);
                ck_assert(other == n || same_network(trainer, straight, other));
            }
        }
        ddaebm_trainer_free(before);
        ddaebm_trainer_free(trainer);
        ddaebm_trainer_free(straight);
    }
}
END_TEST

START_TEST(factors_are_kept_in_a_checkpoint) {
    ddaebm_trainer *trainer = train(EVERYTHING, 2), *plain = train(EVERYTHING, 2), *resumed = NULL,
                   *older = NULL;
    set(trainer, "energy.", 0.25);
    set(trainer, "generator.net.layers.0.", 0);
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    ASSERT_OK(ddaebm_trainer_resume(&resumed, context, in_folder("k"), dataset));
    ck_assert_double_eq(rate_of(resumed, "generator.net.layers.0.bias"), 0);
    ASSERT_OK(ddaebm_trainer_run(trainer, 6, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_run(resumed, 6, NULL, NULL));
    ck_assert(same_networks(trainer, resumed));
    test_tamper_file(in_folder("k"), in_folder("older"),
                     &(test_tamper){.drop = "trainer.rate_factors"});
    ASSERT_OK(ddaebm_trainer_resume(&older, context, in_folder("older"),
                                    dataset)); /* from before there were any */
    ASSERT_OK(ddaebm_trainer_run(older, 6, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_run(plain, 6, NULL, NULL));
    ck_assert(same_networks(older, plain));
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(plain);
    ddaebm_trainer_free(resumed);
    ddaebm_trainer_free(older);
}
END_TEST

/* --- An optimiser of the caller's own. --- */

static float *descend(ddaebm_trainer *trainer, ddaebm_network network, size_t *elements) {
    float *weights = NULL, *gradients = NULL;
    ASSERT_OK(ddaebm_trainer_weights(trainer, network, &weights, elements));
    ASSERT_OK(ddaebm_trainer_gradients(trainer, network, &gradients, elements));
    for (size_t i = 0; i < *elements; i++)
        weights[i] -= 1e-5f * gradients[i];
    float *copy = malloc(*elements * sizeof *copy);
    memcpy(copy, weights, *elements * sizeof *copy);
    return copy;
}

/* Frees what the weights should be. */
static void assert_weights(ddaebm_trainer *trainer, ddaebm_network network, float *expected,
                           size_t elements) {
    float *weights = NULL;
    ASSERT_OK(ddaebm_trainer_weights(trainer, network, &weights, &elements));
    ck_assert_int_eq(memcmp(weights, expected, elements * sizeof *weights), 0);
    free(expected);
}

/* By hand between gradients and update, all being frozen. */
START_TEST(weights_may_be_updated_by_the_caller) {
    ddaebm_trainer *trainer = train("", 0);
    ddaebm_model *start = small_model(context, "", 3);
    set(trainer, "", 0);
    for (uint64_t step = 1; step <= 5; step++) {
        size_t sizes[DD_NETWORKS];
        ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
        float *energy = descend(trainer, DDAEBM_NETWORK_ENERGY, &sizes[0]);
        ASSERT_OK(ddaebm_trainer_energy_update(trainer));
        ASSERT_OK(ddaebm_trainer_generator_gradients(trainer));
        float *generator = descend(trainer, DDAEBM_NETWORK_GENERATOR, &sizes[1]);
        float *encoder = descend(trainer, DDAEBM_NETWORK_ENCODER, &sizes[2]);
        ASSERT_OK(ddaebm_trainer_generator_update(trainer, NULL));
        assert_weights(trainer, DDAEBM_NETWORK_ENERGY, energy, sizes[0]);
        assert_weights(trainer, DDAEBM_NETWORK_GENERATOR, generator, sizes[1]);
        assert_weights(trainer, DDAEBM_NETWORK_ENCODER, encoder, sizes[2]);
        ck_assert_uint_eq(ddaebm_trainer_steps(trainer), step);
    }
    ck_assert_double_gt(moved(trainer, start, "energy."), 0);
    ck_assert_double_gt(moved(trainer, start, "generator."), 0);
    ck_assert_double_gt(moved(trainer, start, "encoder."), 0);
    ddaebm_model_free(start);
    ddaebm_trainer_free(trainer);
}
END_TEST

/* Offsets are those of the flat views, by name. */
START_TEST(offsets_lead_to_the_weights) {
    ddaebm_trainer *trainer = train("", 2);
    const ddaebm_model *model = ddaebm_trainer_model(trainer);
    ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
    size_t trained = 0;
    for (size_t i = 0; i < ddaebm_model_parameter_count(model); i++) {
        float values[256], *flat = NULL;
        size_t elements = 0;
        ASSERT_OK(ddaebm_model_parameter(model, i, &info));
        if (!info.trained) {
            ck_assert_uint_eq(info.offset, 0);
            continue;
        }
        ASSERT_OK(ddaebm_trainer_weights(trainer, info.network, &flat, &elements));
        ck_assert_uint_le(info.offset + info.elements, elements);
        ASSERT_OK(ddaebm_model_get_parameter(model, info.name, values, info.elements));
        ck_assert_int_eq(memcmp(values, flat + info.offset, info.elements * sizeof(float)), 0);
        trained++;
    }
    ck_assert_uint_gt(trained, 20);
    ck_assert_uint_gt(info.offset, 0); /* of the last */
    ddaebm_trainer_free(trainer);
}
END_TEST

START_TEST(wrong_rates_are_refused) {
    static const double bad[] = {-1e-9, 1.1e6, (double)NAN, (double)INFINITY};
    ddaebm_trainer *trainer = train("", 0);
    double rate = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ASSERT_FAILS(ddaebm_trainer_set_rate_factor(trainer, "", bad[i]), DDAEBM_OUT_OF_RANGE,
                     "allowed: 0 (frozen) to 1e+06");
    ASSERT_FAILS(ddaebm_trainer_set_rate_factor(trainer, "energie.", 1), DDAEBM_NOT_FOUND,
                 "begins with \"energie.\"");
    ASSERT_FAILS(
        ddaebm_trainer_set_rate_factor(trainer, "generator.net.layers_bn.0.running_mean", 1),
        DDAEBM_NOT_FOUND, "no trained");
    ASSERT_FAILS(ddaebm_trainer_set_rate_factor(NULL, "", 1), DDAEBM_INVALID_ARGUMENT, "trainer");
    ASSERT_FAILS(ddaebm_trainer_set_rate_factor(trainer, NULL, 1), DDAEBM_INVALID_ARGUMENT,
                 "prefix");
    ASSERT_FAILS(ddaebm_trainer_get_rate(trainer, "energy.", &rate), DDAEBM_NOT_FOUND,
                 "named \"energy.\"");
    ASSERT_FAILS(ddaebm_trainer_get_rate(trainer, "generator.net.layers_bn.0.running_mean", &rate),
                 DDAEBM_NOT_FOUND, "no trained");
    ASSERT_FAILS(ddaebm_trainer_get_rate(NULL, "", &rate), DDAEBM_INVALID_ARGUMENT, "trainer");
    ASSERT_FAILS(ddaebm_trainer_get_rate(trainer, NULL, &rate), DDAEBM_INVALID_ARGUMENT, "name");
    ASSERT_FAILS(ddaebm_trainer_get_rate(trainer, "", NULL), DDAEBM_INVALID_ARGUMENT, "rate");
    ASSERT_FAILS(ddaebm_trainer_set_last_step(NULL, 9), DDAEBM_INVALID_ARGUMENT, "trainer");
    ASSERT_FAILS(ddaebm_trainer_set_last_step(trainer, 0), DDAEBM_OUT_OF_RANGE, "training.steps");
    ASSERT_FAILS(ddaebm_trainer_set_last_step(trainer, UINT64_MAX), DDAEBM_OUT_OF_RANGE,
                 "training.steps");
    ck_assert_double_eq(rate, 7);
    ck_assert_double_eq(rate_of(trainer, "energy.net.layers.0.weight"), 1e-4);
    ddaebm_trainer_free(trainer);
}
END_TEST

int main(void) {
    use_fixture(begin, end);
    return RUN_TESTS("rates", a_schedule_of_the_callers_is_the_librarys_bit_for_bit,
                     a_group_has_its_rate, a_frozen_energy_is_one_that_is_not_updated,
                     a_frozen_network_alone_stands_still, factors_are_kept_in_a_checkpoint,
                     weights_may_be_updated_by_the_caller, offsets_lead_to_the_weights,
                     wrong_rates_are_refused);
}
