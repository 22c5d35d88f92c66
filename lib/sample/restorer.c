#include "sample/restorer.h"

#include "base/arithmetic.h"
#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "model/column_map.h"

#include <math.h>

enum { MOST_DRAWS = 65536 };

/* Numbers of draws that a mean holds at a time, unless those of one row are more. */
static const size_t numbers_at_once = (size_t)1 << 22;

dd_node dd_restorer_build_x0(dd_builder *builder, const dd_process *process,
                             const dd_node in[DD_EVAL_OUT], const void *user) {
    (void)process;
    (void)user;
    return dd_network_generator(builder, in[DD_EVAL_X], in[DD_EVAL_TIMESTEP], in[DD_EVAL_LATENT]);
}

/* --- The handle. --- */

static size_t most_rows(const ddaebm_restorer *restorer) {
    size_t most = 1;
    for (size_t i = 0; i < dd_evaluator_lanes(restorer->generator); i++) {
        size_t rows = dd_evaluator_lane_rows(restorer->generator, i);
        most = rows > most ? rows : most;
    }
    return most;
}

static ddaebm_status set_map(ddaebm_restorer *restorer, const ddaebm_operator *map) {
    dd_measurement *made = NULL;
    ddaebm_status status = dd_measurement_create(&made, restorer->model, map, most_rows(restorer));
    if (status != DDAEBM_OK)
        return status;
    dd_measurement_free(restorer->measurement);
    restorer->measurement = made;
    return DDAEBM_OK;
}

/* Refuses models whose noise is not normal in the units of the data. */
static ddaebm_status check_model(const ddaebm_model *model) {
    if (dd_has_column_map(model))
        return dd_fail(DDAEBM_UNSUPPORTED, "a model with data.transform cannot restore rows: noise "
                                           "of known size is not that of its columns' maps");
    if (dd_model_settings(model)->diffusion.noise != DD_NOISE_GAUSSIAN)
        return dd_fail(DDAEBM_UNSUPPORTED,
                       "a model with diffusion.noise other than gaussian cannot restore rows");
    return DDAEBM_OK;
}

ddaebm_status ddaebm_restorer_create(ddaebm_restorer **out, const ddaebm_model *model) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(model);
    if (check_model(model) != DDAEBM_OK)
        return DDAEBM_UNSUPPORTED;
    ddaebm_restorer *restorer = dd_alloc_zero(model->context, 1, sizeof *restorer);
    if (!restorer)
        return DDAEBM_OUT_OF_MEMORY;

    *restorer = (ddaebm_restorer){.model = model};
    ddaebm_status status;
    DD_TRY(dd_context_hold(&restorer->context, model->context));
    DD_TRY(dd_restore_open(restorer));
    DD_TRY(set_map(restorer, NULL));
    *out = restorer;
cleanup:
    if (status != DDAEBM_OK)
        ddaebm_restorer_free(restorer);
    return status;
}

void ddaebm_restorer_free(ddaebm_restorer *restorer) {
    if (!restorer)
        return;

    ddaebm_context *context = restorer->context;
    dd_filler_free(restorer->filler);
    dd_restore_close(restorer);
    dd_measurement_free(restorer->measurement);
    dd_free(context, restorer->draws);
    dd_free(context, restorer);
    ddaebm_context_free(context);
}

ddaebm_status ddaebm_restorer_set_progress(ddaebm_restorer *restorer,
                                           ddaebm_progress_function function, void *user) {
    DD_REQUIRE(restorer);
    restorer->progress = function;
    restorer->progress_user = user;
    return DDAEBM_OK;
}

ddaebm_status ddaebm_restorer_set_noise(ddaebm_restorer *restorer, const double *deviations,
                                        size_t count) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(restorer);
    DD_REQUIRE(deviations);
    return dd_measurement_set_noise(restorer->measurement, deviations, count);
}

ddaebm_status ddaebm_restorer_set_operator(ddaebm_restorer *restorer, const ddaebm_operator *map) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(restorer);
    return set_map(restorer, map);
}

/* --- Draws. --- */

