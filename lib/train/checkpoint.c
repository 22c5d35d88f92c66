/* Checkpoints: a model file (the averaged weights, which ddaebm_model_load reads) with the state of
 * the run under names that begin with "trainer.": the raw weights, Adam's moments and counts,
 * factors of the learning rates, step and seed. Noise, shuffles and timesteps follow from step and
 * seed. */
#include "train/trainer.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "model/model_file.h"
#include "train/same_data.h"

#include <stdio.h>
#include <string.h>

enum { STATE_STEP, STATE_SEED, STATE_COUNT };

static const char *const moment_names[2] = {"m", "v"};
static const char updates_name[] = "trainer.adam.updates", rate_factors[] = "trainer.rate_factors",
                  state_name[] = "trainer.state";

/* For instance "trainer.adam.m.energy". */
static void moment_name(char out[DD_MOST_NAME], int network, int moment) {
    (void)snprintf(out, DD_MOST_NAME, "trainer.adam.%s.%s", moment_names[moment],
                   dd_network_name((ddaebm_network)network));
}

/* Writes Adam's moments. */
static ddaebm_status write_moments(dd_safetensors_writer *writer, const ddaebm_trainer *trainer) {
    for (int n = 0; n < DD_NETWORKS; n++)
        for (int k = 0; k < 2; k++) {
            char name[DD_MOST_NAME];
            if (!trainer->optimizer.moments[n][k])
                continue;
            moment_name(name, n, k);
            size_t count = trainer->model->parameters.totals[n][DD_ROLE_WEIGHT];
            ddaebm_status status =
                dd_model_file_check_floats(name, trainer->optimizer.moments[n][k], count);
            if (status == DDAEBM_OK)
                status = dd_safetensors_writer_add(writer, name, DD_STORED_F32, 1, &count,
                                                   trainer->optimizer.moments[n][k]);
            if (status != DDAEBM_OK)
                return status;
        }
    return DDAEBM_OK;
}

/* Contents of a checkpoint. */
typedef struct checkpoint {
    const ddaebm_trainer *trainer;
    int64_t *updates; /* [parameters] */
    double *factors;  /* [parameters] */
    int64_t state[STATE_COUNT];
} checkpoint;

/* Writes the model file, and after it the state of the run. */
static ddaebm_status fill_writer(dd_safetensors_writer *writer, const void *user) {
    const checkpoint *c = user;
    const ddaebm_trainer *trainer = c->trainer;
    const ddaebm_model *model = trainer->model;
    size_t parameters = model->parameters.count, state_count = STATE_COUNT;
    ddaebm_status status;
    DD_TRY(dd_model_file_write(writer, model, dd_optimizer_weights(trainer), DD_STORED_F32));

    if (trainer->optimizer.averaging)
        DD_TRY(
            dd_model_file_write_weights(writer, model, &model->weights, "trainer.", DD_STORED_F32));
    DD_TRY(write_moments(writer, trainer));
    DD_TRY(dd_held_out_write(writer, trainer));
    DD_TRY(dd_adapt_write(writer, trainer));
    DD_TRY(dd_holes_write(writer, trainer));
    DD_TRY(dd_same_data_write(writer, &trainer->batch.fingerprint));
    DD_TRY(
        dd_safetensors_writer_add(writer, updates_name, DD_STORED_I64, 1, &parameters, c->updates));
    DD_TRY(
        dd_safetensors_writer_add(writer, rate_factors, DD_STORED_F64, 1, &parameters, c->factors));
    DD_TRY(dd_safetensors_writer_add(writer, state_name, DD_STORED_I64, 1, &state_count, c->state));
cleanup:
    return status;
}

/* Writes a checkpoint to a target. */
static ddaebm_status save(const ddaebm_trainer *trainer, const dd_target *target) {
    ddaebm_context *context = trainer->model->context;
    size_t parameters = trainer->model->parameters.count;
    checkpoint c = {.trainer = trainer,
                    .updates = dd_alloc_zero(context, parameters, sizeof *c.updates),
                    .factors = dd_alloc_zero(context, parameters, sizeof *c.factors)};
    ddaebm_status status;
    DD_TRY(c.updates && c.factors ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY);

    for (size_t i = 0; i < parameters; i++) {
        c.updates[i] = (int64_t)trainer->optimizer.adam[i].updates;
        c.factors[i] = trainer->optimizer.adam[i].rate_factor;
    }
    memcpy(&c.state[STATE_STEP], &trainer->step, sizeof trainer->step);
    memcpy(&c.state[STATE_SEED], &trainer->seed, sizeof trainer->seed);
    DD_TRY(dd_safetensors_save(context, target, fill_writer, &c));
cleanup:
    dd_free(context, c.updates);
    dd_free(context, c.factors);
    return status;
}

