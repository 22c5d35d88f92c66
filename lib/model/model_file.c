#include "model/model_file.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "base/excerpt.h"
#include "base/half.h"
#include "base/real_text.h"
#include "config/config.h"
#include "io/seal.h"
#include "io/text.h"
#include "model/cholesky.h"
#include "model/column_map.h"
#include "model/model_names.h"
#include "tensor/kernels/vector.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- What may be in a file. --- */

ddaebm_status dd_model_file_check_floats(const char *name, const float *values, size_t count) {
    size_t i = 0;
    if (dd_kernels_choose()->all_within(values, count, FLT_MAX))
        return DDAEBM_OK;
    while (isfinite(values[i]))
        i++;
    return dd_fail(DDAEBM_NOT_FINITE, "element %zu of tensor %s is %g", i, name, (double)values[i]);
}

ddaebm_status dd_model_file_check_counts(const char *name, const int64_t *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (values[i] < 0 || values[i] > DD_MOST_COUNT)
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "element %zu of tensor %s is %lld; allowed: 0 to %lld", i, name,
                           (long long)values[i], (long long)DD_MOST_COUNT);
    return DDAEBM_OK;
}

/* --- Reading. --- */

ddaebm_status dd_model_file_read_number(const dd_safetensors *file, const char *key,
                                        double *value) {
    const char *text = dd_safetensors_metadata(file, key);
    char shown[DD_EXCERPT_ROOM];
    double number = 0;
    if (!text)
        return dd_fail(DDAEBM_FORMAT, "the file's metadata has no %s", key);
    if (!dd_text_number(&number, text, strlen(text)) || !isfinite(number))
        return dd_fail(DDAEBM_FORMAT, "the file's metadata has %s \"%s\", not a number", key,
                       dd_excerpt(shown, text, strlen(text)));
    *value = number;
    return DDAEBM_OK;
}

/* Checks format, version and presence of a checksum. */
static ddaebm_status check_format(const dd_safetensors *file) {
    const char *found = dd_safetensors_metadata(file, "format"), *format = found ? found : "";
    char shown[DD_EXCERPT_ROOM];
    double version = 0;

    if (strcmp(format, format_name) != 0)
        return dd_fail(DDAEBM_FORMAT,
                       "no model of this library: its metadata has format \"%s\", not \"%s\"",
                       dd_excerpt(shown, format, strlen(format)), format_name);
    ddaebm_status status = dd_model_file_read_number(file, "version", &version);
    if (status == DDAEBM_OK &&
        (version < 1 || version > DD_MODEL_FILE_VERSION || version != floor(version)))
        status =
            dd_fail(DDAEBM_UNSUPPORTED,
                    "the file has format version %g; this library reads 1 to %d: use a newer one",
                    version, DD_MODEL_FILE_VERSION);
    if (status == DDAEBM_OK && version >= 2 && !dd_safetensors_metadata(file, DD_SEAL_KEY))
        status = dd_fail(DDAEBM_FORMAT, "the file has format version %g and no checksum", version);
    return status;
}

/* Finds a tensor of a type; F16 is accepted for F32. */
static ddaebm_status find_tensor(const dd_tensor_entry **out, const dd_safetensors *file,
                                 const char *name, dd_stored stored) {
    const dd_tensor_entry *entry = dd_safetensors_find(file, name);
    if (!entry)
        return dd_fail(DDAEBM_MISMATCH, "the file has no tensor %s, which its configuration needs",
                       name);
    if (entry->dtype != stored && !(stored == DD_STORED_F32 && entry->dtype == DD_STORED_F16))
        return dd_fail(DDAEBM_MISMATCH, "tensor %s holds %s, not %s", name,
                       dd_stored_name(entry->dtype), dd_stored_name(stored));
    *out = entry;
    return DDAEBM_OK;
}

