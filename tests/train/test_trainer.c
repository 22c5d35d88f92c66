/* The trainer: whole steps and their stages, failures, measurements, memory and state.
 *
 * Same seed and number of threads: same bits. Other numbers of threads add in another order, so the
 * gradients of a step agree within ACROSS_THREADS of a network's largest, no closer. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/extremes.h"
#include "support/same_state.h"

#include <math.h>

#define ACROSS_THREADS 1e-5

static ddaebm_trainer *train(const char *changes, const ddaebm_dataset *dataset, uint64_t seed) {
    ddaebm_model *model = small_model(context, changes, 3);
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, seed));
    ddaebm_model_free(model); /* copied */
    return trainer;
}

static void run(ddaebm_trainer *trainer, uint64_t last) {
    ASSERT_OK(ddaebm_trainer_run_until(trainer, last, NULL, NULL));
}

/* --- Steps. --- */

START_TEST(four_stages_are_a_step) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    ddaebm_trainer *whole = train(EVERYTHING, dataset, 5), *stages = train(EVERYTHING, dataset, 5);
    ddaebm_step_statistics a = DDAEBM_STEP_STATISTICS_INIT, b = DDAEBM_STEP_STATISTICS_INIT;
    for (int i = 0; i < 5; i++) {
        ASSERT_OK(ddaebm_trainer_step(whole, &a));
        ASSERT_OK(ddaebm_trainer_energy_gradients(stages));
        ASSERT_OK(ddaebm_trainer_energy_update(stages));
        ASSERT_OK(ddaebm_trainer_generator_gradients(stages));
        ASSERT_OK(ddaebm_trainer_generator_update(stages, &b));
        ck_assert_int_eq(memcmp(&a, &b, sizeof a), 0);
        ck_assert(same_state(whole, stages));
        ck_assert_uint_eq(a.step, (uint64_t)i + 1);
        ck_assert_uint_eq(ddaebm_trainer_steps(whole), (uint64_t)i + 1);
    }
    ddaebm_trainer_free(whole);
    ddaebm_trainer_free(stages);
    ddaebm_trainer_free(NULL);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(stages_out_of_order_are_refused) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    ddaebm_trainer *trainer = train(EVERYTHING, dataset, 5),
                   *straight = train(EVERYTHING, dataset, 5);
    ASSERT_FAILS(ddaebm_trainer_energy_update(trainer), DDAEBM_STATE,
                 "comes after ddaebm_trainer_energy_gradients");
    ASSERT_FAILS(ddaebm_trainer_generator_gradients(trainer), DDAEBM_STATE,
                 "comes after ddaebm_trainer_energy_gradients");
    ASSERT_FAILS(ddaebm_trainer_generator_update(trainer, NULL), DDAEBM_STATE,
                 "comes after ddaebm_trainer_generator_gradients");
    ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
    ASSERT_FAILS(ddaebm_trainer_generator_update(trainer, NULL), DDAEBM_STATE,
                 "ddaebm_trainer_generator_update");
    ASSERT_OK(ddaebm_trainer_energy_update(trainer));
    ASSERT_FAILS(ddaebm_trainer_energy_update(trainer), DDAEBM_STATE,
                 "ddaebm_trainer_energy_update"); /* not twice */
    ASSERT_FAILS(ddaebm_trainer_generator_update(trainer, NULL), DDAEBM_STATE,
                 "ddaebm_trainer_generator_update");
    ASSERT_OK(ddaebm_trainer_generator_gradients(trainer));
    ASSERT_FAILS(ddaebm_trainer_generator_gradients(trainer), DDAEBM_STATE,
                 "ddaebm_trainer_generator_gradients");
    ASSERT_FAILS(ddaebm_trainer_energy_update(trainer), DDAEBM_STATE,
                 "ddaebm_trainer_energy_update");
    ASSERT_OK(ddaebm_trainer_generator_update(trainer, NULL));
    ASSERT_FAILS(ddaebm_trainer_generator_update(trainer, NULL), DDAEBM_STATE,
                 "ddaebm_trainer_generator_update");
    ASSERT_FAILS(ddaebm_trainer_energy_update(trainer), DDAEBM_STATE,
                 "ddaebm_trainer_energy_update");
    run(straight, 1);
    ck_assert(same_state(trainer, straight)); /* refused calls did nothing */
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(straight);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* A step may be begun again, and the energy's update left out. */
START_TEST(a_step_may_be_begun_again) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    ddaebm_trainer *trainer = train("", dataset, 5), *straight = train("", dataset, 5);
    size_t elements = 0;
    float *weights = NULL;
    ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
    ASSERT_OK(ddaebm_trainer_generator_gradients(trainer));
    run(trainer, 1);
    run(straight, 1);
    ck_assert(same_state(trainer, straight));
    ASSERT_OK(ddaebm_trainer_weights(trainer, DDAEBM_NETWORK_ENERGY, &weights, &elements));
    float *before = malloc(elements * sizeof *before);
    memcpy(before, weights, elements * sizeof *before);
    ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
    ASSERT_OK(ddaebm_trainer_generator_gradients(trainer));
    ASSERT_OK(ddaebm_trainer_generator_update(trainer, NULL));
    ck_assert_int_eq(memcmp(before, weights, elements * sizeof *before), 0);
    ck_assert_uint_eq(ddaebm_trainer_steps(trainer), 2);
    free(before);
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(straight);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(the_seed_fixes_a_run) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2), *endless = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&endless, context, "pinwheel", 1));
    const ddaebm_dataset *const sets[] = {dataset, endless};
    for (int threads = 1; threads <= 3; threads++)
        for (int i = 0; i < 2; i++) {
            ASSERT_OK(ddaebm_context_set_threads(context, threads));
            ddaebm_trainer *a = train(EVERYTHING, sets[i], 5), *b = train(EVERYTHING, sets[i], 5),
                           *c = train(EVERYTHING, sets[i], 6);
            run(a, 6);
            run(b, 6);
            run(c, 6);
            ck_assert(same_state(a, b));
            ck_assert(!same_state(a, c));
            ddaebm_trainer_free(a);
            ddaebm_trainer_free(b);
            ddaebm_trainer_free(c);
        }
    ddaebm_dataset_free(dataset);
    ddaebm_dataset_free(endless);
}
END_TEST

