#include "sample/refine.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "sample/langevin.h"

#include <math.h>
#include <string.h>

/* Step sizes: the first one in units of the timestep's noise; the first gain of the adaptation, in
 * the logarithm of the size; and the half-width of the random factor of a step, in the logarithm as
 * well. */
static const double first_size = 16, first_gain = 2, spread = 2;

/* State of a lane's rows. */
typedef struct chain {
    float *gradients;         /* [rows, inner width]: of the log-density */
    float *uniforms;          /* [rows] */
    double *model, *guidance; /* [rows]: the two parts of the log-density */
    double *log_sizes,
        *sizes;  /* [rows]: logarithm of the adapted step size, and the size of this step */
    float *room; /* [inner width] */
} chain;

struct dd_refiner {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_evaluator *of_sampler; /* NULL: the chunks are its own */
    double temperature;
    dd_evaluator *evaluator; /* its output rows are f / temperature, and the gradient of that */
    chain *chains;           /* one for each lane */
    double *log_sizes;       /* [T]: initial size of a chain at a timestep */
    float *fixed, *moves; /* [inner width]: at timestep 0, values of numbers that do not vary; and 1
                             for those that do, else 0 */
};

dd_node dd_refiner_build_energy(dd_builder *builder, const dd_process *process,
                                const dd_node in[DD_EVAL_OUT], const void *user) {
    (void)process;
    const double *temperature = user;
    dd_graph *graph = builder->graph;
    dd_node x = in[DD_EVAL_X], gradient = DD_NONE;
    size_t samples = dd_samples(graph, x), numbers = dd_shape_elements(dd_graph_shape(graph, x));
    size_t width = samples > 0 ? numbers / samples : 0; /* 0: the graph has failed already */
    dd_node score =
        dd_affine(graph, dd_network_energy(builder, x, in[DD_EVAL_TIMESTEP]), 1 / *temperature, 0);
    dd_gradient(graph, score, DD_NONE, &x, 1, &gradient);
    return dd_concat(graph, dd_reshape(graph, score, dd_shape_rows(samples, 1)),
                     dd_reshape(graph, gradient, dd_shape_rows(samples, width)), 3);
}

/* --- Making one. --- */

static ddaebm_status open_chain(dd_refiner *refiner, chain *c, size_t rows) {
    ddaebm_context *context = refiner->context;
    c->gradients =
        dd_alloc_zero(context, rows, dd_model_inner_width(refiner->model) * sizeof(float));
    c->uniforms = dd_alloc_zero(context, rows, sizeof(float));
    c->model = dd_alloc_zero(context, rows, 4 * sizeof(double));
    c->room = dd_alloc_zero(context, dd_model_inner_width(refiner->model), sizeof(float));
    if (!c->gradients || !c->uniforms || !c->model || !c->room)
        return DDAEBM_OUT_OF_MEMORY;
    c->guidance = c->model + rows;
    c->log_sizes = c->guidance + rows;
    c->sizes = c->log_sizes + rows;
    return DDAEBM_OK;
}

/* Chooses initial sizes first_size sigma^2 (2 / d)^(1/3), with sigma the noise of the timestep and
 * d the numbers that vary; the order in d is that of Roberts and Rosenthal (1998). The factor is
 * large because f is flat far from the data; elsewhere the size adapts within a few steps. */
static ddaebm_status choose_sizes(dd_refiner *refiner) {
    size_t timesteps = ddaebm_model_timesteps(refiner->model),
           inner = dd_model_inner_width(refiner->model), free_ones = 0;
    dd_noise_schedule schedule = {0};
    refiner->log_sizes = dd_alloc_zero(refiner->context, timesteps, sizeof(double));
    if (!refiner->log_sizes)
        return DDAEBM_OUT_OF_MEMORY;
    ddaebm_status status =
        dd_noise_schedule_make(&schedule, refiner->context, dd_model_settings(refiner->model));
    if (status != DDAEBM_OK)
        return status;

    for (size_t j = 0; j < inner; j++)
        free_ones += refiner->moves[j] > 0;
    for (size_t t = 0; t < timesteps; t++) {
        size_t numbers = t > 0 ? inner : free_ones > 0 ? free_ones : 1;
        double sigma = fmax(schedule.sigma_cum[t], 1e-6);
        refiner->log_sizes[t] = log(first_size * sigma * sigma) + log(2 / (double)numbers) / 3;
    }
    dd_noise_schedule_free(&schedule);
    return DDAEBM_OK;
}