static ddaebm_status copy_floats(float *values, const dd_tensor_entry *entry,
                                 bool accept_not_finite) {
    if (entry->dtype == DD_STORED_F16)
        for (size_t i = 0; i < entry->elements; i++)
            values[i] = dd_half_to_float(((const uint16_t *)entry->data)[i]);
    else
        memcpy(values, entry->data, entry->bytes);
    return accept_not_finite ? DDAEBM_OK
                             : dd_model_file_check_floats(entry->name, values, entry->elements);
}

static ddaebm_status check_elements(const dd_tensor_entry *entry, size_t elements) {
    if (entry->elements == elements)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_MISMATCH, "tensor %s has %zu elements; its configuration needs %zu",
                   entry->name, entry->elements, elements);
}

static ddaebm_status find_floats(const dd_tensor_entry **out, const dd_safetensors *file,
                                 const char *name, size_t elements) {
    ddaebm_status status = find_tensor(out, file, name, DD_STORED_F32);
    return status == DDAEBM_OK ? check_elements(*out, elements) : status;
}

ddaebm_status dd_model_file_read_floats(const dd_safetensors *file, const char *name, float *values,
                                        size_t elements) {
    const dd_tensor_entry *entry = NULL;
    ddaebm_status status = find_floats(&entry, file, name, elements);
    return status == DDAEBM_OK ? copy_floats(values, entry, false) : status;
}

/* Finds the tensor of a parameter and checks its type and shape. */
static ddaebm_status find_weight(const dd_tensor_entry **out, const dd_parameter *p,
                                 const dd_safetensors *file, const char *name) {
    const dd_tensor_entry *entry = NULL;
    ddaebm_status status =
        find_tensor(&entry, file, name, p->role == DD_ROLE_COUNTER ? DD_STORED_I64 : DD_STORED_F32);
    if (status != DDAEBM_OK)
        return status;

    if (entry->rank != p->rank || memcmp(entry->shape, p->shape, p->rank * sizeof *p->shape) != 0)
        return dd_fail(DDAEBM_MISMATCH,
                       "tensor %s has another shape (%zu elements) than its configuration gives "
                       "(%zu elements)",
                       name, entry->elements, p->elements);
    *out = entry;
    return DDAEBM_OK;
}

static ddaebm_status read_weight(dd_weights *weights, const dd_parameter *p,
                                 const dd_safetensors *file, const char *name) {
    const dd_tensor_entry *entry = NULL;
    ddaebm_status status = find_weight(&entry, p, file, name);
    if (status != DDAEBM_OK)
        return status;
    if (p->role != DD_ROLE_COUNTER)
        return copy_floats(dd_weights_at(weights, p), entry,
                           ddaebm_context_accept_not_finite(dd_safetensors_context(file)) != 0);
    memcpy(weights->counters[p->network] + p->offset, entry->data, entry->bytes);
    return dd_model_file_check_counts(name, weights->counters[p->network] + p->offset,
                                      entry->elements);
}

ddaebm_status dd_model_file_read_weights(dd_weights *weights, const dd_parameters *parameters,
                                         const dd_safetensors *file, const char *prefix) {
    for (size_t i = 0; i < parameters->count; i++) {
        char name[2 * DD_MOST_NAME];
        (void)snprintf(name, sizeof name, "%s%s", prefix, parameters->items[i].name);
        ddaebm_status status = read_weight(weights, &parameters->items[i], file, name);
        if (status != DDAEBM_OK)
            return status;
    }
    return DDAEBM_OK;
}