/* Gradients of one step of the published networks at a batch that is cut into parts. */
static ddaebm_trainer *step_on(int threads, const ddaebm_dataset *dataset,
                               ddaebm_step_statistics *statistics) {
    ASSERT_OK(ddaebm_context_set_threads(context, threads));
    ddaebm_trainer *trainer = train("\"training.batch\":130,\"energy.hidden_layers\":[64,48],"
                                    "\"generator.hidden_layers\":[64,48]",
                                    dataset, 5);
    ASSERT_OK(ddaebm_trainer_step(trainer, statistics));
    return trainer;
}

START_TEST(threads_change_no_more_than_rounding) {
    ddaebm_dataset *dataset = small_rows(context, 300, 2);
    ddaebm_step_statistics one = DDAEBM_STEP_STATISTICS_INIT, more = DDAEBM_STEP_STATISTICS_INIT;
    ddaebm_trainer *alone = step_on(1, dataset, &one);
    for (int threads = 2; threads <= 3; threads++) {
        ddaebm_trainer *shared = step_on(threads, dataset, &more);
        ck_assert_double_eq_tol(one.energy_loss, more.energy_loss,
                                ACROSS_THREADS * fabs(one.energy_loss));
        ck_assert_double_eq_tol(one.penalty, more.penalty, ACROSS_THREADS * one.penalty);
        for (int n = 0; n < DD_NETWORKS; n++) {
            double largest = 0, worst = 0;
            for (size_t i = 0; i < alone->model->parameters.totals[n][DD_ROLE_WEIGHT]; i++) {
                largest = larger(largest, fabs((double)alone->planned.gradients[n][i]));
                worst = larger(worst, fabs((double)alone->planned.gradients[n][i] -
                                           (double)shared->planned.gradients[n][i]));
            }
            /* the energy's own step came first: where a gradient was rounding noise, its weights
             * differ by up to twice the rate */
            ck_assert_double_lt(worst,
                                (n == DDAEBM_NETWORK_ENERGY ? ACROSS_THREADS : 1e-3) * largest);
        }
        ddaebm_trainer_free(shared);
    }
    ddaebm_trainer_free(alone);
    ddaebm_dataset_free(dataset);
}
END_TEST

static int count_steps(void *user, const ddaebm_step_statistics *statistics, uint64_t last) {
    uint64_t *reported = user;
    ck_assert_uint_eq(statistics->struct_size, sizeof *statistics);
    ck_assert_uint_eq(statistics->step, ++reported[0]);
    ck_assert_uint_eq(last, reported[2]);
    return reported[0] == reported[1];
}

