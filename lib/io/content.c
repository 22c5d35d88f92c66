#include "io/content.h"

#include "base/context.h"
#include "base/error.h"
#include "io/cifar.h"
#include "io/csv.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/gzip.h"
#include "io/idx.h"
#include "io/image_array.h"
#include "io/image_file.h"
#include "io/image_folder.h"
#include "io/image_range.h"
#include "io/missing.h"
#include "io/npy.h"
#include "io/other_format.h"
#include "io/resize.h"
#include "io/selection.h"
#include "io/wav.h"

#include <math.h>
#include <string.h>

/* A file's bytes while its format is found. */
typedef struct whole_file {
    ddaebm_context *context;
    const char *path;
    const ddaebm_read_options *options;
    void *data;
    size_t size;
} whole_file;

static bool has_ending(const char *path, const char *ending) {
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}

static ddaebm_status unpack(whole_file *file) {
    if (!dd_gzip_recognise(file->data, file->size))
        return DDAEBM_OK;
    void *unpacked = NULL;
    size_t size = 0;
    ddaebm_status status = dd_gzip_unpack(&unpacked, &size, file->context, file->data, file->size,
                                          dd_context_most(file->context, DDAEBM_LIMIT_FILE_BYTES));
    if (status != DDAEBM_OK)
        return status;
    dd_free(file->context, file->data);
    file->data = unpacked;
    file->size = size;
    return DDAEBM_OK;
}

/* Returns whether the bytes are text: no control characters but tabs and line ends, and at least
 * three of four bytes ASCII. */
static bool is_text(const unsigned char *bytes, size_t size) {
    size_t beyond = 0;
    for (size_t i = 0; i < size; i++) {
        if ((bytes[i] < ' ' && !(bytes[i] >= '\t' && bytes[i] <= '\r')) || bytes[i] == 0x7F)
            return false;
        beyond += bytes[i] >= 0x80;
    }
    return beyond <= size / 4;
}

static ddaebm_status parse_text(dd_content *out, const whole_file *file) {
    out->is_text = true;
    return dd_csv_parse(&out->rows, &out->columns, file->context, file->data, file->size,
                        file->options);
}

static ddaebm_status parse_wav(dd_content *out, const whole_file *file) {
    out->has_own_layout = true;
    return dd_wav_parse(&out->rows, &out->sample_rate, file->context, file->data, file->size,
                        dd_context_most(file->context, DDAEBM_LIMIT_FILE_BYTES));
}

/* Finds the format and reads the file. Formats with a signature come first, then text. CIFAR-10 has
 * no signature: it is known by its size or, if it is cut off, by its name. */
static ddaebm_status parse(dd_content *out, whole_file *file) {
    if (dd_npy_recognise(file->data, file->size))
        return dd_image_array_npy(out, file->context, file->data, file->size, file->options);
    if (dd_image_file_recognise(file->data, file->size))
        return dd_fail(DDAEBM_UNSUPPORTED, "it is a single image; give the folder of all of them");
    if (dd_wav_recognise(file->data, file->size))
        return parse_wav(out, file);
    const bool text = is_text(file->data, file->size);
    const char *other_format = text && *(const char *)file->data != '<'
                                   ? NULL
                                   : dd_other_format_explain(file->data, file->size);
    if (other_format)
        return dd_fail(DDAEBM_UNSUPPORTED, "it is %s", other_format);
    if (text)
        return parse_text(out, file);
    if (dd_idx_recognise(file->data, file->size))
        return dd_image_array_idx(out, file->context, &file->data, file->size, file->options);
    if (!has_ending(file->path, ".bin") && !dd_cifar_recognise(file->data, file->size))
        return parse_text(out, file);

    ddaebm_status status = dd_cifar_parse(&out->images, file->context, file->data, file->size);
    out->has_own_layout = true;
    if (status == DDAEBM_OK && file->options->resize > 0)
        status = dd_images_resize(&out->images, file->context, file->options->resize);
    return status;
}

static ddaebm_status read_folder(dd_content *out, ddaebm_context *context, const char *path,
                                 const ddaebm_read_options *options) {
    out->has_own_layout = true;
    return dd_image_folder_read(&out->images, context, path, options);
}

