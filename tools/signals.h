/* Signals that end a run, or ask it to save: noted, so that the run can leave things in order. One
 * that the process was started to ignore (nohup) stays ignored. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <ddaebm/ddaebm.h>
#include <stdbool.h>

/* From here on SIGINT, SIGTERM, SIGHUP, SIGUSR2 and SIGXCPU are noted, and SIGUSR1 unless it asks
 * for saves. A second one ends the process at once. */
void catch_signals(void);

/* From here on SIGUSR1 asks for a save. */
void catch_save_signal(void);

/* From here on a pipe whose reader has gone, and a file as large as the process may make one, are
 * failures of the write, and do not end the process. */
void survive_writes(void);

/* Whether any of these signals has come and is not taken. */
bool is_signalled(void);

/* The ending signal that has come, or 0, and the exit status for it: 128 and its number. */
int ending_signal(void);
int exit_of_signal(void);

/* Whether a save has been asked for since the last call. */
bool take_save_signal(void);

/* A ddaebm_progress_function that cancels a call once an ending signal has come. */
int cancel_on_signal(void *user, uint64_t done, uint64_t total);

/* 0; or, if an ending signal has come, that nothing is written has been said, and exit_of_signal.
 */
int check_signals(const char *path);

/* checked of a call that cancel_on_signal may have cancelled. */
int checked_or_stopped(ddaebm_status status, const char *path);

/* Around a call that writes a file at once: a signal waits, so that no temporary file stays. Not
 * where the path is a pipe or a device, which may wait for ever. */
void hold_signals(const char *path);
void release_signals(void);

#endif
