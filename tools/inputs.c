#include "inputs.h"

#include "console.h"
#include "image_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints a line of the log, but not the same line twice in a row: several calls may log it. */
static void print_line(void *user, ddaebm_log_level level, const char *line) {
    static char before[256];
    (void)user;
    if (strncmp(before, line, sizeof before - 1) == 0)
        return;
    (void)snprintf(before, sizeof before, "%s", line);
    complain(level < DDAEBM_LOG_WARNING ? "note: %s" : "warning: %s", line);
}

int open_context(ddaebm_context **out, const compute_options *compute) {
    ddaebm_context *context = NULL;
    int code = 0;
    TRY(checked(ddaebm_context_create(&context, NULL)));
    TRY(checked(ddaebm_context_set_log(context, print_line, NULL, DDAEBM_LOG_INFO)));
    if (compute->threads.given)
        TRY(checked(ddaebm_context_set_threads(context, (int)compute->threads.value)));
    TRY(checked(ddaebm_context_set_deterministic(context, compute->deterministic)));
    *out = context;
    context = NULL;
cleanup:
    ddaebm_context_free(context);
    return code;
}

int hear_warnings_alone(ddaebm_context *context) {
    return checked(ddaebm_context_set_log(context, print_line, NULL, DDAEBM_LOG_WARNING));
}

bool is_named_set(const char *name) {
    for (size_t i = 0; ddaebm_dataset_name(i); i++)
        if (strcmp(name, ddaebm_dataset_name(i)) == 0)
            return true;
    return false;
}

/* Reports a name that is neither a set nor a file. */
static int not_found(const char *name) {
    char known[256] = "";
    if (strchr(name, '/') || strchr(name, '.'))
        return checked(DDAEBM_NOT_FOUND);

    for (size_t i = 0, used = 0; ddaebm_dataset_name(i) && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, " %s", ddaebm_dataset_name(i));
    return fail("there is no data set and no file '%.60s'; give the path of a file or one of:%s",
                name, known);
}

const char *input_path(const char *name) {
    return strcmp(name, "-") == 0 ? "/dev/stdin" : name;
}

static bool asks_anything(const data_options *how) {
    return how->header || how->layout || how->columns || how->drop || how->missing ||
           how->range.given || how->resize.given || how->recursive;
}

/* Converts the command's options to the library's. */
static ddaebm_read_options read_options_of(const data_options *how) {
    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    options.header = (ddaebm_header)how->header;
    options.layout = (ddaebm_layout)how->layout;
    options.columns = how->columns;
    options.drop = how->drop;
    options.missing = how->missing;
    options.black = how->range.low;
    options.white = how->range.high;
    options.resize = (size_t)how->resize.value;
    options.recursive = how->recursive;
    options.noisy = how->noisy;
    return options;
}

/* Opens what the name and the options say, without windows. */
static int open_whole(ddaebm_dataset **out, ddaebm_context *context, const char *name,
                      uint64_t seed, const data_options *how) {
    if (is_named_set(name) && asks_anything(how))
        return fail("%s is a named set; options of reading are for files and folders (./%s is a "
                    "file of that name)",
                    name, name);
    if (is_named_set(name))
        return checked(ddaebm_dataset_create_named(out, context, name, seed));

    if (how->limit.given) {
        int code =
            checked(ddaebm_context_set_limit(context, DDAEBM_LIMIT_FILE_BYTES, how->limit.value));
        if (code != 0)
            return code;
    }
    const ddaebm_read_options options = read_options_of(how);
    ddaebm_status status = ddaebm_dataset_open_with(out, context, input_path(name), &options);
    return status == DDAEBM_NOT_FOUND ? not_found(name) : checked(status);
}

size_t hop_of(const data_options *how) {
    return (size_t)(how->hop.given ? how->hop.value : (how->window.value + 3) / 4);
}

int open_data(ddaebm_dataset **out, ddaebm_context *context, const char *name, uint64_t seed,
              const data_options *how) {
    ddaebm_dataset *series = NULL;
    int code = 0;
    if (how->hop.given && !how->window.given)
        return fail("--hop needs --window");
    if (!how->window.given)
        return open_whole(out, context, name, seed, how);
    TRY(open_whole(&series, context, name, seed, how));
    if (ddaebm_dataset_create_windows(out, series, (size_t)how->window.value, hop_of(how)) !=
        DDAEBM_OK)
        code = fail("%.250s: %s", name, ddaebm_error_message());
cleanup:
    ddaebm_dataset_free(series);
    return code;
}

