/* ddaebm train. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"
#include "console.h"
#include "inputs.h"
#include "outputs.h"
#include "preview.h"
#include "progress.h"
#include "runconfig.h"
#include "steplog.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

typedef struct train_options {
    data_options how;
    const char *data, *model, *out, *checkpoint, *resume, *log;
    config_options config;
    number steps, batch, seed, every, preview_every;
    compute_options compute;
    bool quiet;
} train_options;

typedef struct run {
    const train_options *asked;
    ddaebm_context *context;
    ddaebm_dataset *dataset;
    ddaebm_trainer *trainer;
    uint64_t last;
    step_log log;
    progress progress;
    bool log_failed;
} run;

/* ---- Ctrl-C. ---- */

static volatile sig_atomic_t interrupted;

static void note_signal(int signal) {
    (void)signal;
    interrupted = 1;
}

/* The first signal ends the run after its step; a second one ends the process as it always did. */
static void catch_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note_signal;
    action.sa_flags = (int)SA_RESETHAND;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* ---- Setting up. ---- */

/* Rows of a named set in training: always the same endless sequence, so that a run can be resumed without its seed, and one that no
 * other command shows by default, so that what they show was held out. */
#define TRAINING_ROWS UINT64_C(0x747261696e)

static int set_integer(ddaebm_config *config, const char *key, const number *value, const char *option, const command *self) {
    return value->given ? checked_option(ddaebm_config_set_integer(config, key, (int64_t)value->value), self->name, option) : 0;
}

