/* A step, by halves: gradients of the energy, its update, gradients of generator and encoder, their
 * update. */
#include "train/trainer.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "tensor/kernels/blas_threads.h"

#include <math.h>
#include <string.h>

static dd_pool *pool_of(const ddaebm_trainer *trainer) {
    return dd_context_pool(trainer->model->context);
}

/* Where no loss reaches, a hook may have written in the step before, or the other phase's gradients
 * be. */
static void clear_unused_gradients(ddaebm_trainer *trainer, int phase) {
    const dd_parameters *parameters = &trainer->model->parameters;
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        bool computed = (p->network == DDAEBM_NETWORK_ENERGY) == (phase == 0);
        if (p->role == DD_ROLE_WEIGHT && computed && !trainer->graph.used[i])
            memset(trainer->gradients[p->network] + p->offset, 0, p->elements * sizeof(float));
    }
}

void dd_trainer_compute(ddaebm_trainer *trainer, int phase) {
    clear_unused_gradients(trainer, phase);
    dd_blas_enter();
    dd_workspace_run(trainer->workspace, phase, pool_of(trainer), false);
    dd_blas_leave();
}

#define REMEDY "Lower optimizer.energy_rate and optimizer.generator_rate, or raise objective.gamma"

/* Refuses to go on with a loss or a gradient that is not finite; no weight of that network has
 * changed. */
static ddaebm_status check_finite(const ddaebm_trainer *trainer, ddaebm_network network,
                                  dd_loss loss) {
    const char *name = dd_network_name(network);
    unsigned long long step = (unsigned long long)trainer->step + 1;
    if (!isfinite(trainer->losses[loss]))
        return dd_fail(
            DDAEBM_NOT_FINITE,
            "step %llu: the loss of the %s is %g; its weights stay as they were. " REMEDY, step,
            name, (double)trainer->losses[loss]);
    if (!dd_all_within(trainer->gradients[network],
                       trainer->model->parameters.totals[network][DD_ROLE_WEIGHT], DD_MOST_GRADIENT,
                       pool_of(trainer)))
        return dd_fail(DDAEBM_NOT_FINITE,
                       "step %llu: a gradient of the %s is not finite, or beyond 1e18; its weights "
                       "stay as they were. " REMEDY,
                       step, name);
    return DDAEBM_OK;
}

static ddaebm_status call_hook(ddaebm_trainer *trainer, ddaebm_network network) {
    if (!trainer->hook)
        return DDAEBM_OK;
    ddaebm_status status =
        trainer->hook(trainer->hook_user, network, trainer->gradients[network],
                      trainer->model->parameters.totals[network][DD_ROLE_WEIGHT]);
    return status == DDAEBM_OK ? status
                               : dd_fail(status, "the gradient hook stopped step %llu",
                                         (unsigned long long)trainer->step + 1);
}

static bool is_updated(const ddaebm_trainer *trainer, size_t index) {
    return trainer->graph.used[index] && trainer->adam[index].rate_factor > 0;
}

/* Adam on those weights of a network that its loss depends on and that are not frozen. Neighbours
 * with as many updates, and one rate, are taken in one go. */
static void update(ddaebm_trainer *trainer, ddaebm_network network) {
    const dd_parameters *parameters = &trainer->model->parameters;
    double rate = dd_trainer_rate(trainer, network);
    for (size_t i = 0; i < parameters->count;) {
        const dd_parameter *p = &parameters->items[i];
        if (p->network != network || p->role != DD_ROLE_WEIGHT || !is_updated(trainer, i)) {
            i++;
            continue;
        }
        dd_adam_state state = trainer->adam[i];
        size_t count = 0;
        for (; i < parameters->count && parameters->items[i].network == network; i++) {
            const dd_parameter *next = &parameters->items[i];
            if (next->role != DD_ROLE_WEIGHT)
                continue; /* statistics lie elsewhere */
            const dd_adam_state *other = &trainer->adam[i];
            if (!is_updated(trainer, i) || other->updates != state.updates ||
                other->rate_factor != state.rate_factor)
                break;
            count += next->elements;
            trainer->adam[i].updates++;
        }
        dd_adam_update(&state, dd_weights_at(&trainer->model->weights, p),
                       trainer->gradients[network] + p->offset, count, rate * state.rate_factor,
                       dd_trainer_settings(trainer), pool_of(trainer));
    }
}

/* A half is done once a step: phases of a plan are run once each, in turn. */
static ddaebm_status expect_stage(const ddaebm_trainer *trainer, dd_stage least, dd_stage most,
                                  const char *call, const char *before) {
    if (trainer->stage >= least && trainer->stage <= most)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_STATE, "%s comes after %s, once a step", call, before);
}

