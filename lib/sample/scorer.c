#include "sample/scorer.h"

#include "model/column_map.h"

#include "base/arithmetic.h"
#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "sample/explain.h"
#include "sample/typicality.h"
#include "tensor/kernels/vector.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* f(x, t) / temperature */
static dd_node build_score(dd_builder *builder, const dd_process *process,
                           const dd_node in[DD_EVAL_OUT], const void *user) {
    (void)process;
    const ddaebm_model *model = user;
    return dd_affine(builder->graph,
                     dd_network_energy(builder, in[DD_EVAL_X], in[DD_EVAL_TIMESTEP]),
                     1 / model->temperature, 0);
}

static dd_node build_gradient(dd_builder *builder, const dd_process *process,
                              const dd_node in[DD_EVAL_OUT], const void *user) {
    dd_node gradient = DD_NONE;
    dd_gradient(builder->graph, build_score(builder, process, in, user), DD_NONE, in, 1, &gradient);
    return gradient;
}

ddaebm_status ddaebm_scorer_create(ddaebm_scorer **out, const ddaebm_model *model) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(model);
    ddaebm_status status = dd_model_check_energy(model);
    if (status != DDAEBM_OK)
        return status;
    ddaebm_scorer *scorer = dd_alloc_zero(model->context, 1, sizeof *scorer);
    if (!scorer)
        return DDAEBM_OUT_OF_MEMORY;

    *scorer = (ddaebm_scorer){.model = model};
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
    dd_explainer_free(scorer->explainer, context);
    dd_free(context, scorer);
    ddaebm_context_free(context);
}

ddaebm_status ddaebm_scorer_set_progress(ddaebm_scorer *scorer, ddaebm_progress_function function,
                                         void *user) {
    DD_REQUIRE(scorer);
    scorer->progress = function;
    scorer->progress_user = user;
    return DDAEBM_OK;
}

size_t ddaebm_scorer_block(const ddaebm_scorer *scorer) {
    return dd_evaluator_block(scorer->scores);
}

typedef struct request {
    const ddaebm_model *model;
    dd_rows_in rows;
    size_t timestep;
    double offset; /* what scores lose: log of the normaliser and of the units' volume, or 0 */
    float *scores; /* [count], or NULL */
    float
        *inner; /* [count, inner width]: gradients with respect to what the networks see, or NULL */
    dd_rows_out gradients; /* with respect to rows, if neither of those is set */
} request;

static void take_scores(const request *r, const float *found, size_t first, size_t count) {
    for (size_t i = 0; i < count; i++)
        r->scores[first + i] =
            (float)((double)found[i] - r->offset - dd_model_penalty(r->model, r->rows, first + i) +
                    (r->timestep == 0 ? dd_model_log_slope(r->model, r->rows, first + i) : 0));
}

static void score_chunk(void *user, dd_lane *lane, size_t first, size_t count) {
    const request *r = user;
    size_t inner = dd_model_inner_width(r->model);
    const float *found = dd_lane_buffer(lane, DD_EVAL_OUT);
    dd_model_standardize(r->model, r->rows, first, count, dd_lane_buffer(lane, DD_EVAL_X));
    dd_lane_compute(lane, r->timestep, count);
    if (r->scores)
        take_scores(r, found, first, count);
    else if (r->inner)
        memcpy(r->inner + first * inner, found, count * inner * sizeof *found);
    else
        dd_model_restore_gradient(r->model, found, count, r->rows, r->timestep == 0, r->gradients,
                                  first);
}

static bool row_is_finite(const ddaebm_model *model, dd_rows_in rows, size_t row) {
    size_t width = rows.inner ? dd_model_inner_width(model) : ddaebm_model_width(model);
    const float *floats = rows.inner ? rows.inner : rows.narrow;
    if (floats)
        return dd_kernels_choose()->all_within(floats + row * width, width, FLT_MAX);
    for (size_t j = 0; j < width; j++)
        if (!isfinite(rows.wide[row * width + j]))
            return false;
    return true;
}