ddaebm_status dd_refiner_create(dd_refiner **out, const ddaebm_model *model,
                                const dd_weights *weights, double temperature,
                                dd_evaluator *sampler) {
    dd_refiner *refiner = dd_alloc_zero(model->context, 1, sizeof *refiner);
    if (!refiner)
        return DDAEBM_OUT_OF_MEMORY;

    *refiner = (dd_refiner){.context = model->context,
                            .model = model,
                            .of_sampler = sampler,
                            .temperature = temperature};
    ddaebm_status status = sampler
                               ? dd_evaluator_create_beside(&refiner->evaluator, sampler, weights,
                                                            dd_refiner_build_energy, &temperature)
                               : dd_evaluator_create(&refiner->evaluator, model,
                                                     dd_refiner_build_energy, &temperature);
    size_t lanes = status == DDAEBM_OK ? dd_evaluator_lanes(refiner->evaluator) : 0;
    DD_TRY(status);
    DD_TRY(dd_model_find_fixed(model, &refiner->fixed, &refiner->moves));
    DD_TRY(choose_sizes(refiner));
    refiner->chains = dd_alloc_zero(refiner->context, lanes, sizeof *refiner->chains);
    status = refiner->chains ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; i < lanes && status == DDAEBM_OK; i++)
        status =
            open_chain(refiner, &refiner->chains[i], dd_evaluator_lane_rows(refiner->evaluator, i));
cleanup:
    if (status == DDAEBM_OK)
        *out = refiner;
    else
        dd_refiner_free(refiner);
    return status;
}

void dd_refiner_free(dd_refiner *refiner) {
    if (!refiner)
        return;

    ddaebm_context *context = refiner->context;
    for (size_t i = 0; refiner->chains && i < dd_evaluator_lanes(refiner->evaluator); i++) {
        dd_free(context, refiner->chains[i].gradients);
        dd_free(context, refiner->chains[i].uniforms);
        dd_free(context, refiner->chains[i].model);
        dd_free(context, refiner->chains[i].room);
    }
    dd_free(context, refiner->chains);
    dd_free(context, refiner->log_sizes);
    dd_free(context, refiner->fixed);
    dd_free(context, refiner->moves);
    dd_evaluator_free(refiner->evaluator);
    dd_free(context, refiner);
}

dd_evaluator *dd_refiner_evaluator(const dd_refiner *refiner) {
    return refiner->of_sampler ? refiner->of_sampler : refiner->evaluator;
}

/* --- Planes. --- */

void dd_plane_project(const dd_plane *plane, size_t width, float *vector, float *room) {
    for (size_t j = 0; !plane->basis && j < width; j++)
        vector[j] *= plane->moves[j];
    if (!plane->basis)
        return;

    memcpy(room, vector, width * sizeof *room);
    memset(vector, 0, width * sizeof *vector);
    for (size_t k = 0; k < plane->count; k++) {
        const float *direction = plane->basis + k * width;
        float along = 0;
        for (size_t j = 0; j < width; j++)
            along += direction[j] * room[j];
        for (size_t j = 0; j < width; j++)
            vector[j] += along * direction[j];
    }
}

/* --- A chunk. --- */

/* A chunk's rows at a timestep. */
typedef struct work {
    const dd_refine_call *call;
    const dd_refiner *refiner;
    chain *chain;
    dd_lane *lane;                 /* of the refiner */
    float *x, *proposals, *noise;  /* [count, inner width] */
    float *found;                  /* [count, 1 + inner width]: of the proposals */
    size_t count, width, timestep; /* width: inner */
    uint64_t first;
    const dd_plane *planes; /* [count], or NULL */
    double *means;          /* [count, inner width], or NULL */
} work;

static uint64_t stream_of(const work *w, dd_purpose purpose, size_t step) {
    return dd_stream(purpose, (uint64_t)w->timestep << 32 | step);
}

/* Sets numbers that do not vary in the data to their values there. */
static void hold_fixed(const work *w) {
    for (size_t i = 0; i < w->count; i++)
        for (size_t j = 0; j < w->width; j++)
            if (w->refiner->moves[j] == 0)
                w->x[i * w->width + j] = w->refiner->fixed[j];
}

static bool holds(const work *w) {
    return w->timestep == 0;
}

/* Keeps the directions in which a row may move. */
static void keep_within(const work *w, size_t row, float *vector) {
    if (w->planes)
        dd_plane_project(&w->planes[row], w->width, vector, w->chain->room);
}

static double guidance_at(const work *w, size_t row) {
    return w->call->guidance ? dd_guidance_log_densities(w->call->guidance)[row] : 0;
}

