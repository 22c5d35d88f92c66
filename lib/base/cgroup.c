#define _POSIX_C_SOURCE 200809L /* O_CLOEXEC */
#include "base/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, LINE_BYTES = 8192 };

/* --- Reading the kernel's files line by line, without allocating. --- */

typedef struct lines {
    int file;
    size_t begin, end; /* of the bytes that are read but not yet returned */
    char text[LINE_BYTES];
} lines;

static int open_file(const char *root, const char *path) {
    char whole[2 * PATH_BYTES];
    int length = snprintf(whole, sizeof whole, "%s%s", root, path);
    return length > 0 && (size_t)length < sizeof whole ? open(whole, O_RDONLY | O_CLOEXEC) : -1;
}

/* Moves the remaining bytes to the front and reads more; false at the end of the file. */
static bool read_more(lines *from) {
    memmove(from->text, from->text + from->begin, from->end - from->begin);
    from->end -= from->begin;
    from->begin = 0;
    if (from->end == LINE_BYTES) /* drops a line that is too long for any that matters */
        from->end = 0;
    ssize_t got;
    do
        got = read(from->file, from->text + from->end, LINE_BYTES - from->end);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        from->end += (size_t)got;
    return got > 0;
}

/* Returns the next line without its newline; NULL after the last. */
static char *next_line(lines *from) {
    for (;;) {
        char *begin = from->text + from->begin,
             *stop = memchr(begin, '\n', from->end - from->begin);
        if (stop) {
            *stop = '\0';
            from->begin = (size_t)(stop - from->text) + 1;
            return begin;
        }
        if (!read_more(from))
            return NULL;
    }
}

/* Reads the first line of a small file; false if there is none or it does not fit. */
static bool read_line(const char *root, const char *path, char *out, size_t capacity) {
    lines from = {.file = open_file(root, path)};
    if (from.file < 0)
        return false;
    const char *line = next_line(&from);
    bool fits = line && strlen(line) < capacity;
    if (fits)
        memcpy(out, line, strlen(line) + 1);
    close(from.file);
    return fits;
}

/* --- Finding the process's group. --- */

typedef enum version { V1, V2 } version;

