#define _GNU_SOURCE /* O_PATH, realpath */
#include "io/output.h"

#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "io/descriptor.h"
#include "io/system_error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
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

enum { TRIES = 100 }; /* names for a temporary file */

/* --- Writing to a descriptor. --- */

/* Writes all spans; returns 0 or an errno. */
static int write_spans(int file, const dd_span *spans, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *from = spans[i].data;
        for (size_t left = spans[i].size; left > 0;) {
            ssize_t done = 0;
            DD_UNINTERRUPTED(done, write(file, from, left < INT_MAX ? left : INT_MAX));
            if (done < 0 && dd_descriptor_wait(file, POLLOUT))
                continue;
            if (done <= 0)
                return done < 0 ? errno : EIO; /* 0 would repeat for ever */
            from += done;
            left -= (size_t)done;
        }
    }
    return 0;
}

/* Removes a signal that is pending for this thread. */
static void take_signal(int signal) {
    const struct timespec at_once = {0, 0};
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal);
    while (sigtimedwait(&one, NULL, &at_once) < 0 && errno == EINTR)
        ;
}

/* Calls write_spans with SIGPIPE and SIGXFSZ blocked, which by default end the process: a pipe may
 * lose its reader, a file may reach the limit of its size. A signal that the writing caused is
 * removed; one that was pending before stays. */
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

/* --- Opening. --- */

/* Creates an empty file with a new name in the folder; returns its descriptor, or -1 with errno
 * set.
 */
static int make_temporary(int folder, char name[DD_TEMPORARY_NAME], mode_t mode) {
    for (unsigned i = 0; i < TRIES; i++) {
        struct timespec now = {0, 0};
        (void)clock_gettime(CLOCK_REALTIME, &now);
        (void)snprintf(name, DD_TEMPORARY_NAME, ".ddaebm-%x-%lx.tmp", (unsigned)getpid(),
                       (unsigned long)now.tv_nsec + i);
        int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (file >= 0 || (errno != EEXIST && errno != EINTR))
            return file;
    }
    return -1;
}

/* Calls stat or lstat; a mode of 0 means that there is nothing, or a link that leads nowhere.
 * Returns 0 or an errno: a target that cannot be examined must not be replaced. */
static int look(int (*ask)(const char *, struct stat *), const char *path, mode_t *mode) {
    struct stat about;
    int result = 0;
    DD_UNINTERRUPTED(result, ask(path, &about));
    *mode = result == 0 ? about.st_mode : 0;
    return result == 0 || errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : errno;
}

/* Sets *target to a new copy of the path, with a symbolic link followed. */
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
        return dd_fail(DDAEBM_IO,
                       "cannot write %.250s: it is a symbolic link that cannot be followed: %s",
                       path, dd_system_reason(error, text, sizeof text));
    }

    *target = real;
    return DDAEBM_OK;
}

/* Opens a device or a pipe, or duplicates one of the process's own descriptors. */
static ddaebm_status open_directly(dd_output *output, const char *path) {
    int own = dd_descriptor_of(path);
    if (own >= 0)
        DD_UNINTERRUPTED(output->file, fcntl(own, F_DUPFD_CLOEXEC, 0));
    else
        DD_UNINTERRUPTED(output->file, open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY));
    return output->file >= 0 ? DDAEBM_OK : dd_system_refuse(DDAEBM_IO, "write", path, errno);
}

/* Opens the temporary file. It has the permissions of the file that it will replace, unless the
 * file system refuses to set any (CIFS, vfat). A mode of 0 means that there is no such file. */
static ddaebm_status open_temporary(dd_output *output, const char *path, mode_t mode) {
    int refused = 0;
    output->file =
        make_temporary(output->folder, output->temporary, mode != 0 ? mode & 0777 : 0666);
    if (output->file < 0)
        return dd_system_refuse(DDAEBM_IO, "write", path, errno);
    if (mode != 0) /* without the process's umask */
        DD_UNINTERRUPTED(refused, fchmod(output->file, mode & 0777));
    (void)refused;
    return DDAEBM_OK;
}

/* Opens a folder for the calls that take names in it. One that may not be read is opened with
 * O_PATH; it cannot be flushed. */
static int open_names(const char *folder) {
    int opened = 0;
    DD_UNINTERRUPTED(opened, open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
#ifdef O_PATH
    if (opened < 0 && (errno == EACCES || errno == EPERM))
        DD_UNINTERRUPTED(opened, open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC));
#endif
    return opened;
}

/* Splits the target's path into folder and name, and opens the folder. */
static ddaebm_status open_folder(dd_output *output, const char *path) {
    char *slash = strrchr(output->target, '/');
    output->base = slash ? slash + 1 : output->target;
    const char *folder = !slash ? "." : slash == output->target ? "/" : output->target;
    if (*output->base == '\0')
        return dd_system_refuse(DDAEBM_IO, "write", path, EISDIR);
    if (slash && slash != output->target)
        *slash = '\0';
    output->folder = open_names(folder);
    if (output->folder < 0 && (errno == ENOENT || errno == ENOTDIR))
        return dd_fail(DDAEBM_IO, "cannot write %.200s: there is no folder %.200s; create it first",
                       path, folder);
    return output->folder >= 0 ? DDAEBM_OK : dd_system_refuse(DDAEBM_IO, "write", path, errno);
}

