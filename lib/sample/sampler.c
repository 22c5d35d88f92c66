#include "sample/sampler.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "tensor/kernels/vector.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct ddaebm_sampler {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_evaluator *evaluator;
    ddaebm_progress_function progress;
    void *progress_user;
};

dd_node dd_sampler_build_step(dd_builder *builder, const dd_process *process, const dd_node in[DD_EVAL_OUT], const void *user) {
    (void)user;
    dd_node x0 = dd_network_generator(builder, in[DD_EVAL_X], in[DD_EVAL_LEVEL], in[DD_EVAL_LATENT]);
    return dd_posterior_draw(process, x0, in[DD_EVAL_X], in[DD_EVAL_NOISE]);
}

ddaebm_status ddaebm_sampler_create(ddaebm_sampler **out, const ddaebm_model *model) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(model);
    ddaebm_sampler *sampler = dd_alloc_zero(model->context, 1, sizeof *sampler);
    if (!sampler)
        return DDAEBM_OUT_OF_MEMORY;
    *sampler = (ddaebm_sampler){.model = model};
    ddaebm_status status;
    DD_TRY(dd_context_hold(&sampler->context, model->context));
    DD_TRY(dd_evaluator_create(&sampler->evaluator, model, dd_sampler_build_step, NULL));
    *out = sampler;
cleanup:
    if (status != DDAEBM_OK)
        ddaebm_sampler_free(sampler);
    return status;
}

void ddaebm_sampler_free(ddaebm_sampler *sampler) {
    if (!sampler)
        return;
    ddaebm_context *context = sampler->context;
    dd_evaluator_free(sampler->evaluator);
    dd_free(context, sampler);
    ddaebm_context_free(context);
}

ddaebm_status ddaebm_sampler_set_progress(ddaebm_sampler *sampler, ddaebm_progress_function function, void *user) {
    DD_REQUIRE(sampler);
    sampler->progress = function;
    sampler->progress_user = user;
    return DDAEBM_OK;
}

size_t ddaebm_sampler_block(const ddaebm_sampler *sampler) {
    return dd_evaluator_block(sampler->evaluator);
}

typedef struct draw {
    const ddaebm_model *model;
    uint64_t seed, first;
    dd_rows_out rows; /* [count, width], or not set */
    float *steps;     /* [count, T + 1, width], or NULL */
} draw;

/* Shows x_t of a chunk's rows; `step` reverse steps are done. */
static void keep_step(const draw *d, const float *x, size_t first, size_t count, size_t step) {
    size_t inner = dd_model_inner_width(d->model), states = ddaebm_model_levels(d->model) + 1;
    for (size_t i = 0; d->steps && i < count; i++)
        dd_model_restore(d->model, x + i * inner, 1, (dd_rows_out){.narrow = d->steps}, (first + i) * states + step);
}

static void draw_chunk(void *user, dd_lane *lane, size_t first, size_t count) {
    const draw *d = user;
    size_t width = dd_model_inner_width(d->model), latent = dd_settings_latent_width(dd_model_settings(d->model));
    size_t levels = ddaebm_model_levels(d->model);
    uint64_t number = d->first + first;
    float *x = dd_lane_buffer(lane, DD_EVAL_X);
    dd_rng_normals(x, d->seed, dd_stream(DD_STREAM_SAMPLE_START, 0), number * width, count * width);
    keep_step(d, x, first, count, 0);
    for (size_t t = levels; t-- > 0;) {
        dd_rng_normals(dd_lane_buffer(lane, DD_EVAL_LATENT), d->seed, dd_stream(DD_STREAM_SAMPLE_LATENT, t), number * latent,
                       count * latent);
        if (t > 0) /* at level 0 the noise is not used */
            dd_rng_normals(dd_lane_buffer(lane, DD_EVAL_NOISE), d->seed, dd_stream(DD_STREAM_SAMPLE_NOISE, t), number * width,
                           count * width);
        dd_lane_compute(lane, t);
        memcpy(x, dd_lane_buffer(lane, DD_EVAL_OUT), count * width * sizeof *x);
        keep_step(d, x, first, count, levels - t);
    }
    if (!d->steps)
        dd_model_restore(d->model, x, count, d->rows, first);
}

static bool are_finite(const draw *d, size_t numbers) {
    const float *floats = d->steps ? d->steps : d->rows.narrow;
    if (floats)
        return dd_kernels_choose()->all_within(floats, numbers, FLT_MAX);
    for (size_t i = 0; i < numbers; i++)
        if (!isfinite(d->rows.wide[i]))
            return false;
    return true;
}

/* The draw's numbers are `width` of them a sample. */
static ddaebm_status run(ddaebm_sampler *sampler, draw d, size_t count, size_t width) {
    ddaebm_status status = dd_evaluator_run(sampler->evaluator, count, draw_chunk, &d, sampler->progress, sampler->progress_user);
    if (status == DDAEBM_OK && !are_finite(&d, count * width))
        status = dd_fail(DDAEBM_NOT_FINITE, "a sample is not finite: the model's weights have run away%s",
                         d.rows.wide ? "" : ", or its data is beyond 32-bit numbers (ddaebm_sampler_draw_double)");
    return status;
}

ddaebm_status ddaebm_sampler_draw(ddaebm_sampler *sampler, uint64_t seed, uint64_t first, size_t count, float *rows) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(sampler);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(rows);
    draw d = {.model = sampler->model, .seed = seed, .first = first, .rows = {.narrow = rows}};
    return run(sampler, d, count, ddaebm_model_width(sampler->model));
}

ddaebm_status ddaebm_sampler_draw_double(ddaebm_sampler *sampler, uint64_t seed, uint64_t first, size_t count, double *rows) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(sampler);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(rows);
    draw d = {.model = sampler->model, .seed = seed, .first = first, .rows = {.wide = rows}};
    return run(sampler, d, count, ddaebm_model_width(sampler->model));
}

ddaebm_status ddaebm_sampler_draw_steps(ddaebm_sampler *sampler, uint64_t seed, uint64_t first, size_t count, float *steps) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(sampler);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(steps);
    draw d = {.model = sampler->model, .seed = seed, .first = first, .steps = steps};
    return run(sampler, d, count, (ddaebm_model_levels(sampler->model) + 1) * ddaebm_model_width(sampler->model));
}
