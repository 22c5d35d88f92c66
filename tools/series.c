#include "series.h"

#include "console.h"
#include "inputs.h"
#include "rowfile.h"
#include "signals.h"

#include <stdlib.h>
#include <string.h>

int series_open(series *self, const ddaebm_dataset *windows, size_t channels) {
    int code = 0;
    *self = (series){.shape = DDAEBM_WINDOWS_INIT};
    self->rate = ddaebm_dataset_sample_rate(windows);
    TRY(checked(ddaebm_dataset_windows(windows, &self->shape)));
    if (channels > 0)
        self->shape.channels = channels;
    TRY(make_doubles(&self->samples, self->shape.samples, self->shape.channels));
    TRY(make_doubles(&self->weights, self->shape.samples, 1));
    memset(self->weights, 0, self->shape.samples * sizeof *self->weights);
cleanup:
    return code;
}

void series_close(series *self) {
    free(self->samples);
    free(self->weights);
    *self = (series){.samples = NULL};
}

int series_add(series *self, uint64_t first, size_t count, const double *rows) {
    return checked(
        ddaebm_windows_add(&self->shape, rows, (size_t)first, count, self->samples, self->weights));
}

/* ---- Writing. ---- */

/* Row_sources. */
static int give_wide(void *user, uint64_t first, size_t count, void *block) {
    const series *self = user;
    memcpy(block, self->samples + (size_t)first * self->shape.channels,
           count * self->shape.channels * sizeof *self->samples);
    return 0;
}

static int give_narrow(void *user, uint64_t first, size_t count, void *block) {
    const series *self = user;
    float *out = block;
    for (size_t i = 0; i < count * self->shape.channels; i++)
        out[i] = (float)self->samples[(size_t)first * self->shape.channels + i];
    return 0;
}

int write_wav(ddaebm_context *context, const char *path, const double *samples, size_t count,
              size_t channels, size_t rate) {
    enum { PLAIN_RATE = 1000 };
    hold_signals(path);
    int code = checked(ddaebm_series_write_wav(context, path, samples, count, channels,
                                               rate > 0 ? rate : PLAIN_RATE));
    release_signals();
    return code;
}

int series_write(const series *self, ddaebm_context *context, output to, bool wide) {
    const size_t channels = self->shape.channels;
    series own = *self;
    if (to.format == FORMAT_WAV)
        return write_wav(context, to.path, self->samples, self->shape.samples, channels,
                         self->rate);
    const row_file file = {.to = to, .count = self->shape.samples, .width = channels, .wide = wide};
    return write_row_file(context, &file, rows_at_once(channels, 1), wide ? give_wide : give_narrow,
                          &own);
}
