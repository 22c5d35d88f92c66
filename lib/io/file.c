#define _POSIX_C_SOURCE 200809L
#define _XOPEN_SOURCE 700 /* realpath */
#include "io/file.h"

#include "base/context.h"
#include "base/error.h"
#include "io/system_error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

enum { TEMPORARY_NAME = 40, TRIES = 100 };

/* The rest of a stream that has been opened, which is closed. */
static ddaebm_status read_all(dd_intake *stream, ddaebm_context *context, size_t most_bytes, void **data, size_t *size) {
    const char *path = stream->reader.path;
    dd_block block = {NULL, 0, 0};
    bool ended = false;
    ddaebm_status status;
    if (stream->total > most_bytes)
        DD_TRY(dd_fail(DDAEBM_OUT_OF_RANGE, "cannot read %.250s: it has %ju bytes; at most %zu are allowed", path,
                       (uintmax_t)stream->total, most_bytes));
    DD_TRY(dd_intake_fill(stream, context, &block, stream->total > 0 ? (size_t)stream->total : most_bytes));
    DD_TRY(dd_intake_finish(stream, &ended));
    if (!ended && stream->total > 0)
        DD_TRY(dd_fail(DDAEBM_IO, "cannot read %.250s: it grew while it was read; try again", path));
    if (!ended)
        DD_TRY(dd_fail(DDAEBM_OUT_OF_RANGE, "cannot read %.250s: it is larger than the %zu bytes allowed", path, most_bytes));
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

ddaebm_status dd_file_read(ddaebm_context *context, const char *path, size_t most_bytes, void **data, size_t *size) {
    const ddaebm_reader reader = dd_reader_of_file(path);
    dd_intake stream;
    ddaebm_status status = dd_intake_open(&stream, &reader);
    return status == DDAEBM_OK ? read_all(&stream, context, most_bytes, data, size) : status;
}

ddaebm_status dd_file_read_plain(ddaebm_context *context, const char *path, size_t most_bytes, void **data, size_t *size) {
    dd_intake stream;
    ddaebm_status status = dd_intake_open_plain(&stream, path);
    return status == DDAEBM_OK ? read_all(&stream, context, most_bytes, data, size) : status;
}

/* 0, or the error of the system. */
static int write_spans(int file, const dd_span *spans, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *from = spans[i].data;
        for (size_t left = spans[i].size; left > 0;) {
            ssize_t done = 0;
            DD_UNINTERRUPTED(done, write(file, from, left < INT_MAX ? left : INT_MAX));
            if (done <= 0)
                return done < 0 ? errno : EIO; /* 0 would go on for ever */
            from += done;
            left -= (size_t)done;
        }
    }
    return 0;
}

/* Takes away a signal that waits for this thread. */
static void take_signal(int signal) {
    const struct timespec at_once = {0, 0};
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal);
    while (sigtimedwait(&one, NULL, &at_once) < 0 && errno == EINTR)
        ;
}

/* write_spans without the signals that would end the process: of a pipe whose reader has gone, and of a file as large as the process may
 * make one. They are held back and taken away, but for one that was waiting before. */
static int write_quietly(int file, const dd_span *spans, size_t count) {
    sigset_t deadly, before, pending;
    sigemptyset(&deadly);
    sigaddset(&deadly, SIGPIPE);
    sigaddset(&deadly, SIGXFSZ);
    sigemptyset(&pending);
    (void)sigpending(&pending);
    int error = pthread_sigmask(SIG_BLOCK, &deadly, &before);
    if (error != 0)
        return error;
    error = write_spans(file, spans, count);
    int sent = error == EPIPE ? SIGPIPE : error == EFBIG ? SIGXFSZ : 0;
    if (sent != 0 && sigismember(&pending, sent) == 0)
        take_signal(sent);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static ddaebm_status write_directly(const char *path, const dd_span *spans, size_t count) {
    int file = -1;
    DD_UNINTERRUPTED(file, open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY));
    if (file < 0)
        return dd_system_refuse(DDAEBM_IO, "write", path, errno);
    int error = write_quietly(file, spans, count);
    if (close(file) != 0 && error == 0 && errno != EINTR)
        error = errno;
    return error ? dd_system_refuse(DDAEBM_IO, "write", path, error) : DDAEBM_OK;
}

/* Moves the path beyond a folder at its beginning and a name in it. */
static bool skip_entry(const char **path, const char *in_folder) {
    size_t length = strlen(in_folder);
    if (strncmp(*path, in_folder, length) != 0)
        return false;
    *path += length + strcspn(*path + length, "/");
    return true;
}

/* /proc/PROCESS/fd/N or /proc/PROCESS/task/THREAD/fd/N */
static bool is_process_descriptor(const char *path) {
    if (!skip_entry(&path, "/proc/"))
        return false;
    (void)skip_entry(&path, "/task/");
    return skip_entry(&path, "/fd/") && *path == '\0';
}

/* Names under which the system shows a process's descriptors: replacing them would replace the name, not write to what it stands
 * for. */
static bool is_descriptor(const char *path) {
    return strncmp(path, "/dev/fd/", 8) == 0 || strcmp(path, "/dev/stdout") == 0 || strcmp(path, "/dev/stderr") == 0 ||
           is_process_descriptor(path);
}

