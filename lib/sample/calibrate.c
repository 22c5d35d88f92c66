#include "sample/calibrate.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "diffusion/noise_scale.h"
#include "diffusion/noise_schedule.h"
#include "sample/scorer.h"

#include <float.h>
#include <math.h>

enum { MOST_ROWS = 16384, MOST_IMAGES = 256, GRID = 384, GRID_LINE = 4096 };

/* Margin of the box around the data, as a fraction of the data's extent. */
static const double beyond = 0.25;

/* First of the fresh rows of an unbounded set, which no training run reaches. */
static const uint64_t fresh_rows = UINT64_C(1) << 40;

/* Bracket of 1 / temperature. */
static const double least_inverse = 1e-4, most_inverse = 1e4;

typedef struct calibration {
    ddaebm_model *model;
    ddaebm_scorer *scorer; /* at temperature 1: scores are f */
    size_t inner, count;   /* inner: numbers in a row, as the networks see it */
    float *rows;           /* [count, inner]: data as the networks see it */
    float *noisy;          /* [count, inner]: diffused to timestep 0 */
    float *noise;          /* [count, inner]: the noise */
    double *scales;        /* [count]: squares of its scales; 1 for normal noise */
    double keep, sigma;    /* factor of the data, and standard deviation of the noise */
} calibration;

/* Diffuses the rows to timestep 0, with the noise times a sign. */
static void diffuse(calibration *c, float sign) {
    float keep = (float)c->keep, spread = sign * (float)c->sigma;
    for (size_t i = 0; i < c->count * c->inner; i++)
        c->noisy[i] = keep * c->rows[i] + spread * c->noise[i];
}

/* --- Maximum likelihood: the mean of f over the data equals its mean under exp(f s). --- */

typedef struct box {
    float low[2], high[2];
    size_t points, across; /* points of the grid, and those along its first axis */
} box;

/* Box around the data with a margin, and its grid. */
static box box_of(const calibration *c) {
    box b = {.across = c->inner == 1 ? GRID_LINE : GRID,
             .points = c->inner == 1 ? GRID_LINE : (size_t)GRID * GRID};

    for (size_t j = 0; j < c->inner; j++) {
        b.low[j] = FLT_MAX;
        b.high[j] = -FLT_MAX;
        for (size_t i = 0; i < c->count; i++) {
            float x = c->rows[i * c->inner + j];
            b.low[j] = x < b.low[j] ? x : b.low[j];
            b.high[j] = x > b.high[j] ? x : b.high[j];
        }
        float margin = (float)beyond * (b.high[j] - b.low[j]) + 1e-6f;
        b.low[j] -= margin;
        b.high[j] += margin;
    }

    return b;
}

static void fill_grid(const calibration *c, const box *b, float *points) {
    for (size_t i = 0; i < b->points; i++)
        for (size_t j = 0; j < c->inner; j++) {
            size_t at = j == 0 ? i % b->across : i / b->across;
            points[i * c->inner + j] =
                b->low[j] + (b->high[j] - b->low[j]) * ((float)at + 0.5f) / (float)b->across;
        }
}

/* Mean of f under the density proportional to exp(f s) on the grid. */
static double mean_under(const float *f, size_t count, double s) {
    double largest = -DBL_MAX, sum = 0, weighted = 0;
    for (size_t i = 0; i < count; i++) /* gcc 12 for aarch64 crashes on fmax in such a loop */
        largest = (double)f[i] > largest ? (double)f[i] : largest;
    for (size_t i = 0; i < count; i++) {
        double weight = exp(((double)f[i] - largest) * s);
        sum += weight;
        weighted += weight * ((double)f[i] - largest);
    }
    return largest + weighted / sum;
}

/* The likelihood is concave in s = 1/temperature: bisection on the logarithm of s. */
static double likeliest(const float *data, size_t count, const float *grid, size_t points) {
    enum { HALVINGS = 48 };
    double mean = 0, low = log(least_inverse), high = log(most_inverse);
    for (size_t i = 0; i < count; i++)
        mean += (double)data[i] / (double)count;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        *(mean_under(grid, points, exp(middle)) < mean ? &low : &high) = middle;
    }
    double s = exp((low + high) / 2);
    return s > least_inverse * 2 && s < most_inverse / 2 ? 1 / s
                                                         : 0; /* no solution inside the bracket */
}

