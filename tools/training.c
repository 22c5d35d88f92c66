#define _POSIX_C_SOURCE 200809L
#include "training.h"

#include "console.h"
#include "preview.h"
#include "signals.h"

#include <inttypes.h>

/* ---- The model. ---- */

/* Fits the statistics of typicality for image models, if there are enough images: their energy
 * alone is a poor score of out-of-distribution images. */
static int fit_typicality(ddaebm_model *model, const ddaebm_dataset *dataset) {
    size_t height = 0, width = 0, channels = 0;
    ddaebm_model_image_shape(model, &height, &width, &channels);
    ddaebm_status status = height > 0 ? ddaebm_model_fit_typicality(model, dataset) : DDAEBM_OK;
    return status == DDAEBM_OUT_OF_RANGE ? 0 : checked(status);
}

/* Writes the model, even if fitting typicality fails. */
static int write_model(const run *state) {
    ddaebm_model *model = NULL;
    int code = 0;
    TRY(checked(ddaebm_trainer_snapshot(&model, state->trainer)));
    int fitted = fit_typicality(model, state->dataset);
    TRY(checked(ddaebm_model_save(model, state->asked->out)));
    code = fitted;
cleanup:
    ddaebm_model_free(model);
    return code;
}

/* ---- Saving during the run. ---- */

static ddaebm_status save_checkpoint(const run *state) {
    const char *path = state->asked->checkpoint;
    return path ? ddaebm_trainer_save(state->trainer, path) : DDAEBM_OK;
}

/* Saves a checkpoint. The run goes on after a failure, until MOST_FAILURES in a row. */
static int save_on_the_way(run *state) {
    if (save_checkpoint(state) == DDAEBM_OK) {
        state->checkpoints_failed = 0;
        return 0;
    }

    state->checkpoints_failed++;
    complain("warning: step %" PRIu64 ": %s; %s (failure %d of %d in a row)",
             ddaebm_trainer_steps(state->trainer), ddaebm_error_message(),
             state->checkpoints_failed < MOST_FAILURES ? "the run goes on" : "the run stops",
             state->checkpoints_failed, MOST_FAILURES);
    return state->checkpoints_failed < MOST_FAILURES ? 0 : EXIT_FAILED;
}

/* Draws a preview, unless too many have failed. */
static void draw_preview(run *state) {
    const train_options *asked = state->asked;
    const char *const others[] = {asked->data,        asked->model,      asked->resume,
                                  asked->config.file, asked->checkpoint, asked->log};
    if (state->previews_failed == MOST_FAILURES)
        return;

    if (write_preview(state->context, state->trainer, asked->out, others,
                      sizeof others / sizeof *others) == 0) {
        state->previews_failed = 0;
        return;
    }
    state->incomplete = true;
    if (++state->previews_failed == MOST_FAILURES)
        complain("warning: %d previews in a row have failed; the run goes on without any more",
                 MOST_FAILURES);
}

static void save_on_request(run *state) {
    if (state->asked->checkpoint)
        (void)save_on_the_way(state);
    else
        complain("warning: signal for a save, and nothing to save to; give --checkpoint FILE");
}

/* ---- Steps. ---- */

static int after_step(void *user, const ddaebm_step_statistics *statistics, uint64_t last) {
    run *state = user;
    (void)last;
    progress_step(&state->progress, statistics);
    if (!step_log_write(&state->log, statistics))
        state->incomplete = true;
    return is_signalled();
}

/* Returns the first multiple of `every` after a step, or the last step. */
static uint64_t next_multiple(uint64_t step, const number *every, uint64_t last) {
    uint64_t next = every->given ? (step / every->value + 1) * every->value : last;
    return next < last ? next : last;
}

/* Returns the step at which the run pauses next: for a checkpoint, a preview, or its end. */
static uint64_t next_stop(const run *state) {
    uint64_t step = ddaebm_trainer_steps(state->trainer);
    return next_multiple(step, &state->asked->preview_every,
                         next_multiple(step, &state->asked->every, state->last));
}

