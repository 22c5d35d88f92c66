#define _POSIX_C_SOURCE 200809L
#include "signals.h"

#include "console.h"

#include <signal.h>
#include <string.h>

enum { EXIT_SIGNAL = 128 };

static volatile sig_atomic_t caught;

static void note(int signal) {
    caught = signal;
}

void catch_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    action.sa_flags = (int)SA_RESETHAND;
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            (void)sigaction(signals[i], &action, NULL);
}

int cancel_on_signal(void *user, uint64_t done, uint64_t total) {
    (void)user, (void)done, (void)total;
    return caught != 0;
}

int check_signals(const char *path) {
    if (caught == 0)
        return 0;
    complain("stopped by signal %d; %.250s is not written", (int)caught, path);
    return EXIT_SIGNAL + caught;
}

int checked_or_stopped(ddaebm_status status, const char *path) {
    return status == DDAEBM_CANCELLED && caught != 0 ? check_signals(path) : checked(status);
}
