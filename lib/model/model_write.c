/* Writes model files. */
#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "base/real_text.h"
#include "config/config.h"
#include "config/keys.h"
#include "model/column_map.h"
#include "model/model_file.h"
#include "model/model_names.h"

#include <stdio.h>

/* Refuses to save what could not be loaded; an existing file stays. */
static ddaebm_status write_weight(dd_safetensors_writer *writer, const ddaebm_model *model,
                                  const dd_parameter *p, const dd_weights *weights,
                                  const char *name, dd_stored as) {
    if (p->role == DD_ROLE_COUNTER)
        return dd_safetensors_writer_add(writer, name, DD_STORED_I64, p->rank, p->shape,
                                         weights->counters[p->network] + p->offset);
    const float *values = dd_weights_at(weights, p);
    ddaebm_status status = ddaebm_context_accept_not_finite(model->context)
                               ? DDAEBM_OK
                               : dd_model_file_check_floats(name, values, p->elements);
    if (status != DDAEBM_OK)
        return status;
    return as == DD_STORED_F16
               ? dd_safetensors_writer_add_half(writer, name, p->rank, p->shape, values)
               : dd_safetensors_writer_add(writer, name, as, p->rank, p->shape, values);
}

ddaebm_status dd_model_file_write_weights(dd_safetensors_writer *writer, const ddaebm_model *model,
                                          const dd_weights *weights, const char *prefix,
                                          dd_stored as) {
    for (size_t i = 0; i < model->parameters.count; i++) {
        const dd_parameter *p = &model->parameters.items[i];
        char name[2 * DD_MOST_NAME];
        (void)snprintf(name, sizeof name, "%s%s", prefix, p->name);
        ddaebm_status status = write_weight(writer, model, p, weights, name, as);
        if (status != DDAEBM_OK)
            return status;
    }
    return DDAEBM_OK;
}

static ddaebm_status write_config(dd_safetensors_writer *writer, const ddaebm_model *model) {
    char *text = NULL;
    ddaebm_status status = dd_config_text(&text, model->context, model->config);
    if (status != DDAEBM_OK)
        return status;
    status = dd_safetensors_writer_metadata(writer, "config", text);
    dd_free(model->context, text);
    return status;
}

static ddaebm_status write_typicality(dd_safetensors_writer *writer, const ddaebm_model *model) {
    size_t width = dd_model_typicality_width(model);
    const size_t square[] = {width, width};
    if (!model->typical_mean)
        return DDAEBM_OK;
    ddaebm_status status = dd_safetensors_writer_add(writer, typical_mean, DD_STORED_F32, 1, &width,
                                                     model->typical_mean);
    if (status == DDAEBM_OK && dd_model_statistics(model) > DD_PLAIN_STATISTICS)
        status = dd_safetensors_writer_add(writer, typical_slope, DD_STORED_F32, 1, &width,
                                           model->typical_slope);
    if (status == DDAEBM_OK)
        status = dd_safetensors_writer_add(writer, typical_precision, DD_STORED_F32, 2, square,
                                           model->typical_precision);
    return status;
}

/* Writes the statistics of the data. */
static ddaebm_status write_data(dd_safetensors_writer *writer, const ddaebm_model *model) {
    size_t width = ddaebm_model_width(model);
    char *names = NULL;
    ddaebm_status status;
    DD_TRY(dd_safetensors_writer_add(writer, data_mean, DD_STORED_F64, 1, &width, model->mean));
    DD_TRY(dd_safetensors_writer_add(writer, data_scale, DD_STORED_F64, 1, &width, model->scale));

    if (model->knots) {
        const size_t shape[] = {width + 1, DD_KNOTS};
        DD_TRY(dd_safetensors_writer_add(writer, data_quantiles, DD_STORED_F64, 2, shape,
                                         model->knots));
    }
    if (model->colour)
        DD_TRY(dd_safetensors_writer_add(writer, data_colour, DD_STORED_F64, 2,
                                         (const size_t[]){width, width}, model->colour));
    if (model->measured > 0)
        DD_TRY(
            dd_safetensors_writer_add(writer, data_rows, DD_STORED_I64, 0, NULL, &model->measured));
    if (model->kind != DD_KIND_UNKNOWN)
        DD_TRY(dd_safetensors_writer_metadata(writer, kind_key, data_kinds[model->kind]));
    if (model->columns.count > 0) {
        DD_TRY(dd_column_names_text(&names, model->context, &model->columns));
        DD_TRY(dd_safetensors_writer_metadata(writer, columns_key, names));
    }
cleanup:
    dd_free(model->context, names);
    return status;
}

