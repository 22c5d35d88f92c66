#define _POSIX_C_SOURCE 200809L
#include "io/image_walk.h"

#include "base/context.h"
#include "base/error.h"
#include "io/image_file.h"
#include "io/system_error.h"
#include "io/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum {
    MOST_COUNTED = 100000,
    MOST_SHOWN = 6
}; /* limit on the entries below that are counted; endings listed in a line */

/* Identity of a folder, whichever path leads to it. */
typedef struct place {
    dev_t device;
    ino_t file;
} place;

typedef struct walking {
    dd_image_walk walk;
    ddaebm_context *context;
    const char *path;
    bool recursive;
    dd_names folders; /* paths relative to `path`, in the order of the walk; "" is the first */
    place *visited;
    size_t visited_count, visited_capacity;
    bool through_link; /* some folder was reached by a link, so others may be met twice */
    size_t entries;    /* entries below that were counted, where images are only counted */
} walking;

/* ---- Names. ---- */

static bool ends_in(const char *name, const char *ending) {
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcasecmp(name + length - tail, ending) == 0;
}

static bool is_batch(const char *name) {
    static const char beginning[] = "data_batch_";
    return strncmp(name, beginning, sizeof beginning - 1) == 0 && ends_in(name, ".bin");
}

/* Counts a file that is passed over, by its ending. */
static void count_ending(dd_image_walk *walk, const char *name) {
    char ending[DD_ENDING_ROOM] = "";
    const char *point = strrchr(name, '.');
    const bool too_long = point && strlen(point) >= sizeof ending;
    if (point && !too_long)
        for (size_t i = 0; point[i]; i++)
            ending[i] = dd_text_lower(point[i]);

    size_t at = 0;
    walk->passed++;
    while (at < walk->kinds && strcmp(walk->endings[at].ending, ending) != 0)
        at++;
    if (at == DD_MOST_ENDINGS || too_long)
        return;
    if (at == walk->kinds)
        memcpy(walk->endings[walk->kinds++].ending, ending, sizeof ending);
    walk->endings[at].files++;
}

static size_t length_of_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

