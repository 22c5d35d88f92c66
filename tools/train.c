/* ddaebm train: sets up a training run; training.c runs it. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"
#include "console.h"
#include "inputs.h"
#include "outputs.h"
#include "preview.h"
#include "signals.h"
#include "training.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- Setting up. ---- */

/* The seed of a named set in training. It is fixed, so that a run can be resumed without it, and no
 * other command uses it by default, so that what they draw was not trained on. */
#define TRAINING_ROWS UINT64_C(0x747261696e)

/* Sets a key to the value of an option, if it was given. */
static int set_integer(ddaebm_config *config, const char *key, const number *value,
                       const char *option, const command *self) {
    return value->given
               ? checked_option(ddaebm_config_set_integer(config, key, (int64_t)value->value),
                                self->name, option)
               : 0;
}

/* Makes the configuration that the command line asks for. It starts from `kept` (NULL: none) unless
 * a preset is named. */
static int ask_config(ddaebm_config **out, const run *state, const ddaebm_config *kept,
                      const command *self) {
    const train_options *asked = state->asked;
    ddaebm_config *config = NULL;
    int code = 0;

    if (asked->config.preset || !kept) {
        TRY(config_build(&config, state->context, &asked->config, self, state->dataset,
                         asked->data));
    } else {
        TRY(checked(ddaebm_config_copy(&config, kept)));
        TRY(config_change(config, &asked->config, self));
    }

    TRY(set_integer(config, "training.batch", &asked->batch, "--batch", self));
    *out = config;
    config = NULL;

cleanup:
    ddaebm_config_free(config);
    return code;
}

static int copy_parameter(ddaebm_model *model, const ddaebm_model *from, size_t index) {
    ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
    float *values = NULL;
    int code = 0;
    TRY(checked(ddaebm_model_parameter_info(model, index, &info)));
    TRY(make_room(&values, 1, info.elements));
    TRY(checked(ddaebm_model_parameter(from, info.name, values, info.elements)));
    TRY(checked(ddaebm_model_set_parameter(model, info.name, values, info.elements)));
cleanup:
    free(values);
    return code;
}

/* Copies all parameters. The networks must be the same; other parts of the configuration may
 * differ. */
static int copy_parameters(ddaebm_model *model, const ddaebm_model *from) {
    const size_t count = ddaebm_model_parameter_count(model),
                 there = ddaebm_model_parameter_count(from);
    int code = 0;
    if (count != there)
        return fail("the model to start from has %zu tensors, and the configuration's networks "
                    "%zu; keep its networks",
                    there, count);

    for (size_t i = 0; i < count && code == 0; i++)
        code = copy_parameter(model, from, i);
    return code;
}

/* Loads the model to start from. The data must match it, except in width where the command line
 * changes the configuration. */
static int load_first(ddaebm_model **out, const run *state) {
    const train_options *asked = state->asked;
    ddaebm_model *model = NULL;
    int code = 0;
    TRY(checked(ddaebm_model_load(&model, state->context, asked->model)));
    if (!config_given(&asked->config) ||
        ddaebm_dataset_width(state->dataset) == ddaebm_model_width(model))
        TRY(check_data_for(state->dataset, model, asked->data));
    *out = model;
    model = NULL;
cleanup:
    ddaebm_model_free(model);
    return code;
}

/* Creates the trainer of a new run. */
static int begin(run *state, const command *self) {
    const train_options *asked = state->asked;
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL, *first = NULL;
    int code = 0;

    if (asked->model)
        TRY(load_first(&first, state));
    TRY(ask_config(&config, state, first ? ddaebm_model_config(first) : NULL, self));
    TRY(checked(ddaebm_model_create(&model, state->context, config, asked->seed.value)));
    if (first)
        TRY(copy_parameters(model, first));
    TRY(checked(ddaebm_trainer_create(&state->trainer, model, state->dataset, asked->seed.value)));

cleanup:
    ddaebm_model_free(first);
    ddaebm_model_free(model);
    ddaebm_config_free(config);
    return code;
}

