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
    if (!dd_idx_recognise(file->data, file->size))
        return dd_csv_parse(&out->rows, file->context, file->data, file->size);
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

ddaebm_status dd_content_read(dd_content *out, ddaebm_context *context, const char *path, const ddaebm_read_options *options) {
    dd_content content = {.rows = {NULL, 0, 0}};
    ddaebm_status status =
        dd_folder_is(path) ? read_folder(&content, context, path, options) : read_file(&content, context, path, options);
    if (status == DDAEBM_OK)
        *out = content;
    return status;
}

void dd_content_free(dd_content *content, ddaebm_context *context) {
    dd_free(context, content->rows.values);
    dd_free(context, content->pictures.block);
}
