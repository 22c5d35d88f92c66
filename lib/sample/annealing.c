#include "sample/annealing.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "sample/cloud.h"
#include "sample/langevin.h"
#include "sample/weights.h"

#include <math.h>
#include <string.h>

/* By how much of a miss of the acceptance rate the logarithm of a step size moves. */
static const double gain = 1.5;

static ddaebm_status report(const dd_cloud_call *call) {
    if (call->progress && call->progress(call->progress_user, call->done, call->total) != 0)
        return dd_fail(DDAEBM_CANCELLED, "cancelled by the progress callback");
    return DDAEBM_OK;
}

/* --- The bridge. --- */

enum { MOST_POINTS = 20000, MOVES = 4, HALVINGS = 40 };

/* Each kind of run has random numbers of its own. */
enum { FORWARD = 0, BACKWARD = 1, FINDING = 2 };

static uint64_t number_of(int kind, uint64_t step) {
    return (uint64_t)kind << 40 | step;
}

static void draw_normal(dd_cloud *cloud, uint64_t seed, int kind) {
    dd_rng_normals(cloud->x, seed, dd_stream(DD_STREAM_ANNEAL_START, number_of(kind, 0)), 0,
                   cloud->count * cloud->width);
    for (size_t i = 0; i < cloud->count; i++)
        for (size_t j = 0; j < cloud->width; j++)
            if (cloud->moves[j] == 0)
                cloud->x[i * cloud->width + j] = cloud->fixed[j];
}

/* Sums the weights exp(step (lower - upper)) over the rows; leaves their logarithms in
 * cloud->log_weights. */
static dd_weight_sums sum_weights(dd_cloud *cloud, double step) {
    for (size_t i = 0; i < cloud->count; i++)
        cloud->log_weights[i] = step * (cloud->lower.log_density[i] - cloud->upper.log_density[i]);
    return dd_weight_sums_of(cloud->log_weights, cloud->count);
}

static double weight_variance(dd_cloud *cloud, double step) {
    dd_weight_sums sums = sum_weights(cloud, step);
    return dd_weight_variance(&sums);
}

/* How far lambda may go on from here: at most `rest`. */
static double find_step(dd_cloud *cloud, double gap, double rest) {
    double low = 0, high = rest;
    if (weight_variance(cloud, rest) <= gap)
        return rest;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        *(weight_variance(cloud, middle) <= gap ? &low : &high) = middle;
    }
    return low;
}

/* Systematic resampling by exp(step (lower - upper)). */
static void resample(dd_cloud *cloud, double step, double uniform) {
    dd_weight_sums weights = sum_weights(cloud, step);
    size_t count = cloud->count, from = 0;
    double reached = exp(cloud->log_weights[0] - weights.largest);
    for (size_t i = 0; i < count; i++) {
        double wanted = ((double)i + uniform) / (double)count * weights.sum;
        while (reached < wanted && from + 1 < count)
            reached += exp(cloud->log_weights[++from] - weights.largest);
        cloud->origin[i] = from;
    }

    /* Row i comes from origin[i]: by way of the proposals, so that none is overwritten too soon. */
    for (size_t i = 0; i < count; i++)
        memcpy(cloud->proposals + i * cloud->width, cloud->x + cloud->origin[i] * cloud->width,
               cloud->width * sizeof *cloud->x);
    memcpy(cloud->x, cloud->proposals, count * cloud->width * sizeof *cloud->x);
}

/* Moves a few times, the size after each towards what is accepted as often as wanted. */
static ddaebm_status find_size(dd_cloud *cloud, const dd_cloud_call *call, dd_bridge_point *point,
                               uint64_t *step) {
    for (int k = 0; k < MOVES; k++) {
        double accepted = 0;
        ddaebm_status status = dd_cloud_move(cloud, call, point, number_of(FINDING, (*step)++));
        if (status != DDAEBM_OK)
            return status;
        for (size_t i = 0; i < cloud->count; i++)
            accepted += cloud->acceptance[i] / (double)cloud->count;
        point->log_size += gain * (accepted - dd_wanted_acceptance);
    }
    return DDAEBM_OK;
}

/* Moves `point` to the next density of the bridge: lambda, then the step size. */
static ddaebm_status find_point(dd_cloud *cloud, const dd_cloud_call *call, double gap,
                                dd_bridge_point *point, uint64_t *step) {
    float uniform = 0;
    double rest = 1 - point->lambda, ahead = find_step(cloud, gap, rest);
    if (!(ahead > 1e-9))
        return dd_fail(DDAEBM_NOT_FINITE,
                       "the energy at timestep %zu has no bridge from the noisier one: it is no "
                       "number, or as good as discontinuous",
                       point->timestep);

    dd_rng_uniforms(&uniform, call->seed,
                    dd_stream(DD_STREAM_ANNEAL_START, number_of(FINDING, 1 + *step)), 0, 1);
    resample(cloud, ahead, (double)uniform);
    point->lambda = ahead < rest ? point->lambda + ahead : 1;
    ddaebm_status status = dd_cloud_enter(cloud, point->timestep);
    return status == DDAEBM_OK ? find_size(cloud, call, point, step) : status;
}

