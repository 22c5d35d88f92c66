#include "quality.h"

#include "ascending.h"
#include "console.h"
#include "grid.h"
#include "inputs.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* ---- Sliced Wasserstein-1. ---- */

enum { DIRECTIONS = 64 };

/* Standard deviation of a column; 0 for a constant one. */
static double deviation(const double *rows, size_t count, size_t width, size_t column) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        double from_mean = rows[i * width + column] - mean;
        mean += from_mean / (double)(i + 1);
        squares += from_mean * (rows[i * width + column] - mean);
    }
    return sqrt(squares / (double)count);
}

/* A uniform number in (0, 1) of a fixed sequence (splitmix64; Steele et al., 2014). */
static double uniform(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return ((double)((z ^ z >> 31) >> 11) + 0.5) * 0x1p-53;
}

/* Fills direction k with a unit vector: evenly spaced angles in the plane, random ones elsewhere.
 */
static void choose_direction(double *direction, size_t width, size_t k, uint64_t *state) {
    double square = 0;
    for (size_t j = 0; j < width; j++) {
        double angle = pi * (double)k / DIRECTIONS;
        direction[j] = width == 2 ? j == 0 ? cos(angle) : sin(angle)
                                  : sqrt(-2 * log(uniform(state))) * cos(2 * pi * uniform(state));
        square += direction[j] * direction[j];
    }
    for (size_t j = 0; j < width; j++)
        direction[j] /= sqrt(square);
}

static void project(double *out, const double *rows, const compared_rows *all,
                    const double *direction) {
    for (size_t i = 0; i < all->count; i++) {
        out[i] = 0;
        for (size_t j = 0; j < all->width; j++)
            out[i] += rows[i * all->width + j] * direction[j];
    }
    sort_ascending(out, all->count);
}

static double mean_distance(const double *a, const double *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += fabs(a[i] - b[i]);
    return sum / (double)count;
}

int measure_distances(distances *out, const compared_rows *rows) {
    double *projections = NULL, *direction = NULL, *inverse = NULL;
    uint64_t state = 0;
    int code = 0;
    TRY(make_doubles(&projections, rows->count, 3));
    TRY(make_doubles(&direction, rows->width, 1));
    TRY(make_doubles(&inverse, rows->width, 1));
    for (size_t j = 0; j < rows->width; j++) {
        double scale = deviation(rows->data, rows->count, rows->width, j);
        inverse[j] = scale > 0 ? 1 / scale : 0;
    }

    *out = (distances){0, 0};
    double *samples = projections, *data = samples + rows->count, *others = data + rows->count;
    for (size_t k = 0; k < DIRECTIONS; k++) {
        choose_direction(direction, rows->width, k, &state);
        for (size_t j = 0; j < rows->width; j++)
            direction[j] *= inverse[j];
        project(samples, rows->samples, rows, direction);
        project(data, rows->data, rows, direction);
        project(others, rows->others, rows, direction);
        out->samples += mean_distance(samples, data, rows->count) / DIRECTIONS;
        out->floor += mean_distance(others, data, rows->count) / DIRECTIONS;
    }
cleanup:
    free(projections);
    free(direction);
    free(inverse);
    return code;
}

/* ---- Modes. ---- */

mode_shares measure_modes(const compared_rows *rows) {
    enum { SIDE = 5 };
    const double step = 2 / 2.828, sigma = 0.1 / 2.828;
    size_t counts[SIDE * SIDE] = {0}, near = 0, modes = 0;
    double squares = 0;
    for (size_t i = 0; i < rows->count; i++) {
        double square = 0;
        size_t mode = 0;
        for (size_t j = 0; j < 2; j++) {
            double x = rows->samples[2 * i + j], at = floor(x / step + SIDE / 2 + 0.5);
            at = at > 0 ? at < SIDE ? at : SIDE - 1 : 0;
            double away = x - (at - SIDE / 2) * step;
            square += away * away;
            mode = mode * SIDE + (size_t)at;
        }
        if (square >= 9 * sigma * sigma)
            continue;
        counts[mode]++;
        near++;
        squares += square;
    }
    for (size_t k = 0; k < SIDE * SIDE; k++)
        modes += (double)counts[k] > 0.2 * (double)rows->count / (SIDE * SIDE);
    return (mode_shares){modes, (double)near / (double)rows->count,
                         near > 0 ? sqrt(squares / (double)near / 2) / sigma : NAN};
}

/* ---- Scores. ---- */

