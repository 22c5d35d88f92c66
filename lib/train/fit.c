#include "train/fit.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Limits on the rows whose neighbours are searched, and on the differences computed. */
enum { MOST_ROWS = 256, MOST_DIFFERENCES = 1 << 28, UNBOUNDED_ROWS = 65536 };

/* Bounds: below, training would take too many steps; above, timestep 0 is far from the data. */
static const double least_sigma = 0.03, most_sigma = 0.5, share_of_distance = 0.5;

typedef struct search {
    const ddaebm_model *model;
    const ddaebm_dataset *dataset;
    size_t width, count; /* numbers in a row, and rows whose neighbours are searched */
    uint64_t among;      /* rows that may be neighbours */
    float *rows;         /* [count + 1, width]: those, and the row that they are compared with */
    double *nearest;     /* [count]: squared distances */
} search;

/* Reads a row in a random order; those of an unbounded set are random already. */
static ddaebm_status read_row(const search *s, uint64_t place, float *into) {
    uint64_t rows = ddaebm_dataset_rows(s->dataset);
    return dd_model_read(s->model, s->dataset, rows ? dd_rng_permute(place, rows, 0, 0) : place, 1,
                         into);
}

static double squared_distance(const float *a, const float *b, size_t width) {
    double sum = 0;
    for (size_t j = 0; j < width; j++)
        sum += ((double)a[j] - (double)b[j]) * ((double)a[j] - (double)b[j]);
    return sum;
}

/* Finds the squared distance of each row to the nearest different one. */
static ddaebm_status find_nearest(search *s) {
    float *other = s->rows + s->count * s->width;
    ddaebm_status status = DDAEBM_OK;

    for (size_t i = 0; i < s->count && status == DDAEBM_OK; i++) {
        s->nearest[i] = DBL_MAX;
        status = read_row(s, i, s->rows + i * s->width);
    }

    for (uint64_t k = 0; k < s->among && status == DDAEBM_OK; k++) {
        status = read_row(s, k, other);
        for (size_t i = 0; i < s->count && status == DDAEBM_OK; i++) {
            double square = squared_distance(s->rows + i * s->width, other, s->width);
            if (square > 0 && square < s->nearest[i])
                s->nearest[i] = square;
        }
    }

    return status;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static size_t count_varying(const ddaebm_model *model) {
    size_t count = 0;
    for (size_t j = 0; j < ddaebm_model_width(model); j++)
        count += model->scale[j] > 0;
    return count > 0 ? count : 1;
}

ddaebm_status dd_fit_sigma_min(double *sigma_min, const ddaebm_model *model,
                               const ddaebm_dataset *dataset) {
    search s = {.model = model, .dataset = dataset, .width = dd_model_inner_width(model)};
    uint64_t all = ddaebm_dataset_rows(dataset) ? ddaebm_dataset_rows(dataset) : UNBOUNDED_ROWS;
    uint64_t most = MOST_DIFFERENCES / (MOST_ROWS * (uint64_t)s.width) + 2;
    s.among = all < most ? all : most;
    s.count = s.among < MOST_ROWS ? (size_t)s.among : MOST_ROWS;
    s.rows = dd_alloc_zero(model->context, (s.count + 1) * s.width, sizeof *s.rows);
    s.nearest = dd_alloc_zero(model->context, s.count, sizeof *s.nearest);
    ddaebm_status status = s.rows && s.nearest ? find_nearest(&s) : DDAEBM_OUT_OF_MEMORY;

    if (status == DDAEBM_OK) {
        qsort(s.nearest, s.count, sizeof *s.nearest, ascending);
        double distance = sqrt(s.nearest[s.count / 2] / (double)count_varying(model));
        if (s.nearest[s.count / 2] < DBL_MAX)
            *sigma_min = fmin(fmax(share_of_distance * distance, least_sigma), most_sigma);
    }
    dd_free(model->context, s.rows);
    dd_free(model->context, s.nearest);
    return status;
}
