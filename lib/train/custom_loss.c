/* A loss of the caller's own on generated samples: the hook sees the data's units, the step's graph
 * takes the networks'. */
#include "train/trainer.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

void dd_trainer_free_custom_loss(ddaebm_trainer *trainer) {
    ddaebm_context *context = trainer->model->context;
    dd_custom_loss *own = &trainer->custom_loss;
    dd_free(context, own->drawn);
    dd_free(context, own->samples);
    dd_free(context, own->data);
    dd_free(context, own->timesteps);
    dd_free(context, own->gradients);
    *own = (dd_custom_loss){0};
}

static ddaebm_status allocate(ddaebm_trainer *trainer) {
    ddaebm_context *context = trainer->model->context;
    dd_custom_loss *own = &trainer->custom_loss;
    size_t outer = trainer->batch * ddaebm_model_width(trainer->model),
           inner = trainer->batch * dd_model_inner_width(trainer->model);
    own->drawn = dd_alloc_zero(context, inner, sizeof(float));
    own->samples = dd_alloc_zero(context, outer, sizeof(float));
    own->data = dd_alloc_zero(context, outer, sizeof(float));
    own->timesteps = dd_alloc_zero(context, trainer->batch, sizeof(size_t));
    own->gradients = dd_alloc_zero(context, inner, sizeof(float));
    return own->drawn && own->samples && own->data && own->timesteps && own->gradients
               ? DDAEBM_OK
               : DDAEBM_OUT_OF_MEMORY;
}

/* With a hook, the step has an input more. */
static ddaebm_status begin(ddaebm_trainer *trainer) {
    ddaebm_status status = allocate(trainer);
    if (status == DDAEBM_OK)
        status = dd_trainer_plan(trainer, DD_STEP_CUSTOM_LOSS);
    if (status != DDAEBM_OK)
        dd_trainer_free_custom_loss(trainer);
    return status;
}

static ddaebm_status end(ddaebm_trainer *trainer) {
    ddaebm_status status = dd_trainer_plan(trainer, DD_STEP_PLAIN);
    if (status == DDAEBM_OK)
        dd_trainer_free_custom_loss(trainer);
    return status;
}

ddaebm_status ddaebm_trainer_set_sample_hook(ddaebm_trainer *trainer, ddaebm_sample_hook hook,
                                             void *user) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    dd_custom_loss *own = &trainer->custom_loss;
    if (trainer->stage != DD_STAGE_BEGIN)
        return dd_fail(DDAEBM_STATE, "%s comes between two steps; this one is begun", __func__);
    ddaebm_status status = DDAEBM_OK;
    if (hook && !own->hook)
        status = begin(trainer);
    else if (!hook && own->hook)
        status = end(trainer);
    if (status == DDAEBM_OK) {
        own->hook = hook;
        own->user = user;
    }
    return status;
}

static ddaebm_generated_batch show(ddaebm_trainer *trainer) {
    const dd_custom_loss *own = &trainer->custom_loss;
    dd_model_restore(trainer->model, own->drawn, trainer->batch,
                     (dd_rows_out){.narrow = own->samples}, 0);
    dd_model_restore(trainer->model, trainer->inputs[DD_SLOT_X0], trainer->batch,
                     (dd_rows_out){.narrow = own->data}, 0);
    for (size_t i = 0; i < trainer->batch; i++)
        own->timesteps[i] = (size_t)trainer->inputs[DD_SLOT_LEVEL][i];
    return (ddaebm_generated_batch){.struct_size = sizeof(ddaebm_generated_batch),
                                    .count = trainer->batch,
                                    .width = ddaebm_model_width(trainer->model),
                                    .timesteps = own->timesteps,
                                    .data = own->data,
                                    .samples = own->samples};
}

ddaebm_status dd_trainer_call_sample_hook(ddaebm_trainer *trainer) {
    const dd_custom_loss *own = &trainer->custom_loss;
    if (!own->hook)
        return DDAEBM_OK;
    ddaebm_generated_batch batch = show(trainer);
    size_t outer = batch.count * batch.width,
           inner = batch.count * dd_model_inner_width(trainer->model);
    unsigned long long step = (unsigned long long)trainer->step + 1;
    float *gradients = own->gradients + (inner - outer); /* to be spread in place, from the front */
    memset(gradients, 0, outer * sizeof *gradients);
    ddaebm_status status = own->hook(own->user, &batch, gradients);
    if (status != DDAEBM_OK)
        return dd_fail(status, "the sample hook stopped step %llu", step);
    for (size_t i = 0; i < outer; i++)
        if (!isfinite(gradients[i]))
            return dd_fail(DDAEBM_NOT_FINITE,
                           "step %llu: the sample hook's gradient for number %zu of row %zu is %g",
                           step, i % batch.width, i / batch.width, (double)gradients[i]);
    dd_model_standardize_gradient(trainer->model, (dd_rows_in){.narrow = gradients}, batch.count,
                                  own->gradients);
    return DDAEBM_OK;
}