/* Writes step and contrast of weights that were chosen by held-out rows. */
static ddaebm_status write_choice(dd_safetensors_writer *writer, const ddaebm_model *model) {
    char step[24], contrast[DD_REAL_ROOM];
    if (model->best_step == 0)
        return DDAEBM_OK;
    (void)snprintf(step, sizeof step, "%llu", (unsigned long long)model->best_step);
    (void)dd_real_text(model->contrast, contrast);
    ddaebm_status status = dd_safetensors_writer_metadata(writer, best_step, step);
    return status == DDAEBM_OK ? dd_safetensors_writer_metadata(writer, held_out_contrast, contrast)
                               : status;
}

static ddaebm_status write_real(dd_safetensors_writer *writer, const char *key, double value) {
    char text[DD_REAL_ROOM];
    (void)dd_real_text(value, text);
    return dd_safetensors_writer_metadata(writer, key, text);
}

/* Writes what is known of the normaliser; weights that are rounded to float16 have another one. */
static ddaebm_status write_normaliser(dd_safetensors_writer *writer, const ddaebm_model *model,
                                      dd_stored as) {
    const dd_normaliser *known = &model->normaliser;
    if (!known->known || as == DD_STORED_F16)
        return DDAEBM_OK;

    ddaebm_status status;
    DD_TRY(write_real(writer, log_z_key, known->log_z));
    DD_TRY(write_real(writer, log_z_error, known->error));
    DD_TRY(write_real(writer, log_z_gap, known->gap));
    DD_TRY(write_real(writer, log_z_samples, known->effective_samples));
cleanup:
    return status;
}

ddaebm_status dd_model_file_write(dd_safetensors_writer *writer, const ddaebm_model *model,
                                  const dd_weights *weights, dd_stored as) {
    char version[16], temperature[DD_REAL_ROOM];
    (void)snprintf(version, sizeof version, "%d", DD_MODEL_FILE_VERSION);
    (void)dd_real_text(model->temperature, temperature);
    ddaebm_status status;
    DD_TRY(dd_safetensors_writer_metadata(writer, "format", format_name));
    DD_TRY(dd_safetensors_writer_metadata(writer, "version", version));
    DD_TRY(dd_safetensors_writer_metadata(writer, "temperature", temperature));
    DD_TRY(write_choice(writer, model));
    DD_TRY(write_normaliser(writer, model, as));
    DD_TRY(write_config(writer, model));
    DD_TRY(write_data(writer, model));
    DD_TRY(write_typicality(writer, model));
    DD_TRY(dd_model_file_write_weights(writer, model, weights, "", as));

cleanup:
    return status;
}

static ddaebm_status fill_writer(dd_safetensors_writer *writer, const void *user) {
    const ddaebm_model *model = user;
    return dd_model_file_write(writer, model, &model->weights, DD_STORED_F32);
}

static ddaebm_status fill_writer_half(dd_safetensors_writer *writer, const void *user) {
    const ddaebm_model *model = user;
    return dd_model_file_write(writer, model, &model->weights, DD_STORED_F16);
}

ddaebm_status ddaebm_model_save_stream(const ddaebm_model *model, const ddaebm_writer *writer) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(model);
    DD_REQUIRE(writer);
    return dd_safetensors_save(model->context, &(dd_target){.writer = writer}, fill_writer, model);
}

ddaebm_status ddaebm_model_save(const ddaebm_model *model, const char *path) {
    DD_REQUIRE(path);
    const ddaebm_writer writer = dd_writer_of_file(path);
    return ddaebm_model_save_stream(model, &writer);
}

ddaebm_status ddaebm_model_save_half(const ddaebm_model *model, const char *path) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(model);
    DD_REQUIRE(path);
    const ddaebm_writer writer = dd_writer_of_file(path);
    return dd_safetensors_save(model->context, &(dd_target){.writer = &writer}, fill_writer_half,
                               model);
}

ddaebm_status ddaebm_model_save_memory(const ddaebm_model *model, void *data, size_t capacity,
                                       size_t *needed) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(model);
    const dd_target memory = {NULL, data, capacity, needed};
    return dd_safetensors_save(model->context, &memory, fill_writer, model);
}
