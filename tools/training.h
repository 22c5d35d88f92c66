/* A training run of the command: its steps, what is saved on the way and at its end. */
#ifndef TRAINING_H
#define TRAINING_H

#include "progress.h"
#include "runconfig.h"
#include "steplog.h"

/* What the command line asks for. */
typedef struct train_options {
    data_options how;
    const char *data, *model, *out, *checkpoint, *resume, *log;
    int resume_data; /* ddaebm_resume_data */
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
    uint64_t last; /* the step at which it ends */
    step_log log;
    progress progress;
    int checkpoints_failed, previews_failed; /* in a row */
    bool incomplete; /* an output that was asked for, a log or a preview, is not there as it should
                        be */
} run;

/* Checkpoints, or previews, in a row that may fail before a run stops, or draws no more of them. */
enum { MOST_FAILURES = 3 };

/* Takes the steps up to the last and writes everything that was asked for; what cannot be written
 * does not keep the rest from being written. A signal ends the run sooner. 0 or the exit status;
 * what is not written has been said. */
int run_training(run *state);

#endif
