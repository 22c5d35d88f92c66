#define _POSIX_C_SOURCE 200809L
#include "io/file.h"

#include "base/context.h"
#include "base/error.h"
#include "io/intake.h"
#include "io/output.h"
#include "io/target.h"

/* Reads an open file to its end, and closes it. */
static ddaebm_status read_all(dd_intake *intake, ddaebm_context *context, size_t most_bytes,
                              void **data, size_t *size) {
    const char *path = intake->reader.path;
    dd_block block = {NULL, 0, 0};
    const char *remedy =
        most_bytes == dd_context_most(context, DDAEBM_LIMIT_FILE_BYTES) ? DD_RAISE_LIMIT : "";
    bool ended = false;
    ddaebm_status status;
    if (intake->total > most_bytes)
        DD_TRY(dd_fail(DDAEBM_OUT_OF_RANGE,
                       "cannot read %.250s: it has %ju bytes; at most %zu are allowed%s", path,
                       (uintmax_t)intake->total, most_bytes, remedy));
    DD_TRY(dd_intake_fill(intake, context, &block,
                          intake->total > 0 ? (size_t)intake->total : most_bytes));
    DD_TRY(dd_intake_finish(intake, &ended));
    if (!ended && intake->total > 0)
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
    dd_intake_close(intake);
    return status == DDAEBM_OUT_OF_MEMORY ? dd_fail_in(status, path) : status;
}

ddaebm_status dd_file_read(ddaebm_context *context, const char *path, size_t most_bytes,
                           void **data, size_t *size) {
    const ddaebm_reader reader = dd_reader_of_file(path);
    dd_intake intake;
    ddaebm_status status = dd_intake_open(&intake, &reader);
    return status == DDAEBM_OK ? read_all(&intake, context, most_bytes, data, size) : status;
}

ddaebm_status dd_file_read_plain(ddaebm_context *context, const char *path, size_t most_bytes,
                                 void **data, size_t *size) {
    dd_intake intake;
    ddaebm_status status = dd_intake_open_plain(&intake, path);
    return status == DDAEBM_OK ? read_all(&intake, context, most_bytes, data, size) : status;
}

ddaebm_status dd_file_write(ddaebm_context *context, const char *path, const dd_span *spans,
                            size_t count) {
    const ddaebm_writer writer = dd_writer_of_file(path);
    return dd_output_send(context, &writer, spans, count);
}