/* Compares texts that end at these lengths. */
static int compare_parts(const char *a, size_t a_length, const char *b, size_t b_length) {
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

/* Orders images by the uppermost folder, then by folder, then by name. */
static int compare_images(const void *left, const void *right) {
    const char *a = *(char *const *)left, *b = *(char *const *)right;
    size_t a_folder = length_of_folder(a), b_folder = length_of_folder(b);
    int order = compare_parts(a, a_folder ? strcspn(a, "/") : 0, b, b_folder ? strcspn(b, "/") : 0);
    if (order == 0)
        order = compare_parts(a, a_folder, b, b_folder);
    return order != 0 ? order : strcmp(a + a_folder, b + b_folder);
}

/* ---- Folders. ---- */

/* Returns the path of a name in the folder of the walk, or the folder itself for "". */
static char *join(ddaebm_context *context, const char *folder, const char *name) {
    if (*folder && *name)
        return dd_folder_join(context, folder, name);
    return dd_copy_text(context, *folder ? folder : name);
}

/* Sets *first to whether the folder is met for the first time. */
static ddaebm_status note_visit(bool *first, walking *w, const struct stat *about) {
    *first = true;
    for (size_t i = 0; w->through_link && i < w->visited_count; i++)
        if (w->visited[i].device == about->st_dev && w->visited[i].file == about->st_ino)
            *first = false;
    if (!*first)
        return DDAEBM_OK;

    place *grown =
        dd_grow(w->context, w->visited, &w->visited_capacity, w->visited_count + 1, sizeof *grown);
    if (!grown)
        return DDAEBM_OUT_OF_MEMORY;

    w->visited = grown;
    w->visited[w->visited_count++] = (place){about->st_dev, about->st_ino};
    return DDAEBM_OK;
}

/* Notes the folders that contain `path`: a link back to one of them is not a folder below. */
static ddaebm_status note_those_above(walking *w) {
    struct stat about, above;
    int result = 0;
    DD_UNINTERRUPTED(result, stat(w->path, &about));
    char *path = dd_folder_join(w->context, w->path, "..");
    ddaebm_status status = path ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;

    while (result == 0 && status == DDAEBM_OK) {
        bool first = true;
        DD_UNINTERRUPTED(result, stat(path, &above));
        if (result != 0 || (above.st_dev == about.st_dev && above.st_ino == about.st_ino))
            break; /* the root is its own parent */
        status = note_visit(&first, w, &above);
        about = above;
        char *higher = status == DDAEBM_OK ? dd_folder_join(w->context, path, "..") : NULL;
        if (status == DDAEBM_OK && !higher)
            status = DDAEBM_OUT_OF_MEMORY;
        dd_free(w->context, path);
        path = higher;
    }

    dd_free(w->context, path);
    return status;
}

static bool is_link(const char *path) {
    struct stat about;
    int result = 0;
    DD_UNINTERRUPTED(result, lstat(path, &about));
    return result == 0 && S_ISLNK(about.st_mode);
}

/* Adds a folder that is walked later. */
static ddaebm_status add_folder(walking *w, const char *inside, const char *whole) {
    w->through_link = w->through_link || is_link(whole);
    return dd_names_add(&w->folders, w->context, inside);
}

static ddaebm_status refuse_folder(const char *whole) {
    return dd_fail(DDAEBM_IO,
                   "%.250s is a folder, and is named as an image is; rename it, or read what is in "
                   "it with --recursive",
                   whole);
}

/* Adds an entry that is not a folder: an image, a batch of CIFAR-10, or a file that is passed over.
 * One that cannot be examined fails when it is read. */
static ddaebm_status add_file(walking *w, const char *folder, const char *name, const char *inside,
                              size_t *images) {
    dd_image_walk *walk = &w->walk;
    const bool below = *folder != '\0';
    if (dd_image_file_is_named(name)) {
        ++*images;
        return below && !w->recursive ? DDAEBM_OK : dd_names_add(&walk->images, w->context, inside);
    }
    if (!below && is_batch(name))
        return dd_names_add(&walk->batches, w->context, inside);
    if (!below || w->recursive)
        count_ending(walk, name);
    return DDAEBM_OK;
}

/* Adds an entry of a folder, by what it is. */
static ddaebm_status add_entry(walking *w, const char *folder, const char *name, size_t *images) {
    char *inside = join(w->context, folder, name),
         *whole = inside ? join(w->context, w->path, inside) : NULL;
    struct stat about;
    int result = -1;
    ddaebm_status status = whole ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    if (whole)
        DD_UNINTERRUPTED(result, stat(whole, &about));

    const bool is_folder = result == 0 && S_ISDIR(about.st_mode);
    const bool is_lost =
        whole && result != 0 && !dd_image_file_is_named(name) && !is_batch(name) && is_link(whole);
    if (is_lost)
        w->walk.lost++;
    else if (status == DDAEBM_OK && is_folder && dd_image_file_is_named(name) && !*folder &&
             !w->recursive)
        status = refuse_folder(whole);
    else if (status == DDAEBM_OK)
        status =
            is_folder ? add_folder(w, inside, whole) : add_file(w, folder, name, inside, images);
    dd_free(w->context, whole);
    dd_free(w->context, inside);
    return status;
}

/* Lists a folder. Where images are only counted, a folder that cannot be read is empty. */
static ddaebm_status list(dd_names *out, walking *w, const char *folder, const char *whole) {
    ddaebm_status status = dd_folder_list(out, w->context, whole, "", "");
    return status == DDAEBM_IO && *folder && !w->recursive ? DDAEBM_OK : status;
}

/* Adds the entries of a folder, unless it was walked before. */
static ddaebm_status walk_folder(walking *w, const char *folder) {
    dd_names names = {NULL, 0, 0};
    char *whole = join(w->context, w->path, folder);
    struct stat about;
    bool first = true;
    size_t images = 0;
    int result = 0;
    ddaebm_status status;
    DD_TRY(whole ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY);
    DD_UNINTERRUPTED(result, stat(whole, &about));
    if (result == 0)
        DD_TRY(note_visit(&first, w, &about));

    if (first)
        DD_TRY(list(&names, w, folder, whole));
    w->walk.repeated += !first;
    w->entries += *folder ? names.count : 0;

    for (size_t i = 0; i < names.count; i++)
        DD_TRY(add_entry(w, folder, names.items[i], &images));
    if (*folder && !w->recursive && images > 0) {
        w->walk.images_below += images;
        w->walk.folders_below++;
    }
cleanup:
    dd_names_free(&names, w->context);
    dd_free(w->context, whole);
    return status;
}

ddaebm_status dd_image_walk_folder(dd_image_walk *out, ddaebm_context *context, const char *path,
                                   bool recursive) {
    walking w = {
        .walk = {.counted_all = true}, .context = context, .path = path, .recursive = recursive};
    ddaebm_status status;
    DD_TRY(note_those_above(&w));
    DD_TRY(dd_names_add(&w.folders, context, ""));

    for (size_t i = 0; i < w.folders.count; i++) {
        w.walk.counted_all = recursive || w.entries < MOST_COUNTED;
        if (!w.walk.counted_all)
            break;
        DD_TRY(walk_folder(&w, w.folders.items[i]));
    }

    if (w.walk.images.count > 0)
        qsort(w.walk.images.items, w.walk.images.count, sizeof *w.walk.images.items,
              compare_images);
    *out = w.walk;
    w.walk = (dd_image_walk){.passed = 0};
cleanup:
    dd_image_walk_free(&w.walk, context);
    dd_names_free(&w.folders, context);
    dd_free(context, w.visited);
    return status;
}

void dd_image_walk_free(dd_image_walk *walk, ddaebm_context *context) {
    dd_names_free(&walk->images, context);
    dd_names_free(&walk->batches, context);
}

/* ---- What was passed over. ---- */

static int compare_counts(const void *left, const void *right) {
    const dd_ending_count *a = left, *b = right;
    return a->files != b->files ? (a->files < b->files) - (a->files > b->files)
                                : strcmp(a->ending, b->ending);
}

/* Writes the endings with their counts: "9 .txt, 3 .bmp, 1 without an ending and 4 others". */
static size_t describe_endings(char *out, size_t room, const dd_image_walk *walk) {
    dd_ending_count sorted[DD_MOST_ENDINGS];
    size_t used = 0, shown = 0;
    memcpy(sorted, walk->endings, sizeof sorted);
    qsort(sorted, walk->kinds, sizeof *sorted, compare_counts);

    for (size_t i = 0; i < walk->kinds && i < MOST_SHOWN; i++) {
        const char *ending = *sorted[i].ending ? sorted[i].ending : "without an ending";
        used += (size_t)snprintf(out + used, room - used, "%s%zu %s", i > 0 ? ", " : "",
                                 sorted[i].files, ending);
        shown += sorted[i].files;
    }

    if (shown < walk->passed)
        used += (size_t)snprintf(out + used, room - used, " and %zu others", walk->passed - shown);
    return used;
}

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

const char *dd_image_walk_describe(char out[DD_WALK_ROOM], const dd_image_walk *walk) {
    size_t used = 0;
    *out = '\0';
    if (walk->passed > 0) {
        used +=
            (size_t)snprintf(out, DD_WALK_ROOM, "%zu file%s that %s not " DD_IMAGE_FORMATS " (",
                             walk->passed, plural(walk->passed), walk->passed == 1 ? "is" : "are");
        used += describe_endings(out + used, DD_WALK_ROOM - used, walk);
        used += (size_t)snprintf(out + used, DD_WALK_ROOM - used, ")");
    }

    if (walk->images_below > 0)
        used += (size_t)snprintf(out + used, DD_WALK_ROOM - used,
                                 "%s%s%zu image%s in %zu folder%s below, which --recursive reads",
                                 used > 0 ? "; " : "", walk->counted_all ? "" : "at least ",
                                 walk->images_below, plural(walk->images_below),
                                 walk->folders_below, plural(walk->folders_below));

    if (walk->lost > 0)
        used += (size_t)snprintf(out + used, DD_WALK_ROOM - used,
                                 "%s%zu link%s that lead%s nowhere", used > 0 ? "; " : "",
                                 walk->lost, plural(walk->lost), walk->lost == 1 ? "s" : "");

    if (walk->repeated > 0 && walk->images_below == 0)
        (void)snprintf(out + used, DD_WALK_ROOM - used,
                       "%s%zu link%s back to a folder that is read anyway, or above",
                       used > 0 ? "; " : "", walk->repeated, plural(walk->repeated));
    return out;
}
