#include "sample/restorer.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"

#include <math.h>
#include <string.h>

/* Of the correction: the share of a unit step by which its curvature is raised, the longest step,
 * and how far an image may lie beyond black and white between timesteps. */
static const double ridge = 0.02, longest = 50;
static const float beyond = 1.05f;

/* Memory of a lane for its rows. */
struct dd_restore_lane {
    float *known, *noise; /* [rows, inner]: y as the networks see it; infinite noise: missing */
    float *x;             /* [rows, inner]: the present draws of x_0 */
    float *normals;       /* [inner], or [rows, inner] and then [rows, measured] for a map */
    uint16_t *entry;      /* [rows, inner]: the timestep at which y is taken as it is */
    uint16_t *last;       /* [rows]: the timestep after which a draw is done */
    bool *misses;         /* [rows]: whether numbers are missing */
};

/* --- Making lanes. --- */

/* The gradient of the product of x_0 and the noise slot with respect to x_{t+1}. A dd_eval_build.
 */
static dd_node build_pull(dd_builder *builder, const dd_process *process,
                          const dd_node in[DD_EVAL_OUT], const void *user) {
    dd_graph *graph = builder->graph;
    dd_node x = in[DD_EVAL_X], gradient = DD_NONE,
            x0 = dd_restorer_build_x0(builder, process, in, user);
    dd_node product =
        dd_sum(graph, dd_multiply(graph, x0, in[DD_EVAL_NOISE]), dd_shape_a_sample(graph, x0));
    dd_gradient(graph, product, DD_NONE, &x, 1, &gradient);
    return gradient;
}

static ddaebm_status open_lane(const ddaebm_restorer *restorer, dd_restore_lane *lane,
                               size_t rows) {
    ddaebm_context *context = restorer->context;
    size_t inner = dd_model_inner_width(restorer->model);
    lane->known = dd_alloc_zero(context, rows, inner * sizeof(float));
    lane->noise = dd_alloc_zero(context, rows, inner * sizeof(float));
    lane->x = dd_alloc_zero(context, rows, inner * sizeof(float));
    lane->normals = dd_alloc_zero(context, inner, sizeof(float));
    lane->entry = dd_alloc_zero(context, rows, inner * sizeof *lane->entry);
    lane->last = dd_alloc_zero(context, rows, sizeof *lane->last);
    lane->misses = dd_alloc_zero(context, rows, sizeof *lane->misses);
    bool made = lane->known && lane->noise && lane->x && lane->normals && lane->entry &&
                lane->last && lane->misses;
    return made ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

ddaebm_status dd_restore_open(ddaebm_restorer *restorer) {
    const ddaebm_model *model = restorer->model;
    ddaebm_status status;
    DD_TRY(dd_noise_schedule_make(&restorer->schedule, model->context, dd_model_settings(model)));
    DD_TRY(dd_model_find_fixed(model, &restorer->fixed, &restorer->moves));
    DD_TRY(dd_evaluator_create(&restorer->generator, model, dd_restorer_build_x0, NULL));
    DD_TRY(dd_evaluator_create_beside(&restorer->pull, restorer->generator, &model->weights,
                                      build_pull, NULL));
    size_t lanes = dd_evaluator_lanes(restorer->generator);
    restorer->lanes = dd_alloc_zero(model->context, lanes, sizeof *restorer->lanes);
    status = restorer->lanes ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; i < lanes && status == DDAEBM_OK; i++)
        status = open_lane(restorer, &restorer->lanes[i],
                           dd_evaluator_lane_rows(restorer->generator, i));
cleanup:
    return status;
}

void dd_restore_close(ddaebm_restorer *restorer) {
    ddaebm_context *context = restorer->context;
    for (size_t i = 0; restorer->lanes && i < dd_evaluator_lanes(restorer->generator); i++) {
        dd_restore_lane *lane = &restorer->lanes[i];
        void *blocks[] = {lane->known, lane->noise, lane->x,     lane->normals,
                          lane->entry, lane->last,  lane->misses};
        for (size_t k = 0; k < sizeof blocks / sizeof *blocks; k++)
            dd_free(context, blocks[k]);
    }
    dd_free(context, restorer->lanes);
    dd_evaluator_free(restorer->pull);
    dd_evaluator_free(restorer->generator);
    dd_free(context, restorer->fixed);
    dd_free(context, restorer->moves);
    if (restorer->schedule.context)
        dd_noise_schedule_free(&restorer->schedule);
}