ddaebm_status ddaebm_trainer_energy_gradients(ddaebm_trainer *trainer) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    trainer->stage = DD_STAGE_BEGIN; /* whatever was begun: its batch is about to go */
    ddaebm_status status = dd_blas_check();
    if (status == DDAEBM_OK)
        status = dd_trainer_draw(trainer);
    if (status != DDAEBM_OK)
        return status;
    dd_trainer_compute(trainer, 0);
    trainer->stage = DD_STAGE_ENERGY_KNOWN;
    return DDAEBM_OK;
}

/* All of the energy's update that may fail, */
static ddaebm_status admit_energy(ddaebm_trainer *trainer) {
    ddaebm_status status = call_hook(trainer, DDAEBM_NETWORK_ENERGY);
    return status == DDAEBM_OK ? check_finite(trainer, DDAEBM_NETWORK_ENERGY, DD_LOSS_ENERGY)
                               : status;
}

/* and the rest. */
static void update_energy(ddaebm_trainer *trainer) {
    update(trainer, DDAEBM_NETWORK_ENERGY);
    trainer->stage = DD_STAGE_ENERGY_UPDATED;
}

ddaebm_status ddaebm_trainer_energy_update(ddaebm_trainer *trainer) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    ddaebm_status status;
    DD_TRY(expect_stage(trainer, DD_STAGE_ENERGY_KNOWN, DD_STAGE_ENERGY_KNOWN, __func__,
                        "ddaebm_trainer_energy_gradients"));
    DD_TRY(admit_energy(trainer));
    update_energy(trainer);
cleanup:
    return status;
}

ddaebm_status ddaebm_trainer_generator_gradients(ddaebm_trainer *trainer) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    ddaebm_status status;
    DD_TRY(expect_stage(trainer, DD_STAGE_ENERGY_KNOWN, DD_STAGE_ENERGY_UPDATED, __func__,
                        "ddaebm_trainer_energy_gradients"));
    DD_TRY(dd_blas_check());
    DD_TRY(dd_trainer_call_sample_hook(trainer));
    dd_trainer_compute(trainer, 1);
    trainer->stage = DD_STAGE_GENERATOR_KNOWN;
cleanup:
    return status;
}

/* What the batch norms of this step saw becomes the model's. */
static void commit_statistics(ddaebm_trainer *trainer) {
    const dd_parameters *parameters = &trainer->model->parameters;
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        if (p->role == DD_ROLE_COUNTER)
            trainer->model->weights.counters[p->network][p->offset] += trainer->graph.calls[i];
        else if (trainer->graph.moved[i])
            memcpy(dd_weights_at(&trainer->model->weights, p),
                   trainer->statistics[p->network] + p->offset, p->elements * sizeof(float));
    }
}

/* Averages start as the weights after the first step. Statistics of a batch norm are averaged with
 * the weights that they belong to.
 */
static void update_averages(ddaebm_trainer *trainer) {
    if (!trainer->averaging)
        return;
    const dd_parameters *parameters = &trainer->model->parameters;
    double decay = trainer->step == 1 ? 0 : dd_trainer_settings(trainer)->optimizer.ema_decay;
    for (int n = 0; n < DD_NETWORKS; n++) {
        for (int role = 0; role < 2; role++)
            dd_average_update(trainer->average.values[n][role],
                              trainer->model->weights.values[n][role], parameters->totals[n][role],
                              decay, pool_of(trainer));
        memcpy(trainer->average.counters[n], trainer->model->weights.counters[n],
               parameters->totals[n][DD_ROLE_COUNTER] * sizeof(int64_t));
    }
}

static void report(const ddaebm_trainer *trainer, double rate, ddaebm_step_statistics *out) {
    const float *losses = trainer->losses;
    const ddaebm_step_statistics known = {.step = trainer->step,
                                          .learning_rate = rate,
                                          .energy_loss = (double)losses[DD_LOSS_ENERGY],
                                          .energy_real = (double)losses[DD_LOSS_ENERGY_REAL],
                                          .energy_fake = (double)losses[DD_LOSS_ENERGY_FAKE],
                                          .penalty = (double)losses[DD_LOSS_PENALTY],
                                          .generator_loss = (double)losses[DD_LOSS_GENERATOR],
                                          .adversarial_loss = (double)losses[DD_LOSS_ADVERSARIAL],
                                          .latent_loss = (double)losses[DD_LOSS_LATENT],
                                          .divergence_loss = (double)losses[DD_LOSS_DIVERGENCE],
                                          .reconstruction_loss =
                                              (double)losses[DD_LOSS_RECONSTRUCTION]};
    dd_struct_out(out, &known, sizeof known);
}

