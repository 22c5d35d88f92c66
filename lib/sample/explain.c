/* What a column contributes to a low score: how much the score rises when that column alone is
 * given the number that raises it most. The best column is restored so, then the best of the
 * others, and so on.
 *
 * A gradient does not tell that. Of a normal distribution with precision matrix P, a row that is
 * off by d in column j has the gradient -P d e_j, whose largest entry may be at any column that j
 * is correlated with. Restored, column k gains (P_kj d)^2 / (2 P_kk) <= P_jj d^2 / 2, which is what
 * column j gains. */
#include "sample/explain.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "model/column_map.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* A column is searched in asinh of its standardised number, which is even near the mean and
 * logarithmic in the tails: first on a grid, up to 27 standard deviations from the mean, then at
 * both sides of the best so far, at half the distance each time. */
enum { GRID = 17, SIDES = 2, HALVINGS = 8, MOST_NUMBERS = 1 << 20 };
static const double grid_first = -4, grid_step = 0.5;

struct dd_explainer {
    size_t block;      /* columns searched at a time */
    float *row;        /* [width], standardised, with the columns restored so far */
    float *trials;     /* [block, GRID, width]: the row, each with another number in one column */
    float *scores;     /* [block, GRID] */
    size_t *open;      /* [width]: the columns not restored so far, constant ones left out */
    bool *restored;    /* [width] */
    double *best, *at; /* [width]: the best score by a column, and asinh of its number there */
};

static ddaebm_status create(dd_explainer **out, ddaebm_context *context, size_t width) {
    dd_explainer *e = dd_alloc_zero(context, 1, sizeof *e);
    if (!e)
        return DDAEBM_OUT_OF_MEMORY;

    size_t fitting = MOST_NUMBERS / GRID / width;
    e->block = fitting < 1 ? 1 : fitting < width ? fitting : width;
    e->row = dd_alloc_zero(context, width, sizeof *e->row);
    e->trials = dd_alloc_zero(context, e->block * GRID * width, sizeof *e->trials);
    e->scores = dd_alloc_zero(context, e->block * GRID, sizeof *e->scores);
    e->open = dd_alloc_zero(context, width, sizeof *e->open);
    e->restored = dd_alloc_zero(context, width, sizeof *e->restored);
    e->best = dd_alloc_zero(context, width, sizeof *e->best);
    e->at = dd_alloc_zero(context, width, sizeof *e->at);
    if (!e->row || !e->trials || !e->scores || !e->open || !e->restored || !e->best || !e->at) {
        dd_explainer_free(e, context);
        return DDAEBM_OUT_OF_MEMORY;
    }
    *out = e;
    return DDAEBM_OK;
}

void dd_explainer_free(dd_explainer *e, ddaebm_context *context) {
    if (!e)
        return;
    dd_free(context, e->row);
    dd_free(context, e->trials);
    dd_free(context, e->scores);
    dd_free(context, e->open);
    dd_free(context, e->restored);
    dd_free(context, e->best);
    dd_free(context, e->at);
    dd_free(context, e);
}

/* A call: rows, and where their reasons go. */
typedef struct request {
    ddaebm_scorer *scorer;
    dd_explainer *explainer;
    dd_rows_in rows;
    size_t width, timestep, most;
    size_t *columns;
    float *contributions;
    dd_rows_out values; /* neither is set: not asked for */
} request;

/* ---- The search. ---- */

/* Place of trial k of a column: of the grid, or at a side of the centre. */
static double place(double centre, size_t k, double step) {
    if (step == 0)
        return grid_first + grid_step * (double)k;
    return centre + (k == 0 ? -step : step);
}

/* Tries the grid (step 0), or both sides of the best so far, for a block of columns. */
static ddaebm_status try_block(const request *r, const size_t *columns, size_t count, double step) {
    dd_explainer *e = r->explainer;
    const size_t each = step == 0 ? GRID : SIDES;
    for (size_t i = 0; i < count * each; i++) {
        float *trial = e->trials + i * r->width;
        memcpy(trial, e->row, r->width * sizeof *trial);
        trial[columns[i / each]] = (float)sinh(place(e->at[columns[i / each]], i % each, step));
    }
    ddaebm_status status =
        dd_scorer_inner_score(r->scorer, e->trials, count * each, r->timestep, e->scores);
    if (status != DDAEBM_OK)
        return status;

    for (size_t i = 0; i < count; i++) {
        const double centre = e->at[columns[i]];
        for (size_t k = 0; k < each; k++)
            if ((double)e->scores[i * each + k] > e->best[columns[i]]) {
                e->best[columns[i]] = (double)e->scores[i * each + k];
                e->at[columns[i]] = place(centre, k, step);
            }
    }
    return DDAEBM_OK;
}

/* Finds the best number of each open column, beginning with the row's own, whose score is `score`.
 */
static ddaebm_status search(const request *r, double score) {
    dd_explainer *e = r->explainer;
    size_t open = 0;
    for (size_t j = 0; j < r->width; j++) {
        if (e->restored[j] || r->scorer->model->scale[j] == 0)
            continue;
        e->best[j] = score;
        e->at[j] = asinh((double)e->row[j]);
        e->open[open++] = j;
    }

    ddaebm_status status = DDAEBM_OK;
    for (size_t first = 0; first < open && status == DDAEBM_OK; first += e->block) {
        const size_t count = open - first < e->block ? open - first : e->block;
        double step = grid_step;
        status = try_block(r, e->open + first, count, 0);
        for (int k = 0; k < HALVINGS && status == DDAEBM_OK; k++) {
            step /= 2;
            status = try_block(r, e->open + first, count, step);
        }
    }
    return status;
}