/* --- A chunk. --- */

/* The draws of a chunk, at a timestep. Draw number i of a call is draw i / count of row i % count.
 */
typedef struct work {
    dd_restore_call *call;
    ddaebm_restorer *restorer;
    dd_restore_lane *state;
    dd_lane *lane, *pull; /* of the two evaluators */
    size_t first, count, inner, latent;
} work;

static size_t row_of(const work *w, size_t place) {
    return (w->first + place) % w->call->count;
}

static size_t draw_of(const work *w, size_t place) {
    return (w->first + place) / w->call->count;
}

/* Normal numbers for a place's row and draw. */
static void draw_normals(const work *w, dd_purpose purpose, size_t timestep, size_t place,
                         size_t width, float *out) {
    uint64_t stream = dd_stream(purpose, (uint64_t)draw_of(w, place) << 32 | timestep);
    dd_rng_normals(out, w->call->seed, stream, (w->call->first + row_of(w, place)) * width, width);
}

/* The noise of x_t in units of x_0. */
static double ratio_at(const work *w, size_t timestep) {
    const dd_noise_schedule *s = &w->restorer->schedule;
    return s->sigma_cum[timestep] / s->a_cum[timestep];
}

/* The share of y in the mean of x_0, were x_0 standard normal. */
static double share_of(double noise) {
    return 1 / (1 + noise * noise);
}

/* The timestep at which y with this noise is taken for x_t as it is: one of the two whose noise is
 * around it, chosen at random so that the mean over draws is exact for standard normal x_0. */
static size_t entry_of(const work *w, double noise, double uniform) {
    size_t t = 1, most = w->restorer->schedule.steps;
    if (noise <= ratio_at(w, 1))
        return 1;
    while (t < most && ratio_at(w, t) < noise)
        t++;
    double above = share_of(ratio_at(w, t)), below = share_of(ratio_at(w, t - 1));
    double chance = below > above ? (below - share_of(noise)) / (below - above) : 1;
    return uniform < chance ? t : t - 1;
}

/* Numbers between 0 and 1 that are even over the first draws, however many. */
static double even_number(size_t draw) {
    const double golden = 0.61803398874989484820;
    double at = 0.5 + (double)draw * golden;
    return at - floor(at);
}

/* Reads y of a place's row. Entry timesteps of equal noise are found once. */
static void read_place(const work *w, size_t place) {
    dd_restore_lane *s = w->state;
    float *noise = s->noise + place * w->inner, before = -1;
    uint16_t *entry = s->entry + place * w->inner, found = 1;
    double uniform = even_number(draw_of(w, place));
    size_t last = w->restorer->schedule.steps + 1;
    dd_measurement_read(w->restorer->measurement, w->call->y, row_of(w, place), w->restorer->moves,
                        s->known + place * w->inner, noise);

    s->misses[place] = false;
    for (size_t j = 0; j < w->inner; j++) {
        bool missing = isinf(noise[j]);
        if (noise[j] != before && !missing)
            found = (uint16_t)entry_of(w, (double)noise[j], uniform);
        before = missing ? before : noise[j];
        entry[j] = found;
        s->misses[place] = s->misses[place] || missing;
        if (!missing && w->restorer->moves[j] > 0 && found < last)
            last = found;
    }
    s->last[place] = (uint16_t)(last <= w->restorer->schedule.steps ? last : 1);
}

/* z of a number: x_0 with the noise of the timestep, drawn given the present x_0 and y. Before the
 * entry, y with noise added; at it, y; after it, where y has more noise than x_t, a mean of both:
 * y given z is normal with what noise is left. */
