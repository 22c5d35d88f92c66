#include "sample/statistics.h"

#include "base/context.h"
#include "base/rng.h"
#include "layers/symmetry.h"
#include "sample/evaluator.h"

#include <string.h>

/* Seed of the noise and latents that all rows share. It is part of the definition: a file's
 * typicality must hold for every program. */
static const uint64_t shared_seed = 0x5EED;

struct dd_statistics {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_evaluator *evaluator;
    float *noise, *latent; /* [inner width] and [latent width]: of the present timestep */
    float *room;           /* [capacity], for callers */
    size_t capacity;
};

/* log(mean of squares over a sample), one number a row */
static dd_node log_mean_square(dd_graph *graph, dd_node x, size_t samples) {
    dd_node mean = dd_mean(graph, dd_multiply(graph, x, x), dd_shape_a_sample(graph, x));
    return dd_reshape(graph, dd_log(graph, dd_affine(graph, mean, 1, 1e-12)),
                      dd_shape_rows(samples, 1));
}

/* f(x)/w - log sum exp f(g x)/w over the symmetries g */
static dd_node orientation(dd_builder *builder, dd_node x, dd_node timestep, dd_node f) {
    dd_graph *graph = builder->graph;
    const double scale = 1 / dd_settings_density_weight(builder->settings);
    dd_node own = dd_affine(graph, f, scale, 0), sum = own;
    for (unsigned symmetry = 1; symmetry < DD_SYMMETRIES; symmetry++) {
        dd_node other = dd_affine(
            graph, dd_network_energy(builder, dd_symmetry_apply(graph, x, symmetry), timestep),
            scale, 0);
        sum = dd_add(graph, sum, dd_softplus(graph, dd_subtract(graph, other, sum)));
    }
    return dd_subtract(graph, own, sum);
}

/* Builds the statistics of a chunk, one row a sample. */
static dd_node build(dd_builder *builder, const dd_process *process, const dd_node in[DD_EVAL_OUT],
                     const void *user) {
    const ddaebm_model *model = user;
    dd_graph *graph = builder->graph;
    const dd_noise_schedule *schedule = process->schedule;
    dd_node x = in[DD_EVAL_X], noise = in[DD_EVAL_NOISE], gradient = DD_NONE;
    size_t samples = dd_samples(graph, x);
    dd_node x_t = dd_process_diffuse(process, x, noise);
    dd_node x_next = dd_process_diffuse_next(process, x, noise);
    dd_node f = dd_network_energy(builder, x_t, in[DD_EVAL_TIMESTEP]);

    dd_gradient(graph, f, DD_NONE, &x_t, 1, &gradient);
    dd_node slope =
        dd_multiply(graph, gradient, dd_process_at(process, schedule->sigma_cum, 0, gradient));
    dd_node miss = dd_subtract(
        graph, x, dd_network_generator(builder, x_next, in[DD_EVAL_TIMESTEP], in[DD_EVAL_LATENT]));
    dd_node first = dd_reshape(graph, f, dd_shape_rows(samples, 1)),
            second = log_mean_square(graph, slope, samples);
    dd_node all = dd_concat(graph, dd_concat(graph, first, second, 3),
                            log_mean_square(graph, miss, samples), 3);
    if (dd_model_statistics(model) == DD_PLAIN_STATISTICS)
        return all;
    dd_node fourth = orientation(builder, x_t, in[DD_EVAL_TIMESTEP], f);
    return dd_concat(graph, all, dd_reshape(graph, fourth, dd_shape_rows(samples, 1)), 3);
}

ddaebm_status dd_statistics_create(dd_statistics **out, const ddaebm_model *model) {
    dd_statistics *statistics = dd_alloc_zero(model->context, 1, sizeof *statistics);
    if (!statistics)
        return DDAEBM_OUT_OF_MEMORY;

    *statistics = (dd_statistics){.context = model->context, .model = model};
    statistics->noise = dd_alloc_zero(model->context, dd_model_inner_width(model), sizeof(float));
    statistics->latent = dd_alloc_zero(
        model->context, dd_settings_latent_width(dd_model_settings(model)), sizeof(float));
    ddaebm_status status = statistics->noise && statistics->latent
                               ? dd_evaluator_create(&statistics->evaluator, model, build, model)
                               : DDAEBM_OUT_OF_MEMORY;
    if (status == DDAEBM_OK)
        *out = statistics;
    else
        dd_statistics_free(statistics);
    return status;
}

void dd_statistics_free(dd_statistics *statistics) {
    if (!statistics)
        return;
    ddaebm_context *context = statistics->context;
    dd_evaluator_free(statistics->evaluator);
    dd_free(context, statistics->noise);
    dd_free(context, statistics->latent);
    dd_free(context, statistics->room);
    dd_free(context, statistics);
}

typedef struct request {
    const dd_statistics *statistics;
    const dd_statistics_job *job;
} request;

/* Measures a chunk; all its rows share noise and latent. */
static void measure_chunk(void *user, dd_lane *lane, size_t first, size_t count) {
    const request *r = user;
    const dd_statistics *s = r->statistics;
    const dd_statistics_job *job = r->job;
    size_t width = dd_model_inner_width(s->model),
           latent = dd_settings_latent_width(dd_model_settings(s->model));

    dd_model_standardize(s->model, job->rows, first, count, dd_lane_buffer(lane, DD_EVAL_X));
    for (size_t i = 0; i < count; i++) {
        memcpy(dd_lane_buffer(lane, DD_EVAL_NOISE) + i * width, s->noise, width * sizeof *s->noise);
        memcpy(dd_lane_buffer(lane, DD_EVAL_LATENT) + i * latent, s->latent,
               latent * sizeof *s->latent);
    }
    dd_lane_compute(lane, job->timestep, count);
    const float *found = dd_lane_buffer(lane, DD_EVAL_OUT);
    size_t statistics = dd_model_statistics(s->model);
    for (size_t i = 0; i < count; i++)
        memcpy(job->out + (first + i) * job->stride, found + i * statistics,
               statistics * sizeof *found);
}

float *dd_statistics_room(dd_statistics *s, size_t count) {
    float *room = dd_grow(s->context, s->room, &s->capacity, count, sizeof *room);
    if (room)
        s->room = room;
    return room;
}

ddaebm_status dd_statistics_measure(dd_statistics *s, const dd_statistics_job *job) {
    request r = {.statistics = s, .job = job};
    size_t latent = dd_settings_latent_width(dd_model_settings(s->model));
    dd_rng_normals(s->noise, shared_seed, dd_stream(DD_STREAM_SAMPLE_NOISE, job->timestep), 0,
                   dd_model_inner_width(s->model));
    dd_rng_normals(s->latent, shared_seed, dd_stream(DD_STREAM_SAMPLE_LATENT, job->timestep), 0,
                   latent);
    return dd_evaluator_run(s->evaluator, job->count, measure_chunk, &r, job->progress,
                            job->progress_user);
}
