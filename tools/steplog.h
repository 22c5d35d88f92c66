/* The log of a training run: CSV, one row a step. */
#ifndef STEPLOG_H
#define STEPLOG_H

#include <ddaebm/ddaebm.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct step_log {
    FILE *file; /* NULL if none was asked for */
    const char *path;
} step_log;

/* Begins a log, or continues the one at the path: its rows up to step `done` stay, later ones go,
 * so that a resumed run leaves the log of a run that never stopped. A file that is no such log is
 * left alone, and refused. path may be NULL. 0 or the exit status.
 */
int step_log_open(step_log *log, const char *path, uint64_t done);

/* One row. False if the file does not take it: then the log is closed, that it is has been said,
 * and no more is written. */
bool step_log_write(step_log *log, const ddaebm_step_statistics *statistics);

/* 0, or EXIT_FAILED if what was written did not arrive. */
int step_log_close(step_log *log);

#endif