/* Results of a proposal: f / temperature, and from slope_at on the gradient of its log-density. */
static float *found_at(const work *w, size_t row) {
    return w->found + row * (w->width + 1);
}

static float *slope_at(const work *w, size_t row) {
    return found_at(w, row) + 1;
}

/* Evaluates the proposals: the model's part to w->found, the guidance's in the guidance. */
static ddaebm_status evaluate(const work *w) {
    dd_guidance *guidance = w->call->guidance;
    dd_lane_compute(w->lane, w->timestep, w->count);
    ddaebm_status status =
        guidance ? dd_guidance_ask(guidance, w->proposals, w->count, w->timestep, w->first)
                 : DDAEBM_OK;
    if (status != DDAEBM_OK || (!guidance && !holds(w) && !w->planes))
        return status;

    for (size_t i = 0; i < w->count; i++) {
        float *slope = slope_at(w, i);
        const float *more = guidance ? dd_guidance_gradients(guidance) + i * w->width : NULL;
        for (size_t j = 0; more && j < w->width; j++)
            slope[j] += more[j];
        for (size_t j = 0; holds(w) && j < w->width; j++)
            slope[j] *= w->refiner->moves[j];
        keep_within(w, i, slope);
    }
    return DDAEBM_OK;
}

/* Replaces a row by its proposal. */
static void take(const work *w, size_t row) {
    memcpy(w->x + row * w->width, w->proposals + row * w->width, w->width * sizeof *w->x);
    memcpy(w->chain->gradients + row * w->width, slope_at(w, row), w->width * sizeof *w->x);
    w->chain->model[row] = (double)*found_at(w, row);
    w->chain->guidance[row] = guidance_at(w, row);
}

/* Begins a chain. A row where f is not finite moves at random until it is. */
static ddaebm_status begin(const work *w) {
    if (holds(w))
        hold_fixed(w);
    memcpy(w->proposals, w->x, w->count * w->width * sizeof *w->x);
    ddaebm_status status = evaluate(w);
    if (status != DDAEBM_OK)
        return status;

    for (size_t i = 0; i < w->count; i++) {
        float *gradient = w->chain->gradients + i * w->width;
        take(w, i);
        for (size_t j = 0; j < w->width; j++)
            gradient[j] = isfinite(gradient[j]) ? gradient[j] : 0;
        w->chain->log_sizes[i] = w->refiner->log_sizes[w->timestep];
    }
    return DDAEBM_OK;
}

/* x' = x + h / 2 gradient + sqrt(h) noise. The size h is drawn around the adapted one,
 * independently of the state: a mixture of kernels that each leave the density invariant does so as
 * well. */
static void propose(const work *w, size_t step) {
    chain *c = w->chain;
    dd_rng_uniforms(c->uniforms, w->call->seed, stream_of(w, DD_STREAM_REFINE_SIZE, step), w->first,
                    w->count);
    dd_rng_normals(w->noise, w->call->seed, stream_of(w, DD_STREAM_REFINE_NOISE, step),
                   w->first * w->width, w->count * w->width);

    for (size_t i = 0; i < w->count; i++) {
        double size = exp(c->log_sizes[i] + spread * (2 * (double)c->uniforms[i] - 1));
        float drift = (float)(size / 2), deviation = (float)sqrt(size);
        bool finite = true;
        c->sizes[i] = size;
        keep_within(w, i, w->noise + i * w->width);
        for (size_t k = i * w->width; k < (i + 1) * w->width; k++) {
            float noise =
                holds(w) ? w->noise[k] * w->refiner->moves[k - i * w->width] : w->noise[k];
            w->proposals[k] = w->x[k] + drift * c->gradients[k] + deviation * noise;
            finite = finite && isfinite(w->proposals[k]);
        }
        if (finite)
            continue;
        memcpy(w->proposals + i * w->width, w->x + i * w->width, w->width * sizeof *w->x);
        c->sizes[i] = NAN; /* never accepted */
    }
}

static double log_way_back(const work *w, size_t row) {
    const float *x = w->x + row * w->width, *to = w->proposals + row * w->width,
                *gradient = w->chain->gradients + row * w->width;
    const float *slope = slope_at(w, row);
    dd_langevin_step step = {.size = w->chain->sizes[row]};
    for (size_t j = 0; j < w->width; j++)
        dd_langevin_add(&step, (double)to[j] - (double)x[j], (double)gradient[j], (double)slope[j]);
    return dd_langevin_log_way_back(&step);
}

