#define _POSIX_C_SOURCE 200809L
#define _XOPEN_SOURCE 700 /* realpath */
#include "samefile.h"

#include "console.h"
#include "inputs.h"
#include "outputs.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

/* ---- The identity of a file. ---- */

/* Identifies an existing file by its device and inode, and a new one by those of its folder and its
 * name. */
typedef struct identity {
    /* ID_NONE: a device, a pipe, or a path that cannot be examined. */
    enum { ID_NONE, ID_FILE, ID_FOLDER, ID_NEW } kind;
    dev_t device;
    ino_t number;
    char name[NAME_MAX + 1];
} identity;

/* Splits a path: copies its folder, and returns the name in it, a part of `path`. */
static const char *split(char folder[PATH_MAX], const char *path) {
    const char *slash = strrchr(path, '/');
    size_t length = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
    memcpy(folder, slash ? path : ".", slash ? length : 2);
    if (slash)
        folder[length] = '\0';
    return slash ? slash + 1 : path;
}

/* Replaces the path of a symbolic link by its target. Returns false if it is no link, or if the
 * target is too long. */
static bool follow(char path[PATH_MAX]) {
    char target[PATH_MAX], joined[2 * PATH_MAX], folder[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0)
        return false;
    target[length] = '\0';

    (void)split(folder, path);
    int written = target[0] == '/' ? snprintf(joined, sizeof joined, "%s", target)
                                   : snprintf(joined, sizeof joined, "%s/%s", folder, target);
    if (written < 0 || written >= PATH_MAX)
        return false;
    memcpy(path, joined, (size_t)written + 1);
    return true;
}

/* Identifies a path at which nothing exists, or a link to such a path. */
static identity identify_new(const char *path) {
    enum { MOST_LINKS = 40 };
    identity found = {.kind = ID_NONE};
    char end[PATH_MAX], folder[PATH_MAX];
    struct stat about;
    if (strlen(path) >= sizeof end)
        return found;
    memcpy(end, path, strlen(path) + 1);
    for (int links = 0; links < MOST_LINKS && follow(end);)
        links++;

    const char *name = split(folder, end);
    if (stat(folder, &about) != 0 || strlen(name) >= sizeof found.name)
        return found;
    found.kind = ID_NEW;
    found.device = about.st_dev;
    found.number = about.st_ino;
    memcpy(found.name, name, strlen(name) + 1);
    return found;
}

static identity identify(const char *path) {
    identity found = {.kind = ID_NONE};
    struct stat about;
    if (stat(path, &about) != 0)
        return errno == ENOENT ? identify_new(path) : found;
    if (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode)) {
        found.kind = S_ISREG(about.st_mode) ? ID_FILE : ID_FOLDER;
        found.device = about.st_dev;
        found.number = about.st_ino;
    }
    return found;
}

static bool is_same(const identity *a, const identity *b) {
    return a->kind != ID_NONE && a->kind == b->kind && a->device == b->device &&
           a->number == b->number && strcmp(a->name, b->name) == 0;
}

bool same_file(const char *a, const char *b) {
    identity first = identify(a), second = identify(b);
    return is_same(&first, &second);
}

/* ---- Images among images. ---- */

static bool is_image_name(const char *path) {
    return has_ending(path, ".png") || has_ending(path, ".jpg") || has_ending(path, ".jpeg") ||
           has_ending(path, ".bin");
}

/* The file that a walk through a folder looks for: nftw passes no argument to its function. */
static struct {
    dev_t device;
    ino_t number;
    bool below;
} wanted;

static int compare_entry(const char *path, const struct stat *about, int type, struct FTW *place) {
    bool here = wanted.below || place->level == 1;
    return type == FTW_F && here && is_image_name(path) && about->st_dev == wanted.device &&
           about->st_ino == wanted.number;
}

/* Returns whether an existing file has a name in the folder as well, by a hard link. */
static bool has_name_in(const identity *file, const char *folder, bool below) {
    enum { MOST_OPEN = 16 };
    wanted.device = file->device;
    wanted.number = file->number;
    wanted.below = below;
    return file->kind == ID_FILE && nftw(folder, compare_entry, MOST_OPEN, 0) == 1;
}

