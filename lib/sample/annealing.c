#include "sample/annealing.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "sample/refine.h"

#include <math.h>
#include <string.h>

/* The probability of acceptance that step sizes are sought for (Roberts and Rosenthal, JRSS B
 * 1998), by how much of a miss their logarithm moves, and how far the size of one row's step may
 * be from them, in its logarithm. */
static const double wanted_acceptance = 0.574, gain = 1.5, spread = 1;

/* An end of the bridge's present part: the log-density and its gradient at each row. */
typedef struct end {
    double *log_density; /* [count] */
    float *gradient;     /* [count, width] */
} end;

struct dd_cloud {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_evaluator *evaluator; /* f / temperature, and its gradient */
    size_t count, width, moving;
    float *fixed, *moves; /* [width]: what does not move, and 1 for what does, else 0 */

    size_t timestep;                    /* of `lower`; `upper` is that of timestep + 1 */
    float *x, *proposals;               /* [count, width] */
    end lower, upper;                   /* at x */
    end proposed_lower, proposed_upper; /* at the proposals */
    double *log_weights;                /* [count] */
    double *acceptance;                 /* [count]: probability, of the last step */
    double *sizes;                      /* [count]: of the last step */
    float *uniforms, *noise;            /* [count], [count, width] */
    size_t *origin;                     /* [count]: of resampling */
};

/* --- Making one. --- */

static ddaebm_status open_end(dd_cloud *cloud, end *e) {
    e->log_density = dd_alloc_zero(cloud->context, cloud->count, sizeof *e->log_density);
    e->gradient = dd_alloc_zero(cloud->context, cloud->count, cloud->width * sizeof *e->gradient);
    return e->log_density && e->gradient ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

static void close_end(dd_cloud *cloud, end *e) {
    dd_free(cloud->context, e->log_density);
    dd_free(cloud->context, e->gradient);
}

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
static void find_normal(const dd_cloud *cloud, const float *x, const end *e, size_t first,
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
static void find_energy(const dd_cloud *cloud, dd_lane *lane, size_t timestep, const end *e,
                        size_t first, size_t count) {
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
                     const end *e, size_t first, size_t count) {
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

/* Both ends at x, of the part of the bridge that ends at timestep t. */
static ddaebm_status enter(dd_cloud *cloud, size_t timestep) {
    chunk_work w = {.cloud = cloud, .lower = true, .upper = true};
    cloud->timestep = timestep;
    return run(&w, find_ends_chunk);
}

static void swap_ends(dd_cloud *cloud) {
    end other = cloud->lower;
    cloud->lower = cloud->upper;
    cloud->upper = other;
}

/* To the next part, whose upper end is this one's lower. */
static ddaebm_status enter_below(dd_cloud *cloud) {
    chunk_work w = {.cloud = cloud, .lower = true};
    swap_ends(cloud);
    cloud->timestep--;
    return run(&w, find_ends_chunk);
}

static ddaebm_status enter_above(dd_cloud *cloud) {
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
    double lambda = w->point->lambda, there = 0, back = 0;
    for (size_t j = 0; j < cloud->width; j++) {
        size_t k = row * cloud->width + j;
        double step = (double)cloud->proposals[k] - (double)cloud->x[k];
        double slope =
            mixed(lambda, (double)cloud->lower.gradient[k], (double)cloud->upper.gradient[k]);
        double slope_there = mixed(lambda, (double)cloud->proposed_lower.gradient[k],
                                   (double)cloud->proposed_upper.gradient[k]);
        double miss = step - size / 2 * slope, miss_back = -step - size / 2 * slope_there;
        if (cloud->moves[j] > 0) {
            there += miss * miss;
            back += miss_back * miss_back;
        }
    }
    double gained = mixed(lambda, cloud->proposed_lower.log_density[row],
                          cloud->proposed_upper.log_density[row]) -
                    mixed(lambda, cloud->lower.log_density[row], cloud->upper.log_density[row]);
    return gained + (there - back) / (2 * size);
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

static ddaebm_status move(dd_cloud *cloud, const dd_cloud_call *call, const dd_bridge_point *point,
                          uint64_t number) {
    chunk_work w = {.cloud = cloud, .call = call, .point = point, .number = number};
    return run(&w, move_chunk);
}

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

/* Relative variance of the weights exp(step (lower - upper)) over the rows, by their largest. */
static double weight_variance(const dd_cloud *cloud, double step) {
    double largest = -INFINITY, sum = 0, squares = 0;
    for (size_t i = 0; i < cloud->count; i++) {
        double log_weight = step * (cloud->lower.log_density[i] - cloud->upper.log_density[i]);
        largest = log_weight > largest ? log_weight : largest;
    }
    for (size_t i = 0; i < cloud->count; i++) {
        double log_weight = step * (cloud->lower.log_density[i] - cloud->upper.log_density[i]);
        double weight = exp(log_weight - largest);
        sum += weight;
        squares += weight * weight;
    }
    return (double)cloud->count * squares / (sum * sum) - 1;
}

/* How far lambda may go on from here: at most `rest`. */
static double find_step(const dd_cloud *cloud, double gap, double rest) {
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
    double largest = -INFINITY, total = 0, reached = 0;
    size_t count = cloud->count, from = 0;
    for (size_t i = 0; i < count; i++) {
        cloud->log_weights[i] = step * (cloud->lower.log_density[i] - cloud->upper.log_density[i]);
        largest = cloud->log_weights[i] > largest ? cloud->log_weights[i] : largest;
    }
    for (size_t i = 0; i < count; i++)
        total += exp(cloud->log_weights[i] - largest);
    reached = exp(cloud->log_weights[0] - largest);
    for (size_t i = 0; i < count; i++) {
        double wanted = ((double)i + uniform) / (double)count * total;
        while (reached < wanted && from + 1 < count)
            reached += exp(cloud->log_weights[++from] - largest);
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
        ddaebm_status status = move(cloud, call, point, number_of(FINDING, (*step)++));
        if (status != DDAEBM_OK)
            return status;
        for (size_t i = 0; i < cloud->count; i++)
            accepted += cloud->acceptance[i] / (double)cloud->count;
        point->log_size += gain * (accepted - wanted_acceptance);
    }
    return DDAEBM_OK;
}

/* The next point of the bridge, after `last` of the same timestep or lambda 0. */
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
    ddaebm_status status = enter(cloud, point->timestep);
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
        status = enter(cloud, t);
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
    DD_TRY(enter(cloud, bridge->points[0].timestep));
    for (size_t k = 0; k < bridge->count; k++) {
        const dd_bridge_point *point = &bridge->points[k];
        if (point->timestep != cloud->timestep) {
            DD_TRY(enter_below(cloud));
            lambda = 0;
        }
        weigh(cloud, point->lambda - lambda, log_weights);
        lambda = point->lambda;
        DD_TRY(move(cloud, call, point, number_of(FORWARD, k)));
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
    DD_TRY(enter(cloud, 0));
    for (size_t k = bridge->count; k-- > 0;) {
        const dd_bridge_point *point = &bridge->points[k];
        bool first_of_part = k == 0 || bridge->points[k - 1].timestep != point->timestep;
        if (point->timestep != cloud->timestep)
            DD_TRY(enter_above(cloud));
        DD_TRY(move(cloud, call, point, number_of(BACKWARD, k)));
        weigh(cloud, (first_of_part ? 0 : bridge->points[k - 1].lambda) - point->lambda,
              log_weights);
        call->done++;
        DD_TRY(report(call));
    }
cleanup:
    return status;
}