/* Opens what the path names, directly or by a temporary file. */
static ddaebm_status open_path(dd_output *output, const char *path) {
    mode_t mode = 0;
    if (*path == '\0')
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "cannot write: the path is empty");
    bool direct = dd_descriptor_is(path);
    int error = direct ? 0 : look(stat, path, &mode);
    if (error == 0 && S_ISDIR(mode))
        error = EISDIR;
    if (error)
        return dd_system_refuse(DDAEBM_IO, "write", path, error);
    if (direct || (mode != 0 && !S_ISREG(mode)))
        return open_directly(output, path);

    ddaebm_status status = resolve(output->context, path, &output->target);
    if (status == DDAEBM_OK)
        status = open_folder(output, path);
    return status == DDAEBM_OK ? open_temporary(output, path, mode) : status;
}

ddaebm_status dd_output_open(dd_output *output, ddaebm_context *context,
                             const ddaebm_writer *writer) {
    *output =
        (dd_output){.context = context, .writer = DDAEBM_WRITER_INIT, .file = -1, .folder = -1};
    ddaebm_status status =
        dd_struct_in(&output->writer, sizeof output->writer, writer, "DDAEBM_WRITER_INIT");

    if (status != DDAEBM_OK)
        return status;
    if (!output->writer.path == !output->writer.write)
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "a writer needs a path or a write function, and not both");

    if (output->writer.path)
        status = open_path(output, output->writer.path);
    if (status != DDAEBM_OK)
        dd_output_discard(output);
    return status;
}

/* --- Writing. --- */

/* Passes the spans to the caller's function in steps. */
static ddaebm_status write_function(dd_output *output, const dd_span *spans, size_t count) {
    const ddaebm_writer *writer = &output->writer;
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < spans[i].size;) {
            size_t left = spans[i].size - at, size = left < DD_OUTPUT_STEP ? left : DD_OUTPUT_STEP;
            ddaebm_status status =
                writer->write(writer->user, (const char *)spans[i].data + at, size);
            if (status != DDAEBM_OK)
                return dd_fail(status, "the write function stopped after %llu bytes: %s",
                               (unsigned long long)output->done, ddaebm_status_text(status));
            at += size;
            output->done += size;
        }
    return DDAEBM_OK;
}

ddaebm_status dd_output_write(dd_output *output, const dd_span *spans, size_t count) {
    if (output->writer.write)
        return write_function(output, spans, count);
    int error = write_quietly(output->file, spans, count);
    return error ? dd_system_refuse(DDAEBM_IO, "write", output->writer.path, error) : DDAEBM_OK;
}

/* --- Closing. --- */

/* Returns whether the error of a flush says that the file system has none, rather than that writing
 * failed. */
static bool cannot_flush(int error) {
    return error == EINVAL || error == ENOTSUP || error == EOPNOTSUPP || error == ENOSYS;
}

/* Flushes a file to the disk; returns 0 or an errno. */
static int flush_file(int file) {
    int result = 0;
    DD_UNINTERRUPTED(result, fsync(file));
    return result == 0 || cannot_flush(errno) ? 0 : errno;
}

/* Flushes a folder; one that may not be flushed holds the new name all the same. */
static int flush_folder(int folder) {
    int error = flush_file(folder);
    return error == EACCES || error == EPERM || error == EROFS || error == EBADF || error == EISDIR
               ? 0
               : error;
}

/* Flushes a temporary file, before it is moved over the target, and closes the file; returns 0 or
 * an errno. */
static int close_file(dd_output *output) {
    int file = output->file, error = output->folder >= 0 ? flush_file(file) : 0;
    output->file = -1;
    /* after EINTR the descriptor is gone and its content, flushed above, is safe */
    if (close(file) != 0 && error == 0 && errno != EINTR)
        error = errno;
    return error;
}

ddaebm_status dd_output_finish(dd_output *output) {
    const char *path = output->writer.path;
    int result = 0, error = output->file >= 0 ? close_file(output) : 0;
    if (error == 0 && output->folder >= 0)
        DD_UNINTERRUPTED(result,
                         renameat(output->folder, output->temporary, output->folder, output->base));

    if (result != 0)
        error = errno;
    ddaebm_status status = error ? dd_system_refuse(DDAEBM_IO, "write", path, error) : DDAEBM_OK;
    if (error == 0 && output->folder >= 0) {
        output->temporary[0] = '\0'; /* it is the target now */
        error = flush_folder(output->folder);
        if (error)
            status = dd_system_refuse(DDAEBM_IO, "flush the folder of", path, error);
    }

    dd_output_discard(output);
    return status;
}

void dd_output_discard(dd_output *output) {
    int result = 0;
    if (output->file >= 0)
        (void)close(output->file);
    if (output->folder >= 0 && output->temporary[0])
        DD_UNINTERRUPTED(result, unlinkat(output->folder, output->temporary, 0));
    (void)result;
    if (output->folder >= 0)
        (void)close(output->folder);
    dd_free(output->context, output->target);
    output->file = output->folder = -1;
    output->target = NULL;
}

ddaebm_status dd_output_send(ddaebm_context *context, const ddaebm_writer *writer,
                             const dd_span *spans, size_t count) {
    dd_output output;
    ddaebm_status status = dd_output_open(&output, context, writer);
    if (status != DDAEBM_OK)
        return status;

    status = dd_output_write(&output, spans, count);
    if (status == DDAEBM_OK)
        return dd_output_finish(&output);
    dd_output_discard(&output);
    return status;
}