START_TEST(a_run_can_be_watched_and_cancelled) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    ddaebm_trainer *trainer = train(EVERYTHING, dataset, 5),
                   *straight = train(EVERYTHING, dataset, 5);
    uint64_t reported[3] = {0, 4, 9}; /* steps seen, where to cancel, the last */
    ASSERT_FAILS(ddaebm_trainer_run_until(trainer, 9, count_steps, reported), DDAEBM_CANCELLED,
                 "after step 4");
    ck_assert_uint_eq(ddaebm_trainer_steps(trainer), 4);
    reported[1] = 0;
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 9, count_steps, reported));
    ck_assert_uint_eq(reported[0], 9);
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 9, count_steps, reported)); /* there already */
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 3, count_steps, reported));
    ck_assert_uint_eq(reported[0], 9);
    run(straight, 9);
    ck_assert(same_state(trainer, straight));
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(straight);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(losses_fall) {
    ddaebm_dataset *dataset = small_rows(context, 64, 2);
    ddaebm_trainer *trainer = train("\"training.batch\":32,\"optimizer.energy_rate\":1e-3,"
                                    "\"optimizer.generator_rate\":3e-3,\"diffusion.beta_min\":0.1,"
                                    "\"diffusion.beta_max\":20",
                                    dataset, 5);
    ddaebm_step_statistics s = DDAEBM_STEP_STATISTICS_INIT;
    double first = 0, last = 0;
    for (int i = 0; i < 400; i++) {
        ASSERT_OK(ddaebm_trainer_step(trainer, &s));
        *(i < 20 ? &first : &last) += i < 20 || i >= 380 ? s.reconstruction_loss / 20 : 0;
        ck_assert_double_eq_tol(s.energy_loss, s.energy_fake - s.energy_real + s.penalty,
                                1e-5 * (1 + fabs(s.energy_loss)));
        ck_assert_double_eq_tol(s.generator_loss,
                                s.adversarial_loss + s.latent_loss + s.divergence_loss +
                                    s.reconstruction_loss,
                                1e-5 * (1 + fabs(s.generator_loss)));
        ck_assert_double_ge(s.penalty, 0);
        ck_assert_double_ge(s.divergence_loss, -1e-6);
    }
    ck_assert_msg(last < 0.7 * first, "the reconstruction loss went from %g to %g", first, last);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* --- The hook. --- */

typedef struct hooked {
    ddaebm_trainer *trainer;
    char order[32]; /* one letter a call */
    size_t calls;
    ddaebm_network target; /* whose call ... */
    ddaebm_status stop;    /* ... returns this ... */
    double factor;         /* ... and has its gradients multiplied by this */
} hooked;

static ddaebm_status hook(void *user, ddaebm_network network, float *gradients, size_t elements) {
    hooked *self = user;
    float *view = NULL;
    size_t count = 0;
    ASSERT_OK(ddaebm_trainer_gradients(self->trainer, network, &view, &count));
    ck_assert_ptr_eq(view, gradients);
    ck_assert_uint_eq(count, elements);
    double largest = 0;
    for (size_t i = 0; i < elements; i++)
        largest = larger(largest, fabs((double)gradients[i]));
    ck_assert_double_gt(largest, 0);
    self->order[self->calls++ % (sizeof self->order - 1)] = "egc"[network];
    if (network != self->target)
        return DDAEBM_OK;
    for (size_t i = 0; i < elements; i++)
        gradients[i] *= (float)self->factor;
    return self->stop;
}

START_TEST(the_hook_sees_each_network_in_turn) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    ddaebm_trainer *trainer = train("", dataset, 5), *free_one = train("", dataset, 5);
    hooked h = {.trainer = trainer, .factor = 1};
    ASSERT_OK(ddaebm_trainer_set_gradient_hook(trainer, hook, &h));
    run(trainer, 2);
    ck_assert_str_eq(h.order, "egcegc");
    run(free_one, 2);
    ck_assert(same_state(trainer, free_one)); /* looking changes nothing */
    ASSERT_OK(ddaebm_trainer_set_gradient_hook(trainer, NULL, NULL));
    run(trainer, 3);
    ck_assert_uint_eq(h.calls, 6);
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(free_one);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(the_hook_changes_what_is_applied) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    for (int n = 0; n < DD_NETWORKS; n++) {
        ddaebm_trainer *trainer = train("", dataset, 5);
        hooked h = {.trainer = trainer, .target = (ddaebm_network)n, .factor = 0};
        ASSERT_OK(ddaebm_trainer_set_gradient_hook(trainer, hook, &h));
        for (int other = 0; other < DD_NETWORKS; other++) {
            size_t elements = trainer->model->parameters.totals[other][DD_ROLE_WEIGHT];
            float *weights = trainer->model->weights.values[other][DD_ROLE_WEIGHT],
                  *before = malloc(elements * sizeof *before);
            memcpy(before, weights, elements * sizeof *before);
            run(trainer, (uint64_t)other + 1);
            ck_assert_int_eq(memcmp(before, weights, elements * sizeof *before) == 0,
                             other == n); /* no gradient, no change */
            free(before);
        }
        ddaebm_trainer_free(trainer);
    }
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(the_hook_can_stop_a_step) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    for (int n = 0; n < DD_NETWORKS; n++) {
        ddaebm_trainer *trainer = train(EVERYTHING, dataset, 5),
                       *straight = train(EVERYTHING, dataset, 5);
        run(trainer, 2);
        run(straight, 2);
        hooked h = {
            .trainer = trainer, .target = (ddaebm_network)n, .stop = DDAEBM_IO, .factor = 1};
        ASSERT_OK(ddaebm_trainer_set_gradient_hook(trainer, hook, &h));
        ASSERT_FAILS(ddaebm_trainer_step(trainer, NULL), DDAEBM_IO, "stopped step 3");
        ck_assert_uint_eq(h.calls, (size_t)n + 1);
        ck_assert_uint_eq(ddaebm_trainer_steps(trainer), 2);
        ck_assert(same_state(trainer, straight));
        ASSERT_OK(ddaebm_trainer_set_gradient_hook(trainer, NULL, NULL));
        run(straight, 4); /* it goes on as if nothing had been */
        run(trainer, 4);
        ck_assert(same_state(trainer, straight));
        run(trainer, 5);
        ddaebm_trainer_free(trainer);
        ddaebm_trainer_free(straight);
    }
    ddaebm_dataset_free(dataset);
}
END_TEST

/* --- What is not finite. --- */

typedef struct poisoned {
    uint64_t row; /* that holds a NaN */
    bool clean;
    ddaebm_status refuse; /* what reading it returns */
} poisoned;

static ddaebm_status read_poisoned(void *user, uint64_t first, size_t count, float *out) {
    const poisoned *self = user;
    dd_rng_normals(out, 3, dd_stream(DD_STREAM_DATA, 0), first * 2, count * 2);
    bool inside = self->row >= first && self->row < first + count;
    if (inside && !self->clean)
        out[2 * (self->row - first) + 1] = NAN;
    return inside ? self->refuse : DDAEBM_OK;
}

static ddaebm_dataset *poisoned_rows(poisoned *self) {
    ddaebm_source source = DDAEBM_SOURCE_INIT;
    ddaebm_dataset *dataset = NULL;
    source.width = 2;
    source.read = read_poisoned;
    source.user = self;
    ASSERT_OK(ddaebm_dataset_create_source(&dataset, context, &source));
    return dataset;
}

#define AS_IT_IS EVERYTHING ",\"data.standardize\":\"never\""

START_TEST(data_that_is_not_finite_stops_the_step) {
    poisoned bad = {.row = 2 * 8 + 3},
             good = {.row = 0, .clean = true}; /* in the third batch of eight */
    ddaebm_dataset *dataset = poisoned_rows(&bad), *healthy = poisoned_rows(&good);
    ddaebm_trainer *trainer = train(AS_IT_IS, dataset, 5), *straight = train(AS_IT_IS, healthy, 5);
    run(trainer, 2);
    run(straight, 2);
    for (int i = 0; i < 2; i++) {
        ASSERT_FAILS(ddaebm_trainer_step(trainer, NULL), DDAEBM_NOT_FINITE, "step 3");
        ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "energy"));
        ck_assert(same_state(trainer, straight));
    }
    bad =
        (poisoned){.row = UINT64_MAX,
                   .clean = true,
                   .refuse = DDAEBM_IO}; /* a step that is begun again, in vain, is begun no more */
    ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
    ASSERT_OK(ddaebm_trainer_generator_gradients(trainer));
    bad.row = 2 * 8 + 3;
    ck_assert_int_eq(ddaebm_trainer_energy_gradients(trainer), DDAEBM_IO);
    ASSERT_FAILS(ddaebm_trainer_generator_update(trainer, NULL), DDAEBM_STATE, "comes after");
    ck_assert(same_state(trainer, straight));
    bad.refuse = DDAEBM_OK;
    run(trainer, 5);
    run(straight, 5);
    ck_assert(same_state(trainer, straight));
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(straight);
    ddaebm_dataset_free(dataset);
    ddaebm_dataset_free(healthy);
}
END_TEST