static ddaebm_status check_finite(const ddaebm_model *model, dd_rows_in rows, size_t count) {
    const float *floats = rows.inner ? rows.inner : rows.narrow;
    size_t width = rows.inner ? dd_model_inner_width(model) : ddaebm_model_width(model);
    if (floats &&
        dd_kernels_choose()->all_within(floats, count * width, FLT_MAX)) /* the common case */
        return DDAEBM_OK;
    for (size_t i = 0; i < count; i++)
        if (!row_is_finite(model, rows, i))
            return dd_fail(DDAEBM_NOT_FINITE, "row %zu holds a NaN or an infinity", i);
    return DDAEBM_OK;
}

ddaebm_status dd_scorer_check_rows(const ddaebm_model *model, dd_rows_in rows, size_t count) {
    ddaebm_status status = check_finite(model, rows, count);
    for (size_t i = 0; status == DDAEBM_OK && dd_has_column_map(model) && i < count; i++)
        status = dd_column_map_check(model, rows, i);
    return status;
}

ddaebm_status dd_scorer_check_timestep(const ddaebm_model *model, size_t timestep) {
    if (timestep < ddaebm_model_timesteps(model))
        return DDAEBM_OK;
    return dd_fail(DDAEBM_OUT_OF_RANGE, "timestep is %zu; allowed: 0 to %zu", timestep,
                   ddaebm_model_timesteps(model) - 1);
}

static ddaebm_status run(const ddaebm_scorer *scorer, request r, size_t count) {
    ddaebm_status status = dd_scorer_check_timestep(scorer->model, r.timestep);
    if (status == DDAEBM_OK)
        status = dd_scorer_check_rows(scorer->model, r.rows, count);
    if (status != DDAEBM_OK)
        return status;
    r.model = scorer->model;
    r.offset = r.scores && !r.rows.inner ? dd_model_score_offset(r.model, r.timestep) : 0;
    return dd_evaluator_run(r.scores ? scorer->scores : scorer->gradients, count, score_chunk, &r,
                            r.rows.inner ? NULL : scorer->progress, scorer->progress_user);
}

/* Gradients may be beyond float32 where the data is small. */
static ddaebm_status check_gradients(const float *gradients, size_t numbers) {
    if (dd_kernels_choose()->all_within(gradients, numbers, FLT_MAX))
        return DDAEBM_OK;
    return dd_fail(DDAEBM_OUT_OF_RANGE,
                   "a gradient is beyond 32-bit numbers: use ddaebm_scorer_gradient_double");
}

ddaebm_status ddaebm_scorer_gradient(ddaebm_scorer *scorer, const float *rows, size_t count,
                                     size_t timestep, float *gradients) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(scorer);
    if (count == 0)
        return DDAEBM_OK;

    DD_REQUIRE(rows);
    DD_REQUIRE(gradients);
    ddaebm_status status =
        run(scorer,
            (request){
                .rows = {.narrow = rows}, .timestep = timestep, .gradients = {.narrow = gradients}},
            count);
    return status == DDAEBM_OK
               ? check_gradients(gradients, count * ddaebm_model_width(scorer->model))
               : status;
}

ddaebm_status ddaebm_scorer_gradient_double(ddaebm_scorer *scorer, const double *rows, size_t count,
                                            size_t timestep, double *gradients) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(scorer);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(rows);
    DD_REQUIRE(gradients);
    return run(
        scorer,
        (request){.rows = {.wide = rows}, .timestep = timestep, .gradients = {.wide = gradients}},
        count);
}

ddaebm_status dd_scorer_inner_score(ddaebm_scorer *scorer, const float *rows, size_t count,
                                    size_t timestep, float *scores) {
    return run(scorer, (request){.rows = {.inner = rows}, .timestep = timestep, .scores = scores},
               count);
}

ddaebm_status dd_scorer_inner_gradient(ddaebm_scorer *scorer, const float *rows, size_t count,
                                       size_t timestep, float *gradients) {
    return run(scorer, (request){.rows = {.inner = rows}, .timestep = timestep, .inner = gradients},
               count);
}

/* --- Other scores. --- */