static double fraction_below(const float *scores, size_t count, double limit) {
    size_t below = 0;
    for (size_t i = 0; i < count; i++)
        below += (double)scores[i] < limit;
    return (double)below / (double)count;
}

int measure_low_scores(low_scores *out, const float *of_samples, const float *of_data,
                       size_t count) {
    double *sorted = NULL;
    int code = make_doubles(&sorted, count, 1);
    if (code != 0)
        return code;
    for (size_t i = 0; i < count; i++)
        sorted[i] = (double)of_data[i];
    sort_ascending(sorted, count);
    out->below_1 = fraction_below(of_samples, count, sorted[count / 100]);
    out->below_5 = fraction_below(of_samples, count, sorted[count / 20]);
    free(sorted);
    return 0;
}

/* ---- Total variation on a grid. ---- */

enum { POINTS_A_CELL = 2, LEAST_SIDE = 8, MOST_SIDE = 128, ROWS_A_CELL = 40 };

/* Chooses a square that has all but a few in a thousand of the rows. */
static int choose_square(interval *out, const double *rows, size_t count) {
    double *sorted = NULL;
    int code = make_doubles(&sorted, count, 2);
    if (code != 0)
        return code;
    memcpy(sorted, rows, 2 * count * sizeof *sorted);
    sort_ascending(sorted, 2 * count);
    double low = sorted[count / 1000], high = sorted[2 * count - 1 - count / 1000];
    double margin = 0.05 * (high - low) + 1e-6;
    *out = (interval){low - margin, high + margin, true};
    free(sorted);
    return 0;
}

/* Adds the model's probability of each cell to `cells`, from the densities at POINTS_A_CELL squared
 * points of each. */
static int fill_model(double *cells, size_t side, const ddaebm_model *model, interval range) {
    size_t points = side * POINTS_A_CELL;
    double inset = (range.high - range.low) / (double)points / 2, sum = 0;
    const interval inner = {range.low + inset, range.high - inset, true};
    float *scores = NULL, most = -INFINITY;
    int code = score_grid(&scores, model, inner, points);
    if (code != 0)
        return code;
    for (size_t i = 0; i < points * points; i++)
        most = scores[i] > most ? scores[i] : most;
    for (size_t i = 0; i < points * points; i++) {
        double density = exp((double)(scores[i] - most));
        cells[i / points / POINTS_A_CELL * side + i % points / POINTS_A_CELL] += density;
        sum += density;
    }
    for (size_t i = 0; i < side * side; i++)
        cells[i] /= sum;
    free(scores);
    return 0;
}

/* Adds to each cell the share of the rows inside the square that it has. */
static void fill_data(double *cells, size_t side, const double *rows, size_t count, interval range,
                      double *inside) {
    double scale = (double)side / (range.high - range.low);
    *inside = 0;
    for (size_t i = 0; i < count; i++) {
        double x = floor((rows[2 * i] - range.low) * scale),
               y = floor((rows[2 * i + 1] - range.low) * scale);
        if (!(x >= 0 && y >= 0 && x < (double)side && y < (double)side))
            continue;
        cells[(size_t)y * side + (size_t)x] += 1;
        *inside += 1;
    }
    for (size_t i = 0; i<side * side && * inside> 0; i++)
        cells[i] /= *inside;
}

int measure_variation(variation *out, const ddaebm_model *model, const double *rows, size_t count) {
    double *cells = NULL, *seen = NULL, difference = 0, noise = 0, inside = 0;
    interval range;
    size_t side = (size_t)sqrt((double)count / ROWS_A_CELL);
    side = side < LEAST_SIDE ? LEAST_SIDE : side > MOST_SIDE ? MOST_SIDE : side;
    int code = 0;
    TRY(choose_square(&range, rows, count));
    TRY(make_doubles(&cells, (uint64_t)side * side, 1));
    TRY(make_doubles(&seen, (uint64_t)side * side, 1));
    for (size_t i = 0; i < side * side; i++)
        cells[i] = seen[i] = 0;
    TRY(fill_model(cells, side, model, range));
    fill_data(seen, side, rows, count, range, &inside);

    for (size_t i = 0; i < side * side; i++) {
        difference += fabs(cells[i] - seen[i]) / 2;
        noise += sqrt(seen[i] * (1 - seen[i]) / inside / (2 * pi)); /* E|N(0, 1)| / 2 */
    }
    *out = (variation){difference, noise, side};
cleanup:
    free(cells);
    free(seen);
    return code;
}
