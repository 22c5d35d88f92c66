#include "io/content.h"

#include "base/context.h"
#include "base/error.h"
#include "io/cifar.h"
#include "io/csv.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/gzip.h"
#include "io/idx.h"
#include "io/npy.h"
#include "io/png_read.h"
#include "io/selection.h"

#include <string.h>

/* A file's bytes, on their way. */
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

static ddaebm_status parse_npy(dd_content *out, const whole_file *file) {
    if (dd_npy_has_bytes(file->data, file->size))
        return dd_npy_parse_bytes(&out->pictures, file->context, file->data, file->size);
    ddaebm_status status = dd_npy_parse(&out->rows, file->context, file->data, file->size);
    if (status == DDAEBM_OK)
        out->shape = dd_npy_picture_shape(file->data, file->size);
    return status;
}

/* CIFAR-10 has no mark of its own, so whole records come first, and the name speaks for what is cut off. */
static ddaebm_status parse(dd_content *out, whole_file *file) {
    if (dd_npy_recognise(file->data, file->size))
        return parse_npy(out, file);
    if (dd_png_recognise(file->data, file->size))
        return dd_fail(DDAEBM_UNSUPPORTED, "it is a single picture; give the folder of all of them");
    bool binary = has_ending(file->path, ".bin") && !dd_idx_recognise(file->data, file->size);
    if (binary || dd_cifar_recognise(file->data, file->size))
        return dd_cifar_parse(&out->pictures, file->context, file->data, file->size);
    if (!dd_idx_recognise(file->data, file->size)) {
        out->is_text = true;
        return dd_csv_parse(&out->rows, &out->columns, file->context, file->data, file->size, file->options);
    }
    ddaebm_status status =
        dd_idx_parse(&out->pictures, file->data, file->size, dd_context_most(file->context, DDAEBM_LIMIT_FILE_BYTES));
    if (status == DDAEBM_OK)
        file->data = NULL; /* the pictures' */
    return status;
}

static ddaebm_status read_file(dd_content *out, ddaebm_context *context, const char *path, const ddaebm_read_options *options) {
    whole_file file = {context, path, options, NULL, 0};
    ddaebm_status status = dd_file_read(context, path, dd_context_most(context, DDAEBM_LIMIT_FILE_BYTES), &file.data, &file.size);
    if (status != DDAEBM_OK)
        return status;
    status = unpack(&file);
    if (status == DDAEBM_OK)
        status = parse(out, &file);
    dd_free(context, file.data);
    return status == DDAEBM_OK ? status : dd_fail_in(status, path);
}

static ddaebm_status read_folder(dd_content *out, ddaebm_context *context, const char *path, const ddaebm_read_options *options) {
    (void)options;
    dd_names batches = {NULL, 0, 0}, pictures = {NULL, 0, 0};
    ddaebm_status status = DDAEBM_OK;
    DD_TRY(dd_folder_list(&batches, context, path, "data_batch_", ".bin"));
    DD_TRY(dd_folder_list(&pictures, context, path, "", ".png"));
    if (batches.count > 0)
        DD_TRY(dd_cifar_read_folder(&out->pictures, context, path, &batches));
    else if (pictures.count > 0)
        DD_TRY(dd_png_read_folder(&out->pictures, context, path, &pictures));
    else
        DD_TRY(dd_fail(DDAEBM_FORMAT, "%.250s: this folder has no pictures: no file that ends in .png, and no data_batch_*.bin",
                       path));
cleanup:
    dd_names_free(&batches, context);
    dd_names_free(&pictures, context);
    return status;
}

/* ---- Options of tables. ---- */

/* Columns of an array have no names. */
static ddaebm_status select_columns(dd_rows *rows, ddaebm_context *context, const ddaebm_read_options *options) {
    const dd_column_names unnamed = {.items = NULL};
    dd_selection selection = {.place = NULL};
    ddaebm_status status = dd_selection_make(&selection, context, options, &unnamed, rows->width, DD_LEFT_OUT);
    if (status == DDAEBM_OK)
        status = dd_selection_apply(rows, context, &selection);
    dd_selection_free(&selection, context);
    return status;
}

/* To what is no text, which has heeded them while it was read. An option that the data has no use for is not passed over. */
static ddaebm_status apply_table_options(dd_content *content, ddaebm_context *context, const ddaebm_read_options *options) {
    if (content->is_text)
        return DDAEBM_OK;
    if (options->header != DDAEBM_HEADER_AUTO)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "header is an option of CSV, and this is none");
    if (!options->columns && !options->drop)
        return DDAEBM_OK;
    if (content->pictures.pixels || content->shape.height > 0)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "%s is an option of tables, and these are pictures",
                       options->columns ? "columns" : "drop");
    return select_columns(&content->rows, context, options);
}

ddaebm_status dd_content_read(dd_content *out, ddaebm_context *context, const char *path, const ddaebm_read_options *options) {
    dd_content content = {.is_text = false};
    ddaebm_status status =
        dd_folder_is(path) ? read_folder(&content, context, path, options) : read_file(&content, context, path, options);
    if (status != DDAEBM_OK)
        return status;

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
    dd_free(context, content->pictures.block);
}