static float number_of(double x, double y, double noise, double ratio, size_t timestep,
                       size_t entry, double normal) {
    if (isinf(noise))
        return (float)(x + ratio * normal);
    if (timestep >= entry || noise <= ratio) {
        double more = timestep == entry && noise > 0 ? 0 : ratio * ratio - noise * noise;
        return (float)(y + (more > 0 ? sqrt(more) : 0) * normal);
    }
    double share = ratio * ratio / (noise * noise);
    return (float)(x + share * (y - x) + ratio * sqrt(1 - share) * normal);
}

/* Sets the inputs x_t of the generator. */
static void make_inputs(const work *w, size_t timestep) {
    const dd_restore_lane *s = w->state;
    double ratio = ratio_at(w, timestep), factor = w->restorer->schedule.a_cum[timestep];
    float *in = dd_lane_buffer(w->lane, DD_EVAL_X);
    for (size_t i = 0; i < w->count; i++) {
        draw_normals(w, DD_STREAM_RESTORE_NOISE, timestep, i, w->inner, s->normals);
        for (size_t j = 0, k = i * w->inner; j < w->inner; j++, k++)
            in[k] =
                (float)factor * number_of((double)s->x[k], (double)s->known[k], (double)s->noise[k],
                                          ratio, timestep, s->entry[k], (double)s->normals[j]);
        draw_normals(w, DD_STREAM_RESTORE_LATENT, timestep, i, w->latent,
                     dd_lane_buffer(w->lane, DD_EVAL_LATENT) + i * w->latent);
    }
}

/* --- The correction of missing numbers. --- */

/* By how much x_0 misses y, weighted by what is known. Returns whether any place is corrected. */
static bool find_misses(const work *w, size_t timestep, const float *x0) {
    const dd_restore_lane *s = w->state;
    float *miss = dd_lane_buffer(w->pull, DD_EVAL_NOISE);
    bool any = false;
    for (size_t i = 0; i < w->count; i++) {
        bool corrected = s->misses[i] && timestep >= s->last[i];
        for (size_t k = i * w->inner; k < (i + 1) * w->inner; k++)
            miss[k] = corrected && !isinf(s->noise[k]) ? s->known[k] - x0[k] : 0;
        any = any || corrected;
    }
    return any;
}

/* The step along the pull of the misses that comes closest to y: |miss|^2 / miss' (J + ridge +
 * noise^2 / ratio^2) miss, J being the generator's matrix of derivatives. */
static double step_of(const work *w, size_t place, double ratio, double factor, const float *miss,
                      const float *pull) {
    const float *noise = w->state->noise + place * w->inner;
    double squares = 0, curve = 0;
    for (size_t j = 0; j < w->inner; j++) {
        double m = (double)miss[j], n = (double)noise[j] / ratio;
        squares += m * m;
        if (m != 0)
            curve += m * (factor * (double)pull[j] + (ridge + n * n) * m);
    }
    return curve > 1e-3 * squares ? fmin(squares / curve, longest) : 0;
}

/* Moves the missing numbers of x_0 the way that brings the known ones closer to y: one step of
 * conjugate gradients on the conditional mean of a normal distribution whose covariance is the
 * generator's matrix of derivatives times the noise's variance. */
static void correct(const work *w, size_t timestep, float *x0) {
    double ratio = ratio_at(w, timestep), factor = w->restorer->schedule.a_cum[timestep];
    size_t numbers = w->count * w->inner;
    if (!find_misses(w, timestep, x0))
        return;
    memcpy(dd_lane_buffer(w->pull, DD_EVAL_X), dd_lane_buffer(w->lane, DD_EVAL_X),
           numbers * sizeof(float));
    memcpy(dd_lane_buffer(w->pull, DD_EVAL_LATENT), dd_lane_buffer(w->lane, DD_EVAL_LATENT),
           w->count * w->latent * sizeof(float));
    dd_lane_compute(w->pull, timestep - 1, w->count);

    for (size_t i = 0; i < w->count; i++) {
        const float *miss = dd_lane_buffer(w->pull, DD_EVAL_NOISE) + i * w->inner,
                    *pull = dd_lane_buffer(w->pull, DD_EVAL_OUT) + i * w->inner,
                    *noise = w->state->noise + i * w->inner;
        float size = (float)(factor * step_of(w, i, ratio, factor, miss, pull));
        for (size_t j = 0; j < w->inner; j++)
            if (isinf(noise[j]) && isfinite(size * pull[j]))
                x0[i * w->inner + j] += size * pull[j];
    }
}

