#define _POSIX_C_SOURCE 200809L
#include "io/file.h"

#include "base/context.h"
#include "base/error.h"
#include "io/output.h"

/* The rest of a stream that has been opened, which is closed. */
static ddaebm_status read_all(dd_intake *stream, ddaebm_context *context, size_t most_bytes,
                              void **data, size_t *size) {
    const char *path = stream->reader.path;
    dd_block block = {NULL, 0, 0};
    const char *remedy =
        most_bytes == dd_context_most(context, DDAEBM_LIMIT_FILE_BYTES) ? DD_RAISE_LIMIT : "";
    bool ended = false;
    ddaebm_status status;
    if (stream->total > most_bytes)
        DD_TRY(dd_fail(DDAEBM_OUT_OF_RANGE,
                       "cannot read %.250s: it has %ju bytes; at most %zu are allowed%s", path,
                       (uintmax_t)stream->total, most_bytes, remedy));
    DD_TRY(dd_intake_fill(stream, context, &block,
                          stream->total > 0 ? (size_t)stream->total : most_bytes));
    DD_TRY(dd_intake_finish(stream, &ended));
    if (!ended && stream->total > 0)
        DD_TRY(
            dd_fail(DDAEBM_IO, "cannot read %.250s: it grew while it was read; try again", path));

    if (!ended)
        DD_TRY(dd_fail(DDAEBM_OUT_OF_RANGE,
                       "cannot read %.250s: it is larger than the %zu bytes allowed%s", path,
                       most_bytes, remedy));

    if (!block.data && !(block.data = dd_alloc(context, 1))) {
        status = DDAEBM_OUT_OF_MEMORY;
        goto cleanup;
    }

    block.data[block.used] = '\0';
    *data = block.data;
    *size = block.used;
    block.data = NULL;
cleanup:
    dd_free(context, block.data);
    dd_intake_close(stream);
    return status == DDAEBM_OUT_OF_MEMORY ? dd_fail_in(status, path) : status;
}

ddaebm_status dd_file_read(ddaebm_context *context, const char *path, size_t most_bytes,
                           void **data, size_t *size) {
    const ddaebm_reader reader = dd_reader_of_file(path);
    dd_intake stream;
    ddaebm_status status = dd_intake_open(&stream, &reader);
    return status == DDAEBM_OK ? read_all(&stream, context, most_bytes, data, size) : status;
}

ddaebm_status dd_file_read_plain(ddaebm_context *context, const char *path, size_t most_bytes,
                                 void **data, size_t *size) {
    dd_intake stream;
    ddaebm_status status = dd_intake_open_plain(&stream, path);
    return status == DDAEBM_OK ? read_all(&stream, context, most_bytes, data, size) : status;
}

ddaebm_status dd_file_write(ddaebm_context *context, const char *path, const dd_span *spans,
                            size_t count) {
    const ddaebm_writer writer = dd_writer_of_file(path);
    return dd_output_send(context, &writer, spans, count);
}
