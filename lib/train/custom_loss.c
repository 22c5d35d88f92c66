#include "train/custom_loss.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "train/trainer.h"

#include <math.h>
#include <string.h>

void dd_custom_loss_free(ddaebm_trainer *trainer) {
    ddaebm_context *context = trainer->model->context;
    dd_custom_loss *custom = &trainer->custom_loss;
    dd_free(context, custom->drawn);
    dd_free(context, custom->samples);
    dd_free(context, custom->data);
    dd_free(context, custom->timesteps);
    dd_free(context, custom->gradients);
    *custom = (dd_custom_loss){0};
}

/* Allocates what the hook is shown and what it returns. */
static ddaebm_status allocate(ddaebm_trainer *trainer) {
    ddaebm_context *context = trainer->model->context;
    dd_custom_loss *custom = &trainer->custom_loss;
    size_t outer = trainer->batch.size * ddaebm_model_width(trainer->model),
           inner = trainer->batch.size * dd_model_inner_width(trainer->model);

    custom->drawn = dd_alloc_zero(context, inner, sizeof(float));
    custom->samples = dd_alloc_zero(context, outer, sizeof(float));
    custom->data = dd_alloc_zero(context, outer, sizeof(float));
    custom->timesteps = dd_alloc_zero(context, trainer->batch.size, sizeof(size_t));
    custom->gradients = dd_alloc_zero(context, inner, sizeof(float));
    return custom->drawn && custom->samples && custom->data && custom->timesteps &&
                   custom->gradients
               ? DDAEBM_OK
               : DDAEBM_OUT_OF_MEMORY;
}

/* Plans the step with the gradient of the custom loss as an input. */
static ddaebm_status begin(ddaebm_trainer *trainer) {
    ddaebm_status status = allocate(trainer);
    if (status == DDAEBM_OK)
        status = dd_planned_step_plan(trainer, DD_STEP_CUSTOM_LOSS);
    if (status != DDAEBM_OK)
        dd_custom_loss_free(trainer);
    return status;
}

static ddaebm_status end(ddaebm_trainer *trainer) {
    ddaebm_status status = dd_planned_step_plan(trainer, DD_STEP_PLAIN);
    if (status == DDAEBM_OK)
        dd_custom_loss_free(trainer);
    return status;
}

ddaebm_status ddaebm_trainer_set_sample_hook(ddaebm_trainer *trainer, ddaebm_sample_hook hook,
                                             void *user) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    dd_custom_loss *custom = &trainer->custom_loss;
    if (trainer->stage != DD_STAGE_NONE)
        return dd_fail(DDAEBM_STATE, "%s comes between two steps; this one is begun", __func__);

    ddaebm_status status = DDAEBM_OK;
    if (hook && !custom->hook)
        status = begin(trainer);
    else if (!hook && custom->hook)
        status = end(trainer);
    if (status == DDAEBM_OK) {
        custom->hook = hook;
        custom->user = user;
    }
    return status;
}

/* Converts samples and data to the units of the data. */
static ddaebm_generated_batch show(ddaebm_trainer *trainer) {
    const dd_custom_loss *custom = &trainer->custom_loss;
    dd_model_restore(trainer->model, custom->drawn, trainer->batch.size,
                     (dd_rows_out){.narrow = custom->samples}, 0);
    dd_model_restore(trainer->model, trainer->batch.inputs[DD_SLOT_X0], trainer->batch.size,
                     (dd_rows_out){.narrow = custom->data}, 0);
    for (size_t i = 0; i < trainer->batch.size; i++)
        custom->timesteps[i] = (size_t)trainer->batch.inputs[DD_SLOT_TIMESTEP][i];
    return (ddaebm_generated_batch){.struct_size = sizeof(ddaebm_generated_batch),
                                    .count = trainer->batch.size,
                                    .width = ddaebm_model_width(trainer->model),
                                    .timesteps = custom->timesteps,
                                    .data = custom->data,
                                    .samples = custom->samples};
}

ddaebm_status dd_custom_loss_call(ddaebm_trainer *trainer) {
    const dd_custom_loss *custom = &trainer->custom_loss;
    if (!custom->hook)
        return DDAEBM_OK;
    ddaebm_generated_batch batch = show(trainer);
    size_t outer = batch.count * batch.width,
           inner = batch.count * dd_model_inner_width(trainer->model);
    unsigned long long step = (unsigned long long)trainer->step + 1;
    float *gradients = custom->gradients + (inner - outer); /* padded in place, from the front */
    memset(gradients, 0, outer * sizeof *gradients);
    ddaebm_status status = custom->hook(custom->user, &batch, gradients);
    if (status != DDAEBM_OK)
        return dd_fail(status, "the sample hook stopped step %llu", step);

    for (size_t i = 0; i < outer; i++)
        if (!isfinite(gradients[i]))
            return dd_fail(DDAEBM_NOT_FINITE,
                           "step %llu: the sample hook's gradient for number %zu of row %zu is %g",
                           step, i % batch.width, i / batch.width, (double)gradients[i]);
    dd_model_standardize_gradient(trainer->model, (dd_rows_in){.narrow = gradients},
                                  (dd_rows_in){.narrow = custom->samples}, batch.count,
                                  custom->gradients);
    return DDAEBM_OK;
}
