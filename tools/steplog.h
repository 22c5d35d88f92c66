/* The log of a training run: CSV, one line a step. */
#ifndef STEPLOG_H
#define STEPLOG_H

#include <ddaebm/ddaebm.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct step_log {
    FILE *file; /* NULL if there is no log */
    const char *path;
} step_log;

/* Begins a log, or continues the one at the path: lines up to step `done` stay and later ones are
 * removed, so that a resumed run leaves the log of an uninterrupted one. Refuses a file that is no
 * such log. NULL as the path opens none. Returns 0 or the exit status. */
int step_log_open(step_log *log, const char *path, uint64_t done);

/* Writes one line. If that fails, closes the log with a warning and returns false; later calls do
 * nothing. */
bool step_log_write(step_log *log, const ddaebm_step_statistics *statistics);

/* Closes the log. Returns 0, or EXIT_FAILED if a write failed. */
int step_log_close(step_log *log);

#endif