static ddaebm_status check_y(const dd_restore_call *call) {
    size_t measured = dd_measurement_width(call->restorer->measurement);
    for (size_t i = 0; i < call->count * measured; i++) {
        double number = dd_rows_number(call->y, i);
        if (isinf(number))
            return dd_fail(DDAEBM_NOT_FINITE, "row %zu, number %zu of y is infinite", i / measured,
                           i % measured);
    }
    return DDAEBM_OK;
}

static ddaebm_status check_call(dd_restore_call *call) {
    if (!call->y.wide && !call->y.narrow)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "y must not be NULL");
    if (call->draws < 1 || call->draws > MOST_DRAWS)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "draws are %zu; allowed: 1 to %d", call->draws,
                       (int)MOST_DRAWS);
    ddaebm_status status = check_y(call);
    return status == DDAEBM_OK ? dd_measurement_prepare(call->restorer->measurement) : status;
}

static ddaebm_status run_away(void) {
    return dd_fail(DDAEBM_NOT_FINITE, "a draw is not finite: the model's weights have run away");
}

static ddaebm_status draw(dd_restore_call call) {
    if (call.count == 0)
        return DDAEBM_OK;
    if (!call.samples.wide && !call.samples.narrow)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "samples must not be NULL");
    ddaebm_status status = check_call(&call);
    call.total = (uint64_t)call.count * call.draws;
    if (status == DDAEBM_OK)
        status = dd_restore_run(&call);
    if (status != DDAEBM_OK)
        return status;

    size_t numbers = call.count * call.draws * ddaebm_model_width(call.restorer->model);
    for (size_t i = 0; i < numbers; i++)
        if (!isfinite(call.samples.wide ? call.samples.wide[i] : (double)call.samples.narrow[i]))
            return run_away();
    return DDAEBM_OK;
}

ddaebm_status ddaebm_restorer_draw(ddaebm_restorer *restorer, uint64_t seed, uint64_t first,
                                   size_t count, const float *y, size_t draws, float *samples) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(restorer);
    return draw((dd_restore_call){.restorer = restorer,
                                  .seed = seed,
                                  .first = first,
                                  .count = count,
                                  .draws = draws,
                                  .y = {.narrow = y},
                                  .samples = {.narrow = samples}});
}

ddaebm_status ddaebm_restorer_draw_double(ddaebm_restorer *restorer, uint64_t seed, uint64_t first,
                                          size_t count, const double *y, size_t draws,
                                          double *samples) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(restorer);
    return draw((dd_restore_call){.restorer = restorer,
                                  .seed = seed,
                                  .first = first,
                                  .count = count,
                                  .draws = draws,
                                  .y = {.wide = y},
                                  .samples = {.wide = samples}});
}

/* --- Mean and standard deviation. --- */

static ddaebm_status make_room(ddaebm_restorer *restorer, size_t rows, size_t draws) {
    size_t room = 0, inner = dd_model_inner_width(restorer->model);
    if (!dd_size_mul(&room, rows, draws) || !dd_size_mul(&room, room, inner))
        return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory for %zu draws of %zu rows", draws, rows);
    if (room <= restorer->room)
        return DDAEBM_OK;
    float *block = dd_alloc_zero(restorer->context, room, sizeof *block);
    if (!block)
        return DDAEBM_OUT_OF_MEMORY;
    dd_free(restorer->context, restorer->draws);
    restorer->draws = block;
    restorer->room = room;
    return DDAEBM_OK;
}

/* Overwrites the first draw of each row by the mean, and the second, where there is one, by the
 * standard deviation. */
static void reduce(const dd_restore_call *call, size_t inner) {
    size_t numbers = call->count * inner;
    for (size_t i = 0; i < numbers; i++) {
        double sum = 0, squares = 0, start = (double)call->inner[i];
        for (size_t k = 0; k < call->draws; k++) {
            double away = (double)call->inner[k * numbers + i] - start;
            sum += away;
            squares += away * away;
        }
        double mean = sum / (double)call->draws, rest = squares - mean * sum;
        call->inner[i] = (float)(start + mean);
        if (call->draws > 1)
            call->inner[numbers + i] = (float)sqrt(rest > 0 ? rest / (double)(call->draws - 1) : 0);
    }
}

