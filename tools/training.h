/* A training run of the command: its steps, and what is saved during the run and at its end. */
#ifndef TRAINING_H
#define TRAINING_H

#include "progress.h"
#include "runconfig.h"
#include "steplog.h"

/* The options of the command. */
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
    uint64_t last; /* the step at which the run ends */
    step_log log;
    progress progress;
    int checkpoints_failed, previews_failed; /* in a row */
    bool incomplete;                         /* a log or a preview could not be written */
} run;

/* After so many failures in a row, failing checkpoints stop the run, and previews are given up. */
enum { MOST_FAILURES = 3 };

/* Takes the steps up to the last and writes all outputs; one that fails does not prevent the
 * others. A signal ends the run early. Returns 0, or the exit status after reporting what is not
 * written. */
int run_training(run *state);

#endif
