/* ddaebm sample. */
#include "commands.h"
#include "console.h"
#include "images.h"
#include "inputs.h"
#include "outputs.h"

#include <stdlib.h>

typedef struct sample_options {
    const char *model, *out, *steps_out;
    number count, seed;
    compute_options compute;
} sample_options;

/* All that can be known to fail before anything is drawn. */
static int check_outputs(const sample_options *asked, const ddaebm_model *model) {
    int code = 0;
    TRY(check_output(asked->out));
    if (has_ending(asked->out, ".png"))
        TRY(check_drawable(shape_of_model(model), asked->out));
    if (!asked->steps_out)
        return 0;
    TRY(check_output(asked->steps_out));
    TRY(check_drawable(shape_of_model(model), asked->steps_out));
cleanup:
    return code;
}

static int write_sampled_images(const sample_options *asked, ddaebm_context *context, const ddaebm_model *model,
                                ddaebm_sampler *sampler) {
    float *samples = NULL;
    size_t count = (size_t)asked->count.value;
    int code = 0;
    TRY(make_room(&samples, count, ddaebm_model_width(model)));
    TRY(checked(ddaebm_sampler_draw(sampler, asked->seed.value, 0, count, samples)));
    TRY(write_images(context, asked->out, samples, count, shape_of_model(model)));
cleanup:
    free(samples);
    return code;
}

/* In 64 bits: a column may differ by less than float32 tells apart. */
static int write_sampled_rows(const sample_options *asked, ddaebm_context *context, const ddaebm_model *model,
                              ddaebm_sampler *sampler) {
    double *samples = NULL;
    const size_t shape[] = {(size_t)asked->count.value, ddaebm_model_width(model)};
    int code = 0;
    TRY(make_doubles(&samples, shape[0], shape[1]));
    TRY(checked(ddaebm_sampler_draw_double(sampler, asked->seed.value, 0, shape[0], samples)));
    TRY(checked(ddaebm_array_write_npy_double(context, asked->out, samples, 2, shape)));
cleanup:
    free(samples);
    return code;
}

static int write_samples(const sample_options *asked, ddaebm_context *context, const ddaebm_model *model, ddaebm_sampler *sampler) {
    bool images = shape_of_model(model).height > 0;
    return images ? write_sampled_images(asked, context, model, sampler) : write_sampled_rows(asked, context, model, sampler);
}

/* A row a sample, a column an x_t. */
static int write_steps(const sample_options *asked, ddaebm_context *context, const ddaebm_model *model, ddaebm_sampler *sampler) {
    float *steps = NULL;
    size_t states = ddaebm_model_levels(model) + 1, count = (size_t)asked->count.value;
    int code = 0;
    if (!asked->steps_out)
        return 0;
    TRY(make_room(&steps, count, states * ddaebm_model_width(model)));
    TRY(checked(ddaebm_sampler_draw_steps(sampler, asked->seed.value, 0, count, steps)));
    TRY(write_grid_png(context, asked->steps_out, steps, count * states, states, shape_of_model(model)));
cleanup:
    free(steps);
    return code;
}

int command_sample(const command *self, int argc, char **argv) {
    sample_options asked = {.model = NULL};
    const option_row rows[] = {
        REQUIRED("model", "FILE", &asked.model, "the model, or a checkpoint"),
        REQUIRED_NUMBER("count", &asked.count, 1, UINT64_C(1) << 40, "how many samples"),
        SEED_ROW(&asked.seed, "fixes every sample"),
        COMPUTE_ROWS(&asked.compute),
        REQUIRED("out", "FILE", &asked.out,
                 "FILE.npy, one sample a row, float64; of pictures float32, and FILE.png as well, a grid"),
        TEXT("steps-out", "FILE.png", &asked.steps_out, "of pictures: how each came to be, from noise on the left; a row a sample"),
    };
    int code = options_parse(self, rows, sizeof rows / sizeof *rows, argc, argv);
    if (code != OPTIONS_READ)
        return code;
    if (asked.steps_out && !has_ending(asked.steps_out, ".png"))
        return misuse(self->name, "--steps-out is '%.250s'; allowed: a name that ends in .png", asked.steps_out);
    ddaebm_context *context = NULL;
    ddaebm_model *model = NULL;
    ddaebm_sampler *sampler = NULL;
    TRY(open_context(&context, &asked.compute));
    TRY(checked(ddaebm_model_load(&model, context, asked.model)));
    TRY(check_outputs(&asked, model));
    TRY(checked(ddaebm_sampler_create(&sampler, model)));
    TRY(write_samples(&asked, context, model, sampler));
    TRY(write_steps(&asked, context, model, sampler));
cleanup:
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    ddaebm_context_free(context);
    return code;
}
