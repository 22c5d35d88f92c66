#define _POSIX_C_SOURCE 200809L
#define _XOPEN_SOURCE 700 /* SIGXCPU */
#include "signals.h"

#include "console.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { EXIT_SIGNAL = 128 };

/* timeout(1) and closing terminals send a signal twice within this time; that counts as one. */
static const double together_seconds = 0.03;

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR2, SIGXCPU};
enum { ENDING = sizeof ending / sizeof *ending };

static volatile sig_atomic_t caught, save_wanted;
static struct timespec caught_at; /* read and written by the handler alone */
static bool saves;                /* SIGUSR1 asks for a save */

/* ---- Handlers. ---- */

static void end_at_once(int signal) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(signal, &action, NULL);
    (void)raise(signal); /* delivered when the handler returns */
}

/* Notes the first signal; a second one ends the process. SIGXCPU, which the system repeats every
 * second, does not count as a second one. */
static void note(int signal) {
    struct timespec now = {0, 0};
    int kept = errno;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    double since =
        (double)(now.tv_sec - caught_at.tv_sec) + 1e-9 * (double)(now.tv_nsec - caught_at.tv_nsec);
    if (caught == 0) {
        caught_at = now;
        caught = signal;
    } else if (signal != SIGXCPU && since > together_seconds) {
        end_at_once(signal);
    }
    errno = kept;
}

static void note_save(int signal) {
    (void)signal;
    save_wanted = 1;
}

/* Installs a handler, unless the process was started to ignore the signal. Handlers do not
 * interrupt each other. */
static void handle(int signal, void (*handler)(int)) {
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    (void)sigemptyset(&action.sa_mask);
    for (int i = 0; i < ENDING; i++)
        (void)sigaddset(&action.sa_mask, ending[i]);
    if (sigaction(signal, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        (void)sigaction(signal, &action, NULL);
}

void catch_signals(void) {
    for (int i = 0; i < ENDING; i++)
        handle(ending[i], note);
    if (!saves)
        handle(SIGUSR1, note);
}

void catch_save_signal(void) {
    saves = true;
    handle(SIGUSR1, note_save);
}

void survive_writes(void) {
    handle(SIGPIPE, SIG_IGN);
    handle(SIGXFSZ, SIG_IGN);
}

/* ---- Noted signals. ---- */

int cancel_on_signal(void *user, uint64_t done, uint64_t total) {
    (void)user, (void)done, (void)total;
    return caught != 0;
}

bool is_signalled(void) {
    return caught != 0 || save_wanted != 0;
}

int ending_signal(void) {
    return caught;
}

int exit_of_signal(void) {
    return EXIT_SIGNAL + caught;
}

bool take_save_signal(void) {
    bool wanted = save_wanted != 0;
    save_wanted = 0;
    return wanted;
}

int check_signals(const char *path) {
    if (caught == 0)
        return 0;
    complain("stopped by signal %d; %.250s is not written", (int)caught, path);
    return exit_of_signal();
}

int checked_or_stopped(ddaebm_status status, const char *path) {
    return status == DDAEBM_CANCELLED && caught != 0 ? check_signals(path) : checked(status);
}

/* ---- Deferred signals. ---- */

static const int held_back[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU};
enum { HELD_BACK = sizeof held_back / sizeof *held_back };

static struct sigaction actions_before[HELD_BACK];
static volatile sig_atomic_t held;
static bool holding;

static void hold(int signal) {
    held = signal;
}

/* Uses handlers, not a mask: a thread of the BLAS may receive the signal. Signals that are ignored
 * or noted are left alone. */
void hold_signals(const char *path) {
    struct stat about;
    struct sigaction action;
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode))
        return;

    memset(&action, 0, sizeof action);
    action.sa_handler = hold;
    (void)sigemptyset(&action.sa_mask);
    for (int i = 0; i < HELD_BACK; i++)
        if (sigaction(held_back[i], NULL, &actions_before[i]) == 0 &&
            actions_before[i].sa_handler == SIG_DFL)
            (void)sigaction(held_back[i], &action, NULL);
    holding = true;
}

void release_signals(void) {
    for (int i = 0; i < HELD_BACK && holding; i++)
        (void)sigaction(held_back[i], &actions_before[i], NULL);
    if (holding && held != 0)
        (void)raise(held);
    holding = false;
}
