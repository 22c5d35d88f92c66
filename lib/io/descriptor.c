#define _POSIX_C_SOURCE 200809L
#include "io/descriptor.h"

#include "io/system_error.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Moves the path past a beginning, if it has that. */
static bool skip(const char **path, const char *beginning) {
    size_t length = strlen(beginning);
    bool there = strncmp(*path, beginning, length) == 0;
    *path += there ? length : 0;
    return there;
}

static bool skip_entry(const char **path) {
    size_t length = strcspn(*path, "/");
    *path += length;
    return length > 0;
}

/* Moves the path to N in /proc/PROCESS/fd/N or /proc/PROCESS/task/THREAD/fd/N. */
static bool skip_process(const char **path) {
    if (!skip(path, "/proc/") || !skip_entry(path))
        return false;
    if (skip(path, "/task/") && !skip_entry(path))
        return false;
    return skip(path, "/fd/");
}

bool dd_descriptor_is(const char *path) {
    return dd_descriptor_of(path) >= 0 || skip(&path, "/dev/fd/") ||
           (skip_process(&path) && skip_entry(&path) && *path == '\0');
}

/* Returns a number written in digits alone, or -1. */
static int number_of(const char *text) {
    enum { MOST = 1 << 20 };
    size_t length = strspn(text, "0123456789");
    long number = length > 0 && !text[length] ? strtol(text, NULL, 10) : -1;
    return number <= MOST ? (int)number : -1;
}

int dd_descriptor_of(const char *path) {
    static const char *const streams[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    char own[32];
    for (int i = 0; i < 3; i++)
        if (strcmp(path, streams[i]) == 0)
            return i;
    (void)snprintf(own, sizeof own, "/proc/%ld/", (long)getpid());
    const char *number = path;
    if (skip(&number, "/dev/fd/"))
        return number_of(number);
    bool ours = strncmp(path, own, strlen(own)) == 0 || strncmp(path, "/proc/self/", 11) == 0 ||
                strncmp(path, "/proc/thread-self/", 18) == 0;
    return ours && skip_process(&number) ? number_of(number) : -1;
}

bool dd_descriptor_wait(int file, short events) {
    struct pollfd one = {.fd = file, .events = events};
    int result = 0;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return false;
    DD_UNINTERRUPTED(result, poll(&one, 1, -1));
    return result > 0;
}