/* ---- Rows. ---- */

/* What column j of a row gains when it is restored. */
static double gain_of(const request *r, size_t row, size_t j, double score) {
    const dd_explainer *e = r->explainer;
    if (r->scorer->model->scale[j] == 0)
        return dd_model_column_penalty(r->scorer->model, r->rows, row, j);
    return e->best[j] > score ? e->best[j] - score : 0;
}

/* Notes column j as reason number k of a row; `number` is what restores it. */
static void note(const request *r, size_t row, size_t k, size_t j, double gain, double number) {
    size_t at = row * r->most + k, own = row * r->width + j;
    if (gain == 0)
        number = dd_rows_number(r->rows, own);
    r->columns[at] = j;
    r->contributions[at] = (float)gain;
    if (r->values.wide)
        r->values.wide[at] = number;
    else if (r->values.narrow)
        r->values.narrow[at] = (float)number;
}

/* Restores the column that gains most: reason number k of a row. */
static ddaebm_status restore_next(const request *r, size_t row, size_t k, double *score) {
    const ddaebm_model *model = r->scorer->model;
    dd_explainer *e = r->explainer;
    size_t column = r->width;
    double most = -1;
    ddaebm_status status = search(r, *score);
    if (status != DDAEBM_OK)
        return status;

    for (size_t j = 0; j < r->width; j++) {
        double gain = e->restored[j] ? -1 : gain_of(r, row, j, *score);
        if (gain > most) {
            most = gain;
            column = j;
        }
    }
    e->restored[column] = true;
    if (model->scale[column] > 0 && most > 0) {
        e->row[column] = (float)sinh(e->at[column]);
        *score = e->best[column];
    }
    double number = (double)e->row[column] * model->scale[column] + model->mean[column];
    if (model->scale[column] > 0)
        number = dd_column_map_out(model, column, number);
    note(r, row, k, column, most, number);
    return DDAEBM_OK;
}

static ddaebm_status explain_row(const request *r, size_t row) {
    dd_explainer *e = r->explainer;
    float score = 0;
    dd_model_standardize(r->scorer->model, r->rows, row, 1, e->row);
    for (size_t j = 0; j < r->width; j++) {
        e->restored[j] = false;
        if (!isfinite(e->row[j]))
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "row %zu, column %zu (from 0) is beyond 32-bit numbers in standard "
                           "deviations of the training data",
                           row, j);
    }

    ddaebm_status status = dd_scorer_inner_score(r->scorer, e->row, 1, r->timestep, &score);
    double present = isnan(score) ? -INFINITY : (double)score;
    for (size_t k = 0; k < r->most && status == DDAEBM_OK; k++)
        status = restore_next(r, row, k, &present);
    return status;
}

/* ---- The interface. ---- */

static ddaebm_status check(const request *r, size_t count) {
    const ddaebm_model *model = r->scorer->model;
    if (dd_model_settings(model)->data.image_size > 0)
        return dd_fail(DDAEBM_UNSUPPORTED,
                       "explanations are of tables, and this is a model of images");
    if (r->most < 1 || r->most > r->width)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "%zu columns are asked for; allowed: 1 to %zu", r->most,
                       r->width);
    ddaebm_status status = dd_scorer_check_timestep(model, r->timestep);
    return status == DDAEBM_OK ? dd_scorer_check_rows(model, r->rows, count) : status;
}

static ddaebm_status explain(request *r, size_t count) {
    ddaebm_scorer *scorer = r->scorer;
    r->width = ddaebm_model_width(scorer->model);
    ddaebm_status status = check(r, count);
    if (status == DDAEBM_OK && !scorer->explainer)
        status = create(&scorer->explainer, scorer->context, r->width);
    r->explainer = scorer->explainer;
    for (size_t i = 0; i < count && status == DDAEBM_OK; i++) {
        status = explain_row(r, i);
        if (status == DDAEBM_OK && scorer->progress &&
            scorer->progress(scorer->progress_user, i + 1, count) != 0)
            status = dd_fail(DDAEBM_CANCELLED, "cancelled after %zu of %zu rows", i + 1, count);
    }
    return status;
}

ddaebm_status ddaebm_scorer_explain(ddaebm_scorer *scorer, const float *rows, size_t count,
                                    size_t timestep, size_t most, size_t *columns,
                                    float *contributions, float *values) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(scorer);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(rows);
    DD_REQUIRE(columns);
    DD_REQUIRE(contributions);
    request r = {.scorer = scorer,
                 .rows = {.narrow = rows},
                 .timestep = timestep,
                 .most = most,
                 .columns = columns,
                 .contributions = contributions,
                 .values = {.narrow = values}};
    return explain(&r, count);
}

ddaebm_status ddaebm_scorer_explain_double(ddaebm_scorer *scorer, const double *rows, size_t count,
                                           size_t timestep, size_t most, size_t *columns,
                                           float *contributions, double *values) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(scorer);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(rows);
    DD_REQUIRE(columns);
    DD_REQUIRE(contributions);
    request r = {.scorer = scorer,
                 .rows = {.wide = rows},
                 .timestep = timestep,
                 .most = most,
                 .columns = columns,
                 .contributions = contributions,
                 .values = {.wide = values}};
    return explain(&r, count);
}