/* Numbers of y that are known exactly keep all their digits in the mean. */
static void keep_known(const dd_restore_call *call, dd_rows_out mean, size_t from) {
    const ddaebm_model *model = call->restorer->model;
    const dd_measurement *measurement = call->restorer->measurement;
    size_t width = ddaebm_model_width(model);
    bool images = dd_model_settings(model)->data.image_size > 0;
    for (size_t i = 0; i < call->count * width && !dd_measurement_is_mapped(measurement); i++) {
        double y = dd_rows_number(call->y, i);
        bool moves = images || model->scale[i % width] > 0;
        if (dd_measurement_noise(measurement)[i % width] <= 0 && !isnan(y) && moves)
            dd_rows_put(mean, from * width + i, y);
    }
}

/* Where means and deviations go. */
typedef struct estimate {
    dd_rows_out mean, deviation;
} estimate;

static ddaebm_status estimate_block(dd_restore_call *block, const estimate *to, size_t from) {
    const ddaebm_model *model = block->restorer->model;
    size_t inner = dd_model_inner_width(model), width = ddaebm_model_width(model);
    ddaebm_status status = dd_restore_run(block);
    if (status != DDAEBM_OK)
        return status;

    reduce(block, inner);
    for (size_t i = 0; i < block->count * inner; i++)
        if (!isfinite(block->inner[i]))
            return run_away();
    dd_model_restore(model, block->inner, block->count, to->mean, from);
    keep_known(block, to->mean, from);
    if (!to->deviation.wide && !to->deviation.narrow)
        return DDAEBM_OK;
    for (size_t i = 0; i < block->count * width && block->draws == 1; i++)
        dd_rows_put(to->deviation, from * width + i, 0);
    if (block->draws > 1)
        dd_model_restore_spread(model, block->inner + block->count * inner, block->count,
                                to->deviation, from);
    return DDAEBM_OK;
}

static ddaebm_status find_mean(dd_restore_call call, estimate to) {
    if (call.count == 0)
        return DDAEBM_OK;
    if (!to.mean.wide && !to.mean.narrow)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "mean must not be NULL");
    ddaebm_status status = check_call(&call);
    if (status != DDAEBM_OK)
        return status;
    size_t inner = dd_model_inner_width(call.restorer->model),
           measured = dd_measurement_width(call.restorer->measurement),
           rows = numbers_at_once / inner / call.draws;
    rows = rows < 1 ? 1 : rows < call.count ? rows : call.count;
    status = make_room(call.restorer, rows, call.draws);
    if (status != DDAEBM_OK)
        return status;

    for (size_t done = 0; done < call.count && status == DDAEBM_OK; done += rows) {
        dd_restore_call block = call;
        block.count = call.count - done < rows ? call.count - done : rows;
        block.first += done;
        block.y.wide = call.y.wide ? call.y.wide + done * measured : NULL;
        block.y.narrow = call.y.narrow ? call.y.narrow + done * measured : NULL;
        block.inner = call.restorer->draws;
        block.before = (uint64_t)done * call.draws;
        block.total = (uint64_t)call.count * call.draws;
        status = estimate_block(&block, &to, done);
    }
    return status;
}

ddaebm_status ddaebm_restorer_mean(ddaebm_restorer *restorer, uint64_t seed, uint64_t first,
                                   size_t count, const float *y, size_t draws, float *mean,
                                   float *deviation) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(restorer);
    return find_mean((dd_restore_call){.restorer = restorer,
                                       .seed = seed,
                                       .first = first,
                                       .count = count,
                                       .draws = draws,
                                       .y = {.narrow = y}},
                     (estimate){{.narrow = mean}, {.narrow = deviation}});
}

ddaebm_status ddaebm_restorer_mean_double(ddaebm_restorer *restorer, uint64_t seed, uint64_t first,
                                          size_t count, const double *y, size_t draws, double *mean,
                                          double *deviation) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(restorer);
    return find_mean((dd_restore_call){.restorer = restorer,
                                       .seed = seed,
                                       .first = first,
                                       .count = count,
                                       .draws = draws,
                                       .y = {.wide = y}},
                     (estimate){{.wide = mean}, {.wide = deviation}});
}