/* A loss is infinite, though its gradients are good. */
static ddaebm_status spoil_loss(void *user, ddaebm_network network, float *gradients,
                                size_t elements) {
    ddaebm_trainer *trainer = user;
    (void)gradients, (void)elements;
    trainer->planned.losses[network == DDAEBM_NETWORK_ENERGY ? DD_LOSS_ENERGY : DD_LOSS_GENERATOR] =
        INFINITY;
    return DDAEBM_OK;
}

static ddaebm_status spoil_generators_loss(void *user, ddaebm_network network, float *gradients,
                                           size_t elements) {
    return network == DDAEBM_NETWORK_ENERGY ? DDAEBM_OK
                                            : spoil_loss(user, network, gradients, elements);
}

START_TEST(a_loss_alone_stops_the_step) {
    static const struct {
        ddaebm_gradient_hook hook;
        const char *reported;
    } rows[] = {{spoil_loss, "step 4: the loss of the energy is inf"},
                {spoil_generators_loss, "step 4: the loss of the generator is inf"}};
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    ddaebm_trainer *trainer = train(EVERYTHING, dataset, 5),
                   *straight = train(EVERYTHING, dataset, 5);
    run(trainer, 3);
    run(straight, 3);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ASSERT_OK(ddaebm_trainer_set_gradient_hook(trainer, rows[i].hook, trainer));
        ASSERT_FAILS(ddaebm_trainer_step(trainer, NULL), DDAEBM_NOT_FINITE, rows[i].reported);
        ck_assert(same_state(trainer, straight));
        ASSERT_FAILS(ddaebm_trainer_generator_update(trainer, NULL), DDAEBM_STATE,
                     "comes after"); /* it is over */
    }
    ASSERT_OK(ddaebm_trainer_set_gradient_hook(trainer, NULL, NULL));
    run(trainer, 6);
    run(straight, 6);
    ck_assert(same_state(trainer, straight));
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(straight);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(gradients_that_are_not_finite_stop_the_step) {
    static const char *const names[] = {"energy", "generator", "encoder"};
    static const char *const changes[] = {EVERYTHING, ""}; /* with first moments, and without */
    static const double bad[] = {(double)NAN, (double)INFINITY,
                                 1e30}; /* of which no square is a float */
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    for (int i = 0; i < 6 * DD_NETWORKS; i++) {
        ddaebm_trainer *trainer = train(changes[i % 2], dataset, 5),
                       *straight = train(changes[i % 2], dataset, 5);
        hooked h = {
            .trainer = trainer, .target = (ddaebm_network)(i / 6), .factor = bad[i / 2 % 3]};
        run(trainer, 3);
        run(straight, 3);
        ASSERT_OK(ddaebm_trainer_set_gradient_hook(trainer, hook, &h));
        for (int again = 0; again < 2; again++) {
            ASSERT_FAILS(ddaebm_trainer_step(trainer, NULL), DDAEBM_NOT_FINITE, "step 4");
            ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), names[i / 6]));
            ck_assert(same_state(trainer, straight));
        }
        ASSERT_OK(ddaebm_trainer_set_gradient_hook(trainer, NULL, NULL));
        run(trainer, 6);
        run(straight, 6);
        ck_assert(same_state(trainer, straight));
        ddaebm_trainer_free(trainer);
        ddaebm_trainer_free(straight);
    }
    ddaebm_dataset_free(dataset);
}
END_TEST

/* Of the stages, each is what was asked for: the energy's update stays, and the last may be tried
 * again with other gradients. */
START_TEST(a_half_that_fails_takes_back_no_other) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    ddaebm_trainer *trainer = train("", dataset, 5), *straight = train("", dataset, 5);
    float *gradients = NULL;
    size_t count = 0;
    ASSERT_OK(ddaebm_trainer_gradients(trainer, DDAEBM_NETWORK_ENCODER, &gradients, &count));
    ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
    ASSERT_OK(ddaebm_trainer_energy_update(trainer));
    ASSERT_OK(ddaebm_trainer_generator_gradients(trainer));
    float kept = gradients[count / 2];
    gradients[count / 2] = NAN;
    ASSERT_FAILS(ddaebm_trainer_generator_update(trainer, NULL), DDAEBM_NOT_FINITE, "encoder");
    gradients[count / 2] = kept;
    ASSERT_OK(ddaebm_trainer_generator_update(trainer, NULL));
    run(straight, 1);
    ck_assert(same_state(trainer, straight));
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(straight);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(a_weight_that_is_not_finite_is_noticed) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    for (int n = 0; n < 2; n++) {
        ddaebm_trainer *trainer = train("", dataset, 5);
        float *weights = NULL;
        size_t elements = 0;
        run(trainer, 1);
        ASSERT_OK(ddaebm_trainer_weights(trainer, (ddaebm_network)n, &weights, &elements));
        float before = weights[0];
        weights[0] = NAN;
        ASSERT_FAILS(ddaebm_trainer_step(trainer, NULL), DDAEBM_NOT_FINITE, "step 2");
        weights[0] = before;
        run(trainer, 3);
        ddaebm_trainer_free(trainer);
    }
    ddaebm_dataset_free(dataset);
}
END_TEST

