#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LINE_ROOM = 256, WIDEST_BAR = 40, NARROWEST_BAR = 8 };
static const double terminal_seconds = 0.1, line_seconds = 10, smoothing = 0.02;

static double now(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int columns(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* Formats seconds as 0:55 or 2:03:04. */
static void time_text(char *text, size_t room, double seconds) {
    uint64_t whole = seconds < 1e9 ? (uint64_t)(seconds + 0.5) : 0;
    uint64_t hours = whole / 3600, minutes = whole / 60 % 60;
    if (hours > 0)
        (void)snprintf(text, room, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, hours, minutes,
                       whole % 60);
    else
        (void)snprintf(text, room, "%" PRIu64 ":%02" PRIu64, minutes, whole % 60);
}

/* Formats steps, rate, time left and losses. */
static void figures(const progress *state, uint64_t step, char *text, size_t room) {
    double elapsed = now() - state->began;
    double rate = elapsed > 0 ? (double)(step - state->first) / elapsed : 0;
    char time[32] = "?";
    bool done = step >= state->last;
    if (done || rate > 0)
        time_text(time, sizeof time, done ? elapsed : (double)(state->last - step) / rate);

    const ddaebm_step_statistics *losses = &state->smooth;
    double shown = state->images ? rate * (double)state->images : rate;
    int used =
        snprintf(text, room, "%" PRIu64 "/%" PRIu64 " steps, %.*f%s/s, %s %s", step, state->last,
                 shown < 10, shown, state->images ? " images" : "", time, done ? "in all" : "left");
    if (state->trains && used > 0 && (size_t)used < room)
        used += snprintf(text + used, room - (size_t)used, ", energy %.3f, generator %.3f",
                         losses->energy_loss, losses->generator_loss);
    if (state->trains && state->images && used > 0 && (size_t)used < room)
        (void)snprintf(text + used, room - (size_t)used,
                       " (adversarial %.3f, latent %.3f, divergence %.3f, reconstruction %.3f)",
                       losses->adversarial_loss, losses->latent_loss, losses->divergence_loss,
                       losses->reconstruction_loss);
}

/* Redraws the line of a terminal: a bar where it has room, and the figures. */
static void draw_bar(const progress *state, uint64_t step, const char *text) {
    char bar[WIDEST_BAR + 1];
    int room = columns() - (int)strlen(text) - 10;
    int width = room > WIDEST_BAR ? WIDEST_BAR : room;
    (void)fprintf(stderr, "\r\033[K");
    if (width >= NARROWEST_BAR && state->last > 0) {
        int filled = (int)((double)width * (double)step / (double)state->last);
        memset(bar, '.', (size_t)width);
        memset(bar, '#', (size_t)filled);
        (void)fprintf(stderr, "[%.*s] %3.0f%% ", width, bar,
                      100 * (double)step / (double)state->last);
    }
    (void)fprintf(stderr, "%.*s", columns() - 1, text);
    (void)fflush(stderr);
}

static void show(progress *state, uint64_t step) {
    char text[LINE_ROOM];
    figures(state, step, text, sizeof text);
    if (state->terminal)
        draw_bar(state, step, text);
    else
        (void)fprintf(stderr, "%s\n", text);
    state->drawn = true;
    state->shown = now();
}

void progress_begin(progress *state, uint64_t first, uint64_t last, uint64_t images, bool quiet) {
    *state = (progress){.quiet = quiet,
                        .terminal = isatty(STDERR_FILENO) == 1,
                        .first = first,
                        .last = last,
                        .images = images};
    state->began = state->shown = now();
}

/* A terminal is shown more often than a file. */
static void show_if_due(progress *state, uint64_t step) {
    double due = state->terminal ? terminal_seconds : line_seconds;
    if (!state->quiet && now() - state->shown >= due)
        show(state, step);
}

void progress_step(progress *state, const ddaebm_step_statistics *statistics) {
    state->trains = true;
    double weight = statistics->step == state->first + 1 ? 1 : smoothing;
#define SMOOTH(name) state->smooth.name += weight * (statistics->name - state->smooth.name)
    SMOOTH(energy_loss);
    SMOOTH(generator_loss);
    SMOOTH(adversarial_loss);
    SMOOTH(latent_loss);
    SMOOTH(divergence_loss);
    SMOOTH(reconstruction_loss);
#undef SMOOTH
    show_if_due(state, statistics->step);
}

void progress_count(progress *state, uint64_t step) {
    show_if_due(state, step);
}

void progress_end(progress *state, uint64_t step) {
    if (state->quiet || step == state->first)
        return;
    show(state, step);
    if (state->terminal)
        (void)fputc('\n', stderr);
}
