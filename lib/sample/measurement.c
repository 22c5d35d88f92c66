#include "sample/measurement.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/struct_size.h"
#include "io/rows.h"

#include <math.h>
#include <string.h>

/* Conjugate gradients end at this share of the first residual, or after so many steps. */
enum { MOST_STEPS = 60 };
static const double small_residual = 1e-6;

/* The noise of a map counts as at least this share of the timestep's noise, so that the equations
 * stay well conditioned where y is exact. */
static const double least_noise = 0.01;

/* The largest share of y's variance that a split takes. */
static const double most_of_split = 0.8;

struct dd_measurement {
    ddaebm_context *context;
    const ddaebm_model *model;
    ddaebm_operator map; /* without functions for the identity */
    size_t measured, width, inner, most;
    double *noise;            /* [measured], in the units of y */
    float *inner_noise;       /* [inner]: of the identity, as the networks see x; 0 for borders */
    double steepest;          /* largest eigenvalue of A' A over the noise's variance */
    double *rest, *spare;     /* [most, measured]: of the split */
    double gain;              /* standard deviation of what the map makes of normal numbers */
    double *given;            /* [most, measured]: y, NaN where missing */
    double *outer, *image;    /* [most, width], [most, measured]: what the map reads and writes */
    float *normals;           /* [most, measured] */
    float *solution, *right;  /* [most, inner] */
    float *direction, *curve; /* [most, inner] */
    float *zero;              /* [inner]: zeros */
    double *origin;           /* [width]: what zeros are in the units of the data */
};

static ddaebm_status make_room(dd_measurement *m) {
    ddaebm_context *context = m->context;
    m->noise = dd_alloc_zero(context, m->measured, sizeof *m->noise);
    m->inner_noise = dd_alloc_zero(context, m->inner, sizeof *m->inner_noise);
    if (!m->noise || !m->inner_noise)
        return DDAEBM_OUT_OF_MEMORY;
    if (!m->map.apply)
        return DDAEBM_OK;

    m->given = dd_alloc_zero(context, m->most, m->measured * sizeof *m->given);
    m->image = dd_alloc_zero(context, m->most, m->measured * sizeof *m->image);
    m->normals = dd_alloc_zero(context, m->most, m->measured * sizeof(float));
    m->rest = dd_alloc_zero(context, m->most, m->measured * sizeof *m->rest);
    m->spare = dd_alloc_zero(context, m->most, m->measured * sizeof *m->spare);
    m->outer = dd_alloc_zero(context, m->most, m->width * sizeof *m->outer);
    m->solution = dd_alloc_zero(context, m->most, m->inner * sizeof(float));
    m->right = dd_alloc_zero(context, m->most, m->inner * sizeof(float));
    m->direction = dd_alloc_zero(context, m->most, m->inner * sizeof(float));
    m->curve = dd_alloc_zero(context, m->most, m->inner * sizeof(float));
    m->zero = dd_alloc_zero(context, m->inner, sizeof(float));
    m->origin = dd_alloc_zero(context, m->width, sizeof *m->origin);
    if (!m->given || !m->image || !m->rest || !m->spare || !m->normals || !m->outer ||
        !m->solution || !m->right || !m->direction || !m->curve || !m->zero || !m->origin)
        return DDAEBM_OUT_OF_MEMORY;
    dd_model_restore(m->model, m->zero, 1, (dd_rows_out){.wide = m->origin}, 0);
    return DDAEBM_OK;
}

static ddaebm_status read_map(ddaebm_operator *out, const ddaebm_operator *map) {
    *out = (ddaebm_operator)DDAEBM_OPERATOR_INIT;
    ddaebm_status status = dd_struct_in(out, sizeof *out, map, "DDAEBM_OPERATOR_INIT");
    if (status != DDAEBM_OK)
        return status;
    if (!out->apply || !out->apply_transpose)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "a map needs apply and apply_transpose");
    if (out->measured == 0 || out->measured > DD_MOST_WIDTH)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "the map measures %zu numbers; allowed: 1 to %d",
                       out->measured, (int)DD_MOST_WIDTH);
    return DDAEBM_OK;
}