/* Refuses tensors that the configuration does not build. */
static ddaebm_status refuse_strangers(const ddaebm_model *model, const dd_safetensors *file) {
    for (size_t i = 0; i < dd_safetensors_count(file); i++) {
        const char *name = dd_safetensors_entry(file, i)->name;
        char shown[DD_EXCERPT_ROOM];
        if (strncmp(name, trainer_prefix, sizeof trainer_prefix - 1) != 0 &&
            strcmp(name, data_mean) != 0 && strcmp(name, data_scale) != 0 &&
            strcmp(name, data_rows) != 0 && strcmp(name, data_quantiles) != 0 &&
            strcmp(name, data_colour) != 0 && strcmp(name, typical_mean) != 0 &&
            strcmp(name, typical_slope) != 0 && strcmp(name, typical_precision) != 0 &&
            dd_parameters_find(&model->parameters, name) == model->parameters.count)
            return dd_fail(DDAEBM_MISMATCH,
                           "the file has a tensor %s, which its configuration does not build",
                           dd_excerpt(shown, name, strlen(name)));
    }
    return DDAEBM_OK;
}

/* Finds a statistic. Files before version 3, and those of other programs, have F32 or F16 for F64.
 */
static ddaebm_status find_statistic(const dd_tensor_entry **out, const dd_safetensors *file,
                                    const char *name, size_t elements) {
    const dd_tensor_entry *entry = dd_safetensors_find(file, name);
    bool narrow = entry && (entry->dtype == DD_STORED_F32 || entry->dtype == DD_STORED_F16);
    ddaebm_status status = find_tensor(out, file, name, narrow ? entry->dtype : DD_STORED_F64);
    return status == DDAEBM_OK ? check_elements(*out, elements) : status;
}

static double element(const dd_tensor_entry *entry, size_t i) {
    switch (entry->dtype) {
    case DD_STORED_F64:
        return ((const double *)entry->data)[i];
    case DD_STORED_F16:
        return (double)dd_half_to_float(((const uint16_t *)entry->data)[i]);
    default:
        return (double)((const float *)entry->data)[i];
    }
}

static ddaebm_status read_statistic(const dd_safetensors *file, const char *name, double *values,
                                    size_t elements) {
    const dd_tensor_entry *entry = NULL;
    ddaebm_status status = find_statistic(&entry, file, name, elements);
    for (size_t i = 0; status == DDAEBM_OK && i < elements; i++) {
        values[i] = element(entry, i);
        if (!isfinite(values[i]))
            status =
                dd_fail(DDAEBM_NOT_FINITE, "element %zu of tensor %s is %g", i, name, values[i]);
    }
    return status;
}

/* Files of earlier versions, or whose data was not measured, have no number of rows. */
static ddaebm_status read_rows(ddaebm_model *model, const dd_safetensors *file) {
    const dd_tensor_entry *entry = dd_safetensors_find(file, data_rows);
    if (!entry)
        return DDAEBM_OK;
    if (entry->dtype != DD_STORED_I64 || entry->elements != 1)
        return dd_fail(DDAEBM_MISMATCH, "tensor %s does not hold one whole number", data_rows);
    ddaebm_status status = dd_model_file_check_counts(data_rows, entry->data, 1);
    if (status == DDAEBM_OK)
        model->measured = (uint64_t) * (const int64_t *)entry->data;
    return status;
}

/* Files of earlier versions, or of sets that were no file, have no kind. */
static ddaebm_status read_kind(ddaebm_model *model, const dd_safetensors *file) {
    const char *kind = dd_safetensors_metadata(file, kind_key);
    char shown[DD_EXCERPT_ROOM];
    for (int i = DD_KIND_ROWS; kind && i <= DD_KIND_IMAGES; i++)
        if (strcmp(kind, data_kinds[i]) == 0) {
            model->kind = (dd_data_kind)i;
            return DDAEBM_OK;
        }
    return kind ? dd_fail(DDAEBM_OUT_OF_RANGE,
                          "the file's metadata has %s \"%s\"; allowed: rows, images", kind_key,
                          dd_excerpt(shown, kind, strlen(kind)))
                : DDAEBM_OK;
}

static bool is_constant_line(const double *line) {
    return line[0] == line[DD_KNOTS - 1];
}

/* Reads the quantiles of the columns: each ascends, or is constant; the scores ascend, or all are
 * constant. */
