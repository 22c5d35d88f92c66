#include "io/target.h"

#include "base/checked.h"
#include "base/error.h"
#include "io/output.h"

#include <string.h>

ddaebm_writer dd_writer_of_file(const char *path) {
    ddaebm_writer writer = DDAEBM_WRITER_INIT;
    writer.path = path;
    return writer;
}

/* Copies the spans if they fit. */
static ddaebm_status write_memory(const dd_target *target, const dd_span *spans, size_t count) {
    size_t bytes = 0;
    char *at = target->data;
    if (!at && target->capacity > 0)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "data must not be NULL where capacity is %zu",
                       target->capacity);
    for (size_t i = 0; i < count; i++)
        if (!dd_size_add(&bytes, bytes, spans[i].size))
            return dd_fail(DDAEBM_OUT_OF_RANGE, "the file would exceed the address space");

    if (target->needed)
        *target->needed = bytes;
    if (target->capacity < bytes)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "a buffer of %zu bytes is too small for a file of %zu",
                       target->capacity, bytes);

    for (size_t i = 0; i < count; at += spans[i++].size)
        if (spans[i].size > 0)
            memcpy(at, spans[i].data, spans[i].size);
    return DDAEBM_OK;
}

ddaebm_status dd_target_write(ddaebm_context *context, const dd_target *target,
                              const dd_span *spans, size_t count) {
    return target->writer ? dd_output_send(context, target->writer, spans, count)
                          : write_memory(target, spans, count);
}
