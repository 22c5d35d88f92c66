#define _POSIX_C_SOURCE 200809L
#include "io/stream.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "io/descriptor.h"
#include "io/output.h"
#include "io/system_error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Sources. --- */

ddaebm_reader dd_reader_of_file(const char *path) {
    ddaebm_reader reader = DDAEBM_READER_INIT;
    reader.path = path;
    return reader;
}

static ddaebm_status read_memory(void *user, void *buffer, size_t capacity, size_t *got) {
    dd_memory *memory = user;
    *got = memory->left < capacity ? memory->left : capacity;
    if (*got > 0)
        memcpy(buffer, memory->at, *got);
    memory->at += *got;
    memory->left -= *got;
    return DDAEBM_OK;
}

ddaebm_reader dd_reader_of_memory(dd_memory *memory) {
    ddaebm_reader reader = DDAEBM_READER_INIT;
    reader.read = read_memory;
    reader.user = memory;
    reader.size = memory->left;
    return reader;
}

static ddaebm_status read_failed(const char *path, int error) {
    char text[128];
    if (error == ENOENT || error == ENOTDIR)
        return dd_fail(DDAEBM_NOT_FOUND, "cannot open %.250s: %s; check the path", path,
                       dd_system_reason(error, text, sizeof text));
    if (error == EISDIR)
        return dd_fail(DDAEBM_IO, "cannot read %.250s: it is a folder; give the name of a file",
                       path);
    if (error == EACCES || error == EPERM)
        return dd_fail(DDAEBM_IO, "cannot open %.250s: %s; this user may not read it", path,
                       dd_system_reason(error, text, sizeof text));
    return dd_system_refuse(DDAEBM_IO, "read", path, error);
}

static ddaebm_status read_file(dd_intake *stream, void *buffer, size_t capacity, size_t *got) {
    ssize_t count = 0;
    do
        DD_UNINTERRUPTED(count, read(stream->file, buffer, capacity));
    while (count < 0 && dd_descriptor_wait(stream->file, POLLIN));
    if (count < 0)
        return read_failed(stream->reader.path, errno);
    *got = (size_t)count;
    return DDAEBM_OK;
}

/* What a caller's function says is held against what it may say. */
static ddaebm_status read_function(dd_intake *stream, void *buffer, size_t capacity, size_t *got) {
    size_t given = 0;
    ddaebm_status status = stream->reader.read(stream->reader.user, buffer, capacity, &given);
    unsigned long long done = (unsigned long long)stream->done;
    if (status != DDAEBM_OK)
        return dd_fail(status, "the read function stopped after %llu bytes: %s", done,
                       ddaebm_status_text(status));
    if (given > capacity)
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "the read function gave %zu bytes where %zu fit, after %llu", given,
                       capacity, done);
    *got = given;
    return DDAEBM_OK;
}

/* --- Reading. --- */

/* Of a plain file, which somebody may have read the beginning of. */
static uint64_t bytes_left(int file, off_t size) {
    off_t at = lseek(file, 0, SEEK_CUR);
    return at < size ? (uint64_t)(size - (at > 0 ? at : 0)) : 0;
}

static ddaebm_status open_file(dd_intake *stream, bool plain) {
    struct stat about;
    int error = 0, result = 0;
    int own = dd_descriptor_of(stream->reader.path);
    if (own >= 0)
        DD_UNINTERRUPTED(stream->file, fcntl(own, F_DUPFD_CLOEXEC, 0));
    else
        DD_UNINTERRUPTED(stream->file, open(stream->reader.path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
                                                                     (plain ? O_NONBLOCK : 0)));
    if (stream->file < 0)
        return read_failed(stream->reader.path, errno);

    DD_UNINTERRUPTED(result, fstat(stream->file, &about));
    if (result != 0)
        error = errno;
    else if (S_ISDIR(about.st_mode))
        error = EISDIR;
    else if (S_ISREG(about.st_mode))
        stream->total = bytes_left(stream->file, about.st_size);
    bool refused = error == 0 && plain && !S_ISREG(about.st_mode);
    if (error == 0 && !refused)
        return DDAEBM_OK;

    dd_intake_close(stream);
    return refused
               ? dd_fail(DDAEBM_IO, "cannot read %.250s: it is no plain file", stream->reader.path)
               : read_failed(stream->reader.path, error);
}