/* Where nothing holds the energy of data and of samples together, the statistics show how they
 * part, long before a number is infinite. */
START_TEST(an_energy_that_runs_away_shows) {
    ddaebm_dataset *dataset = small_rows(context, 64, 2);
    ddaebm_trainer *trainer =
        train("\"objective.gamma\":0,\"optimizer.energy_rate\":0.05,\"optimizer.generator_rate\":0",
              dataset, 5);
    ddaebm_step_statistics first = DDAEBM_STEP_STATISTICS_INIT, last = DDAEBM_STEP_STATISTICS_INIT;
    ASSERT_OK(ddaebm_trainer_step(trainer, &first));
    for (int i = 0; i < 60; i++)
        ASSERT_OK(ddaebm_trainer_step(trainer, &last));
    ck_assert_double_lt(fabs(first.energy_real - first.energy_fake), 1);
    ck_assert_double_gt(last.energy_real - last.energy_fake,
                        100 * (1 + fabs(first.energy_real - first.energy_fake)));
    ck_assert(isfinite(last.energy_loss));
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(what_the_data_set_says_is_the_result) {
    poisoned bad = {.row = 11, .clean = true, .refuse = DDAEBM_IO};
    ddaebm_dataset *dataset = poisoned_rows(&bad);
    ddaebm_trainer *trainer = train(AS_IT_IS, dataset, 5);
    run(trainer, 1);
    ck_assert_int_eq(ddaebm_trainer_step(trainer, NULL), DDAEBM_IO);
    ck_assert_uint_eq(ddaebm_trainer_steps(trainer), 1);
    bad.refuse = DDAEBM_OK;
    run(trainer, 3);
    ddaebm_trainer_free(trainer);
    bad.refuse = DDAEBM_NOT_FOUND;
    ddaebm_model *model = small_model(context, EVERYTHING, 3);
    trainer = NULL;
    ck_assert_int_eq(ddaebm_trainer_create(&trainer, model, dataset, 1),
                     DDAEBM_NOT_FOUND); /* measured first */
    ck_assert_ptr_null(trainer);
    bad = (poisoned){.row = 11};
    ASSERT_FAILS(ddaebm_trainer_create(&trainer, model, dataset, 1), DDAEBM_NOT_FINITE,
                 "column 2 (from 1)");
    ck_assert_ptr_null(trainer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* --- Rates and averages. --- */

START_TEST(the_rate_follows_its_schedule) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    ddaebm_trainer *constant = train("\"optimizer.generator_rate\":2e-3", dataset, 5);
    ddaebm_trainer *cosine = train("\"optimizer.generator_rate\":2e-3,\"optimizer.energy_rate\":1e-"
                                   "3,\"optimizer.rate_schedule\":\"cosine\","
                                   "\"optimizer.final_rate\":1e-4,\"training.steps\":10",
                                   dataset, 5);
    ddaebm_step_statistics s = DDAEBM_STEP_STATISTICS_INIT;
    for (int i = 0; i < 14; i++) {
        double expected = i >= 10 ? 1e-4 : 1e-4 + (2e-3 - 1e-4) * (1 + cos(acos(-1) * i / 10)) / 2;
        ASSERT_OK(ddaebm_trainer_step(constant, &s));
        ck_assert_double_eq(s.learning_rate, 2e-3);
        ASSERT_OK(ddaebm_trainer_step(cosine, &s));
        ck_assert_double_eq_tol(s.learning_rate, expected, 1e-12);
    }
    ddaebm_trainer_free(constant);
    ddaebm_trainer_free(cosine);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* Without a first moment the first step is the rate times the gradient's sign, so the largest
 * change is the rate. */
START_TEST(each_network_has_its_rate) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    ddaebm_trainer *trainer =
        train("\"optimizer.energy_rate\":3e-3,\"optimizer.generator_rate\":1e-3", dataset, 5);
    ddaebm_model *start = small_model(context, "", 3);
    run(trainer, 1);
    for (int n = 0; n < DD_NETWORKS; n++) {
        double largest = 0;
        for (size_t i = 0; i < start->parameters.totals[n][DD_ROLE_WEIGHT]; i++)
            largest = larger(largest, fabs((double)trainer->model->weights.values[n][0][i] -
                                           (double)start->weights.values[n][0][i]));
        ck_assert_double_eq_tol(largest, n == DDAEBM_NETWORK_ENERGY ? 3e-3 : 1e-3, 1e-6);
    }
    ddaebm_model_free(start);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

static void flatten(const dd_parameters *parameters, const dd_weights *weights, double *out) {
    for (int n = 0; n < DD_NETWORKS; n++)
        for (int role = 0; role < 2; role++)
            for (size_t i = 0; i < parameters->totals[n][role]; i++)
                *out++ = (double)weights->values[n][role][i];
}

/* The average is the weights after the first step, and from then on moves 9 / (step + 8) of the
 * way, but at least a tenth; statistics of batch norms move with it. A snapshot is the average. */
START_TEST(averages_start_after_the_first_step) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    ddaebm_trainer *trainer = train(EVERYTHING, dataset, 5),
                   *raw = train("\"optimizer.ema_decay\":0", dataset, 5);
    const dd_parameters *parameters = &trainer->model->parameters;
    size_t count = 0;
    for (int n = 0; n < DD_NETWORKS; n++)
        count += parameters->totals[n][0] + parameters->totals[n][1];
    double *expected = calloc(count, sizeof *expected), *now = calloc(count, sizeof *now);
    for (int step = 1; step <= 100; step++) {
        const double moves = 9.0 / (step + 8) > 0.1 ? 9.0 / (step + 8) : 0.1;
        ddaebm_model *snapshot = NULL;
        run(trainer, (uint64_t)step);
        flatten(parameters, &trainer->model->weights, now);
        for (size_t i = 0; i < count; i++)
            expected[i] += moves * (now[i] - expected[i]);
        ASSERT_OK(ddaebm_trainer_snapshot(&snapshot, trainer));
        flatten(parameters, &snapshot->weights, now);
        for (size_t i = 0; i < count; i++)
            ck_assert_double_eq_tol(now[i], expected[i], 1e-6 * (1 + fabs(expected[i])));
        for (int n = 0; n < DD_NETWORKS; n++)
            ck_assert_int_eq(memcmp(snapshot->weights.counters[n],
                                    trainer->model->weights.counters[n],
                                    parameters->totals[n][DD_ROLE_COUNTER] * sizeof(int64_t)),
                             0);
        ddaebm_model_free(snapshot);
    }
    ddaebm_model *snapshot = NULL;
    run(raw, 3);
    ASSERT_OK(ddaebm_trainer_snapshot(&snapshot, raw));
    ck_assert(same_models(snapshot, raw->model));
    run(raw, 4); /* which it is no more */
    ck_assert(!same_models(snapshot, raw->model));
    ddaebm_model_free(snapshot);
    free(expected);
    free(now);
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(raw);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* --- Standardisation. --- */

START_TEST(columns_are_measured) {
    enum { ROWS = 1000, WIDTH = 4 };
    static const double means[WIDTH] = {0, 5, -1e4, 3}, deviations[WIDTH] = {1, 0.01, 250, 0};
    heard log = {0};
    float *rows = malloc(ROWS * WIDTH * sizeof *rows);
    double mean[WIDTH] = {0}, square[WIDTH] = {0};
    dd_rng_normals(rows, 1, dd_stream(DD_STREAM_DATA, 0), 0, ROWS * WIDTH);
    for (size_t i = 0; i < ROWS * WIDTH; i++) {
        rows[i] = (float)(means[i % WIDTH] + deviations[i % WIDTH] * (double)rows[i]);
        mean[i % WIDTH] += (double)rows[i] / ROWS;
    }
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        square[i % WIDTH] +=
            ((double)rows[i] - mean[i % WIDTH]) * ((double)rows[i] - mean[i % WIDTH]) / ROWS;
    ddaebm_dataset *dataset = NULL;
    ASSERT_OK(ddaebm_dataset_create_rows(&dataset, context, rows, ROWS, WIDTH));
    ASSERT_OK(ddaebm_context_set_log(context, hear, &log, DDAEBM_LOG_WARNING));
    ddaebm_trainer *trainer = train("\"data.width\":4,\"diffusion.beta_max\":20", dataset, 5);
    ck_assert_uint_eq(log.warnings, 1);
    ck_assert_str_eq(log.last, "column 4 of the data is constant");
    for (size_t j = 0; j < WIDTH; j++) {
        ck_assert_double_eq_tol(trainer->model->mean[j], mean[j], 1e-12 * (1 + fabs(mean[j])));
        ck_assert_double_eq_tol(trainer->model->scale[j], j == 3 ? 0 : sqrt(square[j]),
                                1e-12 * sqrt(square[j]));
    }
    ddaebm_model *snapshot = NULL;
    run(trainer, 2); /* on rows that are standardised */
    ASSERT_OK(ddaebm_trainer_snapshot(&snapshot, trainer));
    ck_assert_int_eq(memcmp(snapshot->mean, trainer->model->mean, WIDTH * sizeof(double)), 0);
    ck_assert_int_eq(memcmp(snapshot->scale, trainer->model->scale, WIDTH * sizeof(double)), 0);
    for (size_t i = 0; i < trainer->batch.size * WIDTH; i++)
        ck_assert_double_lt(fabs((double)trainer->batch.inputs[DD_SLOT_X0][i]), 6);
    ddaebm_model_free(snapshot);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
    free(rows);
}
END_TEST

static bool measured(const char *rule, const ddaebm_dataset *dataset) {
    char changes[64];
    snprintf(changes, sizeof changes, "\"data.standardize\":\"%s\"", rule);
    ddaebm_trainer *trainer = train(changes, dataset, 5);
    bool as_it_was = trainer->model->mean[0] == 0 && trainer->model->scale[0] == 1;
    ddaebm_trainer_free(trainer);
    return !as_it_was;
}

START_TEST(what_is_standardised_is_said_by_the_configuration) {
    ddaebm_dataset *rows = small_rows(context, 30, 2), *named = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&named, context, "25gaussians", 1));
    ck_assert(measured("always", rows));
    ck_assert(measured("always", named));
    ck_assert(measured("files", rows));
    ck_assert(!measured("files", named));
    ck_assert(!measured("never", rows));
    ck_assert(!measured("never", named));
    ddaebm_dataset_free(rows);
    ddaebm_dataset_free(named);
}
END_TEST

/* Each row once an epoch, in an order that the next does not share. */
START_TEST(epochs_hold_every_row_once) {
    enum { ROWS = 24 };
    float rows[ROWS];
    ddaebm_dataset *dataset = NULL;
    for (int i = 0; i < ROWS; i++)
        rows[i] = (float)i;
    ASSERT_OK(ddaebm_dataset_create_rows(&dataset, context, rows, ROWS, 1));
    ddaebm_trainer *trainer = train("\"data.width\":1,\"data.standardize\":\"never\"", dataset, 5);
    int order[2][ROWS];
    for (int epoch = 0; epoch < 2; epoch++) {
        int seen[ROWS] = {0};
        for (int step = 0; step < ROWS / 8; step++) {
            ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
            for (int i = 0; i < 8; i++) {
                order[epoch][step * 8 + i] = (int)trainer->batch.inputs[DD_SLOT_X0][i];
                seen[order[epoch][step * 8 + i]]++;
                ck_assert_float_ge(trainer->batch.inputs[DD_SLOT_TIMESTEP][i], 0.0f);
                ck_assert_float_le(trainer->batch.inputs[DD_SLOT_TIMESTEP][i], 3.0f);
            }
            run(trainer, ddaebm_trainer_steps(trainer) + 1);
        }
        for (int i = 0; i < ROWS; i++)
            ck_assert_int_eq(seen[i], 1);
    }
    ck_assert_int_ne(memcmp(order[0], order[1], sizeof order[0]), 0);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* --- Memory. --- */

START_TEST(steps_do_not_allocate) {
    ddaebm_dataset *rows = small_rows(context, 13, 2), *named = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&named, context, "swissroll", 1));
    const ddaebm_dataset *const sets[] = {rows, named};
    for (int threads = 1; threads <= 2; threads++)
        for (int i = 0; i < 2; i++) {
            ASSERT_OK(ddaebm_context_set_threads(context, threads));
            ddaebm_trainer *trainer = train(EVERYTHING, sets[i], 5);
            run(trainer, 1);
            size_t calls = counted.calls;
            run(trainer, 12);
            ck_assert_uint_eq(counted.calls, calls);
            ddaebm_trainer_free(trainer);
        }
    ddaebm_dataset_free(rows);
    ddaebm_dataset_free(named);
}
END_TEST