static bool is_due(const number *every, uint64_t step) {
    return every->given && step % every->value == 0;
}

/* Saves and draws what is due between two steps. Returns 0, or EXIT_FAILED if the run must stop. */
static int pause_run(run *state) {
    const train_options *asked = state->asked;
    uint64_t step = ddaebm_trainer_steps(state->trainer);
    int code = 0;
    if (take_save_signal())
        save_on_request(state);
    else if (step < state->last && asked->checkpoint && is_due(&asked->every, step))
        code = save_on_the_way(state);
    if (code == 0 && is_due(&asked->preview_every, step))
        draw_preview(state);
    return code;
}

/* Counts the images in the batch of a step: 0 for plain rows. */
static int count_images(uint64_t *images, const ddaebm_trainer *trainer) {
    int64_t side = 0, batch = 0;
    int code = 0;
    TRY(checked(ddaebm_config_integer(ddaebm_trainer_config(trainer), "data.image_size", &side)));
    TRY(checked(ddaebm_config_integer(ddaebm_trainer_config(trainer), "training.batch", &batch)));
    *images = side > 0 ? (uint64_t)batch : 0;
cleanup:
    return code;
}

static bool is_over(const run *state) {
    return ddaebm_trainer_steps(state->trainer) >= state->last;
}

/* Takes steps up to the last one, an ending signal or too many failures. *broken = whether a step
 * failed. Returns 0 or EXIT_FAILED. */
static int take_steps(run *state, bool *broken) {
    ddaebm_status status = DDAEBM_OK;
    int code = 0;
    while (code == 0 && !is_over(state) && ending_signal() == 0) {
        status = ddaebm_trainer_run_until(state->trainer, next_stop(state), after_step, state);
        *broken = status != DDAEBM_OK && status != DDAEBM_CANCELLED;
        code = *broken ? EXIT_FAILED : pause_run(state);
    }
    progress_end(&state->progress, ddaebm_trainer_steps(state->trainer));
    return *broken ? checked(status) : code;
}

/* ---- The end. ---- */

/* Ends a run whose checkpoints fail: saves the model of the steps so far. */
static int give_up(run *state) {
    uint64_t step = ddaebm_trainer_steps(state->trainer);
    (void)step_log_close(&state->log);
    if (write_model(state) == 0)
        complain("stopped after step %" PRIu64
                 ", and the run is not saved; the model so far is in %.250s",
                 step, state->asked->out);
    else
        complain("stopped after step %" PRIu64 ", and nothing is saved", step);
    return EXIT_FAILED;
}

/* Ends a run that a signal stopped. */
static int stopped(run *state) {
    const char *checkpoint = state->asked->checkpoint;
    uint64_t step = ddaebm_trainer_steps(state->trainer);
    if (checked(save_checkpoint(state)) != 0)
        return give_up(state);

    if (checkpoint)
        complain("stopped after step %" PRIu64 ", saved in %.250s; continue with --resume %.250s",
                 step, checkpoint, checkpoint);
    else
        complain("stopped after step %" PRIu64
                 ", nothing saved; give --checkpoint FILE to keep a run that is stopped",
                 step);
    return exit_of_signal();
}

/* Writes all outputs of a finished run, whichever fails; the checkpoint first, because the model
 * can be extracted from it. */
static int finish(run *state) {
    int saved = checked(save_checkpoint(state)), logged = step_log_close(&state->log),
        written = write_model(state);
    return saved == 0 && logged == 0 && written == 0 && !state->incomplete ? 0 : EXIT_FAILED;
}

int run_training(run *state) {
    uint64_t images = 0;
    bool broken = false;
    int code = count_images(&images, state->trainer);
    if (code != 0)
        return code;

    progress_begin(&state->progress, ddaebm_trainer_steps(state->trainer), state->last, images,
                   state->asked->quiet);
    code = take_steps(state, &broken);
    if (broken)
        return code;
    if (code != 0)
        return give_up(state);
    return is_over(state) ? finish(state) : stopped(state);
}
