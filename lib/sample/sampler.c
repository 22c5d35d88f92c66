#include "sample/sampler.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "diffusion/noise_scale.h"
#include "sample/refine.h"
#include "tensor/kernels/vector.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct ddaebm_sampler {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_evaluator *evaluator;
    dd_weights energy;  /* for refiners: the model's when the sampler was made */
    double temperature; /* the model's when the sampler was made */
    size_t refine_steps, refine_timesteps;
    dd_refiner *refiner;   /* NULL without refinement */
    dd_guidance *guidance; /* or NULL */
    double acceptance;     /* rate of the last draw; NAN if it was not refined */
    ddaebm_progress_function progress;
    void *progress_user;
};

dd_node dd_sampler_build_step(dd_builder *builder, const dd_process *process,
                              const dd_node in[DD_EVAL_OUT], const void *user) {
    (void)user;
    dd_node x0 =
        dd_network_generator(builder, in[DD_EVAL_X], in[DD_EVAL_TIMESTEP], in[DD_EVAL_LATENT]);
    return dd_posterior_draw(process, x0, in[DD_EVAL_X], in[DD_EVAL_NOISE]);
}

ddaebm_status ddaebm_sampler_create(ddaebm_sampler **out, const ddaebm_model *model) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(model);
    ddaebm_sampler *sampler = dd_alloc_zero(model->context, 1, sizeof *sampler);
    if (!sampler)
        return DDAEBM_OUT_OF_MEMORY;

    *sampler =
        (ddaebm_sampler){.model = model, .temperature = model->temperature, .acceptance = NAN};
    ddaebm_status status;
    DD_TRY(dd_context_hold(&sampler->context, model->context));
    DD_TRY(dd_evaluator_create(&sampler->evaluator, model, dd_sampler_build_step, NULL));
    dd_weights_share(&sampler->energy, &model->weights, DDAEBM_NETWORK_ENERGY);
    *out = sampler;
cleanup:
    if (status != DDAEBM_OK)
        ddaebm_sampler_free(sampler);
    return status;
}

void ddaebm_sampler_free(ddaebm_sampler *sampler) {
    if (!sampler)
        return;
    ddaebm_context *context = sampler->context;
    dd_refiner_free(sampler->refiner);
    dd_guidance_free(sampler->guidance);
    dd_evaluator_free(sampler->evaluator);
    dd_weights_free(&sampler->energy);
    dd_free(context, sampler);
    ddaebm_context_free(context);
}

ddaebm_status ddaebm_sampler_set_progress(ddaebm_sampler *sampler,
                                          ddaebm_progress_function function, void *user) {
    DD_REQUIRE(sampler);
    sampler->progress = function;
    sampler->progress_user = user;
    return DDAEBM_OK;
}

size_t ddaebm_sampler_block(const ddaebm_sampler *sampler) {
    return dd_evaluator_block(sampler->evaluator);
}

ddaebm_status ddaebm_sampler_set_refinement(ddaebm_sampler *sampler, size_t steps,
                                            size_t timesteps) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(sampler);
    size_t most = ddaebm_model_timesteps(sampler->model);
    if (steps > DD_MOST_REFINE_STEPS)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "steps of refinement are %zu; allowed: 0 to %d", steps,
                       (int)DD_MOST_REFINE_STEPS);
    if (steps > 0 && (timesteps < 1 || timesteps > most))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "timesteps to refine are %zu; allowed: 1 to %zu",
                       timesteps, most);
    if (steps > 0 && dd_has_noise_scale(dd_model_settings(sampler->model)))
        return dd_fail(DDAEBM_STATE, "refinement needs normal noise, in which x_{t+1} says of x_t "
                                     "what its scale cannot change; diffusion.noise is another");
    ddaebm_status status = steps > 0 ? dd_model_check_energy(sampler->model) : DDAEBM_OK;
    if (status == DDAEBM_OK && steps > 0 && !sampler->refiner)
        status = dd_refiner_create(&sampler->refiner, sampler->model, &sampler->energy,
                                   sampler->temperature, sampler->evaluator);
    if (status != DDAEBM_OK)
        return status;

    sampler->refine_steps = steps;
    sampler->refine_timesteps = steps > 0 ? timesteps : 0;
    return DDAEBM_OK;
}

