/* ddaebm normalise. */
#include "commands.h"
#include "console.h"
#include "inputs.h"
#include "outputs.h"
#include "progress.h"
#include "signals.h"

#include <stdio.h>

/* A ddaebm_progress_function. */
typedef struct watch {
    progress bar;
    bool quiet, begun;
    uint64_t done;
} watch;

static int watch_steps(void *user, uint64_t done, uint64_t total) {
    watch *self = user;
    if (total > 1 && !self->begun) {
        progress_begin(&self->bar, 0, total, 0, self->quiet);
        self->begun = true;
    }
    self->done = done;
    if (self->begun)
        progress_count(&self->bar, done);
    return cancel_on_signal(NULL, done, total);
}

static int fit(ddaebm_model *model, const ddaebm_normaliser_options *options, bool quiet,
               const char *out) {
    watch self = {.quiet = quiet};
    ddaebm_status status = ddaebm_model_fit_normaliser(model, options, watch_steps, &self);
    if (self.begun)
        progress_end(&self.bar, self.done);
    return checked_or_stopped(status, out);
}

/* What was found, as a line on stderr. */
static int tell(const ddaebm_model *model, bool quiet) {
    ddaebm_normaliser info = DDAEBM_NORMALISER_INIT;
    int code = checked(ddaebm_model_normaliser(model, &info));
    if (code != 0 || quiet)
        return code;
    fprintf(stderr,
            "log Z %.4f, standard error %.4f; the way back differs by %.4f; %.0f effective "
            "samples\n",
            info.log_z, info.standard_error, info.gap, info.effective_samples);

    /* Of n weights, error^2 = 1 / effective - 1 / n. */
    double effective = 1 - info.effective_samples * info.standard_error * info.standard_error;
    if (effective < 0.05)
        complain("warning: few effective samples: the standard error may be too small; "
                 "raise --samples or --steps");
    return 0;
}

int command_normalise(const command *self, int argc, char **argv) {
    enum { MOST = 1000000 };
    const char *from = NULL, *out = NULL;
    number samples = {0, false}, steps = {0, false}, seed = {0, false};
    compute_options compute = {{0, false}, false};
    bool quiet = false;
    const option_row options[] = {
        REQUIRED("model", "FILE", &from, "a model, or a checkpoint"),
        REQUIRED("out", "MODEL.safetensors", &out, "the model written, with its normaliser"),
        NUMBER("samples", &samples, 2, MOST,
               "chains in each direction; left out: 8192 for rows, 128 for images"),
        NUMBER("steps", &steps, 1, MOST,
               "densities between noise and energy; left out: as many as it takes"),
        SEED_ROW(&seed, "of the chains"),
        COMPUTE_ROWS(&compute),
        FLAG("quiet", &quiet, "no progress, and no line of what was found"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;

    ddaebm_context *context = NULL;
    ddaebm_model *model = NULL;
    ddaebm_normaliser_options asked = DDAEBM_NORMALISER_OPTIONS_INIT;
    asked.samples = (size_t)samples.value;
    asked.steps = (size_t)steps.value;
    asked.seed = seed.value;
    out = output_path(out);
    TRY(check_output(out));
    TRY(check_not_terminal(out, self));
    TRY(open_context(&context, &compute));
    TRY(checked(ddaebm_model_load(&model, context, from)));
    catch_signals();
    TRY(fit(model, &asked, quiet, out));
    TRY(tell(model, quiet));
    TRY(check_signals(out));
    code = checked(ddaebm_model_save(model, out));
cleanup:
    ddaebm_model_free(model);
    ddaebm_context_free(context);
    return code;
}