static int resume(run *state) {
    ddaebm_reader reader = DDAEBM_READER_INIT;
    ddaebm_resume_options options = DDAEBM_RESUME_OPTIONS_INIT;
    reader.path = state->asked->resume;
    options.data = (ddaebm_resume_data)state->asked->resume_data;
    return checked(ddaebm_trainer_resume_with(&state->trainer, state->context, &reader,
                                              state->dataset, &options));
}

/* Creates the trainer of a resumed run, which keeps its configuration: the command line may change
 * nothing but training.steps, and a preset that it names again does not. */
static int continue_run(run *state, const command *self) {
    const train_options *asked = state->asked;
    ddaebm_config *config = NULL, *changed = NULL;
    int64_t steps = 0;
    int code = 0;

    TRY(resume(state));
    if (asked->seed.given && asked->seed.value != ddaebm_trainer_seed(state->trainer))
        return misuse(self->name,
                      "--seed is %" PRIu64 ", and the run to resume has %" PRIu64
                      "; a run keeps its seed, leave --seed out",
                      asked->seed.value, ddaebm_trainer_seed(state->trainer));
    const ddaebm_config *kept = ddaebm_trainer_config(state->trainer);
    TRY(ask_config(&config, state, kept, self));
    TRY(config_check_same(kept, config, self));
    TRY(checked(ddaebm_config_copy(&changed, kept)));
    TRY(config_change(changed, &asked->config, self));
    TRY(checked(ddaebm_config_integer(changed, "training.steps", &steps)));
    TRY(checked(ddaebm_trainer_set_last_step(state->trainer, (uint64_t)steps)));

cleanup:
    ddaebm_config_free(changed);
    ddaebm_config_free(config);
    return code;
}

/* Finds the step at which the run ends. */
static int find_last_step(run *state, const command *self) {
    const number *asked = &state->asked->steps;
    uint64_t done = ddaebm_trainer_steps(state->trainer);
    int64_t steps = 0;
    int code = checked(
        ddaebm_config_integer(ddaebm_trainer_config(state->trainer), "training.steps", &steps));
    if (code != 0)
        return code;

    state->last = asked->given ? asked->value : (uint64_t)steps;
    if (state->last > (uint64_t)steps && !state->asked->quiet)
        complain("note: the learning rates end at training.steps, %" PRId64
                 ", before --steps %" PRIu64 "; --set training.steps=%" PRIu64 " moves their end",
                 steps, state->last, state->last);

    if (state->last >= done)
        return 0;
    return misuse(self->name,
                  "the run to resume has done %" PRIu64 " steps, and %s is %" PRIu64
                  "; allowed: --steps %" PRIu64 " or above",
                  done, asked->given ? "--steps" : "training.steps", state->last, done);
}

/* Checks the use of standard output: the model or the log may be written there. */
static int check_streams(const train_options *asked, const command *self) {
    if (asked->checkpoint && strcmp(asked->checkpoint, "-") == 0)
        return misuse(
            self->name,
            "--checkpoint is '-'; a checkpoint is replaced as a whole: give the name of a file");
    bool streamed = strcmp(asked->out, "/dev/stdout") == 0;
    if (streamed && asked->preview_every.given)
        return misuse(self->name, "--preview-every writes images beside the model, and --out is "
                                  "standard output; give it a file");
    if (streamed && asked->log && strcmp(asked->log, asked->out) == 0)
        return misuse(self->name,
                      "--out and --log are both standard output; give one of them a file");
    return check_not_terminal(asked->out, self);
}

