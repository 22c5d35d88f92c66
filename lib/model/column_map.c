#include "model/column_map.h"

#include "base/context.h"
#include "base/error.h"
#include "base/order.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

/* Knots at each end that give the slope beyond it. */
enum { END = 8 };

static int64_t kind_of(const ddaebm_model *model) {
    return dd_model_settings(model)->data.transform;
}

size_t dd_column_map_size(const ddaebm_model *model) {
    return kind_of(model) == DD_TRANSFORM_QUANTILE ? (ddaebm_model_width(model) + 1) * DD_KNOTS : 0;
}

bool dd_has_column_map(const ddaebm_model *model) {
    return kind_of(model) != DD_TRANSFORM_NONE;
}

/* ---- Piecewise linear maps. ---- */

static const double *knots_of(const ddaebm_model *model, size_t j) {
    return model->knots + j * DD_KNOTS;
}

static const double *scores_of(const ddaebm_model *model) {
    return knots_of(model, ddaebm_model_width(model));
}

/* The piece of x: from[*a] to from[*b]. Beyond the ends it is that of the END outer knots. */
static void find_piece(const double *from, double x, size_t *a, size_t *b) {
    size_t low = 0, high = DD_KNOTS - 1;
    if (x < from[0] || x > from[high]) {
        *a = x < from[0] ? 0 : high - END;
        *b = *a + END;
        return;
    }
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        *(x < from[middle] ? &high : &low) = middle;
    }
    *a = low;
    *b = high;
}

static double interpolate(const double *from, const double *to, double x) {
    size_t a, b;
    find_piece(from, x, &a, &b);
    double slope = (to[b] - to[a]) / (from[b] - from[a]);
    return x > from[DD_KNOTS - 1] ? to[b] + (x - from[b]) * slope : to[a] + (x - from[a]) * slope;
}

/* A constant column, or a model that saw no data, has no quantiles. */
static bool is_mapped(const double *knots) {
    return knots[DD_KNOTS - 1] > knots[0];
}

/* ---- The maps. ---- */

double dd_column_map_in(const ddaebm_model *model, size_t j, double x) {
    if (kind_of(model) == DD_TRANSFORM_LOG)
        return log(x);
    if (kind_of(model) == DD_TRANSFORM_NONE || !is_mapped(knots_of(model, j)))
        return x;
    return interpolate(knots_of(model, j), scores_of(model), x);
}

double dd_column_map_out(const ddaebm_model *model, size_t j, double y) {
    if (kind_of(model) == DD_TRANSFORM_LOG)
        return exp(y);
    if (kind_of(model) == DD_TRANSFORM_NONE || !is_mapped(knots_of(model, j)))
        return y;
    return interpolate(scores_of(model), knots_of(model, j), y);
}

double dd_column_map_log_slope(const ddaebm_model *model, size_t j, double x) {
    size_t a, b;
    if (kind_of(model) == DD_TRANSFORM_LOG)
        return -log(x);
    if (kind_of(model) == DD_TRANSFORM_NONE || !is_mapped(knots_of(model, j)))
        return 0;
    const double *from = knots_of(model, j), *to = scores_of(model);
    find_piece(from, x, &a, &b);
    return log((to[b] - to[a]) / (from[b] - from[a]));
}

double dd_column_map_bend(const ddaebm_model *model, size_t j, double x) {
    (void)j;
    return kind_of(model) == DD_TRANSFORM_LOG ? -1 / x : 0;
}

ddaebm_status dd_column_map_check(const ddaebm_model *model, dd_rows_in in, size_t row) {
    size_t width = ddaebm_model_width(model);
    for (size_t j = 0; kind_of(model) == DD_TRANSFORM_LOG && !in.inner && j < width; j++) {
        double x = dd_rows_number(in, row * width + j);
        if (model->scale[j] > 0 && !(x > 0))
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "row %zu: column %zu (from 1) is %g; with data.transform log it must be "
                           "above 0",
                           row, j + 1, x);
    }
    return DDAEBM_OK;
}

