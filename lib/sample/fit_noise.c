#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "sample/restorer.h"

#include <math.h>

/* Rows that are looked at, draws of each, and turns. */
enum { MOST_ROWS = 64, DRAWS = 4, TURNS = 12 };

/* The turns of a fit. */
typedef struct fit {
    ddaebm_restorer *restorer;
    const double *y;
    uint64_t seed;
    size_t count, width, measured;
    double *samples; /* [DRAWS, count, width] */
    double *miss;    /* [measured] */
} fit;

/* Mean square of y - A x over the draws and the numbers that are not missing. */
static ddaebm_status mean_square(const fit *f, double *out) {
    dd_measurement *measurement = f->restorer->measurement;
    double sum = 0, known = 0;
    for (size_t k = 0; k < DRAWS * f->count; k++) {
        ddaebm_status status =
            dd_measurement_miss(measurement, (dd_rows_in){.wide = f->y}, k % f->count,
                                f->samples + k * f->width, f->miss);
        if (status != DDAEBM_OK)
            return status;
        for (size_t j = 0; j < f->measured; j++) {
            bool counts = !isnan(f->miss[j]);
            sum += counts ? f->miss[j] * f->miss[j] : 0;
            known += counts;
        }
    }
    if (!(known > 0))
        return dd_fail(DDAEBM_NOT_FINITE,
                       "every number of the first %zu rows of y is missing: the "
                       "noise cannot be estimated",
                       f->count);
    *out = sum / known;
    return DDAEBM_OK;
}

/* The noise supposed at first: half of what the numbers vary by. */
static double first_guess(const fit *f) {
    double sum = 0, squares = 0, known = 0;
    for (size_t i = 0; i < f->count * f->measured; i++) {
        if (isnan(f->y[i]))
            continue;
        sum += f->y[i];
        squares += f->y[i] * f->y[i];
        known++;
    }
    double mean = known > 0 ? sum / known : 0,
           variance = known > 0 ? squares / known - mean * mean : 0;
    return variance > 0 ? 0.5 * sqrt(variance) : 1;
}

static ddaebm_status take_turns(const fit *f, double *deviation) {
    double found = first_guess(f), square = 0;
    ddaebm_status status = DDAEBM_OK;
    for (int turn = 0; turn < TURNS && status == DDAEBM_OK; turn++) {
        DD_TRY(ddaebm_restorer_set_noise(f->restorer, &found, 1));
        DD_TRY(ddaebm_restorer_draw_double(f->restorer, f->seed + (uint64_t)turn, 0, f->count, f->y,
                                           DRAWS, f->samples));
        DD_TRY(mean_square(f, &square));
        found = sqrt(square);
    }
    DD_TRY(ddaebm_restorer_set_noise(f->restorer, &found, 1));
    *deviation = found;
cleanup:
    return status;
}

ddaebm_status ddaebm_restorer_fit_noise(ddaebm_restorer *restorer, uint64_t seed, size_t count,
                                        const double *y, double *deviation) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(restorer);
    DD_REQUIRE(y);
    DD_REQUIRE(deviation);
    if (count == 0)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "there are no rows to estimate the noise of");
    fit f = {.restorer = restorer,
             .y = y,
             .seed = seed,
             .count = count < MOST_ROWS ? count : MOST_ROWS,
             .width = ddaebm_model_width(restorer->model),
             .measured = dd_measurement_width(restorer->measurement)};
    double *before = dd_alloc_zero(restorer->context, f.measured, sizeof *before);
    f.samples = dd_alloc_zero(restorer->context, DRAWS * f.count, f.width * sizeof *f.samples);
    f.miss = dd_alloc_zero(restorer->context, f.measured, sizeof *f.miss);
    ddaebm_status status = before && f.samples && f.miss ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    if (status == DDAEBM_OK) {
        const double *noise = dd_measurement_noise(restorer->measurement);
        for (size_t j = 0; j < f.measured; j++)
            before[j] = noise[j];
        status = take_turns(&f, deviation);
        if (status != DDAEBM_OK)
            (void)dd_measurement_set_noise(restorer->measurement, before, f.measured);
    }
    dd_free(restorer->context, before);
    dd_free(restorer->context, f.samples);
    dd_free(restorer->context, f.miss);
    return status;
}