/* Returns whether a list "a,b,c" has a word. */
static bool lists(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

/* Finds the path of the process's group in lines "number:controllers:path"; version 2 has number 0
 * and no controllers. */
static bool find_group(const char *root, version v, char *out) {
    lines from = {.file = open_file(root, "/proc/self/cgroup")};
    bool found = false;
    if (from.file < 0)
        return false;

    for (char *line; !found && (line = next_line(&from)) != NULL;) {
        char *controllers = strchr(line, ':'),
             *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        controllers++;
        found = (v == V2 ? strncmp(line, "0:", 2) == 0 && *controllers == '\0'
                         : lists(controllers, "cpu")) &&
                *path == '/' && strlen(path) < PATH_BYTES;
        if (found)
            memcpy(out, path, strlen(path) + 1);
    }

    close(from.file);
    return found;
}

static bool is_octal(const char *text) {
    for (int i = 0; i < 3; i++)
        if (text[i] < '0' || text[i] > '7')
            return false;
    return true;
}

/* Replaces escapes such as \040, a blank, by their characters. */
static void unescape(char *text) {
    char *to = text;
    for (const char *at = text; *at; to++)
        if (*at == '\\' && is_octal(at + 1)) {
            *to = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
            at += 4;
        } else
            *to = *at++;
    *to = '\0';
}

/* A mounted hierarchy: its mount point, and the group at its top. */
typedef struct mount {
    char point[PATH_BYTES], top[PATH_BYTES];
} mount;

/* Reads a line "id parent device top point options [more]... - type source options". */
static bool parse_mount(char *line, version v, mount *out) {
    enum { TOP = 3, POINT = 4, FIELDS = 5 };
    char *fields[FIELDS], *rest = NULL, *end = strstr(line, " - ");
    if (!end)
        return false;

    *end = '\0';
    for (int i = 0; i < FIELDS; i++)
        if (!(fields[i] = strtok_r(i == 0 ? line : NULL, " ", &rest)))
            return false;

    char *type = strtok_r(end + 3, " ", &rest), *options = NULL;
    if (!type || strcmp(type, v == V2 ? "cgroup2" : "cgroup") != 0)
        return false;
    (void)strtok_r(NULL, " ", &rest);
    options = strtok_r(NULL, " ", &rest);
    if (v == V1 && !(options && lists(options, "cpu")))
        return false;

    unescape(fields[TOP]);
    unescape(fields[POINT]);
    if (strlen(fields[TOP]) >= PATH_BYTES || strlen(fields[POINT]) >= PATH_BYTES)
        return false;

    memcpy(out->top, fields[TOP], strlen(fields[TOP]) + 1);
    memcpy(out->point, fields[POINT], strlen(fields[POINT]) + 1);
    return true;
}

/* Finds where the hierarchy of that version is mounted. */
static bool find_mount(const char *root, version v, mount *out) {
    lines from = {.file = open_file(root, "/proc/self/mountinfo")};
    bool found = false;
    if (from.file < 0)
        return false;
    for (char *line; !found && (line = next_line(&from)) != NULL;)
        found = parse_mount(line, v, out);
    close(from.file);
    return found;
}

/* --- Quotas. --- */

/* Returns quota / period; 0 if either is not a positive number. */
static double ratio(const char *quota, const char *period) {
    char *quota_end = NULL, *period_end = NULL;
    double allowed = strtod(quota, &quota_end), of = strtod(period, &period_end);
    return quota_end != quota && period_end != period && allowed > 0 && of > 0 ? allowed / of : 0;
}

/* Returns the quota of one group; 0 if it has none, that is "max 100000" or -1. */
static double quota_at(const char *root, const char *folder, version v) {
    char path[2 * PATH_BYTES + 32], quota[64], period[64];
    (void)snprintf(path, sizeof path, "%s/%s", folder, v == V2 ? "cpu.max" : "cpu.cfs_quota_us");
    if (!read_line(root, path, quota, sizeof quota))
        return 0;
    if (v == V2) {
        const char *blank = strchr(quota, ' ');
        return blank ? ratio(quota, blank) : 0;
    }
    (void)snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    return read_line(root, path, period, sizeof period) ? ratio(quota, period) : 0;
}

/* Returns the group's path below the top of the mount: "" where the group is outside what is
 * mounted, as a container may see it. */
static const char *path_below(const char *group, const char *top) {
    size_t length = strcmp(top, "/") == 0 ? 0 : strlen(top);
    bool inside =
        strncmp(group, top, length) == 0 && (group[length] == '/' || group[length] == '\0');
    return inside && strncmp(group + length, "/..", 3) != 0 && strcmp(group + length, "/") != 0
               ? group + length
               : "";
}

static double least_quota(double a, double b) {
    return a == 0 ? b : b == 0 ? a : a < b ? a : b;
}

/* Returns the smallest quota on the way from the process's group to the top of the mount. */
static double quota_of(const char *root, version v) {
    char group[PATH_BYTES], folder[2 * PATH_BYTES];
    mount at;
    if (!find_group(root, v, group) || !find_mount(root, v, &at))
        return 0;

    size_t top = strlen(at.point);
    (void)snprintf(folder, sizeof folder, "%s%s", at.point, path_below(group, at.top));
    double least = 0;
    for (;;) {
        least = least_quota(least, quota_at(root, folder, v));
        char *last = strrchr(folder + top, '/');
        if (!last)
            return least;
        *last = '\0';
    }
}

double dd_cgroup_quota(const char *root) {
    return least_quota(quota_of(root, V1), quota_of(root, V2));
}
