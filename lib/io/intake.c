#define _POSIX_C_SOURCE 200809L
#include "io/intake.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "io/descriptor.h"
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
    dd_memory_source *memory = user;
    *got = memory->left < capacity ? memory->left : capacity;
    if (*got > 0)
        memcpy(buffer, memory->at, *got);
    memory->at += *got;
    memory->left -= *got;
    return DDAEBM_OK;
}

ddaebm_reader dd_reader_of_memory(dd_memory_source *memory) {
    ddaebm_reader reader = DDAEBM_READER_INIT;
    reader.read = read_memory;
    reader.user = memory;
    reader.size = memory->left;
    return reader;
}

/* Fails for an error of the system when a file is opened or read. */
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

static ddaebm_status read_file(dd_intake *intake, void *buffer, size_t capacity, size_t *got) {
    ssize_t count = 0;
    do
        DD_UNINTERRUPTED(count, read(intake->file, buffer, capacity));
    while (count < 0 && dd_descriptor_wait(intake->file, POLLIN));
    if (count < 0)
        return read_failed(intake->reader.path, errno);
    *got = (size_t)count;
    return DDAEBM_OK;
}

/* Calls the caller's read function and checks what it returns. */
static ddaebm_status read_function(dd_intake *intake, void *buffer, size_t capacity, size_t *got) {
    size_t given = 0;
    ddaebm_status status = intake->reader.read(intake->reader.user, buffer, capacity, &given);
    unsigned long long done = (unsigned long long)intake->done;
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

/* Returns the bytes of a regular file from its offset on: a descriptor of the process's own may
 * have been read from. */
static uint64_t bytes_left(int file, off_t size) {
    off_t at = lseek(file, 0, SEEK_CUR);
    return at < size ? (uint64_t)(size - (at > 0 ? at : 0)) : 0;
}

/* Opens the reader's path, or duplicates the descriptor that it names. */
static ddaebm_status open_file(dd_intake *intake, bool plain) {
    struct stat about;
    int error = 0, result = 0;
    int own = dd_descriptor_of(intake->reader.path);
    if (own >= 0)
        DD_UNINTERRUPTED(intake->file, fcntl(own, F_DUPFD_CLOEXEC, 0));
    else
        DD_UNINTERRUPTED(intake->file, open(intake->reader.path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
                                                                     (plain ? O_NONBLOCK : 0)));
    if (intake->file < 0)
        return read_failed(intake->reader.path, errno);

    DD_UNINTERRUPTED(result, fstat(intake->file, &about));
    if (result != 0)
        error = errno;
    else if (S_ISDIR(about.st_mode))
        error = EISDIR;
    else if (S_ISREG(about.st_mode))
        intake->total = bytes_left(intake->file, about.st_size);
    bool refused = error == 0 && plain && !S_ISREG(about.st_mode);
    if (error == 0 && !refused)
        return DDAEBM_OK;

    dd_intake_close(intake);
    return refused ? dd_fail(DDAEBM_IO, "cannot read %.250s: it is not a regular file",
                             intake->reader.path)
                   : read_failed(intake->reader.path, error);
}

ddaebm_status dd_intake_open(dd_intake *intake, const ddaebm_reader *reader) {
    *intake = (dd_intake){.reader = DDAEBM_READER_INIT, .file = -1};
    ddaebm_status status =
        dd_struct_in(&intake->reader, sizeof intake->reader, reader, "DDAEBM_READER_INIT");
    if (status != DDAEBM_OK)
        return status;
    if (!intake->reader.path == !intake->reader.read)
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "a reader needs a path or a read function, and not both");
    intake->total = intake->reader.size;
    return intake->reader.path ? open_file(intake, false) : DDAEBM_OK;
}

ddaebm_status dd_intake_open_plain(dd_intake *intake, const char *path) {
    *intake = (dd_intake){.reader = dd_reader_of_file(path), .file = -1};
    return open_file(intake, true);
}

void dd_intake_close(dd_intake *intake) {
    if (intake->file >= 0)
        (void)close(intake->file);
    intake->file = -1;
}

/* Reads one step and reports progress. */
static ddaebm_status pull(dd_intake *intake, void *buffer, size_t room, size_t *got) {
    const ddaebm_reader *reader = &intake->reader;
    size_t capacity = room < DD_INTAKE_STEP ? room : DD_INTAKE_STEP;
    ddaebm_status status = reader->path ? read_file(intake, buffer, capacity, got)
                                        : read_function(intake, buffer, capacity, got);
    if (status != DDAEBM_OK)
        return status;

    intake->ended = *got == 0;
    intake->done += *got;
    if (*got > 0 && reader->progress &&
        reader->progress(reader->progress_user, intake->done, intake->total) != 0)
        return dd_fail(DDAEBM_CANCELLED, "loading was cancelled after %llu bytes",
                       (unsigned long long)intake->done);
    return DDAEBM_OK;
}

/* Makes room for one more step, or for all that is wanted if the file is known to have it. */
static ddaebm_status grow(const dd_intake *intake, ddaebm_context *context, dd_block *block,
                          size_t wanted) {
    size_t target = block->capacity < DD_INTAKE_STEP ? DD_INTAKE_STEP : block->capacity;
    if (block->capacity >= DD_INTAKE_STEP &&
        !dd_size_add(&target, block->capacity, block->capacity))
        target = SIZE_MAX;
    bool there = intake->file >= 0 && intake->total >= intake->done &&
                 intake->total - intake->done >= wanted - block->used;

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

ddaebm_status dd_intake_fill(dd_intake *intake, ddaebm_context *context, dd_block *block,
                             size_t wanted) {
    ddaebm_status status = DDAEBM_OK;
    while (status == DDAEBM_OK && block->used < wanted && !intake->ended) {
        size_t got = 0;
        if (block->used == block->capacity)
            status = grow(intake, context, block, wanted);
        if (status == DDAEBM_OK) {
            size_t room = (block->capacity < wanted ? block->capacity : wanted) - block->used;
            status = pull(intake, block->data + block->used, room, &got);
        }
        block->used += got;
    }
    return status;
}

ddaebm_status dd_intake_finish(dd_intake *intake, bool *ended) {
    char more;
    size_t got = 0;
    ddaebm_status status = intake->ended ? DDAEBM_OK : pull(intake, &more, sizeof more, &got);
    *ended = intake->ended;
    return status;
}