const char *ddaebm_score_name(size_t index) {
    static const char *const names[] = {"energy", "gradient", "reconstruction", "typicality"};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

/* Scores rows by minus one of their statistics. */
static ddaebm_status measure_statistic(ddaebm_scorer *scorer, dd_statistic statistic,
                                       const dd_statistics_job *asked) {
    size_t room = 0;
    dd_statistics_job all = *asked;
    all.stride = dd_model_statistics(scorer->model);
    all.out = dd_size_mul(&room, asked->count, all.stride)
                  ? dd_statistics_room(scorer->statistics, room)
                  : NULL;
    if (!all.out)
        return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory for the statistics of %zu rows",
                       asked->count);
    ddaebm_status status = dd_statistics_measure(scorer->statistics, &all);
    for (size_t i = 0; i < asked->count && status == DDAEBM_OK; i++)
        asked->out[i] = -all.out[i * all.stride + statistic];
    return status;
}

/* Scores by any kind but the energy, which need the statistics. */
static ddaebm_status measure_other(ddaebm_scorer *scorer, ddaebm_score score, dd_rows_in rows,
                                   size_t count, size_t timestep, float *scores) {
    ddaebm_status status = score == DDAEBM_SCORE_TYPICALITY
                               ? DDAEBM_OK
                               : dd_scorer_check_timestep(scorer->model, timestep);
    if (status == DDAEBM_OK)
        status = dd_scorer_check_rows(scorer->model, rows, count);
    if (status == DDAEBM_OK && !scorer->statistics)
        status = dd_statistics_create(&scorer->statistics, scorer->model);
    if (status != DDAEBM_OK)
        return status;

    const dd_statistics_job asked = {.rows = rows,
                                     .count = count,
                                     .timestep = timestep,
                                     .out = scores,
                                     .progress = scorer->progress,
                                     .progress_user = scorer->progress_user};
    if (score == DDAEBM_SCORE_TYPICALITY)
        status = dd_typicality(scorer->statistics, scorer->model, &asked);
    else
        status = measure_statistic(scorer,
                                   score == DDAEBM_SCORE_GRADIENT ? DD_STATISTIC_GRADIENT
                                                                  : DD_STATISTIC_RECONSTRUCTION,
                                   &asked);
    for (size_t i = 0; i < count && status == DDAEBM_OK; i++)
        scores[i] = (float)((double)scores[i] - dd_model_penalty(scorer->model, rows, i));
    return status;
}

/* Checks the arguments and scores rows of either width. */
static ddaebm_status score(ddaebm_scorer *scorer, ddaebm_score kind, dd_rows_in rows, size_t count,
                           size_t timestep, float *scores) {
    DD_REQUIRE(scorer);
    if (!ddaebm_score_name((size_t)kind))
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "%d is no kind of score", (int)kind);
    if (count == 0)
        return DDAEBM_OK;
    if (!rows.narrow && !rows.wide)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "rows must not be NULL");
    DD_REQUIRE(scores);

    ddaebm_status status =
        kind == DDAEBM_SCORE_ENERGY
            ? run(scorer, (request){.rows = rows, .timestep = timestep, .scores = scores}, count)
            : measure_other(scorer, kind, rows, count, timestep, scores);
    for (size_t i = 0; status == DDAEBM_OK && i < count; i++)
        if (!isfinite(scores[i])) /* the row is so far away that its score overflowed */
            scores[i] = -FLT_MAX;
    return status;
}

ddaebm_status ddaebm_scorer_score(ddaebm_scorer *scorer, ddaebm_score kind, const float *rows,
                                  size_t count, size_t timestep, float *scores) {
    DD_DEFAULT_ARITHMETIC;
    return score(scorer, kind, (dd_rows_in){.narrow = rows}, count, timestep, scores);
}

ddaebm_status ddaebm_scorer_score_double(ddaebm_scorer *scorer, ddaebm_score kind,
                                         const double *rows, size_t count, size_t timestep,
                                         float *scores) {
    DD_DEFAULT_ARITHMETIC;
    return score(scorer, kind, (dd_rows_in){.wide = rows}, count, timestep, scores);
}