ddaebm_status ddaebm_sampler_set_guidance(ddaebm_sampler *sampler,
                                          ddaebm_guidance_function function, void *user) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(sampler);
    dd_guidance *guidance = NULL;
    size_t most = 1, lanes = dd_evaluator_lanes(sampler->evaluator);
    for (size_t i = 0; i < lanes; i++) {
        size_t rows = dd_evaluator_lane_rows(sampler->evaluator, i);
        most = rows > most ? rows : most;
    }
    ddaebm_status status =
        function ? dd_guidance_create(&guidance, sampler->model, most, function, user) : DDAEBM_OK;
    if (status != DDAEBM_OK)
        return status;

    dd_guidance_free(sampler->guidance);
    sampler->guidance = guidance;
    return DDAEBM_OK;
}

ddaebm_status ddaebm_sampler_acceptance(const ddaebm_sampler *sampler, double *rate) {
    DD_REQUIRE(sampler);
    DD_REQUIRE(rate);
    if (isnan(sampler->acceptance))
        return dd_fail(DDAEBM_STATE, "there is no acceptance: the last draw was not refined "
                                     "(ddaebm_sampler_set_refinement)");
    *rate = sampler->acceptance;
    return DDAEBM_OK;
}

typedef struct draw {
    const ddaebm_model *model;
    uint64_t seed, first;
    dd_rows_out rows; /* [count, width], or not set */
    float *steps;     /* [count, T + 1, width], or NULL */
    dd_refine_call refine;
    size_t refine_timesteps;
    ddaebm_status guidance; /* of the guidance; written on the calling thread alone */
} draw;

/* Writes x_t of a chunk's rows to the steps of the draw, after `step` reverse steps. */
static void keep_step(const draw *d, const float *x, size_t first, size_t count, size_t step) {
    size_t inner = dd_model_inner_width(d->model), states = ddaebm_model_timesteps(d->model) + 1;
    for (size_t i = 0; d->steps && i < count; i++)
        dd_model_restore(d->model, x + i * inner, 1, (dd_rows_out){.narrow = d->steps},
                         (first + i) * states + step);
}

/* A guidance must see finite rows. */
static bool can_be_guided(draw *d, const float *x, size_t numbers) {
    if (!d->refine.guidance || dd_kernels_choose()->all_within(x, numbers, FLT_MAX))
        return true;
    d->guidance =
        dd_fail(DDAEBM_NOT_FINITE, "a sample is not finite: the model's weights have run away");
    return false;
}

/* Refines a chunk; false if the call is cancelled. */
static bool refine(draw *d, dd_lane *lane, float *x, size_t timestep, size_t first, size_t count) {
    if (timestep >= d->refine_timesteps)
        return true;
    if (can_be_guided(d, x, count * dd_model_inner_width(d->model)))
        return dd_refine(&d->refine, lane, x, count, timestep, d->first + first, &d->guidance);
    dd_lane_cancel(lane);
    return false;
}

/* Draws the samples of a chunk: T reverse steps, each refined if asked for. */
static void draw_chunk(void *user, dd_lane *lane, size_t first, size_t count) {
    draw *d = user;
    const dd_settings *settings = dd_model_settings(d->model);
    size_t width = dd_model_inner_width(d->model), latent = dd_settings_latent_width(settings);
    size_t timesteps = ddaebm_model_timesteps(d->model);
    uint64_t number = d->first + first, scales = dd_stream(DD_STREAM_SAMPLE_SCALE, 0);
    float *x = dd_lane_buffer(lane, DD_EVAL_X);

    dd_rng_normals(x, d->seed, dd_stream(DD_STREAM_SAMPLE_START, 0), number * width, count * width);
    dd_noise_scale_apply(settings, d->seed, scales, number, count, width, x);
    keep_step(d, x, first, count, 0);
    for (size_t t = timesteps; t-- > 0;) {
        dd_rng_normals(dd_lane_buffer(lane, DD_EVAL_LATENT), d->seed,
                       dd_stream(DD_STREAM_SAMPLE_LATENT, t), number * latent, count * latent);
        if (t > 0) { /* at timestep 0 the noise is not used */
            float *noise = dd_lane_buffer(lane, DD_EVAL_NOISE);
            dd_rng_normals(noise, d->seed, dd_stream(DD_STREAM_SAMPLE_NOISE, t), number * width,
                           count * width);
            dd_noise_scale_apply(settings, d->seed, scales, number, count, width, noise);
        }
        dd_lane_compute(lane, t, count);
        memcpy(x, dd_lane_buffer(lane, DD_EVAL_OUT), count * width * sizeof *x);
        if (!refine(d, lane, x, t, first, count))
            return;
        keep_step(d, x, first, count, timesteps - t);
    }
    if (!d->steps)
        dd_model_restore(d->model, x, count, d->rows, first);
}