static ddaebm_status read_quantiles(ddaebm_model *model, const dd_safetensors *file) {
    size_t count = dd_column_map_size(model), width = ddaebm_model_width(model);
    if (count == 0)
        return DDAEBM_OK;
    ddaebm_status status = read_statistic(file, data_quantiles, model->knots, count);
    bool none = status == DDAEBM_OK && is_constant_line(model->knots + width * DD_KNOTS);
    for (size_t i = 0; i < count && status == DDAEBM_OK; i++) {
        const double *line = model->knots + i / DD_KNOTS * DD_KNOTS;
        double step = i % DD_KNOTS > 0 ? model->knots[i] - model->knots[i - 1] : 1;
        bool good = is_constant_line(line) ? step == 0 || i % DD_KNOTS == 0 : step > 0 && !none;
        if (!good)
            status = dd_fail(DDAEBM_OUT_OF_RANGE, "tensor %s does not ascend at its element %zu",
                             data_quantiles, i);
    }
    return status;
}

/* Reads the factor that whitening divides by. Files without it have rows that are not whitened. */
static ddaebm_status read_colour(ddaebm_model *model, const dd_safetensors *file) {
    size_t width = ddaebm_model_width(model);
    const dd_tensor_entry *entry = NULL;
    if (!dd_safetensors_find(file, data_colour))
        return DDAEBM_OK;
    ddaebm_status status;
    DD_TRY(find_statistic(&entry, file, data_colour, width * width));
    DD_TRY(dd_model_make_whitening(model));
    DD_TRY(read_statistic(file, data_colour, model->colour, width * width));
    if (!dd_lower_invert(model->whiten, model->colour, width))
        DD_TRY(dd_fail(DDAEBM_OUT_OF_RANGE,
                       "tensor %s is no lower triangular matrix with an inverse", data_colour));
cleanup:
    return status;
}

/* Reads the statistics of the data. */
static ddaebm_status read_data(ddaebm_model *model, const dd_safetensors *file) {
    size_t width = ddaebm_model_width(model);
    const char *names = dd_safetensors_metadata(file, columns_key);
    ddaebm_status status;
    DD_TRY(read_statistic(file, data_mean, model->mean, width));
    DD_TRY(read_statistic(file, data_scale, model->scale, width));

    for (size_t i = 0; i < width; i++)
        if (model->scale[i] < 0)
            DD_TRY(dd_fail(
                DDAEBM_OUT_OF_RANGE,
                "element %zu of tensor %s is %g; allowed: above 0, or 0 for a constant column", i,
                data_scale, model->scale[i]));
    DD_TRY(read_quantiles(model, file));
    DD_TRY(read_colour(model, file));
    DD_TRY(read_rows(model, file));
    DD_TRY(read_kind(model, file));
    if (names)
        DD_TRY(dd_column_names_parse(&model->columns, model->context, names, width));
cleanup:
    return status;
}

/* Reads the typicality of a file before November 2026, whose statistics are the plain ones of all
 * timesteps and then the sum of orientation over them. That was uncorrelated with the others, and
 * ten times its number of standard deviations above the mean was added. */