/* Fits the temperature of rows of one or two numbers. */
static ddaebm_status fit_by_likelihood(const calibration *c, double *temperature) {
    ddaebm_context *context = c->model->context;
    box b = box_of(c);
    float *points = dd_alloc_zero(context, b.points * c->inner, sizeof *points),
          *f = dd_alloc_zero(context, b.points, sizeof *f);
    float *data = dd_alloc_zero(context, c->count, sizeof *data);
    ddaebm_status status = points && f && data ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;

    if (status == DDAEBM_OK) {
        fill_grid(c, &b, points);
        status = dd_scorer_inner_score(c->scorer, points, b.points, 0, f);
    }
    if (status == DDAEBM_OK)
        status = dd_scorer_inner_score(c->scorer, c->rows, c->count, 0, data);
    if (status == DDAEBM_OK)
        *temperature = likeliest(data, c->count, f, b.points);

    dd_free(context, points);
    dd_free(context, f);
    dd_free(context, data);
    return status;
}

/* --- Score matching: s minimises mean |s grad f + noise / sigma|^2. --- */

/* Sums over each noise and its negative: that cancels the gradient at the row itself, which would
 * dominate for small sigma. */
static ddaebm_status fit_by_scores(calibration *c, double *temperature) {
    float *gradients = dd_alloc_zero(c->model->context, c->count * c->inner, sizeof *gradients);
    ddaebm_status status = gradients ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    double product = 0, square = 0;

    for (int sign = 1; sign >= -1 && status == DDAEBM_OK; sign -= 2) {
        diffuse(c, (float)sign);
        status = dd_scorer_inner_gradient(c->scorer, c->noisy, c->count, 0, gradients);
        for (size_t i = 0; i < c->count * c->inner; i++) {
            double gradient = (double)gradients[i];
            product -= sign * gradient * (double)c->noise[i] / c->sigma / c->scales[i / c->inner];
            square += gradient * gradient;
        }
    }
    if (status == DDAEBM_OK)
        *temperature = product > 0 ? square / product : 0;
    dd_free(c->model->context, gradients);
    return status;
}

/* --- The whole. --- */

static void draw_noise(calibration *c, uint64_t seed) {
    const dd_settings *settings = dd_model_settings(c->model);
    uint64_t scales = dd_stream(DD_STREAM_NOISE_SCALE, 0);
    dd_rng_normals(c->noise, seed, dd_stream(DD_STREAM_CALIBRATION, 0), 0, c->count * c->inner);
    dd_noise_scale_apply(settings, seed, scales, 0, c->count, c->inner, c->noise);
    for (size_t i = 0; i < c->count; i++)
        c->scales[i] = dd_noise_scale_draw(settings, seed, scales, i);
}

/* Reads the rows, draws the noise and makes the scorer. */
static ddaebm_status prepare(calibration *c, const ddaebm_dataset *dataset, uint64_t seed) {
    ddaebm_model *model = c->model;
    uint64_t all = ddaebm_dataset_rows(dataset), first = all ? 0 : fresh_rows;
    uint64_t most = dd_model_settings(model)->data.image_size > 0
                        ? MOST_IMAGES
                        : MOST_ROWS; /* each image has many numbers to fit */
    c->count = (size_t)(all && all < most ? all : most);
    c->rows = dd_alloc_zero(model->context, c->count * c->inner, sizeof(float));
    c->noisy = dd_alloc_zero(model->context, c->count * c->inner, sizeof(float));
    c->noise = dd_alloc_zero(model->context, c->count * c->inner, sizeof(float));
    c->scales = dd_alloc_zero(model->context, c->count, sizeof *c->scales);
    if (!c->rows || !c->noisy || !c->noise || !c->scales)
        return DDAEBM_OUT_OF_MEMORY;

    dd_noise_schedule schedule;
    ddaebm_status status = dd_model_read(model, dataset, first, c->count, c->rows);
    if (status == DDAEBM_OK)
        status = dd_noise_schedule_make(&schedule, model->context, dd_model_settings(model));
    if (status != DDAEBM_OK)
        return status;
    c->keep = schedule.a_cum[0];
    c->sigma = schedule.sigma_cum[0];
    dd_noise_schedule_free(&schedule);
    draw_noise(c, seed);
    return ddaebm_scorer_create(&c->scorer, model);
}

ddaebm_status dd_calibrate(ddaebm_model *model, const ddaebm_dataset *dataset, uint64_t seed) {
    calibration c = {.model = model, .inner = dd_model_inner_width(model)};
    double before = model->temperature, fitted = before;
    model->temperature = 1;
    ddaebm_status status = prepare(&c, dataset, seed);
    if (status == DDAEBM_OK)
        status = c.inner <= 2 ? fit_by_likelihood(&c, &fitted) : fit_by_scores(&c, &fitted);
    model->temperature = before;
    if (status == DDAEBM_OK && ddaebm_model_set_temperature(model, fitted) != DDAEBM_OK)
        dd_report(model->context, DDAEBM_LOG_WARNING, "no temperature fits the data: it stays %g",
                  before);

    ddaebm_scorer_free(c.scorer);
    dd_free(model->context, c.rows);
    dd_free(model->context, c.noisy);
    dd_free(model->context, c.noise);
    dd_free(model->context, c.scales);
    return status;
}
