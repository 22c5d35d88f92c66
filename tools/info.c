/* ddaebm info: prints what a model or a configuration is. */
#include "commands.h"
#include "console.h"
#include "image_options.h"
#include "inputs.h"
#include "runconfig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NETWORKS = 3 };
static const char *const network_names[NETWORKS] = {"energy", "generator", "encoder"};

typedef struct summary {
    size_t trained[NETWORKS], fixed[NETWORKS]; /* numbers in weights, and in running statistics */
    size_t width, timesteps, step_bytes;
    image_shape images;
    double temperature, contrast;
    ddaebm_normaliser normaliser;
    bool normalised;
    uint64_t best_step;
} summary;

/* Prints the default number of threads, and where it comes from. */
static int print_threads(bool json) {
    char reason[128];
    int threads = ddaebm_default_threads(reason, sizeof reason);
    return json ? printf("\"default_threads\": %d, \"default_threads_from\": \"%s\"", threads,
                         reason)
                : printf("threads by default: %d (%s)\n", threads, reason);
}

/* Collects what is printed of a model. */
static int summarise(summary *out, ddaebm_context *context, const ddaebm_model *model) {
    for (size_t i = 0; i < ddaebm_model_parameter_count(model); i++) {
        ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
        int code = checked(ddaebm_model_parameter_info(model, i, &info));
        if (code != 0)
            return code;
        *(info.trained ? &out->trained[info.network] : &out->fixed[info.network]) += info.elements;
    }

    out->width = ddaebm_model_width(model);
    out->images = shape_of_model(model);
    out->timesteps = ddaebm_model_timesteps(model);
    out->temperature = ddaebm_model_temperature(model);
    out->normaliser = (ddaebm_normaliser)DDAEBM_NORMALISER_INIT;
    out->normalised = ddaebm_model_normaliser(model, &out->normaliser) == DDAEBM_OK;
    out->best_step = ddaebm_model_best_step(model);
    out->contrast = ddaebm_model_held_out_contrast(model);
    return checked(
        ddaebm_config_training_memory(ddaebm_model_config(model), context, &out->step_bytes));
}

/* Prints the summary and the configuration as one JSON object. */
static int print_json(const summary *about, const ddaebm_config *config) {
    char *text = NULL;
    int code = config_text(&text, config, NULL);
    if (code != 0)
        return code;

    printf("{\"version\": \"%s\", \"width\": %zu, \"image\": [%zu, %zu, %zu], \"timesteps\": %zu, "
           "\"temperature\": %.9g, "
           "\"best_step\": %" PRIu64 ", \"held_out_contrast\": %.9g, \"step_memory_bytes\": %zu, ",
           ddaebm_version_text(), about->width, about->images.height, about->images.width,
           about->images.channels, about->timesteps, about->temperature, about->best_step,
           about->contrast, about->step_bytes);
    if (about->normalised)
        printf("\"log_z\": %.9g, \"log_z_standard_error\": %.9g, \"log_z_gap\": %.9g, ",
               about->normaliser.log_z, about->normaliser.standard_error, about->normaliser.gap);
    (void)print_threads(true);

    printf(", \"parameters\": {");
    size_t total = 0;
    for (size_t i = 0; i < NETWORKS; i++) {
        printf("\"%s\": %zu, ", network_names[i], about->trained[i]);
        total += about->trained[i];
    }
    printf("\"total\": %zu}, \"running_statistics\": {", total);
    for (size_t i = 0; i < NETWORKS; i++)
        printf("%s\"%s\": %zu", i ? ", " : "", network_names[i], about->fixed[i]);
    printf("}, \"config\": %s}\n", text);
    free(text);
    return 0;
}

/* Prints every key with its value and meaning. */
static int print_config(const ddaebm_config *config) {
    int code = 0;
    printf("configuration\n");
    for (size_t i = 0; code == 0; i++) {
        ddaebm_key_info key = DDAEBM_KEY_INFO_INIT;
        char *text = NULL;
        if (ddaebm_config_key_info(i, &key) != DDAEBM_OK)
            break;
        code = config_text(&text, config, key.name);
        if (code == 0)
            printf("  %-26s %-14s %s\n", key.name, text, key.meaning);
        free(text);
    }
    return code;
}

/* Prints the configuration and the summary for people. */
static int print_text(const summary *about, const ddaebm_config *config) {
    int code = print_config(config);
    if (about->images.height > 0)
        printf("images of %zu x %zu x %zu", about->images.height, about->images.width,
               about->images.channels);
    else
        printf("rows of %zu", about->width);
    printf(", %zu timesteps, temperature %g\n", about->timesteps, about->temperature);
    if (about->normalised)
        printf("normalised: log Z %.4f, standard error %.4f; the way back differs by %.4f\n",
               about->normaliser.log_z, about->normaliser.standard_error, about->normaliser.gap);
    if (about->best_step > 0)
        printf("weights of step %" PRIu64 ", the best by the rows held out (contrast %.4f)\n",
               about->best_step, about->contrast);

    printf("parameters\n");
    for (size_t i = 0; i < NETWORKS; i++) {
        printf("  %-10s %9zu", network_names[i], about->trained[i]);
        if (about->fixed[i] > 0)
            printf(", and %zu running statistics", about->fixed[i]);
        printf("\n");
    }

    printf("memory of a training step: %.1f MiB\n", (double)about->step_bytes / (1 << 20));
    (void)print_threads(false);
    return code;
}

/* Prints the version and the default threads, where neither model nor configuration is given. */
static void print_build(bool json) {
    printf(json ? "{\"version\": \"%s\", " : "ddaebm %s\n", ddaebm_version_text());
    (void)print_threads(json);
    printf("%s", json ? "}\n" : "");
}

int command_info(const command *self, int argc, char **argv) {
    const char *path = NULL;
    config_options asked = {NULL, NULL, {{NULL}, 0}};
    bool json = false;
    compute_options compute = {{0, false}, false};
    const option_row options[] = {
        TEXT("model", "FILE", &path, "a model, or a checkpoint"),
        CONFIG_ROWS(&asked, PRESET_OF_DATA),
        COMPUTE_ROWS(&compute),
        FLAG("json", &json, "print one JSON object"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;

    if (path && config_given(&asked))
        return misuse(self->name,
                      "--model has a configuration; leave --preset, --config and --set out");
    if (!path && !config_given(&asked)) {
        print_build(json);
        return finish_output();
    }

    ddaebm_context *context = NULL;
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL;
    summary about = {.width = 0};
    TRY(open_context(&context, &compute));
    if (path) {
        TRY(checked(ddaebm_model_load(&model, context, path)));
    } else {
        TRY(config_build(&config, context, &asked, self, NULL, NULL));
        TRY(checked(ddaebm_model_create(&model, context, config, 0)));
    }
    TRY(summarise(&about, context, model));
    TRY((json ? print_json : print_text)(&about, ddaebm_model_config(model)));
    TRY(finish_output());
cleanup:
    ddaebm_model_free(model);
    ddaebm_config_free(config);
    ddaebm_context_free(context);
    return code;
}
