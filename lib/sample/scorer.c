#include "sample/scorer.h"

#include "base/arithmetic.h"
#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "sample/evaluator.h"
#include "sample/typicality.h"
#include "tensor/kernels/vector.h"

#include <float.h>
#include <string.h>

struct ddaebm_scorer {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_evaluator *scores, *gradients; /* both made at once, of the same weights */
    dd_statistics *statistics;        /* NULL until they are asked for */
    ddaebm_progress_function progress;
    void *progress_user;
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
    DD_DEFAULT_ARITHMETIC;
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
    dd_statistics_free(scorer->statistics);
    dd_free(context, scorer);
    ddaebm_context_free(context);
}

ddaebm_status ddaebm_scorer_set_progress(ddaebm_scorer *scorer, ddaebm_progress_function function, void *user) {
    DD_REQUIRE(scorer);
    scorer->progress = function;
    scorer->progress_user = user;
    return DDAEBM_OK;
}

typedef struct request {
    const ddaebm_model *model;
    const float *rows;
    size_t level;
    float *out;
    bool gradient;
    bool inner; /* rows and gradients are as the networks see them */
} request;

static size_t row_width(const request *r) {
    return r->inner ? dd_model_inner_width(r->model) : ddaebm_model_width(r->model);
}

static void score_chunk(void *user, dd_lane *lane, size_t first, size_t count) {
    const request *r = user;
    size_t width = row_width(r), out_width = r->gradient ? width : 1;
    const float *rows = r->rows + first * width, *out = dd_lane_buffer(lane, DD_EVAL_OUT);
    float *x = dd_lane_buffer(lane, DD_EVAL_X), *to = r->out + first * out_width;
    if (r->inner)
        memcpy(x, rows, count * width * sizeof *x);
    else
        dd_model_standardize(r->model, rows, count, x);
    dd_lane_compute(lane, r->level);
    if (r->gradient && !r->inner)
        dd_model_restore_gradient(r->model, out, count, to);
    else
        memcpy(to, out, count * out_width * sizeof *to);
}

static ddaebm_status check_rows(const float *rows, size_t count, size_t width) {
    const dd_kernels *kernels = dd_kernels_choose();
    if (kernels->all_within(rows, count * width, FLT_MAX))
        return DDAEBM_OK;
    size_t row = 0;
    while (kernels->all_within(rows + row * width, width, FLT_MAX))
        row++;
    return dd_fail(DDAEBM_NOT_FINITE, "row %zu holds a NaN or an infinity", row);
}

static ddaebm_status run(const ddaebm_scorer *scorer, dd_evaluator *evaluator, request r, size_t count) {
    if (r.level >= ddaebm_model_levels(scorer->model))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "level is %zu; allowed: 0 to %zu", r.level, ddaebm_model_levels(scorer->model) - 1);
    ddaebm_status status = check_rows(r.rows, count, row_width(&r));
    if (status != DDAEBM_OK)
        return status;
    return dd_evaluator_run(evaluator, count, score_chunk, &r, scorer->progress, scorer->progress_user);
}

ddaebm_status ddaebm_scorer_score(ddaebm_scorer *scorer, const float *rows, size_t count, size_t level, float *scores) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(scorer);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(rows);
    DD_REQUIRE(scores);
    return run(scorer, scorer->scores, (request){scorer->model, rows, level, scores, false, false}, count);
}

ddaebm_status ddaebm_scorer_gradient(ddaebm_scorer *scorer, const float *rows, size_t count, size_t level, float *gradients) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(scorer);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(rows);
    DD_REQUIRE(gradients);
    return run(scorer, scorer->gradients, (request){scorer->model, rows, level, gradients, true, false}, count);
}

ddaebm_status dd_scorer_inner_gradient(ddaebm_scorer *scorer, const float *rows, size_t count, size_t level, float *gradients) {
    return run(scorer, scorer->gradients, (request){scorer->model, rows, level, gradients, true, true}, count);
}

/* --- Other scores. --- */

const char *ddaebm_score_name(size_t index) {
    static const char *const names[] = {"energy", "gradient", "reconstruction", "typicality"};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

static ddaebm_status measure_statistic(ddaebm_scorer *scorer, dd_statistic statistic, const dd_measurement *asked) {
    size_t room = 0;
    dd_measurement all = *asked;
    all.stride = DD_STATISTIC_COUNT;
    all.out = dd_size_mul(&room, asked->count, all.stride) ? dd_statistics_room(scorer->statistics, room) : NULL;
    if (!all.out)
        return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory for the statistics of %zu rows", asked->count);
    ddaebm_status status = dd_statistics_measure(scorer->statistics, &all);
    for (size_t i = 0; i < asked->count && status == DDAEBM_OK; i++)
        asked->out[i] = -all.out[i * all.stride + statistic];
    return status;
}

ddaebm_status ddaebm_scorer_measure(ddaebm_scorer *scorer, ddaebm_score score, const float *rows, size_t count, size_t level,
                                    float *scores) {
    DD_DEFAULT_ARITHMETIC;
    if (score == DDAEBM_SCORE_ENERGY)
        return ddaebm_scorer_score(scorer, rows, count, level, scores);
    DD_REQUIRE(scorer);
    if (!ddaebm_score_name((size_t)score))
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "%d is no score", (int)score);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(rows);
    DD_REQUIRE(scores);
    if (score != DDAEBM_SCORE_TYPICALITY && level >= ddaebm_model_levels(scorer->model))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "level is %zu; allowed: 0 to %zu", level, ddaebm_model_levels(scorer->model) - 1);
    ddaebm_status status = check_rows(rows, count, ddaebm_model_width(scorer->model));
    if (status == DDAEBM_OK && !scorer->statistics)
        status = dd_statistics_create(&scorer->statistics, scorer->model);
    if (status != DDAEBM_OK)
        return status;
    const dd_measurement asked = {.rows = rows,
                                  .count = count,
                                  .level = level,
                                  .out = scores,
                                  .progress = scorer->progress,
                                  .progress_user = scorer->progress_user};
    if (score == DDAEBM_SCORE_TYPICALITY)
        return dd_typicality(scorer->statistics, scorer->model, &asked);
    dd_statistic statistic = score == DDAEBM_SCORE_GRADIENT ? DD_STATISTIC_GRADIENT : DD_STATISTIC_RECONSTRUCTION;
    return measure_statistic(scorer, statistic, &asked);
}
