#include "sample/cloud.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "sample/langevin.h"
#include "sample/refine.h"

#include <math.h>
#include <string.h>

/* How far the size of one row's step may be from the point's, in its logarithm. */
static const double spread = 1;

/* --- Making one. --- */

static ddaebm_status open_end(dd_cloud *cloud, dd_cloud_end *e) {
    e->log_density = dd_alloc_zero(cloud->context, cloud->count, sizeof *e->log_density);
    e->gradient = dd_alloc_zero(cloud->context, cloud->count, cloud->width * sizeof *e->gradient);
    return e->log_density && e->gradient ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

static void close_end(dd_cloud *cloud, dd_cloud_end *e) {
    dd_free(cloud->context, e->log_density);
    dd_free(cloud->context, e->gradient);
}

/* Allocates everything of a cloud but itself. */
static ddaebm_status make_room(dd_cloud *cloud) {
    ddaebm_context *context = cloud->context;
    size_t count = cloud->count, row = cloud->width * sizeof(float);
    ddaebm_status status;
    cloud->x = dd_alloc_zero(context, count, row);
    cloud->proposals = dd_alloc_zero(context, count, row);
    cloud->noise = dd_alloc_zero(context, count, row);
    cloud->uniforms = dd_alloc_zero(context, count, sizeof *cloud->uniforms);
    cloud->log_weights = dd_alloc_zero(context, count, sizeof *cloud->log_weights);
    cloud->acceptance = dd_alloc_zero(context, count, sizeof *cloud->acceptance);
    cloud->sizes = dd_alloc_zero(context, count, sizeof *cloud->sizes);
    cloud->origin = dd_alloc_zero(context, count, sizeof *cloud->origin);
    if (!cloud->x || !cloud->proposals || !cloud->noise || !cloud->uniforms ||
        !cloud->log_weights || !cloud->acceptance || !cloud->sizes || !cloud->origin)
        return DDAEBM_OUT_OF_MEMORY;

    DD_TRY(open_end(cloud, &cloud->lower));
    DD_TRY(open_end(cloud, &cloud->upper));
    DD_TRY(open_end(cloud, &cloud->proposed_lower));
    DD_TRY(open_end(cloud, &cloud->proposed_upper));
cleanup:
    return status;
}

ddaebm_status dd_cloud_create(dd_cloud **out, const ddaebm_model *model, size_t count) {
    dd_cloud *cloud = dd_alloc_zero(model->context, 1, sizeof *cloud);
    if (!cloud)
        return DDAEBM_OUT_OF_MEMORY;
    *cloud = (dd_cloud){.context = model->context,
                        .model = model,
                        .count = count,
                        .width = dd_model_inner_width(model)};
    ddaebm_status status;
    DD_TRY(dd_evaluator_create(&cloud->evaluator, model, dd_refiner_build_energy,
                               &model->temperature));
    DD_TRY(dd_model_find_fixed(model, &cloud->fixed, &cloud->moves));
    DD_TRY(make_room(cloud));

    for (size_t j = 0; j < cloud->width; j++)
        cloud->moving += cloud->moves[j] > 0;

cleanup:
    if (status == DDAEBM_OK)
        *out = cloud;
    else
        dd_cloud_free(cloud);
    return status;
}

void dd_cloud_free(dd_cloud *cloud) {
    if (!cloud)
        return;
    ddaebm_context *context = cloud->context;
    dd_evaluator_free(cloud->evaluator);
    dd_free(context, cloud->fixed);
    dd_free(context, cloud->moves);
    dd_free(context, cloud->x);
    dd_free(context, cloud->proposals);
    dd_free(context, cloud->noise);
    dd_free(context, cloud->uniforms);
    dd_free(context, cloud->log_weights);
    dd_free(context, cloud->acceptance);
    dd_free(context, cloud->sizes);
    dd_free(context, cloud->origin);
    close_end(cloud, &cloud->lower);
    close_end(cloud, &cloud->upper);
    close_end(cloud, &cloud->proposed_lower);
    close_end(cloud, &cloud->proposed_upper);
    dd_free(context, cloud);
}

/* --- The ends of a part of the bridge. --- */

/* log N(x; 0, I) of the numbers that move, and its gradient. */
static void find_normal(const dd_cloud *cloud, const float *x, const dd_cloud_end *e, size_t first,
                        size_t count) {
    static const double half_log_two_pi = 0.91893853320467274178;
    for (size_t i = first; i < first + count; i++) {
        double square = 0;
        for (size_t j = 0; j < cloud->width; j++) {
            float moved = cloud->moves[j] > 0 ? x[i * cloud->width + j] : 0;
            square += (double)moved * (double)moved;
            e->gradient[i * cloud->width + j] = -moved;
        }
        e->log_density[i] = -square / 2 - (double)cloud->moving * half_log_two_pi;
    }
}

/* f(x, t) / temperature and its gradient, of rows that are in the lane already. */
static void find_energy(const dd_cloud *cloud, dd_lane *lane, size_t timestep,
                        const dd_cloud_end *e, size_t first, size_t count) {
    const float *found = dd_lane_buffer(lane, DD_EVAL_OUT);
    dd_lane_compute(lane, timestep, count);
    for (size_t i = 0; i < count; i++, found += cloud->width + 1) {
        float *gradient = e->gradient + (first + i) * cloud->width;
        e->log_density[first + i] = (double)found[0];
        for (size_t j = 0; j < cloud->width; j++)
            gradient[j] = found[1 + j] * cloud->moves[j];
    }
}

/* Rows first .. first+count-1 of x into a lane. */
static void show(const dd_cloud *cloud, dd_lane *lane, const float *x, size_t first, size_t count) {
    memcpy(dd_lane_buffer(lane, DD_EVAL_X), x + first * cloud->width,
           count * cloud->width * sizeof *x);
}

/* The density at timestep t, which is N(0, I) at T. */
static void find_end(const dd_cloud *cloud, dd_lane *lane, size_t timestep, const float *x,
                     const dd_cloud_end *e, size_t first, size_t count) {
    if (timestep < ddaebm_model_timesteps(cloud->model))
        find_energy(cloud, lane, timestep, e, first, count);
    else
        find_normal(cloud, x, e, first, count);
}

/* --- Work in chunks. --- */

typedef struct chunk_work {
    dd_cloud *cloud;
    const dd_cloud_call *call;
    const dd_bridge_point *point;
    uint64_t number;   /* of the step, for its random numbers */
    bool lower, upper; /* which ends are to be found */
} chunk_work;

static void find_ends_chunk(void *user, dd_lane *lane, size_t first, size_t count) {
    const chunk_work *w = user;
    dd_cloud *cloud = w->cloud;
    show(cloud, lane, cloud->x, first, count);
    if (w->lower)
        find_end(cloud, lane, cloud->timestep, cloud->x, &cloud->lower, first, count);
    if (w->upper)
        find_end(cloud, lane, cloud->timestep + 1, cloud->x, &cloud->upper, first, count);
}

static ddaebm_status run(const chunk_work *w, dd_eval_chunk chunk) {
    return dd_evaluator_run(w->cloud->evaluator, w->cloud->count, chunk, (void *)w, NULL, NULL);
}

ddaebm_status dd_cloud_enter(dd_cloud *cloud, size_t timestep) {
    chunk_work w = {.cloud = cloud, .lower = true, .upper = true};
    cloud->timestep = timestep;
    return run(&w, find_ends_chunk);
}

static void swap_ends(dd_cloud *cloud) {
    dd_cloud_end other = cloud->lower;
    cloud->lower = cloud->upper;
    cloud->upper = other;
}

ddaebm_status dd_cloud_enter_below(dd_cloud *cloud) {
    chunk_work w = {.cloud = cloud, .lower = true};
    swap_ends(cloud);
    cloud->timestep--;
    return run(&w, find_ends_chunk);
}

ddaebm_status dd_cloud_enter_above(dd_cloud *cloud) {
    chunk_work w = {.cloud = cloud, .upper = true};
    swap_ends(cloud);
    cloud->timestep++;
    return run(&w, find_ends_chunk);
}

static double mixed(double lambda, double lower, double upper) {
    return lambda * lower + (1 - lambda) * upper;
}

/* x' = x + h/2 gradient + sqrt(h) noise; h is drawn around the point's size, whatever the state. */
static double propose(const chunk_work *w, size_t row) {
    dd_cloud *cloud = w->cloud;
    double lambda = w->point->lambda;
    double size = exp(w->point->log_size + spread * (2 * (double)cloud->uniforms[row] - 1));
    for (size_t j = 0; j < cloud->width; j++) {
        size_t k = row * cloud->width + j;
        double slope =
            mixed(lambda, (double)cloud->lower.gradient[k], (double)cloud->upper.gradient[k]);
        double move = size / 2 * slope + sqrt(size) * (double)cloud->noise[k];
        cloud->proposals[k] = cloud->x[k] + (float)move * cloud->moves[j];
    }
    return size;
}

/* Logarithm of p(x') q(x given x') / (p(x) q(x' given x)). */
static double log_ratio(const chunk_work *w, size_t row, double size) {
    const dd_cloud *cloud = w->cloud;
    double lambda = w->point->lambda;
    dd_langevin_step moved = {.size = size};

    for (size_t j = 0; j < cloud->width; j++) {
        size_t k = row * cloud->width + j;
        double step = (double)cloud->proposals[k] - (double)cloud->x[k];
        double slope =
            mixed(lambda, (double)cloud->lower.gradient[k], (double)cloud->upper.gradient[k]);
        double slope_there = mixed(lambda, (double)cloud->proposed_lower.gradient[k],
                                   (double)cloud->proposed_upper.gradient[k]);
        if (cloud->moves[j] > 0)
            dd_langevin_add(&moved, step, slope, slope_there);
    }

    double gained = mixed(lambda, cloud->proposed_lower.log_density[row],
                          cloud->proposed_upper.log_density[row]) -
                    mixed(lambda, cloud->lower.log_density[row], cloud->upper.log_density[row]);
    return gained + dd_langevin_log_way_back(&moved);
}

static void take(dd_cloud *cloud, size_t row) {
    size_t at = row * cloud->width, bytes = cloud->width * sizeof(float);
    memcpy(cloud->x + at, cloud->proposals + at, bytes);
    memcpy(cloud->lower.gradient + at, cloud->proposed_lower.gradient + at, bytes);
    memcpy(cloud->upper.gradient + at, cloud->proposed_upper.gradient + at, bytes);
    cloud->lower.log_density[row] = cloud->proposed_lower.log_density[row];
    cloud->upper.log_density[row] = cloud->proposed_upper.log_density[row];
}

/* One Metropolis-adjusted Langevin step of each row. A proposal at which a density or a gradient is
 * no number is rejected. */
static void move_chunk(void *user, dd_lane *lane, size_t first, size_t count) {
    const chunk_work *w = user;
    dd_cloud *cloud = w->cloud;
    size_t width = cloud->width, last = first + count;
    dd_rng_uniforms(cloud->uniforms + first, w->call->seed,
                    dd_stream(DD_STREAM_ANNEAL_SIZE, w->number), first, count);
    dd_rng_normals(cloud->noise + first * width, w->call->seed,
                   dd_stream(DD_STREAM_ANNEAL_NOISE, w->number), first * width, count * width);
    for (size_t i = first; i < last; i++)
        cloud->sizes[i] = propose(w, i);

    show(cloud, lane, cloud->proposals, first, count);
    find_end(cloud, lane, cloud->timestep, cloud->proposals, &cloud->proposed_lower, first, count);
    find_end(cloud, lane, cloud->timestep + 1, cloud->proposals, &cloud->proposed_upper, first,
             count);

    dd_rng_uniforms(cloud->uniforms + first, w->call->seed,
                    dd_stream(DD_STREAM_ANNEAL_ACCEPT, w->number), first, count);
    for (size_t i = first; i < last; i++) {
        double ratio = log_ratio(w, i, cloud->sizes[i]);
        double probability = isnan(ratio) ? 0 : ratio < 0 ? exp(ratio) : 1;
        cloud->acceptance[i] = probability;
        if ((double)cloud->uniforms[i] < probability)
            take(cloud, i);
    }
}

ddaebm_status dd_cloud_move(dd_cloud *cloud, const dd_cloud_call *call,
                            const dd_bridge_point *point, uint64_t number) {
    chunk_work w = {.cloud = cloud, .call = call, .point = point, .number = number};
    return run(&w, move_chunk);
}