ddaebm_status ddaebm_trainer_save_stream(const ddaebm_trainer *trainer,
                                         const ddaebm_writer *writer) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    DD_REQUIRE(writer);
    return save(trainer, &(dd_target){.writer = writer});
}

ddaebm_status ddaebm_trainer_save(const ddaebm_trainer *trainer, const char *path) {
    DD_REQUIRE(path);
    const ddaebm_writer writer = dd_writer_of_file(path);
    return ddaebm_trainer_save_stream(trainer, &writer);
}

ddaebm_status ddaebm_trainer_save_memory(const ddaebm_trainer *trainer, void *data, size_t capacity,
                                         size_t *needed) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    return save(trainer, &(dd_target){NULL, data, capacity, needed});
}

static ddaebm_status find_integers(const int64_t **out, const dd_safetensors *file,
                                   const char *name, size_t count) {
    const dd_tensor_entry *entry = dd_safetensors_find(file, name);
    if (!entry)
        return dd_fail(DDAEBM_FORMAT,
                       "no checkpoint: the file has no %s (a model file cannot be resumed)", name);
    if (entry->dtype != DD_STORED_I64 || entry->elements != count)
        return dd_fail(DDAEBM_MISMATCH, "tensor %s does not hold %zu whole numbers", name, count);
    *out = entry->data;
    return DDAEBM_OK;
}

/* Files of earlier versions have none: all factors are 1. */
static ddaebm_status restore_rate_factors(ddaebm_trainer *trainer, const dd_safetensors *file) {
    const dd_tensor_entry *entry = dd_safetensors_find(file, rate_factors);
    size_t count = trainer->model->parameters.count;
    if (!entry)
        return DDAEBM_OK;

    if (entry->dtype != DD_STORED_F64 || entry->elements != count)
        return dd_fail(DDAEBM_MISMATCH, "tensor %s does not hold %zu numbers of 64 bits",
                       rate_factors, count);
    for (size_t i = 0; i < count; i++) {
        double factor = ((const double *)entry->data)[i];
        if (!(factor >= 0 && factor <= DD_MOST_RATE_FACTOR))
            return dd_fail(DDAEBM_OUT_OF_RANGE, "element %zu of tensor %s is %g; allowed: 0 to %g",
                           i, rate_factors, factor, DD_MOST_RATE_FACTOR);
        trainer->optimizer.adam[i].rate_factor = factor;
    }
    return DDAEBM_OK;
}

/* Refuses negative second moments, whose root Adam divides by. */
static ddaebm_status refuse_negative(const char *name, const float *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (values[i] < 0)
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "element %zu of tensor %s is %g; allowed: 0 or above", i, name,
                           (double)values[i]);
    return DDAEBM_OK;
}

/* Reads the state of the optimiser, and the raw weights if the run averages. */
static ddaebm_status restore(ddaebm_trainer *trainer, const dd_safetensors *file) {
    const dd_parameters *parameters = &trainer->model->parameters;
    const int64_t *updates = NULL;
    ddaebm_status status;
    DD_TRY(find_integers(&updates, file, updates_name, parameters->count));
    DD_TRY(dd_model_file_check_counts(updates_name, updates, parameters->count));

    for (size_t i = 0; i < parameters->count; i++)
        trainer->optimizer.adam[i].updates = (uint64_t)updates[i];
    DD_TRY(restore_rate_factors(trainer, file));
    for (int n = 0; n < DD_NETWORKS; n++)
        for (int k = 0; k < 2; k++) {
            char name[DD_MOST_NAME];
            if (!trainer->optimizer
                     .moments[n][k]) /* beta1 is 0: not needed, even if the file has it */
                continue;
            moment_name(name, n, k);
            DD_TRY(dd_model_file_read_floats(file, name, trainer->optimizer.moments[n][k],
                                             parameters->totals[n][DD_ROLE_WEIGHT]));
            if (k == 1)
                DD_TRY(refuse_negative(name, trainer->optimizer.moments[n][k],
                                       parameters->totals[n][DD_ROLE_WEIGHT]));
        }
    if (trainer->optimizer.averaging) /* the model has the averages of the file so far */
        DD_TRY(dd_model_file_read_weights(&trainer->model->weights, parameters, file, "trainer."));
cleanup:
    return status;
}

