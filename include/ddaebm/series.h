/** @file series.h
 *  Signals: series of samples, cut into overlapping windows that are the rows of a model, and put
 *  together again.
 *
 *  A series is a data set whose rows are the samples in the order of time, one number for each
 *  channel: any table, or a WAV file. A row of its windows has window * channels numbers, the
 *  channels of a sample side by side.
 *
 *  Windows begin `hop` samples apart, and one more ends where the series ends, unless the last does
 *  so anyway: every sample is in a window. Row i of N begins at sample i * hop, the last at samples
 *  - window; N is 1 + (samples - window + hop - 1) / hop.
 */
#ifndef DDAEBM_SERIES_H
#define DDAEBM_SERIES_H

#include <ddaebm/dataset.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Makes the set of a series' windows. Only the series itself is kept in memory.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free
 *  @param series a finite set of rows of numbers; copied
 *  @param window samples in a window, 1 to the series' rows; at most 1,048,576 numbers
 *  @param hop samples from the beginning of a window to that of the next, 1 to @p window
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT (a set without end, or of images),
 *          ::DDAEBM_OUT_OF_RANGE, ::DDAEBM_NOT_FINITE, ::DDAEBM_OUT_OF_MEMORY, or what the caller's
 *          source returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_windows(ddaebm_dataset **out,
                                                                      const ddaebm_dataset *series,
                                                                      size_t window, size_t hop);

/** Shape of a series and its windows. Initialise with DDAEBM_WINDOWS_INIT, then fill in. */
typedef struct ddaebm_windows {
    size_t struct_size; /**< sizeof(ddaebm_windows) */
    size_t samples;     /**< of the series */
    size_t channels;    /**< numbers in a sample */
    size_t window;      /**< samples in a window, 1 to samples */
    size_t hop;         /**< samples from one window's beginning to the next's, 1 to window */
} ddaebm_windows;

/** Initialiser of a ddaebm_windows. */
#define DDAEBM_WINDOWS_INIT                                                                        \
    { sizeof(ddaebm_windows), 0, 1, 0, 0 }

/** Tells the shape of a set of windows and of the series that they were cut from.
 *  @param dataset made by ddaebm_dataset_create_windows
 *  @param[in,out] shape its struct_size set by the caller; untouched on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, or ::DDAEBM_NOT_FOUND for another set.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_windows(const ddaebm_dataset *dataset,
                                                               ddaebm_windows *shape);

/** Adds windows to a series: each sample is the weighted mean of what the windows added so far have
 *  for it. A window's weights are a triangle, largest in the middle, where a model knows what comes
 *  before and after. Windows that were cut from a series and not changed give the series back, bit
 *  for bit.
 *  @param shape of the series and its windows
 *  @param rows [count, window * channels] float64: the windows, as ddaebm_dataset_create_windows
 *         numbers them
 *  @param first number of the first, from 0
 *  @param count number of windows
 *  @param[in,out] series [samples, channels] float64; what no window has reached is as it was
 *  @param[in,out] weights [samples] float64: 0 before the first call, and afterwards the sum of the
 *         weights at each sample
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_RANGE (a window that the
 * series does not have).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_windows_add(const ddaebm_windows *shape,
                                                           const double *rows, size_t first,
                                                           size_t count, double *series,
                                                           double *weights);

/** Returns how many samples a second a WAV file has, or the windows of one.
 *  @param dataset not NULL
 *  @return 0 for sets of other origin.
 */
DDAEBM_API size_t ddaebm_dataset_sample_rate(const ddaebm_dataset *dataset);

/** Writes a series as a WAV file of 32-bit floating-point numbers, which may lie beyond [-1, 1].
 *  @param context NULL for the defaults
 *  @param path of the file; replaced if it exists, whole or not at all
 *  @param series [samples, channels] float64, finite as float32
 *  @param samples at least 1
 *  @param channels 1 to 1,024
 *  @param rate samples a second, 1 to 2,147,483,647
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE, ::DDAEBM_NOT_FINITE,
 *          ::DDAEBM_IO, ::DDAEBM_OUT_OF_MEMORY, or ::DDAEBM_UNSUPPORTED in a build without
 *          libsndfile.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_series_write_wav(ddaebm_context *context,
                                                                const char *path,
                                                                const double *series,
                                                                size_t samples, size_t channels,
                                                                size_t rate);

#ifdef __cplusplus
}
#endif

#endif
