#include "sample/guidance.h"

#include "base/context.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

struct dd_guidance {
    ddaebm_context *context;
    const ddaebm_model *model;
    ddaebm_guidance_function function;
    void *user;
    double *rows, *gradients; /* [most, width], in the units of the data */
    double *log_densities;    /* [most] */
    float *inner;             /* [most, inner width]: the gradients, as the networks see rows */
};

ddaebm_status dd_guidance_create(dd_guidance **out, const ddaebm_model *model, size_t most,
                                 ddaebm_guidance_function function, void *user) {
    ddaebm_context *context = model->context;
    size_t width = ddaebm_model_width(model);
    dd_guidance *guidance = dd_alloc_zero(context, 1, sizeof *guidance);
    if (!guidance)
        return DDAEBM_OUT_OF_MEMORY;
    *guidance =
        (dd_guidance){.context = context, .model = model, .function = function, .user = user};

    guidance->rows = dd_alloc_zero(context, most, width * sizeof(double));
    guidance->gradients = dd_alloc_zero(context, most, width * sizeof(double));
    guidance->log_densities = dd_alloc_zero(context, most, sizeof(double));
    guidance->inner = dd_alloc_zero(context, most, dd_model_inner_width(model) * sizeof(float));
    if (!guidance->rows || !guidance->gradients || !guidance->log_densities || !guidance->inner) {
        dd_guidance_free(guidance);
        return DDAEBM_OUT_OF_MEMORY;
    }
    *out = guidance;
    return DDAEBM_OK;
}

void dd_guidance_free(dd_guidance *guidance) {
    if (!guidance)
        return;
    ddaebm_context *context = guidance->context;
    dd_free(context, guidance->rows);
    dd_free(context, guidance->gradients);
    dd_free(context, guidance->log_densities);
    dd_free(context, guidance->inner);
    dd_free(context, guidance);
}

/* The gradient of a row that is ruled out is 0, whatever the caller wrote. */
static ddaebm_status check_row(dd_guidance *guidance, size_t row, uint64_t first) {
    size_t width = ddaebm_model_width(guidance->model);
    double log_density = guidance->log_densities[row],
           *gradient = guidance->gradients + row * width;
    unsigned long long sample = (unsigned long long)(first + row);
    if (log_density == -INFINITY) {
        memset(gradient, 0, width * sizeof *gradient);
        return DDAEBM_OK;
    }

    if (!isfinite(log_density))
        return dd_fail(
            DDAEBM_NOT_FINITE,
            "the guidance's log-density of sample %llu is %g; allowed: finite numbers and -inf",
            sample, log_density);
    for (size_t j = 0; j < width; j++)
        if (!isfinite(gradient[j]))
            return dd_fail(DDAEBM_NOT_FINITE,
                           "the guidance's gradient for number %zu of sample %llu is %g", j, sample,
                           gradient[j]);
    return DDAEBM_OK;
}

ddaebm_status dd_guidance_ask(dd_guidance *guidance, const float *x, size_t count, size_t timestep,
                              uint64_t first) {
    const ddaebm_model *model = guidance->model;
    size_t width = ddaebm_model_width(model);
    dd_model_restore(model, x, count, (dd_rows_out){.wide = guidance->rows}, 0);
    memset(guidance->log_densities, 0, count * sizeof(double));
    memset(guidance->gradients, 0, count * width * sizeof(double));

    const ddaebm_guidance_batch batch = {.struct_size = sizeof batch,
                                         .count = count,
                                         .width = width,
                                         .timestep = timestep,
                                         .first = first,
                                         .rows = guidance->rows};
    ddaebm_status status =
        guidance->function(guidance->user, &batch, guidance->log_densities, guidance->gradients);
    if (status != DDAEBM_OK)
        return dd_fail(status, "the guidance function stopped the draw at sample %llu",
                       (unsigned long long)first);

    for (size_t i = 0; i < count && status == DDAEBM_OK; i++)
        status = check_row(guidance, i, first);
    if (status == DDAEBM_OK)
        dd_model_standardize_gradient(model, (dd_rows_in){.wide = guidance->gradients},
                                      (dd_rows_in){.wide = guidance->rows}, count, guidance->inner);
    return status;
}

const double *dd_guidance_log_densities(const dd_guidance *guidance) {
    return guidance->log_densities;
}

const float *dd_guidance_gradients(const dd_guidance *guidance) {
    return guidance->inner;
}