static ddaebm_status read_earlier_typicality(ddaebm_model *model, const dd_safetensors *file) {
    const size_t timesteps = ddaebm_model_timesteps(model), each = dd_model_statistics(model),
                 plain = timesteps * DD_PLAIN_STATISTICS, width = plain + 1,
                 wide = timesteps * each;
    const dd_tensor_entry *entry = NULL;
    ddaebm_status status = find_floats(&entry, file, typical_precision, width * width);
    if (status != DDAEBM_OK)
        return status;
    float *mean = dd_alloc_zero(model->context, width, sizeof *mean),
          *precision = dd_alloc_zero(model->context, width * width, sizeof *precision);
    if (!mean || !precision) {
        status = DDAEBM_OUT_OF_MEMORY;
        goto cleanup;
    }
    DD_TRY(dd_model_file_read_floats(file, typical_mean, mean, width));
    DD_TRY(dd_model_file_read_floats(file, typical_precision, precision, width * width));
    DD_TRY(dd_model_make_typicality(model));

    for (size_t i = 0; i < plain; i++) {
        size_t row = i / DD_PLAIN_STATISTICS * each + i % DD_PLAIN_STATISTICS;
        model->typical_mean[row] = mean[i];
        for (size_t j = 0; j < plain; j++)
            model->typical_precision[row * wide + j / DD_PLAIN_STATISTICS * each +
                                     j % DD_PLAIN_STATISTICS] = precision[i * width + j];
    }
    float inverse = precision[plain * width + plain]; /* of the sum's variance */
    for (size_t t = 0; t < timesteps; t++) {
        size_t place = t * each + DD_STATISTIC_ORIENTATION;
        model->typical_mean[place] = mean[plain] / (float)timesteps;
        model->typical_slope[place] = inverse > 0 ? 10 * sqrtf(inverse) : 0;
    }
cleanup:
    dd_free(model->context, mean);
    dd_free(model->context, precision);
    return status;
}

/* Reads the typicality; all of its tensors or none. */
static ddaebm_status read_typicality(ddaebm_model *model, const dd_safetensors *file) {
    const size_t width = dd_model_typicality_width(model);
    const bool oriented = dd_model_statistics(model) > DD_PLAIN_STATISTICS,
               sloped = dd_safetensors_find(file, typical_slope) != NULL;
    const dd_tensor_entry *entry = NULL;
    if (!dd_safetensors_find(file, typical_mean) && !dd_safetensors_find(file, typical_precision) &&
        !sloped)
        return DDAEBM_OK;
    if (oriented && !sloped)
        return read_earlier_typicality(model, file);

    ddaebm_status status;
    DD_TRY(find_floats(&entry, file, typical_precision, width * width));
    DD_TRY(dd_model_make_typicality(model));
    DD_TRY(dd_model_file_read_floats(file, typical_mean, model->typical_mean, width));
    if (sloped)
        DD_TRY(dd_model_file_read_floats(file, typical_slope, model->typical_slope, width));
    DD_TRY(dd_model_file_read_floats(file, typical_precision, model->typical_precision,
                                     width * width));
cleanup:
    return status;
}

/* Checks that the file has the tensors of the configuration, before memory is allocated for them.
 * So the memory is at most the size of the file, or twice that for float16, and a file of a
 * kilobyte cannot request terabytes. */
static ddaebm_status check_tensors(const ddaebm_model *model, const dd_safetensors *file) {
    const dd_tensor_entry *entry = NULL;
    ddaebm_status status;
    DD_TRY(find_statistic(&entry, file, data_mean, ddaebm_model_width(model)));
    DD_TRY(find_statistic(&entry, file, data_scale, ddaebm_model_width(model)));
    if (dd_column_map_size(model) > 0)
        DD_TRY(find_statistic(&entry, file, data_quantiles, dd_column_map_size(model)));
    for (size_t i = 0; i < model->parameters.count; i++)
        DD_TRY(find_weight(&entry, &model->parameters.items[i], file,
                           model->parameters.items[i].name));
    DD_TRY(refuse_strangers(model, file));
cleanup:
    return status;
}

/* Files without it have the last weights of a run, or come from earlier versions. */
static ddaebm_status read_choice(ddaebm_model *model, const dd_safetensors *file) {
    double step = 0, contrast = 0;
    if (!dd_safetensors_metadata(file, best_step))
        return DDAEBM_OK;

    ddaebm_status status;
    DD_TRY(dd_model_file_read_number(file, best_step, &step));
    DD_TRY(dd_model_file_read_number(file, held_out_contrast, &contrast));
    if (!(step >= 1 && step <= (double)DD_MOST_COUNT && step == floor(step) && contrast >= 0 &&
          contrast <= 1))
        DD_TRY(
            dd_fail(DDAEBM_OUT_OF_RANGE,
                    "the file's metadata has %s %g and %s %g; allowed: a whole number, and 0 to 1",
                    best_step, step, held_out_contrast, contrast));
    model->best_step = (uint64_t)step;
    model->contrast = contrast;
cleanup:
    return status;
}