/* Arguments and result of resuming. */
typedef struct resumption {
    ddaebm_trainer *trainer; /* the result */
    const ddaebm_dataset *dataset;
    ddaebm_resume_data data;
} resumption;

static ddaebm_status check_width(const ddaebm_model *model, const ddaebm_dataset *dataset) {
    size_t width = ddaebm_dataset_width(dataset), had = ddaebm_model_width(model);
    if (width == had)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_MISMATCH,
                   "the data has rows of %zu numbers, that of the run to resume had rows of %zu: "
                   "give it that data",
                   width, had);
}

/* Makes a trainer of a checkpoint. */
static ddaebm_status resume(void *user, ddaebm_context *context, const dd_safetensors *file) {
    resumption *r = user;
    ddaebm_model *model = NULL;
    ddaebm_trainer *trainer = NULL;
    const int64_t *state = NULL;
    bool same_data = false;
    ddaebm_status status;
    DD_TRY(find_integers(&state, file, state_name, STATE_COUNT));
    DD_TRY(dd_model_file_check_counts(state_name, &state[STATE_STEP], 1));
    DD_TRY(dd_model_file_read(&model, context, file));
    DD_TRY(check_width(model, r->dataset));
    DD_TRY(dd_trainer_create(&trainer, model, r->dataset, (uint64_t)state[STATE_SEED], false));
    DD_TRY(dd_same_data_check(&same_data, file, &trainer->batch.fingerprint, r->data));

    if (!same_data)
        dd_report(trainer->model->context, DDAEBM_LOG_INFO,
                  "the data is other than the run had; mean and standard deviation of its columns "
                  "stay those of the checkpoint");
    DD_TRY(restore(trainer, file));
    DD_TRY(dd_adapt_restore(trainer, file));
    trainer->step = (uint64_t)state[STATE_STEP];
    DD_TRY(dd_holes_open(trainer, r->dataset, false));
    DD_TRY(dd_held_out_create(&trainer->held_out, trainer)); /* of the first draws, as before */
    if (same_data)
        DD_TRY(dd_holes_restore(trainer, file));
    if (same_data)
        DD_TRY(dd_held_out_restore(trainer, file));
    r->trainer = trainer;
    trainer = NULL;
cleanup:
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    return status;
}

ddaebm_status ddaebm_trainer_resume_with(ddaebm_trainer **out, ddaebm_context *context,
                                         const ddaebm_reader *reader, const ddaebm_dataset *dataset,
                                         const ddaebm_resume_options *options) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(reader);
    DD_REQUIRE(dataset);
    DD_REQUIRE(options);
    ddaebm_resume_options ours = DDAEBM_RESUME_OPTIONS_INIT;
    ddaebm_status status = dd_struct_in(&ours, sizeof ours, options, "DDAEBM_RESUME_OPTIONS_INIT");
    if (status != DDAEBM_OK)
        return status;
    if (ours.data != DDAEBM_RESUME_SAME_DATA && ours.data != DDAEBM_RESUME_OTHER_DATA)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "data of the options is %d; allowed: 0 for the same, 1 for other data",
                       (int)ours.data);

    resumption r = {NULL, dataset, ours.data};
    status = dd_safetensors_use(context, reader, resume, &r);
    if (status == DDAEBM_OK)
        *out = r.trainer;
    return status;
}

ddaebm_status ddaebm_trainer_resume_stream(ddaebm_trainer **out, ddaebm_context *context,
                                           const ddaebm_reader *reader,
                                           const ddaebm_dataset *dataset) {
    const ddaebm_resume_options options = DDAEBM_RESUME_OPTIONS_INIT;
    return ddaebm_trainer_resume_with(out, context, reader, dataset, &options);
}

ddaebm_status ddaebm_trainer_resume(ddaebm_trainer **out, ddaebm_context *context, const char *path,
                                    const ddaebm_dataset *dataset) {
    DD_REQUIRE(path);
    const ddaebm_reader reader = dd_reader_of_file(path);
    return ddaebm_trainer_resume_stream(out, context, &reader, dataset);
}

ddaebm_status ddaebm_trainer_resume_memory(ddaebm_trainer **out, ddaebm_context *context,
                                           const void *data, size_t size,
                                           const ddaebm_dataset *dataset) {
    DD_REQUIRE(data);
    dd_memory_source memory = {data, size};
    const ddaebm_reader reader = dd_reader_of_memory(&memory);
    return ddaebm_trainer_resume_stream(out, context, &reader, dataset);
}