bool is_image_in(const char *path, const char *folder, bool below) {
    identity images = identify(folder), file = identify(path);
    char named[PATH_MAX], real[PATH_MAX];
    if (images.kind != ID_FOLDER || strlen(path) >= sizeof named)
        return false;
    if (!is_image_name(path))
        return has_name_in(&file, folder, below);

    (void)split(named, path);
    if (!realpath(named, real))
        return false;
    for (;;) {
        identity here = identify(real);
        if (is_same(&here, &images))
            return true;
        char *slash = strrchr(real, '/');
        if (!below || !slash || slash[1] == '\0')
            return has_name_in(&file, folder, below);
        slash[slash == real ? 1 : 0] = '\0';
    }
}

/* ---- The options of a command. ---- */

/* Options that name files that are read; an option of another name whose value is a file is one
 * that is written. */
static const char *const inputs[] = {"data",   "model",     "resume",  "config", "mask",
                                     "normal", "anomalous", "sampled", "table"};
enum { INPUTS = sizeof inputs / sizeof *inputs, MOST_FILES = 16 };

typedef struct named_file {
    const char *option, *path;
    identity id;
} named_file;

static bool is_input(const char *option) {
    for (size_t i = 0; i < INPUTS; i++)
        if (strcmp(option, inputs[i]) == 0)
            return true;
    return false;
}

/* Returns the path that an option gives, or NULL: by what the help calls its value. */
static const char *path_of(const option_row *row, const char *stream) {
    bool file =
        row->kind == KIND_TEXT &&
        (strstr(row->value, "FILE") || strstr(row->value, "PATH") || strstr(row->value, "MODEL"));
    const char *path = file ? *row->target.text : NULL;
    if (!path || (strcmp(row->name, "data") == 0 && is_named_set(path)))
        return NULL;
    return strcmp(path, "-") == 0 ? stream : path;
}

/* Lists the files that options give: those read, or those written. Returns their number. */
static size_t list_files(named_file *files, const option_row *rows, size_t count, bool read) {
    size_t found = 0;
    for (size_t i = 0; i < count && found < MOST_FILES; i++) {
        const char *path = path_of(&rows[i], read ? "/dev/stdin" : "/dev/stdout");
        if (path && is_input(rows[i].name) == read)
            files[found++] = (named_file){rows[i].name, path, identify(path)};
    }
    return found;
}

static const option_row *find_row(const option_row *rows, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

/* Refuses an output that is also an input. */
static int check_input(const command *self, const named_file *written, const named_file *source,
                       bool below) {
    if (strcmp(written->option, "checkpoint") == 0 && strcmp(source->option, "resume") == 0)
        return 0; /* replaces itself */
    if (is_same(&written->id, &source->id))
        return misuse(self->name,
                      "--%s would write over the file of --%s, %.250s; give --%s another name",
                      written->option, source->option, source->path, written->option);
    if (strcmp(source->option, "data") == 0 && is_image_in(written->path, source->path, below))
        return misuse(self->name,
                      "--%s %.200s would be one of the images of --data; give it another folder",
                      written->option, written->path);
    return 0;
}

int check_files(const command *self, const option_row *rows, size_t count) {
    named_file read[MOST_FILES], written[MOST_FILES];
    size_t reads = list_files(read, rows, count, true),
           writes = list_files(written, rows, count, false);
    const option_row *recursive = find_row(rows, count, "recursive");
    bool below = recursive && *recursive->target.flag;

    for (size_t i = 0; i < writes; i++) {
        for (size_t j = 0; j < reads; j++) {
            int code = check_input(self, &written[i], &read[j], below);
            if (code != 0)
                return code;
        }
        for (size_t j = 0; j < i; j++)
            if (!is_descriptor(written[i].path) && is_same(&written[i].id, &written[j].id))
                return misuse(
                    self->name,
                    "--%s and --%s are the same file, %.250s; give one of them another name",
                    written[i].option, written[j].option, written[i].path);
    }
    return 0;
}