/* A file without it holds a model that is not normalised. */
static ddaebm_status read_normaliser(ddaebm_model *model, const dd_safetensors *file) {
    dd_normaliser found = {.known = true};
    if (!dd_safetensors_metadata(file, log_z_key))
        return DDAEBM_OK;
    ddaebm_status status;
    DD_TRY(dd_model_file_read_number(file, log_z_key, &found.log_z));
    DD_TRY(dd_model_file_read_number(file, log_z_error, &found.error));
    DD_TRY(dd_model_file_read_number(file, log_z_gap, &found.gap));
    DD_TRY(dd_model_file_read_number(file, log_z_samples, &found.effective_samples));
    if (!(found.error >= 0 && found.effective_samples >= 0))
        DD_TRY(dd_fail(DDAEBM_OUT_OF_RANGE,
                       "the file's metadata has %s %g and %s %g; allowed: 0 and above", log_z_error,
                       found.error, log_z_samples, found.effective_samples));
    model->normaliser = found;

cleanup:
    return status;
}

static ddaebm_status fill_model(ddaebm_model *model, const dd_safetensors *file) {
    double temperature = 0;
    ddaebm_status status;
    DD_TRY(dd_model_file_read_number(file, "temperature", &temperature));
    DD_TRY(ddaebm_model_set_temperature(model, temperature));
    DD_TRY(read_choice(model, file));
    DD_TRY(read_normaliser(model, file));
    DD_TRY(read_data(model, file));
    DD_TRY(dd_model_file_read_weights(&model->weights, &model->parameters, file, ""));
    DD_TRY(read_typicality(model, file));
cleanup:
    return status;
}

ddaebm_status dd_model_file_read(ddaebm_model **out, ddaebm_context *context,
                                 const dd_safetensors *file) {
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL;
    const char *text = dd_safetensors_metadata(file, "config");
    ddaebm_status status = check_format(file);
    if (status != DDAEBM_OK)
        return status;
    if (!text)
        return dd_fail(DDAEBM_FORMAT, "the file's metadata has no config");

    DD_TRY(dd_config_create_from_json(&config, context, text, strlen(text)));
    DD_TRY(dd_model_declare(&model, context, config));
    DD_TRY(check_tensors(model, file));
    DD_TRY(dd_model_make_weights(model));
    DD_TRY(fill_model(model, file));
    *out = model;
    model = NULL;
cleanup:
    ddaebm_model_free(model);
    ddaebm_config_free(config);
    return status == DDAEBM_NOT_FOUND
               ? dd_fail_in(DDAEBM_UNSUPPORTED, "written by a newer version?")
               : status;
}

static ddaebm_status read_model(void *user, ddaebm_context *context, const dd_safetensors *file) {
    return dd_model_file_read(user, context, file);
}

ddaebm_status ddaebm_model_load_stream(ddaebm_model **out, ddaebm_context *context,
                                       const ddaebm_reader *reader) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(reader);
    return dd_safetensors_use(context, reader, read_model, out);
}

ddaebm_status ddaebm_model_load(ddaebm_model **out, ddaebm_context *context, const char *path) {
    DD_REQUIRE(path);
    const ddaebm_reader reader = dd_reader_of_file(path);
    return ddaebm_model_load_stream(out, context, &reader);
}

ddaebm_status ddaebm_model_load_memory(ddaebm_model **out, ddaebm_context *context,
                                       const void *data, size_t size) {
    DD_REQUIRE(data);
    dd_memory_source memory = {data, size};
    const ddaebm_reader reader = dd_reader_of_memory(&memory);
    return ddaebm_model_load_stream(out, context, &reader);
}