START_TEST(memory_is_known_beforehand) {
    static const char *const presets[] = {"toy", "points"};
    ddaebm_dataset *named = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&named, context, "25gaussians", 1));
    for (int i = 0; i < 4; i++) {
        ddaebm_config *config = NULL;
        ddaebm_model *model = NULL;
        ddaebm_trainer *trainer = NULL;
        size_t said = 0;
        ASSERT_OK(ddaebm_context_set_threads(context, 1 + i / 2));
        ASSERT_OK(ddaebm_config_create(&config, context, presets[i % 2]));
        size_t before = counted.bytes;
        ASSERT_OK(ddaebm_config_training_memory(config, context, &said));
        ck_assert_uint_eq(counted.bytes, before); /* nothing is kept */
        ASSERT_OK(ddaebm_model_create(&model, context, config, 1));
        before = counted.bytes;
        ASSERT_OK(ddaebm_trainer_create(&trainer, model, named, 1));
        run(trainer, 1);
        double held = (double)(counted.bytes - before);
        ck_assert_msg(fabs((double)said - held) < 0.1 * held,
                      "%s: said to hold %zu bytes, holds %.0f", presets[i % 2], said, held);
        ddaebm_trainer_free(trainer);
        ddaebm_model_free(model);
        ddaebm_config_free(config);
    }
    ddaebm_dataset_free(named);
}
END_TEST