/* --- Chains. --- */

static bool holds_images(const work *w) {
    return dd_model_settings(w->restorer->model)->data.image_size > 0;
}

static void bound(const work *w, float *x, size_t count, float most) {
    for (size_t k = 0; holds_images(w) && k < count; k++)
        x[k] = x[k] > most ? most : x[k] < -most ? -most : x[k];
}

/* Takes the new x_0 of the places whose draws are not done. */
static void take(const work *w, size_t timestep, const float *x0) {
    for (size_t i = 0; i < w->count; i++)
        if (timestep >= w->state->last[i])
            memcpy(w->state->x + i * w->inner, x0 + i * w->inner, w->inner * sizeof *x0);
}

static void step_chain(const work *w, size_t timestep) {
    float *x0 = dd_lane_buffer(w->lane, DD_EVAL_OUT);
    make_inputs(w, timestep);
    dd_lane_compute(w->lane, timestep - 1, w->count);
    correct(w, timestep, x0);
    bound(w, x0, w->count * w->inner, beyond);
    take(w, timestep, x0);
}

/* The timestep at which the chunk's chains begin: the last, or the first entry if no number is
 * missing. */
static size_t first_timestep(const work *w) {
    size_t first = 1;
    for (size_t i = 0; i < w->count; i++)
        if (w->state->misses[i])
            return w->restorer->schedule.steps;
    for (size_t k = 0; k < w->count * w->inner; k++)
        first = w->state->entry[k] > first ? w->state->entry[k] : first;
    return first;
}

static size_t last_timestep(const work *w) {
    size_t last = w->restorer->schedule.steps;
    for (size_t i = 0; i < w->count; i++)
        last = w->state->last[i] < last ? w->state->last[i] : last;
    return last;
}

static bool nothing_is_to_find(const work *w) {
    for (size_t k = 0; k < w->count * w->inner; k++)
        if (w->state->noise[k] > 0)
            return false;
    return true;
}

/* The draws of the chunk where y is x with noise. */
static void run_identity(const work *w) {
    dd_restore_lane *s = w->state;
    for (size_t i = 0; i < w->count; i++)
        read_place(w, i);
    memset(s->x, 0, w->count * w->inner * sizeof *s->x);
    for (size_t t = first_timestep(w), last = last_timestep(w); t >= last && !nothing_is_to_find(w);
         t--)
        step_chain(w, t);

    for (size_t k = 0; k < w->count * w->inner; k++)
        if (s->noise[k] == 0)
            s->x[k] = s->known[k];
}

/* The draws of the chunk where y is a map of x with noise: at each timestep z is drawn given x_0
 * and y, and x_0 given z. */
static ddaebm_status run_mapped(const work *w) {
    dd_restore_lane *s = w->state;
    dd_measurement *measurement = w->restorer->measurement;
    float *x0 = dd_lane_buffer(w->lane, DD_EVAL_OUT), *in = dd_lane_buffer(w->lane, DD_EVAL_X);
    float *others = dd_measurement_normals(measurement);
    size_t measured = dd_measurement_width(measurement), numbers = w->count * w->inner;
    for (size_t i = 0; i < w->count; i++)
        dd_measurement_load(measurement, w->call->y, i, row_of(w, i));
    memset(s->x, 0, numbers * sizeof *s->x);

    for (size_t t = w->restorer->schedule.steps; t >= 1; t--) {
        for (size_t i = 0; i < w->count; i++) {
            draw_normals(w, DD_STREAM_RESTORE_NOISE, t, i, w->inner, s->known + i * w->inner);
            draw_normals(w, DD_STREAM_RESTORE_SOLVE, t, i, measured, others + i * measured);
            draw_normals(w, DD_STREAM_RESTORE_LATENT, t, i, w->latent,
                         dd_lane_buffer(w->lane, DD_EVAL_LATENT) + i * w->latent);
        }
        ddaebm_status status =
            dd_measurement_draw(measurement, s->x, w->count, ratio_at(w, t), s->known, others);
        if (status != DDAEBM_OK)
            return status;
        for (size_t k = 0; k < numbers; k++)
            in[k] = (float)w->restorer->schedule.a_cum[t] * s->x[k];
        dd_lane_compute(w->lane, t - 1, w->count);
        memcpy(s->x, x0, numbers * sizeof *x0);
    }
    for (size_t k = 0; k < numbers; k++)
        s->x[k] = w->restorer->moves[k % w->inner] > 0 ? s->x[k] : w->restorer->fixed[k % w->inner];
    return DDAEBM_OK;
}