ddaebm_status dd_intake_open(dd_intake *stream, const ddaebm_reader *reader) {
    *stream = (dd_intake){.reader = DDAEBM_READER_INIT, .file = -1};
    ddaebm_status status =
        dd_struct_in(&stream->reader, sizeof stream->reader, reader, "DDAEBM_READER_INIT");
    if (status != DDAEBM_OK)
        return status;
    if (!stream->reader.path == !stream->reader.read)
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "a reader needs a path or a read function, and not both");
    stream->total = stream->reader.size;
    return stream->reader.path ? open_file(stream, false) : DDAEBM_OK;
}

ddaebm_status dd_intake_open_plain(dd_intake *stream, const char *path) {
    *stream = (dd_intake){.reader = dd_reader_of_file(path), .file = -1};
    return open_file(stream, true);
}

void dd_intake_close(dd_intake *stream) {
    if (stream->file >= 0)
        (void)close(stream->file);
    stream->file = -1;
}

/* One step. */
static ddaebm_status pull(dd_intake *stream, void *buffer, size_t room, size_t *got) {
    const ddaebm_reader *reader = &stream->reader;
    size_t capacity = room < DD_STREAM_STEP ? room : DD_STREAM_STEP;
    ddaebm_status status = reader->path ? read_file(stream, buffer, capacity, got)
                                        : read_function(stream, buffer, capacity, got);
    if (status != DDAEBM_OK)
        return status;

    stream->ended = *got == 0;
    stream->done += *got;
    if (*got > 0 && reader->progress &&
        reader->progress(reader->progress_user, stream->done, stream->total) != 0)
        return dd_fail(DDAEBM_CANCELLED, "loading was cancelled after %llu bytes",
                       (unsigned long long)stream->done);
    return DDAEBM_OK;
}

/* Room for one more step, or for all that is wanted where the bytes are known to be there. */
static ddaebm_status grow(const dd_intake *stream, ddaebm_context *context, dd_block *block,
                          size_t wanted) {
    size_t target = block->capacity < DD_STREAM_STEP ? DD_STREAM_STEP : block->capacity;
    if (block->capacity >= DD_STREAM_STEP &&
        !dd_size_add(&target, block->capacity, block->capacity))
        target = SIZE_MAX;
    bool there = stream->file >= 0 && stream->total >= stream->done &&
                 stream->total - stream->done >= wanted - block->used;

    if (there || wanted < target)
        target = wanted;
    size_t whole = 0;
    char *grown = dd_size_add(&whole, target, 1) ? dd_alloc(context, whole) : NULL;
    if (!grown)
        return DDAEBM_OUT_OF_MEMORY;

    if (block->used > 0)
        memcpy(grown, block->data, block->used);
    dd_free(context, block->data);
    block->data = grown;
    block->capacity = target;
    return DDAEBM_OK;
}

ddaebm_status dd_intake_fill(dd_intake *stream, ddaebm_context *context, dd_block *block,
                             size_t wanted) {
    ddaebm_status status = DDAEBM_OK;
    while (status == DDAEBM_OK && block->used < wanted && !stream->ended) {
        size_t got = 0;
        if (block->used == block->capacity)
            status = grow(stream, context, block, wanted);
        if (status == DDAEBM_OK) {
            size_t room = (block->capacity < wanted ? block->capacity : wanted) - block->used;
            status = pull(stream, block->data + block->used, room, &got);
        }
        block->used += got;
    }
    return status;
}

ddaebm_status dd_intake_finish(dd_intake *stream, bool *ended) {
    char more;
    size_t got = 0;
    ddaebm_status status = stream->ended ? DDAEBM_OK : pull(stream, &more, sizeof more, &got);
    *ended = stream->ended;
    return status;
}

/* --- Writing. --- */

ddaebm_writer dd_writer_of_file(const char *path) {
    ddaebm_writer writer = DDAEBM_WRITER_INIT;
    writer.path = path;
    return writer;
}

static ddaebm_status write_memory(const dd_target *target, const dd_span *spans, size_t count) {
    size_t bytes = 0;
    char *at = target->data;
    if (!at && target->capacity > 0)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "data must not be NULL where capacity is %zu",
                       target->capacity);
    for (size_t i = 0; i < count; i++)
        if (!dd_size_add(&bytes, bytes, spans[i].size))
            return dd_fail(DDAEBM_OUT_OF_RANGE, "what is to be written exceeds the address space");

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