START_TEST(memory_may_run_out) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    ddaebm_model *model = small_model(context, EVERYTHING, 3), *snapshot = NULL;
    ddaebm_trainer *trainer = NULL;
    void *none = NULL;
    size_t bytes = 0;
    for (int on = 0; on < 2; on++) {
        SWEEP_ALLOCATIONS_FROM(counted, trainer, ddaebm_trainer_create(&trainer, model, dataset, 1),
                               on);
        run(trainer, 1);
        SWEEP_ALLOCATIONS_FROM(counted, snapshot, ddaebm_trainer_snapshot(&snapshot, trainer), on);
        ddaebm_model_free(snapshot);
        ddaebm_trainer_free(trainer);
        SWEEP_ALLOCATIONS_FROM(
            counted, none,
            ddaebm_config_training_memory(ddaebm_model_config(model), context, &bytes), on);
        snapshot = NULL;
        trainer = NULL;
    }
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* --- Arguments. --- */

START_TEST(wrong_arguments_are_refused) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2), *wide = small_rows(context, 13, 3);
    ddaebm_model *model = small_model(context, "", 3), *snapshot = NULL;
    ddaebm_trainer *trainer = NULL;
    ddaebm_step_statistics s = DDAEBM_STEP_STATISTICS_INIT;
    float *values = NULL;
    size_t count = 0;
    ASSERT_FAILS(ddaebm_trainer_create(NULL, model, dataset, 1), DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_trainer_create(&trainer, NULL, dataset, 1), DDAEBM_INVALID_ARGUMENT,
                 "model");
    ASSERT_FAILS(ddaebm_trainer_create(&trainer, model, NULL, 1), DDAEBM_INVALID_ARGUMENT,
                 "dataset");
    ASSERT_FAILS(ddaebm_trainer_create(&trainer, model, wide, 1), DDAEBM_MISMATCH,
                 "rows of 3 numbers, the model of 2");
    ck_assert_ptr_null(trainer);
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 1));
    s.struct_size = sizeof s - 4;
    ASSERT_FAILS(ddaebm_trainer_step(trainer, &s), DDAEBM_INVALID_ARGUMENT,
                 "DDAEBM_STEP_STATISTICS_INIT");
    ck_assert_uint_eq(ddaebm_trainer_steps(trainer), 0);
    ck_assert_int_eq(trainer->stage, DD_STAGE_NONE); /* nothing was begun */
    ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
    ASSERT_OK(ddaebm_trainer_energy_update(trainer));
    ASSERT_OK(ddaebm_trainer_generator_gradients(trainer));
    ASSERT_FAILS(ddaebm_trainer_generator_update(trainer, &s), DDAEBM_INVALID_ARGUMENT,
                 "struct_size");
    ASSERT_OK(ddaebm_trainer_generator_update(trainer, NULL));
    ASSERT_FAILS(ddaebm_trainer_step(NULL, NULL), DDAEBM_INVALID_ARGUMENT, "trainer");
    ASSERT_FAILS(ddaebm_trainer_run_until(NULL, 1, NULL, NULL), DDAEBM_INVALID_ARGUMENT, "trainer");
    ASSERT_FAILS(ddaebm_trainer_energy_gradients(NULL), DDAEBM_INVALID_ARGUMENT, "trainer");
    ASSERT_FAILS(ddaebm_trainer_energy_update(NULL), DDAEBM_INVALID_ARGUMENT, "trainer");
    ASSERT_FAILS(ddaebm_trainer_generator_gradients(NULL), DDAEBM_INVALID_ARGUMENT, "trainer");
    ASSERT_FAILS(ddaebm_trainer_generator_update(NULL, NULL), DDAEBM_INVALID_ARGUMENT, "trainer");
    ASSERT_FAILS(ddaebm_trainer_snapshot(&snapshot, NULL), DDAEBM_INVALID_ARGUMENT, "trainer");
    ASSERT_FAILS(ddaebm_trainer_snapshot(NULL, trainer), DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_trainer_set_gradient_hook(NULL, hook, NULL), DDAEBM_INVALID_ARGUMENT,
                 "trainer");
    ASSERT_FAILS(ddaebm_trainer_weights(NULL, DDAEBM_NETWORK_ENERGY, &values, &count),
                 DDAEBM_INVALID_ARGUMENT, "trainer");
    ASSERT_FAILS(ddaebm_trainer_weights(trainer, DDAEBM_NETWORK_ENERGY, NULL, &count),
                 DDAEBM_INVALID_ARGUMENT, "values");
    ASSERT_FAILS(ddaebm_trainer_weights(trainer, DDAEBM_NETWORK_ENERGY, &values, NULL),
                 DDAEBM_INVALID_ARGUMENT, "elements");
    ASSERT_FAILS(ddaebm_trainer_weights(trainer, (ddaebm_network)3, &values, &count),
                 DDAEBM_INVALID_ARGUMENT, "network is 3");
    ASSERT_FAILS(ddaebm_trainer_gradients(trainer, (ddaebm_network)-1, &values, &count),
                 DDAEBM_INVALID_ARGUMENT, "network is -1");
    ASSERT_FAILS(ddaebm_trainer_gradients(trainer, DDAEBM_NETWORK_ENCODER, NULL, &count),
                 DDAEBM_INVALID_ARGUMENT, "values");
    ASSERT_FAILS(ddaebm_config_training_memory(NULL, context, &count), DDAEBM_INVALID_ARGUMENT,
                 "config");
    ASSERT_FAILS(ddaebm_config_training_memory(ddaebm_model_config(model), context, NULL),
                 DDAEBM_INVALID_ARGUMENT, "bytes");
    ck_assert_ptr_null(values);
    ck_assert_uint_eq(count, 0);
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
    ddaebm_dataset_free(wide);
}
END_TEST