/* Makes a new empty file with a name of its own in the folder. The descriptor, or -1 with errno set. */
static int make_temporary(int folder, char name[TEMPORARY_NAME]) {
    for (unsigned i = 0; i < TRIES; i++) {
        struct timespec now = {0, 0};
        (void)clock_gettime(CLOCK_REALTIME, &now);
        (void)snprintf(name, TEMPORARY_NAME, ".ddaebm-%x-%lx.tmp", (unsigned)getpid(), (unsigned long)now.tv_nsec + i);
        int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0 || (errno != EEXIST && errno != EINTR))
            return file;
    }
    return -1;
}

/* Some file systems cannot flush a folder, and say so. */
static int flush_folder(int folder) {
    int result = 0;
    DD_UNINTERRUPTED(result, fsync(folder));
    return result == 0 || errno == EINVAL || errno == ENOTSUP || errno == ENOSYS ? 0 : errno;
}

/* Writes, flushes and closes; what replaces a file may be read by those who might read that one (a mode of 0: there is none). 0 or the
 * error of the system. */
static int fill_temporary(int file, mode_t mode, const dd_span *spans, size_t count) {
    int error = 0, result = 0;
    if (mode != 0)
        DD_UNINTERRUPTED(result, fchmod(file, mode & 0777));
    if (result == 0) {
        error = write_quietly(file, spans, count);
        if (error == 0)
            DD_UNINTERRUPTED(result, fsync(file));
    }
    if (result != 0)
        error = errno;
    /* after EINTR the descriptor is gone and its content, flushed above, is safe */
    if (close(file) != 0 && error == 0 && errno != EINTR)
        error = errno;
    return error;
}

static ddaebm_status replace_in(int folder, const char *path, const char *base, mode_t mode, const dd_span *spans, size_t count) {
    char name[TEMPORARY_NAME];
    int file = make_temporary(folder, name);
    if (file < 0)
        return dd_system_refuse(DDAEBM_IO, "write", path, errno);
    int error = fill_temporary(file, mode, spans, count), result = 0;
    if (error == 0)
        DD_UNINTERRUPTED(result, renameat(folder, name, folder, base));
    if (result != 0)
        error = errno;
    if (error) {
        DD_UNINTERRUPTED(result, unlinkat(folder, name, 0));
        return dd_system_refuse(DDAEBM_IO, "write", path, error);
    }
    error = flush_folder(folder);
    return error ? dd_system_refuse(DDAEBM_IO, "flush the folder of", path, error) : DDAEBM_OK;
}

/* Replaces a plain file; target is a copy of the path, links followed, that is cut here into folder and name. */
static ddaebm_status replace(char *target, const char *path, mode_t mode, const dd_span *spans, size_t count) {
    char *slash = strrchr(target, '/');
    const char *base = slash ? slash + 1 : target, *folder_path = !slash ? "." : slash == target ? "/" : target;
    if (*base == '\0')
        return dd_system_refuse(DDAEBM_IO, "write", path, EISDIR);
    if (slash && slash != target)
        *slash = '\0';
    int folder = -1;
    DD_UNINTERRUPTED(folder, open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder < 0 && (errno == ENOENT || errno == ENOTDIR))
        return dd_fail(DDAEBM_IO, "cannot write %.200s: there is no folder %.200s; create it first", path, folder_path);
    if (folder < 0)
        return dd_system_refuse(DDAEBM_IO, "write", path, errno);
    ddaebm_status status = replace_in(folder, path, base, mode, spans, count);
    (void)close(folder);
    return status;
}

/* Asks stat or lstat what is there; a mode of 0 is nothing, or what cannot be followed. 0 or the error of the system: who does not know
 * what is there must not replace it. */
static int look(int (*ask)(const char *, struct stat *), const char *path, mode_t *mode) {
    struct stat about;
    int result = 0;
    DD_UNINTERRUPTED(result, ask(path, &about));
    *mode = result == 0 ? about.st_mode : 0;
    return result == 0 || errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : errno;
}

/* *target = a new copy of the path of the file that is to be replaced, behind any symbolic links. */
static ddaebm_status resolve(ddaebm_context *context, const char *path, char **target) {
    mode_t mode = 0;
    int unknown = look(lstat, path, &mode);
    if (unknown)
        return dd_system_refuse(DDAEBM_IO, "write", path, unknown);
    if (!S_ISLNK(mode)) {
        *target = dd_copy_text(context, path);
        return *target ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    }
    char *real = dd_alloc(context, PATH_MAX);
    if (!real)
        return DDAEBM_OUT_OF_MEMORY;
    int result = 0;
    DD_UNINTERRUPTED(result, realpath(path, real) ? 0 : -1);
    if (result != 0) {
        char text[128];
        int error = errno;
        dd_free(context, real);
        return dd_fail(DDAEBM_IO, "cannot write %.250s: it is a symbolic link that cannot be followed: %s", path,
                       dd_system_reason(error, text, sizeof text));
    }
    *target = real;
    return DDAEBM_OK;
}

ddaebm_status dd_file_write(ddaebm_context *context, const char *path, const dd_span *spans, size_t count) {
    mode_t mode = 0;
    if (*path == '\0')
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "cannot write: the path is empty");
    int error = is_descriptor(path) ? 0 : look(stat, path, &mode);
    if (error == 0 && S_ISDIR(mode))
        error = EISDIR;
    if (error)
        return dd_system_refuse(DDAEBM_IO, "write", path, error);
    if (is_descriptor(path) || (mode != 0 && !S_ISREG(mode)))
        return write_directly(path, spans, count);
    char *target = NULL;
    ddaebm_status status = resolve(context, path, &target);
    if (status == DDAEBM_OK)
        status = replace(target, path, mode, spans, count);
    dd_free(context, target);
    return status;
}
