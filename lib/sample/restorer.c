#include "sample/restorer.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"

#include <math.h>

dd_node dd_restorer_build_x0(dd_builder *builder, const dd_process *process,
                             const dd_node in[DD_EVAL_OUT], const void *user) {
    (void)process;
    (void)user;
    return dd_network_generator(builder, in[DD_EVAL_X], in[DD_EVAL_TIMESTEP], in[DD_EVAL_LATENT]);
}

ddaebm_status ddaebm_restorer_create(ddaebm_restorer **out, const ddaebm_model *model) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(model);
    ddaebm_restorer *restorer = dd_alloc_zero(model->context, 1, sizeof *restorer);
    if (!restorer)
        return DDAEBM_OUT_OF_MEMORY;

    *restorer = (ddaebm_restorer){.model = model, .measured = ddaebm_model_width(model)};
    ddaebm_status status;
    DD_TRY(dd_context_hold(&restorer->context, model->context));
    DD_TRY(dd_noise_schedule_make(&restorer->schedule, model->context, dd_model_settings(model)));
    DD_TRY(dd_evaluator_create(&restorer->generator, model, dd_restorer_build_x0, NULL));
    restorer->noise = dd_alloc_zero(model->context, restorer->measured, sizeof *restorer->noise);
    status = restorer->noise ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    if (status == DDAEBM_OK)
        *out = restorer;
cleanup:
    if (status != DDAEBM_OK)
        ddaebm_restorer_free(restorer);
    return status;
}

void ddaebm_restorer_free(ddaebm_restorer *restorer) {
    if (!restorer)
        return;

    ddaebm_context *context = restorer->context;
    dd_evaluator_free(restorer->generator);
    dd_filler_free(restorer->filler);
    if (restorer->schedule.context)
        dd_noise_schedule_free(&restorer->schedule);
    dd_free(context, restorer->noise);
    dd_free(context, restorer);
    ddaebm_context_free(context);
}

ddaebm_status ddaebm_restorer_set_progress(ddaebm_restorer *restorer,
                                           ddaebm_progress_function function, void *user) {
    DD_REQUIRE(restorer);
    restorer->progress = function;
    restorer->progress_user = user;
    return DDAEBM_OK;
}

ddaebm_status ddaebm_restorer_set_noise(ddaebm_restorer *restorer, const double *deviations,
                                        size_t count) {
    DD_REQUIRE(restorer);
    DD_REQUIRE(deviations);
    if (count != 1 && count != restorer->measured)
        return dd_fail(DDAEBM_MISMATCH, "%zu standard deviations of noise; allowed: 1 or %zu",
                       count, restorer->measured);
    for (size_t j = 0; j < count; j++)
        if (!(deviations[j] >= 0) || !isfinite(deviations[j]))
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "the noise's standard deviation %zu is %g; allowed: finite, at least 0",
                           j, deviations[j]);

    for (size_t j = 0; j < restorer->measured; j++)
        restorer->noise[j] = deviations[count > 1 ? j : 0];
    return DDAEBM_OK;
}