/* Acceptance probability of a proposal. A row that the guidance rules out moves by the model alone
 * until it is not ruled out. */
static double chance(const work *w, size_t row) {
    double model = (double)*found_at(w, row), guidance = guidance_at(w, row),
           way_back = log_way_back(w, row);
    double model_before = w->chain->model[row], guidance_before = w->chain->guidance[row];
    if (!isfinite(model) || !isfinite(way_back))
        return 0;
    if (!isfinite(guidance) && isfinite(guidance_before))
        return 0;
    if (!isfinite(model_before) || (isfinite(guidance) && !isfinite(guidance_before)))
        return 1;
    double gain =
        model - model_before + way_back + (isfinite(guidance) ? guidance - guidance_before : 0);
    return gain < 0 ? exp(gain) : 1;
}

/* Accepts or rejects. In the first half of the steps each row's size is adapted towards the best
 * acceptance rate (Robbins and Monro, 1951; Roberts and Rosenthal, 1998: 0.574 for many numbers,
 * more for few). */
static size_t decide(const work *w, size_t step) {
    const double gain = first_gain / pow((double)step + 1, 0.6);
    bool finding = step < w->call->steps / 2;
    size_t accepted = 0;

    dd_rng_uniforms(w->chain->uniforms, w->call->seed, stream_of(w, DD_STREAM_REFINE_ACCEPT, step),
                    w->first, w->count);
    for (size_t i = 0; i < w->count; i++) {
        double probability = chance(w, i);
        if (finding)
            w->chain->log_sizes[i] += gain * (probability - dd_wanted_acceptance);
        if ((double)w->chain->uniforms[i] >= probability)
            continue;
        take(w, i);
        accepted++;
    }
    return accepted;
}

/* Adds the rows, moved by their gradients, to the means. */
static void add_means(const work *w, size_t step) {
    size_t second = w->call->steps - w->call->steps / 2;
    double share = 1 / (double)second, temperature = w->refiner->temperature;
    for (size_t k = 0; w->means && step >= w->call->steps / 2 && k < w->count * w->width; k++)
        w->means[k] += share * ((double)w->x[k] + temperature * (double)w->chain->gradients[k]);
}

/* Runs the chains of a chunk; false if the call is cancelled. */
static bool run_steps(const work *w, dd_lane *sampler_lane, size_t *accepted,
                      ddaebm_status *status) {
    ddaebm_status found = begin(w);
    for (size_t step = 0; step < w->call->steps && found == DDAEBM_OK; step++) {
        propose(w, step);
        found = evaluate(w);
        if (found != DDAEBM_OK)
            break;
        size_t taken = decide(w, step);
        *accepted += step < w->call->steps / 2 ? 0 : taken;
        add_means(w, step);
        if (!dd_lane_report(sampler_lane, w->count))
            return false;
    }

    if (found == DDAEBM_OK)
        return true;
    *status = found;
    dd_lane_cancel(sampler_lane);
    return false;
}

bool dd_refine_within(dd_refine_call *call, dd_lane *lane, const dd_refine_rows *rows,
                      ddaebm_status *status) {
    dd_refiner *refiner = call->refiner;
    dd_lane *own = dd_evaluator_lane(refiner->evaluator, lane);
    size_t accepted = 0, count = rows->count;
    const work w = {.call = call,
                    .refiner = refiner,
                    .chain = &refiner->chains[dd_lane_number(lane)],
                    .lane = own,
                    .x = rows->x,
                    .proposals = dd_lane_buffer(own, DD_EVAL_X),
                    .noise = dd_lane_buffer(own, DD_EVAL_NOISE),
                    .found = dd_lane_buffer(own, DD_EVAL_OUT),
                    .count = count,
                    .width = dd_model_inner_width(refiner->model),
                    .timestep = rows->timestep,
                    .first = rows->first,
                    .planes = rows->planes,
                    .means = rows->means};

    for (size_t k = 0; w.means && k < count * w.width; k++)
        w.means[k] = 0;
    if (!run_steps(&w, lane, &accepted, status))
        return false;
    atomic_fetch_add(&call->kept, (call->steps - call->steps / 2) * count);
    atomic_fetch_add(&call->accepted, accepted);
    return true;
}

bool dd_refine(dd_refine_call *call, dd_lane *lane, float *x, size_t count, size_t timestep,
               uint64_t first, ddaebm_status *status) {
    const dd_refine_rows rows = {.x = x, .count = count, .timestep = timestep, .first = first};
    return dd_refine_within(call, lane, &rows, status);
}