/* ---- Quantiles. ---- */

/* Probability that a standard normal number is below y. */
static double normal_below(double y) {
    return 0.5 * erfc(-y * 0.70710678118654752440);
}

/* The normal score of the largest of `count` numbers. */
static double largest_score(size_t count) {
    double low = 0, high = 10, wanted = 0.5 / (double)count;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        *(normal_below(-middle) > wanted ? &low : &high) = middle;
    }
    return low;
}

/* The quantile of sorted numbers, linear between the middles of their steps. */
static double quantile(const double *sorted, size_t count, double probability) {
    double place = probability * (double)count - 0.5;
    if (!(place > 0))
        return sorted[0];
    size_t below = (size_t)place;
    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* Equal quantiles, of numbers that are often the same, are moved apart a little. */
static void set_knots(double *knots, const double *scores, const double *sorted, size_t count) {
    double gap = 1e-7 * (sorted[count - 1] - sorted[0]);
    for (size_t k = 0; k < DD_KNOTS; k++) {
        knots[k] = quantile(sorted, count, normal_below(scores[k]));
        if (k > 0 && knots[k] < knots[k - 1] + gap)
            knots[k] = knots[k - 1] + gap;
    }
}

/* Reads the rows that quantiles are found from: all, a random choice, or the first. */
static ddaebm_status read_rows(double *rows, size_t count, const ddaebm_dataset *dataset) {
    uint64_t all = ddaebm_dataset_rows(dataset);
    size_t width = ddaebm_dataset_width(dataset);
    if (all == 0 || all == count)
        return ddaebm_dataset_read_double(dataset, 0, count, rows);
    ddaebm_status status = DDAEBM_OK;
    for (size_t i = 0; i < count && status == DDAEBM_OK; i++)
        status =
            ddaebm_dataset_read_double(dataset, dd_rng_permute(i, all, 0, 0), 1, rows + i * width);
    return status;
}

ddaebm_status dd_column_map_fit(ddaebm_model *model, const ddaebm_dataset *dataset) {
    enum { MOST = 65536, MOST_NUMBERS = 1 << 24, FEWEST = 2 };
    size_t width = ddaebm_model_width(model),
           most = MOST_NUMBERS / width < MOST ? MOST_NUMBERS / width : MOST;
    uint64_t all = ddaebm_dataset_rows(dataset);
    size_t count = all > 0 && all < most ? (size_t)all : most;
    if (kind_of(model) != DD_TRANSFORM_QUANTILE)
        return DDAEBM_OK;
    if (ddaebm_dataset_missing(dataset) > 0)
        return dd_fail(DDAEBM_UNSUPPORTED,
                       "data.transform is quantile; data with missing values needs none or log");
    if (count < FEWEST)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "data.transform is quantile; one row has no quantiles");

    double *rows = dd_alloc_zero(model->context, count * width, sizeof *rows);
    double *column = dd_alloc_zero(model->context, count, sizeof *column);
    ddaebm_status status = rows && column ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    double *scores = model->knots + width * DD_KNOTS, reach = largest_score(count);
    if (status == DDAEBM_OK)
        status = read_rows(rows, count, dataset);
    for (size_t k = 0; k < DD_KNOTS && status == DDAEBM_OK; k++)
        scores[k] = reach * (2 * (double)k / (DD_KNOTS - 1) - 1);
    for (size_t j = 0; j < width && status == DDAEBM_OK; j++) {
        for (size_t i = 0; i < count; i++)
            column[i] = rows[i * width + j];
        qsort(column, count, sizeof *column, dd_ascending);
        set_knots(model->knots + j * DD_KNOTS, scores, column, count);
    }
    dd_free(model->context, rows);
    dd_free(model->context, column);
    return status;
}