static ddaebm_status check_statistics(const ddaebm_step_statistics *statistics) {
    return statistics ? dd_struct_check(statistics, "DDAEBM_STEP_STATISTICS_INIT") : DDAEBM_OK;
}

ddaebm_status ddaebm_trainer_generator_update(ddaebm_trainer *trainer,
                                              ddaebm_step_statistics *statistics) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    ddaebm_status status;
    DD_TRY(check_statistics(statistics));
    DD_TRY(expect_stage(trainer, DD_STAGE_GENERATOR_KNOWN, DD_STAGE_GENERATOR_KNOWN, __func__,
                        "ddaebm_trainer_generator_gradients"));
    DD_TRY(call_hook(trainer, DDAEBM_NETWORK_GENERATOR));
    DD_TRY(call_hook(trainer, DDAEBM_NETWORK_ENCODER));
    DD_TRY(check_finite(trainer, DDAEBM_NETWORK_GENERATOR, DD_LOSS_GENERATOR));
    DD_TRY(check_finite(trainer, DDAEBM_NETWORK_ENCODER, DD_LOSS_GENERATOR));
    double rate = dd_trainer_rate(trainer, DDAEBM_NETWORK_GENERATOR);
    update(trainer, DDAEBM_NETWORK_GENERATOR);
    update(trainer, DDAEBM_NETWORK_ENCODER);
    commit_statistics(trainer);
    trainer->step++;
    update_averages(trainer);
    dd_held_out_look(trainer);
    trainer->stage = DD_STAGE_BEGIN;
    if (statistics)
        report(trainer, rate, statistics);
cleanup:
    return status;
}

/* Wholly or not at all. */
ddaebm_status ddaebm_trainer_step(ddaebm_trainer *trainer, ddaebm_step_statistics *statistics) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    ddaebm_status status = check_statistics(statistics);
    if (status != DDAEBM_OK)
        return status;
    DD_TRY(ddaebm_trainer_energy_gradients(trainer));
    DD_TRY(admit_energy(trainer));
    dd_trainer_keep_energy(trainer);
    update_energy(trainer);
    DD_TRY(ddaebm_trainer_generator_gradients(trainer));
    DD_TRY(ddaebm_trainer_generator_update(trainer, statistics));
    return DDAEBM_OK;
cleanup:
    if (trainer->stage >= DD_STAGE_ENERGY_UPDATED)
        dd_trainer_restore_energy(trainer);
    trainer->stage = DD_STAGE_BEGIN;
    return status;
}

ddaebm_status ddaebm_trainer_run_until(ddaebm_trainer *trainer, uint64_t last,
                                       ddaebm_step_function progress, void *user) {
    DD_REQUIRE(trainer);
    ddaebm_step_statistics statistics = DDAEBM_STEP_STATISTICS_INIT;
    while (trainer->step < last) {
        ddaebm_status status = ddaebm_trainer_step(trainer, &statistics);
        if (status != DDAEBM_OK)
            return status;
        if (progress && progress(user, &statistics, last) != 0)
            return dd_fail(DDAEBM_CANCELLED, "training was cancelled after step %llu",
                           (unsigned long long)trainer->step);
    }
    return DDAEBM_OK;
}

ddaebm_status ddaebm_trainer_run(ddaebm_trainer *trainer, ddaebm_step_function progress,
                                 void *user) {
    DD_REQUIRE(trainer);
    uint64_t last = (uint64_t)dd_trainer_settings(trainer)->training.steps;
    return ddaebm_trainer_run_until(trainer, last, progress, user);
}

ddaebm_status ddaebm_train(ddaebm_model **out, ddaebm_context *context, const ddaebm_config *config,
                           const ddaebm_dataset *dataset, uint64_t seed,
                           ddaebm_step_function progress, void *user) {
    DD_REQUIRE(out);
    ddaebm_model *start = NULL;
    ddaebm_trainer *trainer = NULL;
    ddaebm_status status;
    DD_TRY(ddaebm_model_create(&start, context, config, seed));
    DD_TRY(ddaebm_trainer_create(&trainer, start, dataset, seed));
    DD_TRY(ddaebm_trainer_run(trainer, progress, user));
    DD_TRY(ddaebm_trainer_snapshot(out, trainer));
cleanup:
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(start);
    return status;
}
