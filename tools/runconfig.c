#include "runconfig.h"

#include "console.h"
#include "image_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_ROOM = 256 };

bool config_given(const config_options *options) {
    return options->preset || options->file || options->set.count > 0;
}

/* Applies one --set KEY=VALUE. */
static int set_one(ddaebm_config *config, const char *assignment, const command *self) {
    char key[KEY_ROOM], option[KEY_ROOM];
    const char *equals = strchr(assignment, '=');
    size_t length = equals ? (size_t)(equals - assignment) : 0;
    if (length == 0 || length >= sizeof key)
        return misuse(self->name,
                      "--set is '%.100s'; allowed: KEY=VALUE, for instance training.batch=100",
                      assignment);

    memcpy(key, assignment, length);
    key[length] = '\0';
    (void)snprintf(option, sizeof option, "--set %.100s", assignment);
    return checked_option(ddaebm_config_set(config, key, equals + 1), self->name, option);
}

int config_change(ddaebm_config *config, const config_options *options, const command *self) {
    int code = 0;
    if (options->file)
        code = checked(ddaebm_config_load(config, options->file));
    for (size_t i = 0; code == 0 && i < options->set.count; i++)
        code = set_one(config, options->set.items[i], self);
    return code;
}

enum { SMALLEST_IMAGE = 8 };

/* Refuses images of a shape that image networks do not take, and says which --resize helps. A
 * preset of rows that was named takes any. */
static int check_images(const ddaebm_config *config, const config_options *options,
                        image_shape shape, const char *data) {
    int64_t preset = 0;
    int code = checked(ddaebm_config_integer(config, "data.image_size", &preset));
    if (code != 0 || shape.height == 0 || can_be_trained(shape) || (options->preset && preset == 0))
        return code;
    return fail("%.250s: its images are %zu pixels wide and %zu high; networks of images take "
                "squares of an even side up to 128: "
                "--resize %zu brings them to that (--preset vector takes their numbers as rows)",
                data, shape.width, shape.height, side_to_train(shape));
}

/* Sets the keys of the images' shape. Image networks halve images repeatedly, so they get the next
 * power of two, and smaller images a border; a preset of rows takes images as they are. The library
 * refuses what does not fit. */
static int fit_images(ddaebm_config *config, image_shape shape) {
    int64_t preset = 0, side = (int64_t)shape.height, size = SMALLEST_IMAGE;
    int code = 0;
    TRY(checked(ddaebm_config_integer(config, "data.image_size", &preset)));

    while (size < side)
        size *= 2;
    TRY(checked(ddaebm_config_set_integer(config, "data.image_size", preset > 0 ? size : side)));
    TRY(checked(
        ddaebm_config_set_integer(config, "data.padding", preset > 0 ? (size - side) / 2 : 0)));
    TRY(checked(ddaebm_config_set_integer(config, "data.channels", (int64_t)shape.channels)));
cleanup:
    return code;
}

/* Fits the configuration to the data. The user's changes come after it, so that a size among them
 * takes precedence, even over the data. */
static int fit_data(ddaebm_config *config, const config_options *options,
                    const ddaebm_dataset *dataset, const char *data) {
    image_shape shape = shape_of_data(dataset);
    int code = check_images(config, options, shape, data);
    if (code == 0)
        code = checked(ddaebm_config_set_integer(config, "data.width",
                                                 (int64_t)ddaebm_dataset_width(dataset)));
    return code == 0 && can_be_trained(shape) ? fit_images(config, shape) : code;
}

/* Refuses a named preset of images for rows that are no such images. */
static int check_rows(const ddaebm_config *config, const char *preset,
                      const ddaebm_dataset *dataset) {
    int64_t size = 0, padding = 0, channels = 0;
    int code = 0;
    TRY(checked(ddaebm_config_integer(config, "data.image_size", &size)));
    TRY(checked(ddaebm_config_integer(config, "data.padding", &padding)));
    TRY(checked(ddaebm_config_integer(config, "data.channels", &channels)));

    int64_t side = size - 2 * padding;
    if (size > 0 && shape_of_data(dataset).height == 0 &&
        ddaebm_dataset_width(dataset) != (uint64_t)(side * side * channels))
        code = fail("preset %.60s is for images, the data has rows of %zu numbers; leave --preset "
                    "out or name another",
                    preset, ddaebm_dataset_width(dataset));
cleanup:
    return code;
}

/* Returns the preset for data where none is named. */
static const char *preset_for(const ddaebm_dataset *dataset) {
    if (dataset && shape_of_data(dataset).height > 0)
        return "fashion";
    return !dataset || ddaebm_dataset_width(dataset) == 2 ? "points" : "vector";
}

int config_build(ddaebm_config **out, ddaebm_context *context, const config_options *options,
                 const command *self, const ddaebm_dataset *dataset, const char *data) {
    ddaebm_config *config = NULL;
    int code = 0;
    const char *preset = options->preset ? options->preset : preset_for(dataset);

    TRY(checked_option(ddaebm_config_create(&config, context, preset), self->name, "--preset"));
    if (dataset)
        TRY(fit_data(config, options, dataset, data));
    TRY(config_change(config, options, self));
    if (dataset && options->preset)
        TRY(check_rows(config, preset, dataset));
    *out = config;
    config = NULL;

cleanup:
    ddaebm_config_free(config);
    return code;
}

int config_text(char **out, const ddaebm_config *config, const char *key) {
    size_t needed = 0;
    ddaebm_status status = ddaebm_config_text(config, key, NULL, 0, &needed);
    if (status != DDAEBM_OK && status != DDAEBM_OUT_OF_RANGE)
        return checked(status);

    char *text = malloc(needed);
    if (!text)
        return fail("no memory for the text of a configuration");
    int code = checked(ddaebm_config_text(config, key, text, needed, NULL));
    if (code == 0)
        *out = text;
    else
        free(text);
    return code;
}

/* Checks that a key has the same value in the run to resume and in the configuration asked for. */
static int check_key(const ddaebm_config *run, const ddaebm_config *asked, const char *key,
                     const command *self) {
    char *before = NULL, *after = NULL;
    int code = 0;
    TRY(config_text(&before, run, key));
    TRY(config_text(&after, asked, key));
    if (strcmp(before, after) != 0)
        code = misuse(self->name,
                      "%s is %.60s in the run to resume, and %.60s here; a run keeps its "
                      "configuration, leave the change out",
                      key, before, after);
cleanup:
    free(after);
    free(before);
    return code;
}

int config_check_same(const ddaebm_config *run, const ddaebm_config *asked, const command *self) {
    ddaebm_key_info key = DDAEBM_KEY_INFO_INIT;
    int64_t fitted = 0;
    int code = checked(ddaebm_config_integer(run, "diffusion.fit", &fitted));
    for (size_t i = 0; code == 0 && ddaebm_config_key_info(i, &key) == DDAEBM_OK; i++)
        if (strcmp(key.name, "training.steps") != 0 &&
            (!fitted || strcmp(key.name, "diffusion.sigma_min") != 0))
            code = check_key(run, asked, key.name, self);
    return code;
}
