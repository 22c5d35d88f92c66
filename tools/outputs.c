#define _POSIX_C_SOURCE 200809L
#include "outputs.h"

#include "console.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_ROOM = 4096 };

bool has_ending(const char *path, const char *ending) {
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}

static int check_folder(const char *path, const char *folder) {
    struct stat about;
    if (stat(folder, &about) != 0 && errno == ENOENT)
        return fail("cannot write %.250s: there is no folder %.250s; create it first", path, folder);
    if (stat(folder, &about) != 0)
        return fail("cannot write %.250s: %s", path, strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return fail("cannot write %.250s: %.250s is not a folder; choose another place", path, folder);
    if (access(folder, W_OK | X_OK) != 0)
        return fail("cannot write %.250s: %s; choose a place that this user may write to", path, strerror(errno));
    return 0;
}

int check_output(const char *path) {
    struct stat about;
    char folder[FOLDER_ROOM] = ".";
    bool exists = stat(path, &about) == 0;
    if (exists && S_ISDIR(about.st_mode))
        return fail("cannot write %.250s: it is a folder; give the name of a file in it", path);
    if (exists && !S_ISREG(about.st_mode)) /* a device or a pipe is written where it stands */
        return 0;
    const char *slash = strrchr(path, '/');
    size_t length = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    if (length >= sizeof folder)
        return fail("cannot write %.250s...: the path is too long", path);
    if (length > 0) {
        memcpy(folder, path, length);
        folder[length] = '\0';
    }
    return check_folder(path, folder);
}
