#define _POSIX_C_SOURCE 200809L
#include "io/folder.h"

#include "base/context.h"
#include "base/error.h"
#include "io/file.h"
#include "io/system_error.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

bool dd_folder_is(const char *path) {
    struct stat about;
    int result = 0;
    DD_UNINTERRUPTED(result, stat(path, &about));
    return result == 0 && S_ISDIR(about.st_mode);
}

char *dd_folder_join(ddaebm_context *context, const char *folder, const char *name) {
    size_t before = strlen(folder), after = strlen(name);
    char *path = dd_alloc(context, before + 1 + after + 1);
    if (path)
        (void)snprintf(path, before + 1 + after + 1, "%s/%s", folder, name);
    return path;
}

static bool fits(const char *name, const char *beginning, const char *ending) {
    size_t length = strlen(name), tail = strlen(ending);
    return name[0] != '.' && strncmp(name, beginning, strlen(beginning)) == 0 && length > tail &&
           strcasecmp(name + length - tail, ending) == 0;
}

ddaebm_status dd_names_add(dd_names *names, ddaebm_context *context, const char *name) {
    char **grown =
        dd_grow(context, names->items, &names->capacity, names->count + 1, sizeof *grown);
    if (!grown)
        return DDAEBM_OUT_OF_MEMORY;
    names->items = grown;
    names->items[names->count] = dd_copy_text(context, name);
    if (!names->items[names->count])
        return DDAEBM_OUT_OF_MEMORY;
    names->count++;
    return DDAEBM_OK;
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static ddaebm_status cannot_read(const char *path, int error) {
    char text[128];
    return dd_fail(DDAEBM_IO, "cannot read the folder %.250s: %s", path,
                   strerror_r(error, text, sizeof text) == 0 ? text : "unknown error");
}

ddaebm_status dd_folder_list(dd_names *out, ddaebm_context *context, const char *path,
                             const char *beginning, const char *ending) {
    dd_names names = {NULL, 0, 0};
    ddaebm_status status = DDAEBM_OK;
    DIR *folder = opendir(path);
    if (!folder)
        return cannot_read(path, errno);

    errno = 0;
    for (struct dirent *entry; (entry = readdir(folder)); errno = 0)
        if (fits(entry->d_name, beginning, ending))
            DD_TRY(dd_names_add(&names, context, entry->d_name));

    if (errno != 0)
        DD_TRY(cannot_read(path, errno));
    if (names.count > 0)
        qsort(names.items, names.count, sizeof *names.items, compare);
    *out = names;
    names = (dd_names){NULL, 0, 0};
cleanup:
    (void)closedir(folder);
    dd_names_free(&names, context);
    return status;
}

void dd_names_free(dd_names *names, ddaebm_context *context) {
    for (size_t i = 0; i < names->count; i++)
        dd_free(context, names->items[i]);
    dd_free(context, names->items);
    *names = (dd_names){NULL, 0, 0};
}

/* Fails for a symbolic link that cannot be followed, and tells where it leads. */
static ddaebm_status refuse_link(const char *path, const char *target, int error) {
    if (error == ELOOP)
        return dd_fail(
            DDAEBM_IO,
            "cannot open %.250s: it is a link to %.250s, and leads back to itself; remove it", path,
            target);
    return dd_fail(DDAEBM_IO,
                   "cannot open %.250s: it is a link to %.250s, which is not there; remove it, or "
                   "put it there",
                   path, target);
}

ddaebm_status dd_folder_read_file(ddaebm_context *context, const char *path, void **data,
                                  size_t *size) {
    char target[256];
    struct stat about;
    int result = 0;
    ddaebm_status status = dd_file_read_plain(
        context, path, dd_context_most(context, DDAEBM_LIMIT_FILE_BYTES), data, size);
    if (status == DDAEBM_OK || status == DDAEBM_OUT_OF_MEMORY)
        return status;

    DD_UNINTERRUPTED(result, stat(path, &about));
    const int error = result == 0 ? 0 : errno;
    const ssize_t length = error == ENOENT || error == ENOTDIR || error == ELOOP
                               ? readlink(path, target, sizeof target - 1)
                               : -1;

    if (length >= 0) {
        target[length] = '\0';
        return refuse_link(path, target, error);
    }

    return status == DDAEBM_NOT_FOUND
               ? dd_fail(DDAEBM_IO,
                         "cannot open %.250s: it was removed after its folder was listed", path)
               : status;
}
