/* A step in four stages: gradients of the energy, its update, gradients of generator and encoder,
 * their update. */
#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "tensor/exec/computation.h"
#include "train/trainer.h"

#include <math.h>

#define REMEDY "Lower optimizer.energy_rate and optimizer.generator_rate, or raise objective.gamma"

/* Refuses a loss or a gradient that is not finite; no weight of that network has changed. */
static ddaebm_status check_finite(const ddaebm_trainer *trainer, ddaebm_network network,
                                  dd_loss loss) {
    const char *name = dd_network_name(network);
    unsigned long long step = (unsigned long long)trainer->step + 1;
    float value = trainer->planned.losses[loss];
    if (!isfinite(value))
        return dd_fail(
            DDAEBM_NOT_FINITE,
            "step %llu: the loss of the %s is %g; its weights stay as they were. " REMEDY, step,
            name, (double)value);

    size_t count = trainer->model->parameters.totals[network][DD_ROLE_WEIGHT];
    if (!dd_all_within(trainer->planned.gradients[network], count, DD_MOST_GRADIENT,
                       dd_context_pool(trainer->model->context)))
        return dd_fail(DDAEBM_NOT_FINITE,
                       "step %llu: a gradient of the %s is not finite, or beyond 1e18; its weights "
                       "stay as they were. " REMEDY,
                       step, name);
    return DDAEBM_OK;
}

/* A stage runs once a step: the phases of a plan are run once each, in turn. */
static ddaebm_status expect_stage(const ddaebm_trainer *trainer, dd_stage least, dd_stage most,
                                  const char *call, const char *before) {
    if (trainer->stage >= least && trainer->stage <= most)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_STATE, "%s comes after %s, once a step", call, before);
}

ddaebm_status ddaebm_trainer_energy_gradients(ddaebm_trainer *trainer) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    trainer->stage = DD_STAGE_NONE; /* of a step that was begun: its batch is overwritten */
    ddaebm_status status = dd_computation_check();
    if (status == DDAEBM_OK)
        status = dd_adapt_move(trainer);
    if (status == DDAEBM_OK)
        status = dd_batch_draw(trainer);
    if (status != DDAEBM_OK)
        return status;

    dd_planned_step_compute(trainer, 0);
    trainer->stage = DD_STAGE_ENERGY_GRADIENTS;
    return DDAEBM_OK;
}

/* The part of the energy's update that may fail. */
static ddaebm_status admit_energy(ddaebm_trainer *trainer) {
    ddaebm_status status = dd_gradient_hook_call(trainer, DDAEBM_NETWORK_ENERGY);
    return status == DDAEBM_OK ? check_finite(trainer, DDAEBM_NETWORK_ENERGY, DD_LOSS_ENERGY)
                               : status;
}

/* The part of the energy's update that cannot fail. */
static void update_energy(ddaebm_trainer *trainer) {
    dd_optimizer_update(trainer, DDAEBM_NETWORK_ENERGY);
    trainer->stage = DD_STAGE_ENERGY_UPDATE;
}

ddaebm_status ddaebm_trainer_energy_update(ddaebm_trainer *trainer) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    ddaebm_status status;
    DD_TRY(expect_stage(trainer, DD_STAGE_ENERGY_GRADIENTS, DD_STAGE_ENERGY_GRADIENTS, __func__,
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
    DD_TRY(expect_stage(trainer, DD_STAGE_ENERGY_GRADIENTS, DD_STAGE_ENERGY_UPDATE, __func__,
                        "ddaebm_trainer_energy_gradients"));
    DD_TRY(dd_computation_check());
    DD_TRY(dd_custom_loss_call(trainer));
    dd_planned_step_compute(trainer, 1);
    trainer->stage = DD_STAGE_GENERATOR_GRADIENTS;
cleanup:
    return status;
}

/* Writes the measurements of a step. */
static void report(const ddaebm_trainer *trainer, double rate, ddaebm_step_statistics *out) {
    const float *losses = trainer->planned.losses;
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
    DD_TRY(expect_stage(trainer, DD_STAGE_GENERATOR_GRADIENTS, DD_STAGE_GENERATOR_GRADIENTS,
                        __func__, "ddaebm_trainer_generator_gradients"));
    DD_TRY(dd_gradient_hook_call(trainer, DDAEBM_NETWORK_GENERATOR));
    DD_TRY(dd_gradient_hook_call(trainer, DDAEBM_NETWORK_ENCODER));
    DD_TRY(check_finite(trainer, DDAEBM_NETWORK_GENERATOR, DD_LOSS_GENERATOR));
    DD_TRY(check_finite(trainer, DDAEBM_NETWORK_ENCODER, DD_LOSS_GENERATOR));

    double rate = dd_trainer_rate(trainer, DDAEBM_NETWORK_GENERATOR);
    dd_optimizer_update(trainer, DDAEBM_NETWORK_GENERATOR);
    dd_optimizer_update(trainer, DDAEBM_NETWORK_ENCODER);
    dd_planned_step_commit(trainer);
    dd_adapt_note(trainer);
    trainer->step++;
    dd_optimizer_average(trainer);
    dd_held_out_look(trainer);
    dd_holes_move(trainer);
    trainer->stage = DD_STAGE_NONE;
    if (statistics)
        report(trainer, rate, statistics);
cleanup:
    return status;
}

/* The four stages, with an undo of the energy's update for the last two. */
ddaebm_status ddaebm_trainer_step(ddaebm_trainer *trainer, ddaebm_step_statistics *statistics) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    ddaebm_status status = check_statistics(statistics);
    if (status != DDAEBM_OK)
        return status;

    DD_TRY(ddaebm_trainer_energy_gradients(trainer));
    DD_TRY(admit_energy(trainer));
    dd_undo_keep(trainer);
    update_energy(trainer);
    DD_TRY(ddaebm_trainer_generator_gradients(trainer));
    DD_TRY(ddaebm_trainer_generator_update(trainer, statistics));
    return DDAEBM_OK;

cleanup:
    if (trainer->stage >= DD_STAGE_ENERGY_UPDATE)
        dd_undo_restore(trainer);
    trainer->stage = DD_STAGE_NONE;
    return status;
}