/* What the command line asks for, on top of a configuration that is there already (NULL: none) unless it names a preset. */
static int ask_config(ddaebm_config **out, const run *state, const ddaebm_config *kept, const command *self) {
    const train_options *asked = state->asked;
    ddaebm_config *config = NULL;
    int code = 0;
    if (asked->config.preset || !kept) {
        TRY(config_build(&config, state->context, &asked->config, self, state->dataset, asked->data));
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
    TRY(checked(ddaebm_model_parameter(model, index, &info)));
    TRY(make_room(&values, 1, info.elements));
    TRY(checked(ddaebm_model_get_parameter(from, info.name, values, info.elements)));
    TRY(checked(ddaebm_model_set_parameter(model, info.name, values, info.elements)));
cleanup:
    free(values);
    return code;
}

/* The networks of the two must be the same; the rest of their configurations need not. */
static int copy_parameters(ddaebm_model *model, const ddaebm_model *from) {
    const size_t count = ddaebm_model_parameter_count(model), there = ddaebm_model_parameter_count(from);
    int code = 0;
    if (count != there)
        return fail("the model to start from has %zu tensors, and the configuration's networks %zu; keep its networks", there,
                    count);
    for (size_t i = 0; i < count && code == 0; i++)
        code = copy_parameter(model, from, i);
    return code;
}

static int begin(run *state, const command *self) {
    const train_options *asked = state->asked;
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL, *first = NULL;
    int code = 0;
    if (asked->model)
        TRY(checked(ddaebm_model_load(&first, state->context, asked->model)));
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

/* A resumed run keeps its configuration: the command line may repeat it, not change it, but for the step at which it ends. */
static int continue_run(run *state, const command *self) {
    ddaebm_config *config = NULL;
    int64_t steps = 0;
    int code = 0;
    TRY(checked(ddaebm_trainer_resume(&state->trainer, state->context, state->asked->resume, state->dataset)));
    const ddaebm_config *kept = ddaebm_trainer_config(state->trainer);
    TRY(ask_config(&config, state, kept, self));
    TRY(config_check_same(kept, config, self));
    TRY(checked(ddaebm_config_get_integer(config, "training.steps", &steps)));
    TRY(checked(ddaebm_trainer_set_last_step(state->trainer, (uint64_t)steps)));
cleanup:
    ddaebm_config_free(config);
    return code;
}

static int set_up(run *state, const command *self) {
    const train_options *asked = state->asked;
    const char *const outputs[] = {asked->out, asked->checkpoint, asked->log};
    int code = 0;
    if (asked->every.given && !asked->checkpoint)
        return misuse(self->name, "--checkpoint-every needs --checkpoint FILE");
    if (asked->model && asked->resume)
        return misuse(self->name, "--model starts a run and --resume continues one; give one of them");
    if (asked->checkpoint && strcmp(asked->checkpoint, asked->out) == 0)
        return misuse(self->name, "--checkpoint and --out are the same file; give one of them another name");
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        if (outputs[i])
            TRY(check_output(outputs[i]));
    TRY(open_context(&state->context, &asked->compute));
    TRY(open_data(&state->dataset, state->context, asked->data, TRAINING_ROWS, &asked->how));
    if (asked->quiet)
        TRY(hear_warnings_alone(state->context));
    TRY(asked->resume ? continue_run(state, self) : begin(state, self));
    int64_t steps = 0;
    TRY(checked(ddaebm_config_get_integer(ddaebm_trainer_config(state->trainer), "training.steps", &steps)));
    state->last = asked->steps.given ? asked->steps.value : (uint64_t)steps;
    if (asked->preview_every.given)
        TRY(check_preview(state->trainer, asked->out));
    TRY(step_log_open(&state->log, asked->log, ddaebm_trainer_steps(state->trainer)));
cleanup:
    return code;
}

/* ---- Running. ---- */

static int after_step(void *user, const ddaebm_step_statistics *statistics, uint64_t last) {
    run *state = user;
    (void)last;
    progress_step(&state->progress, statistics);
    state->log_failed = step_log_write(&state->log, statistics) != 0;
    return interrupted || state->log_failed;
}

static int save_checkpoint(const run *state) {
    return state->asked->checkpoint ? checked(ddaebm_trainer_save(state->trainer, state->asked->checkpoint)) : 0;
}

/* The run was cancelled, by Ctrl-C or by its log, which has spoken for itself. */
static int stopped(const run *state) {
    const char *checkpoint = state->asked->checkpoint;
    uint64_t step = ddaebm_trainer_steps(state->trainer);
    int code = save_checkpoint(state);
    if (code != 0 || state->log_failed)
        return EXIT_FAILED;
    if (!checkpoint)
        return fail("stopped after step %" PRIu64 ", nothing saved; give --checkpoint FILE to keep a run that is stopped", step);
    return fail("stopped after step %" PRIu64 ", saved in %.250s; continue with --resume %.250s", step, checkpoint, checkpoint);
}

/* The first multiple of `every` after a step, or the last step. */
static uint64_t next_multiple(uint64_t step, const number *every, uint64_t last) {
    uint64_t next = every->given ? (step / every->value + 1) * every->value : last;
    return next < last ? next : last;
}

/* Where the run pauses next: to save a checkpoint, to show samples, or because it is over. */
static uint64_t next_stop(const run *state) {
    uint64_t step = ddaebm_trainer_steps(state->trainer);
    return next_multiple(step, &state->asked->preview_every, next_multiple(step, &state->asked->every, state->last));
}

static int pause_run(run *state) {
    const train_options *asked = state->asked;
    uint64_t step = ddaebm_trainer_steps(state->trainer);
    int code = 0;
    if (step == state->last || (asked->every.given && step % asked->every.value == 0))
        TRY(save_checkpoint(state));
    if (asked->preview_every.given && step % asked->preview_every.value == 0)
        TRY(write_preview(state->context, state->trainer, asked->out));
cleanup:
    return code;
}

/* Pictures in the batch of a step; 0 for plain rows. */
static int count_images(uint64_t *images, const ddaebm_trainer *trainer) {
    int64_t side = 0, batch = 0;
    int code = 0;
    TRY(checked(ddaebm_config_get_integer(ddaebm_trainer_config(trainer), "data.image_size", &side)));
    TRY(checked(ddaebm_config_get_integer(ddaebm_trainer_config(trainer), "training.batch", &batch)));
    *images = side > 0 ? (uint64_t)batch : 0;
cleanup:
    return code;
}

static int run_steps(run *state) {
    ddaebm_status status = DDAEBM_OK;
    uint64_t images = 0;
    int code = count_images(&images, state->trainer);
    progress_begin(&state->progress, ddaebm_trainer_steps(state->trainer), state->last, images, state->asked->quiet);
    while (code == 0 && status == DDAEBM_OK && ddaebm_trainer_steps(state->trainer) < state->last) {
        status = ddaebm_trainer_run(state->trainer, next_stop(state), after_step, state);
        if (status == DDAEBM_OK)
            code = pause_run(state);
    }
    progress_end(&state->progress, ddaebm_trainer_steps(state->trainer));
    if (status == DDAEBM_CANCELLED)
        return stopped(state);
    return code != 0 ? code : checked(status);
}

/* Of pictures, if there are enough of them: their energy alone says little of what is foreign. */
static int fit_typicality(ddaebm_model *model, const ddaebm_dataset *dataset) {
    size_t height = 0, width = 0, channels = 0;
    ddaebm_model_image_shape(model, &height, &width, &channels);
    ddaebm_status status = height > 0 ? ddaebm_model_fit_typicality(model, dataset) : DDAEBM_OK;
    return status == DDAEBM_OUT_OF_RANGE ? 0 : checked(status);
}

static int write_model(run *state) {
    ddaebm_model *model = NULL;
    int code = 0;
    TRY(checked(ddaebm_trainer_snapshot(state->trainer, &model)));
    TRY(fit_typicality(model, state->dataset));
    TRY(checked(ddaebm_model_save(model, state->asked->out)));
cleanup:
    ddaebm_model_free(model);
    return code;
}

static int train(const train_options *asked, const command *self) {
    run state = {.asked = asked};
    int code = 0;
    catch_signals();
    TRY(set_up(&state, self));
    TRY(run_steps(&state));
    TRY(step_log_close(&state.log));
    TRY(write_model(&state));
cleanup:
    (void)step_log_close(&state.log);
    ddaebm_trainer_free(state.trainer);
    ddaebm_dataset_free(state.dataset);
    ddaebm_context_free(state.context);
    return code;
}

int command_train(const command *self, int argc, char **argv) {
    static train_options asked; /* large, and made once */
    const option_row options[] = {
        REQUIRED("data", "NAME|PATH", &asked.data,
                 "a named set, a file of numbers (NPY, CSV) or images (IDX, NPY, CIFAR-10), or a folder of PNG or JPEG"),
        DATA_ROWS(&asked.how),
        CONFIG_ROWS(&asked.config),
        TEXT("model", "MODEL.safetensors", &asked.model,
             "start from its weights, and its configuration unless --preset is given; left out: from random weights"),
        NUMBER("steps", &asked.steps, 1, 1000000000,
               "the step at which the run ends, resumed or not; left out: training.steps, where the learning rates end"),
        NUMBER("batch", &asked.batch, 2, 65536, "rows in the batch of a step; left out: training.batch"),
        SEED_ROW(&asked.seed, "fixes every draw; a resumed run keeps its own"),
        COMPUTE_ROWS(&asked.compute),
        REQUIRED("out", "MODEL.safetensors", &asked.out, "the trained model"),
        TEXT("checkpoint", "FILE", &asked.checkpoint, "save the run there when it ends or is stopped (Ctrl-C)"),
        NUMBER("checkpoint-every", &asked.every, 1, 1000000000, "and after each N steps"),
        TEXT("resume", "FILE", &asked.resume, "continue the run of a checkpoint, bit for bit; only training.steps may be set anew"),
        TEXT("log", "FILE.csv", &asked.log, "rate and losses, one row a step; a resumed run continues it"),
        NUMBER("preview-every", &asked.preview_every, 1, 1000000000,
               "of pictures: after each N steps, a grid of samples beside the model, MODEL-00001000.png"),
        FLAG("quiet", &asked.quiet, "no progress and no notes on stderr; warnings and errors remain"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    return code == OPTIONS_READ ? train(&asked, self) : code;
}