static bool are_finite(const draw *d, size_t numbers) {
    const float *floats = d->steps ? d->steps : d->rows.narrow;
    if (floats)
        return dd_kernels_choose()->all_within(floats, numbers, FLT_MAX);
    for (size_t i = 0; i < numbers; i++)
        if (!isfinite(d->rows.wide[i]))
            return false;
    return true;
}

static void ask_for_refinement(const ddaebm_sampler *sampler, draw *d) {
    d->refine_timesteps = sampler->refine_timesteps;
    d->refine.refiner = sampler->refiner;
    d->refine.steps = sampler->refine_steps;
    d->refine.seed = d->seed;
    d->refine.guidance = sampler->guidance;
    atomic_init(&d->refine.kept, 0);
    atomic_init(&d->refine.accepted, 0);
}

static ddaebm_status compute(ddaebm_sampler *sampler, draw *d, size_t count) {
    const dd_eval_call call = {.count = count,
                               .passes = 1 + sampler->refine_steps * sampler->refine_timesteps,
                               .alone = sampler->guidance != NULL,
                               .chunk = draw_chunk,
                               .user = d,
                               .progress = sampler->progress,
                               .progress_user = sampler->progress_user};
    ddaebm_status status = dd_evaluator_call(sampler->evaluator, &call);
    return d->guidance != DDAEBM_OK ? d->guidance : status;
}

/* Runs a draw of `width` numbers a sample. */
static ddaebm_status run(ddaebm_sampler *sampler, draw d, size_t count, size_t width) {
    sampler->acceptance = NAN;
    if (sampler->guidance && sampler->refine_steps == 0)
        return dd_fail(
            DDAEBM_STATE,
            "guidance needs refinement: call ddaebm_sampler_set_refinement, or set no guidance");
    ask_for_refinement(sampler, &d);
    ddaebm_status status = compute(sampler, &d, count);
    if (status == DDAEBM_OK && !are_finite(&d, count * width))
        status = dd_fail(
            DDAEBM_NOT_FINITE, "a sample is not finite: the model's weights have run away%s",
            d.rows.wide ? ""
                        : ", or its data is beyond 32-bit numbers (ddaebm_sampler_draw_double)");
    if (status == DDAEBM_OK && sampler->refine_steps > 0)
        sampler->acceptance =
            (double)atomic_load(&d.refine.accepted) / (double)atomic_load(&d.refine.kept);
    return status;
}

ddaebm_status ddaebm_sampler_draw(ddaebm_sampler *sampler, uint64_t seed, uint64_t first,
                                  size_t count, float *rows) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(sampler);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(rows);
    draw d = {.model = sampler->model, .seed = seed, .first = first, .rows = {.narrow = rows}};
    return run(sampler, d, count, ddaebm_model_width(sampler->model));
}

ddaebm_status ddaebm_sampler_draw_double(ddaebm_sampler *sampler, uint64_t seed, uint64_t first,
                                         size_t count, double *rows) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(sampler);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(rows);
    draw d = {.model = sampler->model, .seed = seed, .first = first, .rows = {.wide = rows}};
    return run(sampler, d, count, ddaebm_model_width(sampler->model));
}

ddaebm_status ddaebm_sampler_draw_steps(ddaebm_sampler *sampler, uint64_t seed, uint64_t first,
                                        size_t count, float *steps) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(sampler);
    if (count == 0)
        return DDAEBM_OK;
    DD_REQUIRE(steps);
    draw d = {.model = sampler->model, .seed = seed, .first = first, .steps = steps};
    return run(sampler, d, count,
               (ddaebm_model_timesteps(sampler->model) + 1) * ddaebm_model_width(sampler->model));
}