ddaebm_status dd_measurement_create(dd_measurement **out, const ddaebm_model *model,
                                    const ddaebm_operator *map, size_t most_rows) {
    ddaebm_operator read = DDAEBM_OPERATOR_INIT;
    ddaebm_status status = map ? read_map(&read, map) : DDAEBM_OK;
    if (status != DDAEBM_OK)
        return status;
    dd_measurement *m = dd_alloc_zero(model->context, 1, sizeof *m);
    if (!m)
        return DDAEBM_OUT_OF_MEMORY;

    *m = (dd_measurement){.context = model->context,
                          .model = model,
                          .map = read,
                          .measured = map ? read.measured : ddaebm_model_width(model),
                          .width = ddaebm_model_width(model),
                          .inner = dd_model_inner_width(model),
                          .most = most_rows};
    status = make_room(m);
    if (status == DDAEBM_OK)
        *out = m;
    else
        dd_measurement_free(m);
    return status;
}

void dd_measurement_free(dd_measurement *m) {
    if (!m)
        return;
    void *blocks[] = {m->noise,    m->inner_noise, m->given,     m->image, m->outer,
                      m->solution, m->right,       m->direction, m->curve, m->zero,
                      m->origin,   m->normals,     m->rest,      m->spare};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        dd_free(m->context, blocks[i]);
    dd_free(m->context, m);
}

bool dd_measurement_is_mapped(const dd_measurement *m) {
    return m->map.apply != NULL;
}

size_t dd_measurement_width(const dd_measurement *m) {
    return m->measured;
}

float *dd_measurement_normals(dd_measurement *m) {
    return m->normals;
}

double *dd_measurement_noise(const dd_measurement *m) {
    return m->noise;
}

ddaebm_status dd_measurement_set_noise(dd_measurement *m, const double *deviations, size_t count) {
    if (count != 1 && count != m->measured)
        return dd_fail(DDAEBM_MISMATCH, "%zu standard deviations of noise; allowed: 1 or %zu",
                       count, m->measured);
    for (size_t j = 0; j < count; j++)
        if (!(deviations[j] >= 0) || !isfinite(deviations[j]))
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "standard deviation %zu of the noise is %g; allowed: finite, at least 0",
                           j, deviations[j]);

    for (size_t j = 0; j < m->measured; j++)
        m->noise[j] = deviations[count > 1 ? j : 0];
    if (m->map.apply)
        return DDAEBM_OK;
    dd_model_standardize_gradient(m->model, (dd_rows_in){.wide = m->noise},
                                  (dd_rows_in){.wide = m->noise}, 1, m->inner_noise);
    for (size_t j = 0; j < m->width; j++)
        if (m->inner == m->width && m->model->scale[j] > 0) /* a gradient times scale^-2 */
            m->inner_noise[j] = (float)(m->noise[j] / m->model->scale[j]);
    return DDAEBM_OK;
}

/* --- The identity. --- */

void dd_measurement_read(const dd_measurement *m, dd_rows_in y, size_t row, const float *moves,
                         float *known, float *noise) {
    dd_model_standardize(m->model, y, row, 1, known);
    for (size_t j = 0; j < m->inner; j++) {
        noise[j] = moves[j] > 0 ? isnan(known[j]) ? INFINITY : m->inner_noise[j] : 0;
        known[j] = isnan(known[j]) ? 0 : known[j];
    }
}

/* --- A map of the caller. --- */

void dd_measurement_load(dd_measurement *m, dd_rows_in y, size_t place, size_t row) {
    for (size_t j = 0; j < m->measured; j++)
        m->given[place * m->measured + j] = dd_rows_number(y, row * m->measured + j);
}

/* m->image = A x for x as the networks see it, or A times a difference of two such. */
static ddaebm_status apply(dd_measurement *m, const float *x, size_t count, bool difference) {
    dd_model_restore(m->model, x, count, (dd_rows_out){.wide = m->outer}, 0);
    for (size_t i = 0; difference && i < count * m->width; i++)
        m->outer[i] -= m->origin[i % m->width];
    return m->map.apply(m->map.user, count, m->outer, m->image);
}

/* out = the transpose of A times m->image, as the networks see x. */
static ddaebm_status apply_transpose(dd_measurement *m, float *out, size_t count) {
    ddaebm_status status = m->map.apply_transpose(m->map.user, count, m->image, m->outer);
    if (status == DDAEBM_OK)
        dd_model_standardize_gradient(m->model, (dd_rows_in){.wide = m->outer},
                                      (dd_rows_in){.wide = m->outer}, count, out);
    return status;
}

