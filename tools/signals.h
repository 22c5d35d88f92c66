/* Signals that end a run, or ask it to save. They are noted, so that the run can clean up. A signal
 * that the process was started to ignore (nohup) stays ignored. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <ddaebm/ddaebm.h>
#include <stdbool.h>

/* Notes SIGINT, SIGTERM, SIGHUP, SIGUSR2 and SIGXCPU from here on, and SIGUSR1 unless it asks for
 * saves. A second signal ends the process at once. */
void catch_signals(void);

/* Lets SIGUSR1 ask for a save. */
void catch_save_signal(void);

/* Ignores SIGPIPE and SIGXFSZ: a pipe without a reader, or a file at the limit of its size, fails
 * the write and does not end the process. */
void survive_writes(void);

/* Returns whether an ending signal has come, or a save has been asked for. */
bool is_signalled(void);

/* Return the ending signal that has come, or 0, and the exit status for it, 128 plus its number. */
int ending_signal(void);
int exit_of_signal(void);

/* Returns whether a save has been asked for since the last call. */
bool take_save_signal(void);

/* Cancels a call of the library once an ending signal has come; a ddaebm_progress_function. */
int cancel_on_signal(void *user, uint64_t done, uint64_t total);

/* Returns 0; once an ending signal has come, reports that the file is not written and returns the
 * exit status. */
int check_signals(const char *path);

/* Checks the status of a call that cancel_on_signal may have cancelled. */
int checked_or_stopped(ddaebm_status status, const char *path);

/* Defer signals around a call that writes a file, so that no temporary file is left. A pipe or a
 * device, which may block for ever, is exempt. */
void hold_signals(const char *path);
void release_signals(void);

#endif
