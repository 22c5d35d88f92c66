#define _GNU_SOURCE
#include "support/faults.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    bool armed;
    fault kind;
    fault_reach reach;
    int error, files;
    size_t at, calls, used;
    const char *first, *last, *only, *meanwhile;
    void (*act)(void);
    char trace[1000];
} now;

void faults_begin(fault kind, int error, size_t at, fault_reach reach) {
    memset(&now, 0, sizeof now);
    now.kind = kind;
    now.error = error;
    now.at = at;
    now.reach = reach;
    now.armed = true;
}

void faults_only(const char *name) {
    now.only = name;
}

void faults_meanwhile(const char *name, void (*act)(void)) {
    now.meanwhile = name;
    now.act = act;
}

size_t faults_end(void) {
    now.armed = false;
    return now.calls;
}

const char *faults_first(void) {
    return now.first;
}

const char *faults_trace(void) {
    return now.trace;
}

int faults_open_files(void) {
    return now.files;
}

static void note(const char *name) {
    size_t length = strlen(name);
    if ((now.last && strcmp(now.last, name) == 0) || now.used + length + 2 > sizeof now.trace)
        return;
    memcpy(now.trace + now.used, name, length);
    now.used += length;
    now.trace[now.used++] = ' ';
    now.last = name;
}

static void act_before(const char *name) {
    if (!now.meanwhile || strcmp(now.meanwhile, name) != 0)
        return;
    now.meanwhile = NULL;
    now.armed = false;
    now.act();
    now.armed = true;
}

/* Counts a call. Whether it has the fault. */
static bool strikes(const char *name) {
    if (!now.armed)
        return false;
    act_before(name);
    if (now.only && strcmp(now.only, name) != 0)
        return false;
    note(name);
    size_t call = ++now.calls;
    bool here = now.reach == FAULT_ONCE            ? call == now.at
                : now.reach == FAULT_FROM_THERE_ON ? call >= now.at
                                                   : call >= now.at && (call - now.at) % 2 == 0;
    if (here && !now.first)
        now.first = name;
    if (here && now.kind == FAULT_KILL_BEFORE)
        raise(SIGKILL);
    return here;
}

static bool fails(bool struck) {
    if (struck && now.kind == FAULT_ERROR)
        errno = now.error;
    return struck && now.kind == FAULT_ERROR;
}

static void after(bool struck) {
    if (struck && (now.kind == FAULT_KILL_AFTER || now.kind == FAULT_KILL_MIDST))
        raise(SIGKILL);
}

static size_t some(bool struck, size_t size) {
    if (struck && now.kind == FAULT_NOTHING)
        return 0;
    return struck && (now.kind == FAULT_SHORT || now.kind == FAULT_KILL_MIDST) ? (size + 1) / 2
                                                                               : size;
}

static int opened(int file) {
    now.files += now.armed && file >= 0;
    return file;
}

/* The linker's names: a call of f comes to __wrap_f, and __real_f is the system's. */

int __real_open(const char *path, int flags, ...);
int __real_openat(int folder, const char *path, int flags, ...);

/* The mode is there with O_CREAT alone. */
static mode_t mode_of(int flags, va_list arguments) {
    return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

/* No child of the program gets what is opened, and nothing is taken for a new file that is there.
 */
static void look_at_flags(int flags) {
    ck_assert(!now.armed || flags & O_CLOEXEC);
    ck_assert(!now.armed || !(flags & O_CREAT) || flags & O_EXCL);
}

int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
    bool struck = strikes("open");
    look_at_flags(flags);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    if (fails(struck))
        return -1;
    int result = opened(__real_open(path, flags, mode));
    after(struck);
    return result;
}

int __wrap_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...) {
    bool struck = strikes("openat");
    look_at_flags(flags);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    if (fails(struck))
        return -1;
    int result = opened(__real_openat(folder, path, flags, mode));
    after(struck);
    return result;
}

int __real_close(int file);
int __wrap_close(int file);
int __wrap_close(int file) {
    bool struck = strikes("close");
    int result = __real_close(file);
    now.files -= now.armed && result == 0;
    after(struck);
    return fails(struck) ? -1 : result;
}

/* f(parameters), which gives `failed` for a failure; `size` is changed where there is one. */
#define WRAP(type, failed, f, parameters, arguments, shortened)                                    \
    type __real_##f parameters;                                                                    \
    type __wrap_##f parameters;                                                                    \
    type __wrap_##f parameters {                                                                   \
        bool struck = strikes(#f);                                                                 \
        if (fails(struck))                                                                         \
            return failed;                                                                         \
        shortened;                                                                                 \
        type result = __real_##f arguments;                                                        \
        after(struck);                                                                             \
        return result;                                                                             \
    }

WRAP(ssize_t, -1, read, (int file, void *buffer, size_t size), (file, buffer, size),
     size = some(struck, size))
WRAP(ssize_t, -1, write, (int file, const void *buffer, size_t size), (file, buffer, size),
     size = some(struck, size))
WRAP(int, -1, fsync, (int file), (file), (void)0)
WRAP(int, -1, fchmod, (int file, mode_t mode), (file, mode), (void)0)
WRAP(int, -1, renameat, (int from, const char *old, int to, const char *name),
     (from, old, to, name), (void)0)
WRAP(int, -1, unlinkat, (int folder, const char *name, int flags), (folder, name, flags), (void)0)
WRAP(int, -1, stat, (const char *path, struct stat *about), (path, about), (void)0)
WRAP(int, -1, lstat, (const char *path, struct stat *about), (path, about), (void)0)
WRAP(int, -1, fstat, (int file, struct stat *about), (file, about), (void)0)
WRAP(int, -1, sigtimedwait, (const sigset_t *set, siginfo_t *about, const struct timespec *most),
     (set, about, most), (void)0)
WRAP(char *, NULL, realpath, (const char *path, char *resolved), (path, resolved), (void)0)
WRAP(DIR *, NULL, opendir, (const char *path), (path), (void)0)
WRAP(struct dirent *, NULL, readdir, (DIR * folder), (folder), (void)0)
