#define _POSIX_C_SOURCE 200809L
#include "steplog.h"

#include "console.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The columns after the number of the step. */
#define COLUMNS(X)                                                                                 \
    X(learning_rate)                                                                               \
    X(energy_loss)                                                                                 \
    X(energy_real)                                                                                 \
    X(energy_fake)                                                                                 \
    X(penalty)                                                                                     \
    X(generator_loss)                                                                              \
    X(adversarial_loss)                                                                            \
    X(latent_loss)                                                                                 \
    X(divergence_loss)                                                                             \
    X(reconstruction_loss)

#define COLUMN_NAME(name) "," #name
static const char header[] = "step" COLUMNS(COLUMN_NAME) "\n";

static int write_failed(const char *path, int error) {
    return fail("cannot write the log %.250s: %s; free some space or choose another place", path,
                strerror(error));
}

/* Finds the end of the lines up to step `done`. Returns false if the file is not a log. */
static bool find_end(FILE *file, uint64_t done, off_t *end) {
    char line[512];
    *end = 0;
    if (!fgets(line, sizeof line, file))
        return true; /* empty */
    if (strcmp(line, header) != 0)
        return false;
    *end = ftello(file);
    while (fgets(line, sizeof line, file) && strchr(line, '\n') && strtoull(line, NULL, 10) <= done)
        *end = ftello(file);
    return true;
}

/* Cuts the log after step `done`, and writes the header of a new one. */
static int continue_log(step_log *log, uint64_t done) {
    off_t end = 0;
    if (!find_end(log->file, done, &end))
        return fail("%.250s is not the log of a run, and is left as it is; give --log another name",
                    log->path);
    if (ftruncate(fileno(log->file), end) != 0 || fseeko(log->file, end, SEEK_SET) != 0)
        return write_failed(log->path, errno);
    if (end == 0 && (fputs(header, log->file) < 0 || fflush(log->file) != 0))
        return write_failed(log->path, errno);
    return 0;
}

int step_log_open(step_log *log, const char *path, uint64_t done) {
    struct stat about;
    int code = 0;
    FILE *file = NULL;
    if (!path)
        return 0;

    bool plain = stat(path, &about) != 0 || S_ISREG(about.st_mode);
    file = fopen(path, plain ? "a+" : "w"); /* a device or a pipe cannot be read back */
    if (!file)
        return write_failed(path, errno);

    *log = (step_log){file, path};
    (void)setvbuf(file, NULL, _IOLBF, BUFSIZ); /* whole lines reach the file */
    rewind(file);
    if (plain)
        TRY(continue_log(log, done));
    else if (fputs(header, file) < 0)
        TRY(write_failed(path, errno));
    file = NULL;
cleanup:
    if (file) {
        (void)fclose(file);
        log->file = NULL;
    }
    return code;
}

bool step_log_write(step_log *log, const ddaebm_step_statistics *statistics) {
    if (!log->file)
        return true;

    int written = fprintf(log->file, "%" PRIu64, statistics->step);
#define WRITE_COLUMN(name)                                                                         \
    written = written < 0 ? written : fprintf(log->file, ",%.9g", statistics->name);
    COLUMNS(WRITE_COLUMN)
    if (written >= 0 && fputc('\n', log->file) != EOF)
        return true;

    complain("warning: step %" PRIu64
             ": cannot write the log %.250s: %s; the run goes on without it",
             statistics->step, log->path, strerror(errno));
    (void)fclose(log->file);
    log->file = NULL;
    return false;
}

int step_log_close(step_log *log) {
    FILE *file = log->file;
    log->file = NULL;
    return file && fclose(file) != 0 ? write_failed(log->path, errno) : 0;
}