/* Reads a file, decompresses it if it is compressed, and parses it. */
static ddaebm_status read_file(dd_content *out, ddaebm_context *context, const char *path,
                               const ddaebm_read_options *options) {
    whole_file file = {context, path, options, NULL, 0};
    ddaebm_status status = dd_file_read(
        context, path, dd_context_most(context, DDAEBM_LIMIT_FILE_BYTES), &file.data, &file.size);
    if (status != DDAEBM_OK)
        return status;
    status = unpack(&file);
    if (status == DDAEBM_OK)
        status = parse(out, &file);
    if (status != DDAEBM_OK)
        dd_content_free(out, context);
    dd_free(context, file.data);
    return status == DDAEBM_OK ? status : dd_fail_in(status, path);
}

/* ---- Options of tables. ---- */

/* Keeps the columns that the options choose from an array, whose columns have no names. */
static ddaebm_status select_columns(dd_rows *rows, ddaebm_context *context,
                                    const ddaebm_read_options *options) {
    const dd_column_names unnamed = {.items = NULL};
    dd_selection selection = {.place = NULL};
    ddaebm_status status =
        dd_selection_make(&selection, context, options, &unnamed, rows->width, NULL);
    if (status == DDAEBM_OK)
        status = dd_selection_apply(rows, context, &selection);
    dd_selection_free(&selection, context);
    return status;
}

/* Applies the options of tables to arrays; CSV has applied them while it was read. An option that
 * does not fit the data is an error. */
static ddaebm_status apply_table_options(dd_content *content, ddaebm_context *context,
                                         const ddaebm_read_options *options) {
    if (content->is_text)
        return DDAEBM_OK;
    const bool is_table = !content->images.pixels && content->shape.height == 0;
    if (options->missing && !is_table)
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "missing is an option of tables, and these are images");
    if (options->header != DDAEBM_HEADER_AUTO)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "header is an option of CSV, which this is not");
    dd_missing_hide(&content->rows, options->missing);
    if (!options->columns && !options->drop)
        return DDAEBM_OK;
    if (!is_table)
        return dd_fail(
            DDAEBM_INVALID_ARGUMENT,
            "%s is an option of tables, and these are images; --layout rows reads an array as rows",
            options->columns ? "columns" : "drop");
    return select_columns(&content->rows, context, options);
}

/* ---- Options of images. ---- */

static ddaebm_status check_image_options(const ddaebm_read_options *options) {
    if (options->layout < DDAEBM_LAYOUT_AUTO || options->layout > DDAEBM_LAYOUT_ROWS)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "layout is %d; allowed: 0 to %d",
                       (int)options->layout, DDAEBM_LAYOUT_ROWS);
    if (!isfinite(options->black) || !isfinite(options->white))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "range is %g:%g; allowed: finite numbers",
                       options->black, options->white);
    if (options->resize > DD_MOST_SIDE)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "resize is %zu; allowed: 1 to %d, or 0 for none",
                       options->resize, DD_MOST_SIDE);
    return DDAEBM_OK;
}

/* Refuses options of arrays of images where the data is something else. */
static ddaebm_status refuse_image_options(const dd_content *content,
                                          const ddaebm_read_options *options, bool is_folder) {
    if (options->recursive && !is_folder)
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "recursive is an option of folders, and this is a file");

    if (!content->is_text && !content->has_own_layout)
        return DDAEBM_OK;
    if (options->layout != DDAEBM_LAYOUT_AUTO)
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "layout is an option of arrays, NPY and IDX, which this is not");

    if (dd_image_range_asked(options))
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "range is an option of arrays of images, NPY and IDX, which this is not");
    if (content->rows.count > 0 && options->resize > 0)
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "resize is an option of images, and these are rows");
    return DDAEBM_OK;
}

ddaebm_status dd_content_read(dd_content *out, ddaebm_context *context, const char *path,
                              const ddaebm_read_options *options) {
    dd_content content = {.is_text = false};
    const bool is_folder = dd_folder_is(path);
    ddaebm_status status = check_image_options(options);
    if (status == DDAEBM_OK)
        status = dd_missing_check(options->missing);
    if (status == DDAEBM_OK)
        status = is_folder ? read_folder(&content, context, path, options)
                           : read_file(&content, context, path, options);
    if (status != DDAEBM_OK)
        return status;

    status = refuse_image_options(&content, options, is_folder);
    if (status == DDAEBM_OK)
        status = apply_table_options(&content, context, options);
    if (status == DDAEBM_OK) {
        *out = content;
        return DDAEBM_OK;
    }
    dd_content_free(&content, context);
    return dd_fail_in(status, path);
}

void dd_content_free(dd_content *content, ddaebm_context *context) {
    dd_free(context, content->rows.values);
    dd_free(context, content->rows.wide);
    dd_column_names_free(&content->columns, context);
    dd_free(context, content->images.block);
    *content = (dd_content){.is_text = false};
}