/* Numbers that are known exactly keep all their digits. */
static void put_known(const work *w, size_t place) {
    const dd_restore_call *call = w->call;
    const ddaebm_model *model = w->restorer->model;
    size_t width = ddaebm_model_width(model), from = row_of(w, place) * width,
           to = (w->first + place) * width;
    const double *noise = dd_measurement_noise(w->restorer->measurement);
    for (size_t j = 0; j < width; j++) {
        double y = call->y.wide ? call->y.wide[from + j] : (double)call->y.narrow[from + j];
        if (noise[j] > 0 || isnan(y) || (model->scale[j] <= 0 && !holds_images(w)))
            continue;
        if (call->samples.wide)
            call->samples.wide[to + j] = y;
        else
            call->samples.narrow[to + j] = (float)y;
    }
}

static void put_out(const work *w) {
    const dd_restore_call *call = w->call;
    const float *x = w->state->x;
    if (call->inner)
        memcpy(call->inner + w->first * w->inner, x, w->count * w->inner * sizeof *x);
    if (!call->samples.wide && !call->samples.narrow)
        return;
    dd_model_restore(w->restorer->model, x, w->count, call->samples, w->first);
    for (size_t i = 0; i < w->count && !dd_measurement_is_mapped(w->restorer->measurement); i++)
        put_known(w, i);
}

static void draw_chunk(void *user, dd_lane *lane, size_t first, size_t count) {
    dd_restore_call *call = user;
    ddaebm_restorer *restorer = call->restorer;
    const work w = {.call = call,
                    .restorer = restorer,
                    .state = &restorer->lanes[dd_lane_number(lane)],
                    .lane = lane,
                    .pull = dd_evaluator_lane(restorer->pull, lane),
                    .first = first,
                    .count = count,
                    .inner = dd_model_inner_width(restorer->model),
                    .latent = dd_settings_latent_width(dd_model_settings(restorer->model))};
    if (dd_measurement_is_mapped(restorer->measurement)) {
        call->map_status = run_mapped(&w);
        if (call->map_status != DDAEBM_OK) {
            dd_lane_cancel(lane);
            return;
        }
    } else {
        run_identity(&w);
    }
    bound(&w, w.state->x, count * w.inner, 1);
    put_out(&w);
}

static int report(void *user, uint64_t done, uint64_t total) {
    const dd_restore_call *call = user;
    (void)total;
    return call->restorer->progress(call->restorer->progress_user, call->before + done,
                                    call->total);
}

ddaebm_status dd_restore_run(dd_restore_call *call) {
    ddaebm_restorer *restorer = call->restorer;
    const dd_eval_call asked = {.count = call->count * call->draws,
                                .passes = 1,
                                .alone = dd_measurement_is_mapped(restorer->measurement),
                                .chunk = draw_chunk,
                                .user = call,
                                .progress = restorer->progress ? report : NULL,
                                .progress_user = call};
    call->map_status = DDAEBM_OK;
    ddaebm_status status = dd_evaluator_call(restorer->generator, &asked);
    return call->map_status != DDAEBM_OK ? call->map_status : status;
}