/* Checks data for a model of images. */
static int check_images(const char *name, const ddaebm_dataset *dataset, image_shape taken) {
    image_shape images = shape_of_data(dataset);
    char remedy[64] = "give the data that the model was trained for";
    bool fits = images.height == taken.height && images.width == taken.width &&
                images.channels == taken.channels;
    size_t width = ddaebm_dataset_width(dataset);
    if (fits || (images.height == 0 && width == taken.height * taken.width * taken.channels))
        return 0;

    if (images.height == 0)
        return fail("%.250s has rows of %zu numbers, the model takes images of %zu x %zu x %zu "
                    "(height, width, channels); give images, "
                    "--resize %zu brings them to that",
                    name, width, taken.height, taken.width, taken.channels, taken.height);
    if (images.channels == taken.channels)
        (void)snprintf(remedy, sizeof remedy, "--resize %zu brings them to that", taken.height);
    return fail("%.250s has images of %zu x %zu x %zu (height, width, channels), the model takes "
                "%zu x %zu x %zu; %s",
                name, images.height, images.width, images.channels, taken.height, taken.width,
                taken.channels, remedy);
}

int check_data_for(const ddaebm_dataset *dataset, const ddaebm_model *model, const char *name) {
    image_shape taken = shape_of_model(model);
    size_t width = ddaebm_dataset_width(dataset), wanted = ddaebm_model_width(model);
    int code = taken.height > 0 ? check_images(name, dataset, taken) : 0;
    if (code != 0)
        return code;

    if (width != wanted && shape_of_data(dataset).height > 0)
        return fail("%.250s has images of %zu numbers, the model takes rows of %zu; give the data "
                    "that the model was trained for",
                    name, width, wanted);
    if (width != wanted)
        return fail("%.250s has rows of %zu numbers, the model takes %zu; give the data that the "
                    "model was trained for, or choose its "
                    "columns with --columns or --drop, or windows of a series with --window",
                    name, width, wanted);
    return ddaebm_model_check_data(model, dataset) == DDAEBM_OK
               ? 0
               : fail("%.250s: %s", name, ddaebm_error_message());
}

int open_data_for(ddaebm_dataset **out, ddaebm_context *context, const ddaebm_model *model,
                  const char *name, uint64_t seed, const data_options *how) {
    ddaebm_dataset *dataset = NULL;
    int code = 0;
    TRY(open_data(&dataset, context, name, seed, how));
    TRY(check_data_for(dataset, model, name));
    *out = dataset;
    dataset = NULL;
cleanup:
    ddaebm_dataset_free(dataset);
    return code;
}

int check_plane(const ddaebm_model *model, const char *path) {
    if (ddaebm_model_width(model) == 2)
        return 0;
    return fail("%.250s has rows of %zu numbers; only a model of 2 can be drawn on a plane, use "
                "score for this one",
                path, ddaebm_model_width(model));
}

static int allocate(void *out, uint64_t count, size_t width, size_t size) {
    void *room = count <= SIZE_MAX / size / width ? malloc((size_t)count * width * size) : NULL;
    if (!room)
        return fail("no memory for %" PRIu64 " rows of %zu numbers; ask for fewer", count, width);
    memcpy(out, &room, sizeof room);
    return 0;
}

int make_room(float **out, uint64_t count, size_t width) {
    return allocate(out, count, width, sizeof **out);
}

int make_doubles(double **out, uint64_t count, size_t width) {
    return allocate(out, count, width, sizeof **out);
}

uint64_t count_rows(const ddaebm_dataset *dataset, uint64_t most) {
    uint64_t there = ddaebm_dataset_rows(dataset);
    return there != 0 && there < most ? there : most;
}

uint64_t asked_rows(const ddaebm_dataset *dataset, number count) {
    enum { OF_AN_INFINITE_SET = 10000 };
    uint64_t all = ddaebm_dataset_rows(dataset);
    return count.given ? count_rows(dataset, count.value) : all > 0 ? all : OF_AN_INFINITE_SET;
}

int read_rows(double **rows, size_t *count, const ddaebm_dataset *dataset, uint64_t most) {
    uint64_t wanted = count_rows(dataset, most);
    double *read = NULL;
    int code = 0;
    TRY(make_doubles(&read, wanted, ddaebm_dataset_width(dataset)));
    TRY(checked(ddaebm_dataset_read_double(dataset, 0, (size_t)wanted, read)));
    *rows = read;
    *count = (size_t)wanted;
    read = NULL;
cleanup:
    free(read);
    return code;
}
