#include "base/ieee.h"

#include "train/donors.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"

#include <math.h>

/* The nearest rows, of which one is drawn; and bounds of the rows that are compared with one. */
enum { NEAREST = 5, FEWEST_DONORS = 50, MOST_DONORS = 2000 };
static const double most_differences = 2e9;

typedef struct search {
    const ddaebm_model *model;
    const double *given; /* [count, width] */
    size_t count, width, donors;
    size_t *rows;      /* [donors] */
    double *values;    /* [donors, width]: standardised, NaN where missing */
    double *errors;    /* [donors, width]: of what the others let expect, standardised */
    double *distances; /* [donors]: squared */
    double *line;      /* [width] */
} search;

static double standardized(const search *s, double value, size_t j) {
    const ddaebm_model *model = s->model;
    return model->scale[j] > 0 ? (value - model->mean[j]) / model->scale[j] : 0;
}

/* Sets the errors of a row: of number j it is (precision row)_j / precision_jj, with the precision
 * whiten^T whiten. */
static void find_errors(const search *s, double *errors) {
    const double *whiten = s->model->whiten;
    size_t width = s->width;
    for (size_t j = 0; j < width; j++)
        errors[j] = s->line[j];
    if (!whiten)
        return;

    for (size_t j = 0; j < width; j++) {
        double diagonal = 0;
        errors[j] = 0;
        for (size_t k = j; k < width; k++) {
            double sum = 0;
            for (size_t l = 0; l <= k; l++)
                sum += whiten[k * width + l] * s->line[l];
            errors[j] += whiten[k * width + j] * sum;
            diagonal += whiten[k * width + j] * whiten[k * width + j];
        }
        errors[j] /= diagonal;
    }
}

/* Gathers the donors: all rows, or as many in a random order. */
static void gather(const search *s, const double *expected, uint64_t seed) {
    for (size_t i = 0; i < s->donors; i++) {
        size_t row = s->donors == s->count ? i : (size_t)dd_rng_permute(i, s->count, seed, 0);
        s->rows[i] = row;
        for (size_t j = 0; j < s->width; j++) {
            s->values[i * s->width + j] = standardized(s, s->given[row * s->width + j], j);
            s->line[j] = standardized(s, expected[row * s->width + j], j);
        }
        find_errors(s, s->errors + i * s->width);
    }
}

/* Sets the distances of a row to the donors, by the numbers that both know. */
static void find_distances(const search *s, size_t row) {
    for (size_t j = 0; j < s->width; j++)
        s->line[j] = standardized(s, s->given[row * s->width + j], j);
    for (size_t i = 0; i < s->donors; i++) {
        const double *values = s->values + i * s->width;
        double sum = 0, known = 0;
        for (size_t j = 0; j < s->width; j++) {
            double away = values[j] - s->line[j];
            sum += isnan(away) ? 0 : away * away;
            known += isnan(away) ? 0 : 1;
        }
        s->distances[i] = known > 0 && s->rows[i] != row ? sum / known : INFINITY;
    }
}

/* Returns one of the nearest donors that know a number; s->donors if none does. */
static size_t choose(const search *s, size_t row, size_t column, uint64_t seed) {
    size_t nearest[NEAREST], count = 0;
    for (size_t i = 0; i < s->donors; i++) {
        if (isnan(s->values[i * s->width + column]) || !isfinite(s->distances[i]))
            continue;
        size_t place = count < NEAREST ? count++ : NEAREST;
        for (; place > 0 && s->distances[nearest[place - 1]] > s->distances[i]; place--)
            if (place < NEAREST)
                nearest[place] = nearest[place - 1];
        if (place < NEAREST)
            nearest[place] = i;
    }
    uint32_t word = 0;
    dd_rng_words(&word, seed, dd_stream(DD_STREAM_FILL_DONOR, 0), row * s->width + column, 1);
    return count > 0 ? nearest[(uint64_t)word * count >> 32] : s->donors;
}

static void add_errors(const search *s, double *expected, uint64_t seed) {
    for (size_t i = 0; i < s->count; i++) {
        bool found = false;
        for (size_t j = 0; j < s->width; j++) {
            if (!isnan(s->given[i * s->width + j]) || !(s->model->scale[j] > 0))
                continue;
            if (!found)
                find_distances(s, i);
            found = true;
            size_t donor = choose(s, i, j, seed);
            if (donor < s->donors)
                expected[i * s->width + j] += s->errors[donor * s->width + j] * s->model->scale[j];
        }
    }
}

ddaebm_status dd_donors_add(const ddaebm_model *model, const double *given, double *expected,
                            size_t count, uint64_t seed) {
    ddaebm_context *context = model->context;
    search s = {.model = model, .given = given, .count = count, .width = ddaebm_model_width(model)};
    double most = most_differences / ((double)count * (double)s.width);
    most = most < FEWEST_DONORS ? FEWEST_DONORS : most > MOST_DONORS ? MOST_DONORS : most;
    s.donors = (double)count < most ? count : (size_t)most;

    s.rows = dd_alloc_zero(context, s.donors, sizeof *s.rows);
    s.values = dd_alloc_zero(context, s.donors * s.width, sizeof *s.values);
    s.errors = dd_alloc_zero(context, s.donors * s.width, sizeof *s.errors);
    s.distances = dd_alloc_zero(context, s.donors, sizeof *s.distances);
    s.line = dd_alloc_zero(context, s.width, sizeof *s.line);
    bool good = s.rows && s.values && s.errors && s.distances && s.line;
    if (good) {
        gather(&s, expected, seed);
        add_errors(&s, expected, seed);
    }
    dd_free(context, s.rows);
    dd_free(context, s.values);
    dd_free(context, s.errors);
    dd_free(context, s.distances);
    dd_free(context, s.line);
    return good ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}
