/* Signals that are put together from windows, and where they go. */
#ifndef SERIES_H
#define SERIES_H

#include "outputs.h"

#include <ddaebm/ddaebm.h>

typedef struct series {
    ddaebm_windows shape;
    double *samples; /* [samples, channels] */
    double *weights; /* [samples] */
    size_t rate;     /* samples a second; 0: unknown */
} series;

/* Makes a signal of the shape that a set of windows was cut from, with its channels, or with as
 * many as `channels` says (0: its own). Functions that return int return 0 or the exit status; a
 * signal is closed in either case. */
int series_open(series *self, const ddaebm_dataset *windows, size_t channels);
void series_close(series *self);

/* Adds windows first .. first+count-1, [count, window * channels]. */
int series_add(series *self, uint64_t first, size_t count, const double *rows);

/* Writes samples [samples, channels] as WAV; without a rate (0), of 1000 samples a second. */
int write_wav(ddaebm_context *context, const char *path, const double *samples, size_t count,
              size_t channels, size_t rate);

/* Writes the signal in the format of `to`, a sample a row: as float64 if `wide`, else as float32.
 */
int series_write(const series *self, ddaebm_context *context, output to, bool wide);

#endif