static double inner_product(const float *a, const float *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* The variance that the map is solved with: the noise's, and a little of what normal numbers of
 * this ratio become, without which exact numbers would make the equations singular. */
static double variance_of(const dd_measurement *m, size_t j, double ratio) {
    double least = least_noise * ratio * m->gain;
    return m->noise[j] * m->noise[j] + least * least;
}

/* m->image /= variance; 0 where y is missing. */
static void weigh(dd_measurement *m, size_t count, double ratio) {
    for (size_t i = 0; i < count * m->measured; i++)
        m->image[i] = isnan(m->given[i]) ? 0 : m->image[i] / variance_of(m, i % m->measured, ratio);
}

/* m->right = A' (y - A x + noise) / variance. */
static ddaebm_status find_right(dd_measurement *m, const float *x, size_t count, double ratio,
                                const float *others) {
    ddaebm_status status = apply(m, x, count, false);
    if (status != DDAEBM_OK)
        return status;
    for (size_t i = 0; i < count * m->measured; i++)
        m->image[i] = m->given[i] - m->image[i] +
                      sqrt(variance_of(m, i % m->measured, ratio)) * (double)others[i];
    weigh(m, count, ratio);
    return apply_transpose(m, m->right, count);
}

/* m->curve = (A' A / variance + 1 / ratio^2) direction. */
static ddaebm_status find_curve(dd_measurement *m, size_t count, double ratio) {
    ddaebm_status status = apply(m, m->direction, count, true);
    if (status != DDAEBM_OK)
        return status;
    weigh(m, count, ratio);
    status = apply_transpose(m, m->curve, count);
    for (size_t i = 0; i < count * m->inner && status == DDAEBM_OK; i++)
        m->curve[i] += (float)((double)m->direction[i] / (ratio * ratio));
    return status;
}

/* One step of conjugate gradients for a row. Returns the square of what is left of it. */
static double step_row(dd_measurement *m, size_t row) {
    float *right = m->right + row * m->inner, *direction = m->direction + row * m->inner;
    const float *curve = m->curve + row * m->inner;
    double before = inner_product(right, right, m->inner),
           along = inner_product(direction, curve, m->inner);
    if (!(along > 0))
        return 0;

    float size = (float)(before / along);
    for (size_t j = 0; j < m->inner; j++) {
        m->solution[row * m->inner + j] += size * direction[j];
        right[j] -= size * curve[j];
    }
    double after = inner_product(right, right, m->inner);
    for (size_t j = 0; j < m->inner; j++)
        direction[j] = right[j] + (float)(after / before) * direction[j];
    return after;
}

/* m->solution solves the equations of find_curve for m->right. */
static ddaebm_status solve(dd_measurement *m, size_t count, double ratio) {
    double first = inner_product(m->right, m->right, count * m->inner), left = first;
    memset(m->solution, 0, count * m->inner * sizeof *m->solution);
    memcpy(m->direction, m->right, count * m->inner * sizeof *m->direction);
    for (int step = 0; step < MOST_STEPS && left > first * small_residual * small_residual;
         step++) {
        ddaebm_status status = find_curve(m, count, ratio);
        if (status != DDAEBM_OK)
            return status;
        left = 0;
        for (size_t i = 0; i < count; i++)
            left += step_row(m, i);
    }
    return DDAEBM_OK;
}

/* A draw of a normal distribution is the solution of its perturbed equations. */
ddaebm_status dd_measurement_draw(dd_measurement *m, float *x, size_t count, double ratio,
                                  const float *normals, const float *others) {
    for (size_t i = 0; i < count * m->inner; i++)
        x[i] += (float)ratio * normals[i];
    ddaebm_status status = find_right(m, x, count, ratio, others);
    if (status == DDAEBM_OK)
        status = solve(m, count, ratio);
    for (size_t i = 0; i < count * m->inner && status == DDAEBM_OK; i++)
        x[i] += m->solution[i];
    return status;
}

/* --- The split. --- */

bool dd_measurement_can_split(const dd_measurement *m, double ratio) {
    return ratio * ratio * m->steepest <= most_of_split;
}

size_t dd_measurement_turns(const dd_measurement *m, double ratio) {
    enum { LEAST = 4, MOST = 60 };
    double turns = LEAST + 4 / (ratio * ratio * m->steepest);
    return turns < MOST ? (size_t)turns : MOST;
}

/* m->spare *= B B' ratio^2, B being A over the noise. */
static ddaebm_status square_map(dd_measurement *m, size_t count, double ratio) {
    for (size_t i = 0; i < count * m->measured; i++)
        m->image[i] = isnan(m->given[i]) ? 0 : m->spare[i] / m->noise[i % m->measured];
    ddaebm_status status = apply_transpose(m, m->direction, count);
    if (status == DDAEBM_OK)
        status = apply(m, m->direction, count, true);
    for (size_t i = 0; i < count * m->measured && status == DDAEBM_OK; i++)
        m->spare[i] =
            isnan(m->given[i]) ? 0 : ratio * ratio * m->image[i] / m->noise[i % m->measured];
    return status;
}

/* m->rest: normal numbers of covariance I - B B' ratio^2, by the series of the square root. */
static ddaebm_status draw_rest(dd_measurement *m, size_t count, double ratio, const float *others) {
    enum { TERMS = 10 };
    double term = 1;
    for (size_t i = 0; i < count * m->measured; i++)
        m->rest[i] = m->spare[i] = (double)others[i];
    for (int k = 1; k <= TERMS; k++) {
        ddaebm_status status = square_map(m, count, ratio);
        if (status != DDAEBM_OK)
            return status;
        term *= (k - 1.5) / k;
        for (size_t i = 0; i < count * m->measured; i++)
            m->rest[i] += term * m->spare[i];
    }
    return DDAEBM_OK;
}

/* z = z' + ratio^2 A' (y - A z' - rest) / noise^2 with z' = x + ratio normals: a draw given y, as y
 * - A z' - rest has the variance of the noise. */
ddaebm_status dd_measurement_split(dd_measurement *m, float *x, size_t count, double ratio,
                                   const float *normals, const float *others) {
    ddaebm_status status = draw_rest(m, count, ratio, others);
    for (size_t i = 0; i < count * m->inner; i++)
        x[i] += (float)ratio * normals[i];
    if (status == DDAEBM_OK)
        status = apply(m, x, count, false);
    if (status != DDAEBM_OK)
        return status;
    for (size_t i = 0; i < count * m->measured; i++) {
        double noise = m->noise[i % m->measured];
        m->image[i] = isnan(m->given[i])
                          ? 0
                          : (m->given[i] - m->image[i] - noise * m->rest[i]) / (noise * noise);
    }
    status = apply_transpose(m, m->right, count);
    for (size_t i = 0; i < count * m->inner && status == DDAEBM_OK; i++)
        x[i] += (float)(ratio * ratio * (double)m->right[i]);
    return status;
}

/* --- The size of the map. --- */

/* The largest eigenvalue of A' A / noise^2, by the power method. */
static ddaebm_status find_steepest(dd_measurement *m) {
    enum { ROUNDS = 30 };
    m->steepest = INFINITY;
    for (size_t j = 0; j < m->measured; j++)
        if (!(m->noise[j] > 0))
            return DDAEBM_OK;
    dd_rng_normals(m->direction, 0, dd_stream(DD_STREAM_RESTORE_SOLVE, 0), 0, m->inner);
    for (int round = 0; round < ROUNDS; round++) {
        double size = sqrt(inner_product(m->direction, m->direction, m->inner));
        for (size_t j = 0; j < m->inner && size > 0; j++)
            m->direction[j] /= (float)size;
        ddaebm_status status = apply(m, m->direction, 1, true);
        for (size_t j = 0; j < m->measured; j++)
            m->image[j] /= m->noise[j] * m->noise[j];
        if (status == DDAEBM_OK)
            status = apply_transpose(m, m->direction, 1);
        if (status != DDAEBM_OK)
            return status;
        m->steepest = sqrt(inner_product(m->direction, m->direction, m->inner));
    }
    return DDAEBM_OK;
}

ddaebm_status dd_measurement_prepare(dd_measurement *m) {
    if (!m->map.apply)
        return DDAEBM_OK;
    dd_rng_normals(m->direction, 0, dd_stream(DD_STREAM_RESTORE_SOLVE, 0), 0, m->inner);
    ddaebm_status status = apply(m, m->direction, 1, true);
    double sum = 0;
    for (size_t j = 0; j < m->measured && status == DDAEBM_OK; j++)
        sum += m->image[j] * m->image[j];
    m->gain = sqrt(sum / (double)m->measured);
    if (status == DDAEBM_OK && !(m->gain > 0 && isfinite(m->gain)))
        status =
            dd_fail(DDAEBM_NOT_FINITE, "the map gives %g for a row of normal numbers", m->gain);
    return status == DDAEBM_OK ? find_steepest(m) : status;
}

ddaebm_status dd_measurement_miss(dd_measurement *m, dd_rows_in y, size_t row, const double *x,
                                  double *out) {
    ddaebm_status status = m->map.apply ? m->map.apply(m->map.user, 1, x, out) : DDAEBM_OK;
    for (size_t j = 0; j < m->measured && status == DDAEBM_OK; j++)
        out[j] = dd_rows_number(y, row * m->measured + j) - (m->map.apply ? out[j] : x[j]);
    return status;
}