/* Checks the options, opens everything and creates the trainer. */
static int set_up(run *state, const command *self) {
    const train_options *asked = state->asked;
    const char *const outputs[] = {asked->out, asked->checkpoint, asked->log};
    int code = check_streams(asked, self);
    if (code != 0)
        return code;
    if (asked->every.given && !asked->checkpoint)
        return misuse(self->name, "--checkpoint-every needs --checkpoint FILE");
    if (asked->model && asked->resume)
        return misuse(self->name,
                      "--model starts a run and --resume continues one; give one of them");
    if (asked->resume_data && !asked->resume)
        return misuse(self->name, "--resume-data is for --resume FILE");

    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        if (outputs[i])
            TRY(check_output(outputs[i]));

    TRY(open_context(&state->context, &asked->compute));
    TRY(open_data(&state->dataset, state->context, asked->data, TRAINING_ROWS, &asked->how));
    if (asked->quiet)
        TRY(hear_warnings_alone(state->context));
    TRY(asked->resume ? continue_run(state, self) : begin(state, self));
    TRY(find_last_step(state, self));
    if (asked->preview_every.given)
        TRY(check_preview(state->trainer, asked->out, asked->data, asked->how.recursive));
    TRY(step_log_open(&state->log, asked->log, ddaebm_trainer_steps(state->trainer)));
cleanup:
    return code;
}

/* Sets up and runs. Until there is something to save, signals end the process, except SIGUSR1,
 * which asks for a save. */
static int train(const train_options *asked, const command *self) {
    run state = {.asked = asked};
    int code = 0;
    catch_save_signal();
    survive_writes();
    TRY(set_up(&state, self));
    catch_signals();
    code = run_training(&state);
cleanup:
    (void)step_log_close(&state.log);
    ddaebm_trainer_free(state.trainer);
    ddaebm_dataset_free(state.dataset);
    ddaebm_context_free(state.context);
    return code;
}

int command_train(const command *self, int argc, char **argv) {
    static train_options asked; /* too large for the stack */
    const option_row options[] = {
        REQUIRED("data", "NAME|PATH", &asked.data,
                 "a named set, a file of numbers (NPY, CSV) or images (IDX, NPY, CIFAR-10), or a "
                 "folder of PNG or JPEG"),
        DATA_ROWS(&asked.how),
        WINDOW_ROWS(&asked.how),
        MISSING_ROW(&asked.how, "; left out: data with missing values is refused"),
        CONFIG_ROWS(&asked.config, PRESET_OF_DATA),
        TEXT("model", "MODEL.safetensors", &asked.model,
             "start from the weights of this model, and from its configuration unless --preset is "
             "given; left out: from random weights"),
        NUMBER("steps", &asked.steps, 1, 1000000000,
               "the step at which the run ends, resumed or not; left out: training.steps, where "
               "the learning rates end"),
        NUMBER("batch", &asked.batch, 2, 65536,
               "rows in the batch of a step; left out: training.batch"),
        SEED_ROW(&asked.seed, "of the run; a resumed run keeps its own"),
        COMPUTE_ROWS(&asked.compute),
        REQUIRED("out", "MODEL.safetensors", &asked.out, "the trained model"),
        TEXT(
            "checkpoint", "FILE", &asked.checkpoint,
            "save the run when it ends, or when a signal (Ctrl-C) stops it; SIGUSR1 saves at once"),
        NUMBER("checkpoint-every", &asked.every, 1, 1000000000, "save it after every N steps, too"),
        TEXT("resume", "FILE", &asked.resume,
             "continue the run of a checkpoint, bit for bit; only training.steps may be changed"),
        CHOICE(
            "resume-data", "same|other", &asked.resume_data,
            "whether --data must be the data of the run to resume; left out: same, other data is "
            "refused"),
        TEXT("log", "FILE.csv", &asked.log,
             "log learning rate and losses, one line a step; a resumed run continues it"),
        NUMBER("preview-every", &asked.preview_every, 1, 1000000000,
               "of images: after every N steps, write a grid of samples beside the model, "
               "MODEL-00001000.png"),
        FLAG("quiet", &asked.quiet, "print warnings and errors alone, no progress and no notes"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);

    if (code != OPTIONS_READ)
        return code;
    asked.out = output_path(asked.out);
    asked.log = output_path(asked.log);

    return train(&asked, self);
}