/* Flat weights are the model's tensors one after the other. */
START_TEST(views_are_in_the_order_of_the_parameters) {
    ddaebm_dataset *dataset = small_rows(context, 13, 2);
    ddaebm_trainer *trainer = train("\"optimizer.ema_decay\":0", dataset, 5);
    ddaebm_model *snapshot = NULL;
    ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
    run(trainer, 2);
    ASSERT_OK(ddaebm_trainer_snapshot(&snapshot, trainer));
    size_t at[3] = {0}, count = 0, gradients = 0;
    float *views[3], *slopes = NULL;
    for (int n = 0; n < 3; n++) {
        ASSERT_OK(ddaebm_trainer_weights(trainer, (ddaebm_network)n, &views[n], &count));
        ASSERT_OK(ddaebm_trainer_gradients(trainer, (ddaebm_network)n, &slopes, &gradients));
        ck_assert_uint_eq(count, gradients);
    }
    for (size_t i = 0; i < ddaebm_model_parameter_count(snapshot); i++) {
        float values[256];
        ASSERT_OK(ddaebm_model_parameter_info(snapshot, i, &info));
        if (!info.trained)
            continue;
        ck_assert_uint_le(info.elements, 256);
        ASSERT_OK(ddaebm_model_parameter(snapshot, info.name, values, info.elements));
        ck_assert_int_eq(
            memcmp(values, views[info.network] + at[info.network], info.elements * sizeof(float)),
            0);
        at[info.network] += info.elements;
    }
    int64_t batch = 0;
    ASSERT_OK(ddaebm_config_integer(ddaebm_trainer_config(trainer), "training.batch", &batch));
    ck_assert_int_eq(batch, 8);
    ddaebm_model_free(snapshot);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS(
        "trainer", four_stages_are_a_step, stages_out_of_order_are_refused,
        a_step_may_be_begun_again, the_seed_fixes_a_run, threads_change_no_more_than_rounding,
        a_run_can_be_watched_and_cancelled, losses_fall, the_hook_sees_each_network_in_turn,
        the_hook_changes_what_is_applied, the_hook_can_stop_a_step,
        data_that_is_not_finite_stops_the_step, a_loss_alone_stops_the_step,
        gradients_that_are_not_finite_stop_the_step, a_half_that_fails_takes_back_no_other,
        a_weight_that_is_not_finite_is_noticed, an_energy_that_runs_away_shows,
        what_the_data_set_says_is_the_result, the_rate_follows_its_schedule,
        each_network_has_its_rate, averages_start_after_the_first_step, columns_are_measured,
        what_is_standardised_is_said_by_the_configuration, epochs_hold_every_row_once,
        steps_do_not_allocate, memory_is_known_beforehand, memory_may_run_out,
        wrong_arguments_are_refused, views_are_in_the_order_of_the_parameters);
}
