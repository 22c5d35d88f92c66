#define _POSIX_C_SOURCE 200809L
#include "outputs.h"

#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_ROOM = 4096 };

bool has_ending(const char *path, const char *ending) {
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcasecmp(path + length - tail, ending) == 0;
}

/* Checks that a file can be created in the folder. */
static int check_folder(const char *path, const char *folder) {
    struct stat about;
    if (stat(folder, &about) != 0 && errno == ENOENT)
        return fail("cannot write %.250s: there is no folder %.250s; create it first", path,
                    folder);
    if (stat(folder, &about) != 0)
        return fail("cannot write %.250s: %s", path, strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return fail("cannot write %.250s: %.250s is not a folder; choose another place", path,
                    folder);
    if (access(folder, W_OK | X_OK) != 0)
        return fail("cannot write %.250s: %s; choose a place that this user may write to", path,
                    strerror(errno));
    return 0;
}

/* Folders of such names are no place for files. */
bool is_descriptor(const char *path) {
    return strncmp(path, "/dev/std", 8) == 0 || strncmp(path, "/dev/fd/", 8) == 0 ||
           strncmp(path, "/proc/", 6) == 0;
}

int check_output(const char *path) {
    struct stat about;
    char folder[FOLDER_ROOM] = ".";
    bool exists = stat(path, &about) == 0;
    if (exists && S_ISDIR(about.st_mode))
        return fail("cannot write %.250s: it is a folder; give the name of a file in it", path);
    if (!exists && !is_descriptor(path) && lstat(path, &about) == 0)
        return fail("cannot write %.250s: it is a symbolic link to what is not there; remove it or "
                    "create its target",
                    path);
    if (exists && (!S_ISREG(about.st_mode) || is_descriptor(path))) /* written in place */
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

const char *output_path(const char *path) {
    return path && strcmp(path, "-") == 0 ? "/dev/stdout" : path;
}

int check_not_terminal(const char *path, const command *self) {
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISCHR(about.st_mode))
        return 0;
    int descriptor = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
    bool terminal = descriptor >= 0 && isatty(descriptor);
    if (descriptor >= 0)
        (void)close(descriptor);
    return terminal
               ? misuse(
                     self->name,
                     "--out is a terminal, and this is no text; give the name of a file, or a pipe")
               : 0;
}

/* ---- Formats. ---- */

static const char *const endings[] = {[FORMAT_NPY] = ".npy",
                                      [FORMAT_CSV] = ".csv",
                                      [FORMAT_CSV_GZIP] = ".csv.gz",
                                      [FORMAT_PNG] = ".png",
                                      [FORMAT_WAV] = ".wav"};

/* Returns whether the user chose the name: devices and pipes have theirs from the system. */
static bool has_own_name(const char *path) {
    struct stat about;
    return !is_descriptor(path) && (stat(path, &about) != 0 || S_ISREG(about.st_mode));
}

/* Returns the format that a path implies, FORMAT_AUTO for none. */
static file_format format_of(const char *path) {
    if (strcmp(path, "-") == 0)
        return FORMAT_CSV;
    for (file_format format = FORMAT_NPY; format <= FORMAT_WAV; format++)
        if (has_ending(path, endings[format]))
            return format;
    return has_own_name(path) ? FORMAT_AUTO : FORMAT_NPY;
}

int check_png_output(const char *path, const command *self) {
    int code = check_output(path);
    if (code == 0)
        code = check_not_terminal(path, self);
    if (code != 0)
        return code;
    return has_own_name(path) && !has_ending(path, ".png")
               ? misuse(self->name, "--out is '%.250s'; allowed: a name that ends in .png", path)
               : 0;
}

int find_output(output *to, const output_options *asked, int writes, const command *self) {
    file_format format =
        asked->format != FORMAT_AUTO ? (file_format)asked->format : format_of(asked->out);
    const char *path = output_path(asked->out);
    const char *list = writes & WRITES_SIGNALS  ? ".npy, .csv, .csv.gz, .png or .wav"
                       : writes & WRITES_IMAGES ? ".npy, .csv, .csv.gz or .png"
                                                : ".npy, .csv or .csv.gz";
    int code = check_output(path);
    if (code == 0 && format != FORMAT_CSV)
        code = check_not_terminal(path, self);
    if (code != 0)
        return code;

    if (format == FORMAT_WAV && !(writes & WRITES_SIGNALS))
        return misuse(self->name,
                      "--out is '%.250s', and %s writes no sound; allowed: a name that ends in %s",
                      asked->out, self->name, list);
    if (format == FORMAT_PNG && !(writes & WRITES_IMAGES))
        return misuse(
            self->name,
            "--out is '%.250s', and %s writes numbers, not images; allowed: a name that ends in %s",
            asked->out, self->name, list);
    if (format == FORMAT_AUTO)
        return misuse(self->name,
                      "--out is '%.250s'; allowed: a name that ends in %s, or --format beside it",
                      asked->out, list);
    *to = (output){path, format};
    return 0;
}
