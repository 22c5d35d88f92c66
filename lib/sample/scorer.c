#include <ddaebm/scorer.h>

#include "base/context.h"
#include "base/error.h"
#include "sample/evaluator.h"
#include "tensor/kernels/vector.h"

#include <string.h>

struct ddaebm_scorer {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_evaluator *scores, *gradients; /* both made at once, of the same weights */
};

/* f(x, t) / temperature */
static dd_node build_score(dd_builder *builder, const dd_process *process, const dd_node in[DD_EVAL_OUT], const void *user) {
    (void)process;
    const ddaebm_model *model = user;
    return dd_affine(builder->graph, dd_network_energy(builder, in[DD_EVAL_X], in[DD_EVAL_LEVEL]), 1 / model->temperature, 0);
}

static dd_node build_gradient(dd_builder *builder, const dd_process *process, const dd_node in[DD_EVAL_OUT], const void *user) {
    dd_node gradient = DD_NONE;
    dd_gradient(builder->graph, build_score(builder, process, in, user), DD_NONE, in, 1, &gradient);
    return gradient;
}

ddaebm_status ddaebm_scorer_create(ddaebm_scorer **out, const ddaebm_model *model) {
    DD_REQUIRE(out);
    DD_REQUIRE(model);
    ddaebm_scorer *scorer = dd_alloc_zero(model->context, 1, sizeof *scorer);
    if (!scorer)
        return DDAEBM_OUT_OF_MEMORY;
    *scorer = (ddaebm_scorer){.model = model};
    ddaebm_status status;
    DD_TRY(dd_context_hold(&scorer->context, model->context));
    DD_TRY(dd_evaluator_create(&scorer->scores, model, build_score, model));
    DD_TRY(dd_evaluator_create(&scorer->gradients, model, build_gradient, model));
    *out = scorer;
cleanup:
    if (status != DDAEBM_OK)
        ddaebm_scorer_free(scorer);
    return status;
}

void ddaebm_scorer_free(ddaebm_scorer *scorer) {
    if (!scorer)
        return;
    ddaebm_context *context = scorer->context;
    dd_evaluator_free(scorer->scores);
    dd_evaluator_free(scorer->gradients);
    dd_free(context, scorer);
    ddaebm_context_free(context);
}

typedef struct request {
    const ddaebm_model *model;
    const float *rows;
    size_t level;
    float *out;
    bool gradient;
} request;

static void score_chunk(void *user, dd_lane *lane, size_t first, size_t count) {
    const request *r = user;
    size_t width = ddaebm_model_width(r->model), out_width = r->gradient ? width : 1;
    const float *out = dd_lane_buffer(lane, DD_EVAL_OUT);
    dd_model_standardize(r->model, r->rows + first * width, count, dd_lane_buffer(lane, DD_EVAL_X));
    dd_lane_compute(lane, r->level);
    float *to = r->out + first * out_width;
    memcpy(to, out, count * out_width * sizeof *to);
    for (size_t i = 0; r->gradient && i < count * width; i++)
        to[i] /= r->model->scale[i % width]; /* from a standardised row's to the row's */
}

static ddaebm_status check_rows(const float *rows, size_t count, size_t width) {
    const dd_kernels *kernels = dd_kernels_choose();
    if (kernels->all_finite(rows, count * width))
        return DDAEBM_OK;
    size_t row = 0;
    while (kernels->all_finite(rows + row * width, width))
        row++;
    return dd_fail(DDAEBM_NOT_FINITE, "row %zu holds a NaN or an infinity", row);
}

static ddaebm_status run(const ddaebm_scorer *scorer, dd_evaluator *evaluator, request r, size_t count) {
    if (r.level >= ddaebm_model_levels(scorer->model))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "level is %zu; allowed: 0 to %zu", r.level, ddaebm_model_levels(scorer->model) - 1);
    ddaebm_status status = check_rows(r.rows, count, ddaebm_model_width(scorer->model));
    return status == DDAEBM_OK ? dd_evaluator_run(evaluator, count, score_chunk, &r, NULL, NULL) : status;
}

ddaebm_status ddaebm_scorer_score(ddaebm_scorer *scorer, const float *rows, size_t count, size_t level, float *scores) {
    DD_REQUIRE(scorer);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(rows);
    DD_REQUIRE(scores);
    return run(scorer, scorer->scores, (request){scorer->model, rows, level, scores, false}, count);
}

ddaebm_status ddaebm_scorer_gradient(ddaebm_scorer *scorer, const float *rows, size_t count, size_t level, float *gradients) {
    DD_REQUIRE(scorer);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(rows);
    DD_REQUIRE(gradients);
    return run(scorer, scorer->gradients, (request){scorer->model, rows, level, gradients, true}, count);
}
