/* Signals that end a run: noted, so that the run can leave things in order. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <ddaebm/ddaebm.h>

/* From here on SIGINT, SIGTERM and SIGHUP are noted, but for those that the process was started to ignore; a second one ends the process
 * at once. */
void catch_signals(void);

/* A ddaebm_progress_function that cancels a call once a signal has come. */
int cancel_on_signal(void *user, uint64_t done, uint64_t total);

/* 0; or, if a signal has come, that nothing is written has been said, and 128 and the signal's number. */
int check_signals(const char *path);

/* checked of a call that cancel_on_signal may have cancelled. */
int checked_or_stopped(ddaebm_status status, const char *path);

#endif
