/* ddaebm sample: draws samples of a model. */
#include "commands.h"
#include "console.h"
#include "image_options.h"
#include "inputs.h"
#include "outputs.h"
#include "rowfile.h"
#include "signals.h"

#include <stdlib.h>

typedef struct sample_options {
    const char *model, *steps_out;
    output_options output;
    number count, first, seed, refine, refine_timesteps;
    bool quiet;
    compute_options compute;
} sample_options;

/* A run of the command. */
typedef struct run {
    const sample_options *asked;
    ddaebm_context *context;
    ddaebm_model *model;
    ddaebm_sampler *sampler;
    output to;
    double accepted; /* sum of the acceptance rates of refinement over samples */
} run;

/* Checks the outputs before anything is drawn. */
static int check_outputs(const run *self) {
    const char *steps_out = self->asked->steps_out;
    const image_shape shape = shape_of_model(self->model);
    const uint64_t count = self->asked->count.value;
    size_t states = ddaebm_model_timesteps(self->model) + 1;
    int code = 0;
    if (self->to.format == FORMAT_PNG)
        TRY(check_drawable(shape, self->to.path));
    if (!steps_out)
        return 0;

    TRY(check_output(steps_out));
    TRY(check_drawable(shape, steps_out));
    TRY(check_grid(steps_out, count < UINT64_MAX / states ? count * states : UINT64_MAX, states,
                   shape));
cleanup:
    return code;
}

/* Adds up the acceptance rates of the last draw, if it was refined. */
static int count_accepted(run *self, size_t count) {
    double acceptance = 0;
    int code = self->asked->refine.given
                   ? checked(ddaebm_sampler_acceptance(self->sampler, &acceptance))
                   : 0;
    self->accepted += acceptance * (double)count;
    return code;
}

/* A row_source: images as floats, rows as doubles, because float32 may be too coarse for the units
 * of a column. */
static int draw(void *user, uint64_t first, size_t count, void *block) {
    run *self = user;
    uint64_t seed = self->asked->seed.value, from = self->asked->first.value + first;
    bool images = shape_of_model(self->model).height > 0;
    int code = checked_or_stopped(
        images ? ddaebm_sampler_draw(self->sampler, seed, from, count, block)
               : ddaebm_sampler_draw_double(self->sampler, seed, from, count, block),
        self->to.path);
    return code == 0 ? count_accepted(self, count) : code;
}

static const char *column_name(const void *model, size_t index) {
    return ddaebm_model_column_name(model, index);
}

/* Draws the samples and writes them to --out. */
static int write_samples(run *self) {
    const row_file file = {.to = self->to,
                           .count = self->asked->count.value,
                           .width = ddaebm_model_width(self->model),
                           .images = shape_of_model(self->model),
                           .wide = shape_of_model(self->model).height == 0,
                           .name = column_name,
                           .owner = self->model};
    int code = checked(ddaebm_sampler_set_progress(self->sampler, cancel_on_signal, NULL));
    if (code != 0)
        return code;
    return write_row_file(self->context, &file,
                          rows_at_once(file.width, ddaebm_sampler_block(self->sampler)), draw,
                          self);
}

/* Draws the samples again with all x_t, and writes them as a grid: a row a sample, a column an
 * x_t. */
static int write_steps(const run *self) {
    const sample_options *asked = self->asked;
    float *steps = NULL;
    size_t states = ddaebm_model_timesteps(self->model) + 1, count = (size_t)asked->count.value;
    int code = 0;
    if (!asked->steps_out)
        return 0;

    TRY(make_room(&steps, count, states * ddaebm_model_width(self->model)));
    TRY(checked_or_stopped(ddaebm_sampler_draw_steps(self->sampler, asked->seed.value,
                                                     asked->first.value, count, steps),
                           asked->steps_out));
    TRY(write_grid_png(self->context, asked->steps_out, steps, count * states, states,
                       shape_of_model(self->model)));
cleanup:
    free(steps);
    return code;
}

/* Writes both outputs, the second even if the first fails. */
static int write_both(run *self) {
    int samples = write_samples(self), steps = ending_signal() == 0 ? write_steps(self) : 0;
    return samples != 0 ? samples : steps;
}

static int set_refinement(const run *self) {
    const sample_options *asked = self->asked;
    size_t timesteps = asked->refine_timesteps.given ? (size_t)asked->refine_timesteps.value : 1;
    if (!asked->refine.given)
        return 0;
    return checked_option(
        ddaebm_sampler_set_refinement(self->sampler, (size_t)asked->refine.value, timesteps),
        "sample", "refine-timesteps");
}

static void report_acceptance(const run *self) {
    if (self->asked->refine.given && !self->asked->quiet)
        complain("refined by %llu steps: %.1f%% of the proposals were accepted",
                 (unsigned long long)self->asked->refine.value,
                 100 * self->accepted / (double)self->asked->count.value);
}

int command_sample(const command *self, int argc, char **argv) {
    sample_options asked = {.model = NULL};
    const option_row rows[] = {
        REQUIRED("model", "FILE", &asked.model, "the model, or a checkpoint"),
        REQUIRED_NUMBER("count", &asked.count, 1, UINT64_C(1) << 40, "how many samples"),
        NUMBER("first", &asked.first, 0, UINT64_C(1) << 40,
               "index of the first sample: sample i of a seed is always the same, up to rounding; "
               "with --refine that takes --deterministic; left out: 0"),
        SEED_ROW(&asked.seed, "of the samples"),
        NUMBER("refine", &asked.refine, 1, 100000,
               "refine samples by N steps of Metropolis-adjusted Langevin on the energy"),
        NUMBER(
            "refine-timesteps", &asked.refine_timesteps, 1, 1000,
            "of --refine: refine at the last N timesteps; left out: 1, the finished sample alone"),
        FLAG("quiet", &asked.quiet, "do not report the acceptance rate of --refine"),
        COMPUTE_ROWS(&asked.compute),
        OUTPUT_ROWS(&asked.output, "FILE.npy, .csv or .csv.gz, one sample a row; of images "
                                   "also FILE.png, a grid; - for standard output"),
        TEXT("steps-out", "FILE.png", &asked.steps_out,
             "of images: x_t of every timestep, from noise on the left; one sample a row"),
    };
    int code = options_parse(self, rows, sizeof rows / sizeof *rows, argc, argv);
    if (code != OPTIONS_READ)
        return code;

    if (asked.refine_timesteps.given && !asked.refine.given)
        return misuse(self->name, "--refine-timesteps needs --refine");
    if (asked.steps_out && !has_ending(asked.steps_out, ".png"))
        return misuse(self->name, "--steps-out is '%.250s'; allowed: a name that ends in .png",
                      asked.steps_out);

    run now = {.asked = &asked};
    TRY(find_output(&now.to, &asked.output, WRITES_IMAGES, self));
    TRY(open_context(&now.context, &asked.compute));
    TRY(checked(ddaebm_model_load(&now.model, now.context, asked.model)));
    TRY(check_outputs(&now));

    TRY(checked(ddaebm_sampler_create(&now.sampler, now.model)));
    TRY(set_refinement(&now));
    TRY(write_both(&now));
    report_acceptance(&now);
cleanup:
    ddaebm_sampler_free(now.sampler);
    ddaebm_model_free(now.model);
    ddaebm_context_free(now.context);
    return code;
}