ddaebm_status dd_cloud_find_bridge(dd_cloud *cloud, const dd_cloud_call *call, double gap,
                                   dd_bridge *into) {
    dd_bridge_point *points = dd_alloc_zero(cloud->context, MOST_POINTS, sizeof *points);
    if (!points)
        return DDAEBM_OUT_OF_MEMORY;
    *into = (dd_bridge){points, 0};
    dd_bridge_point point = {.log_size = log(2 / fmax((double)cloud->moving, 1)) / 3};
    uint64_t step = 0;
    ddaebm_status status = DDAEBM_OK;

    draw_normal(cloud, call->seed, FINDING);
    for (size_t t = ddaebm_model_timesteps(cloud->model); t-- > 0 && status == DDAEBM_OK;) {
        point.timestep = t;
        point.lambda = 0;
        status = dd_cloud_enter(cloud, t);
        while (status == DDAEBM_OK && point.lambda < 1) {
            if (into->count == MOST_POINTS)
                return dd_fail(DDAEBM_OUT_OF_RANGE,
                               "a bridge from noise to this energy takes more than %d points",
                               (int)MOST_POINTS);
            status = find_point(cloud, call, gap, &point, &step);
            points[into->count++] = point;
            if (status == DDAEBM_OK)
                status = report(call);
        }
    }
    return status;
}

ddaebm_status dd_bridge_refine(dd_bridge *into, ddaebm_context *context, const dd_bridge *from,
                               size_t parts) {
    dd_bridge_point *points = dd_alloc_zero(context, from->count, parts * sizeof *points);
    if (!points)
        return DDAEBM_OUT_OF_MEMORY;
    *into = (dd_bridge){points, from->count * parts};

    for (size_t k = 0; k < from->count; k++) {
        bool begins = k == 0 || from->points[k - 1].timestep != from->points[k].timestep;
        double before = begins ? 0 : from->points[k - 1].lambda, here = from->points[k].lambda;
        for (size_t p = 1; p <= parts; p++) {
            *points = from->points[k];
            points++->lambda =
                p == parts ? here : before + (here - before) * (double)p / (double)parts;
        }
    }

    return DDAEBM_OK;
}

/* --- Along it. --- */

/* Weights change by the density of the next point over that of the last one. */
static void weigh(dd_cloud *cloud, double change, double *log_weights) {
    for (size_t i = 0; i < cloud->count; i++)
        log_weights[i] += change * (cloud->lower.log_density[i] - cloud->upper.log_density[i]);
}

ddaebm_status dd_cloud_forward(dd_cloud *cloud, dd_cloud_call *call, const dd_bridge *bridge,
                               double *log_weights) {
    ddaebm_status status;
    double lambda = 0;

    memset(log_weights, 0, cloud->count * sizeof *log_weights);
    draw_normal(cloud, call->seed, FORWARD);
    DD_TRY(dd_cloud_enter(cloud, bridge->points[0].timestep));

    for (size_t k = 0; k < bridge->count; k++) {
        const dd_bridge_point *point = &bridge->points[k];
        if (point->timestep != cloud->timestep) {
            DD_TRY(dd_cloud_enter_below(cloud));
            lambda = 0;
        }
        weigh(cloud, point->lambda - lambda, log_weights);
        lambda = point->lambda;
        DD_TRY(dd_cloud_move(cloud, call, point, number_of(FORWARD, k)));
        call->done++;
        DD_TRY(report(call));
    }

cleanup:
    return status;
}

ddaebm_status dd_cloud_backward(dd_cloud *cloud, dd_cloud_call *call, const dd_bridge *bridge,
                                const float *rows, double *log_weights) {
    ddaebm_status status;
    memset(log_weights, 0, cloud->count * sizeof *log_weights);
    memcpy(cloud->x, rows, cloud->count * cloud->width * sizeof *rows);
    DD_TRY(dd_cloud_enter(cloud, 0));

    for (size_t k = bridge->count; k-- > 0;) {
        const dd_bridge_point *point = &bridge->points[k];
        bool first_of_part = k == 0 || bridge->points[k - 1].timestep != point->timestep;
        if (point->timestep != cloud->timestep)
            DD_TRY(dd_cloud_enter_above(cloud));
        DD_TRY(dd_cloud_move(cloud, call, point, number_of(BACKWARD, k)));
        weigh(cloud, (first_of_part ? 0 : bridge->points[k - 1].lambda) - point->lambda,
              log_weights);
        call->done++;
        DD_TRY(report(call));
    }

cleanup:
    return status;
}
