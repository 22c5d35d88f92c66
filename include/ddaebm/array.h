/** @file array.h
 *  Writes files that other programs read: arrays as NPY, images as PNG.
 *
 *  A file is written whole or not at all: to a temporary file beside the target, which then
 *  replaces it.
 */
#ifndef DDAEBM_ARRAY_H
#define DDAEBM_ARRAY_H

#include <ddaebm/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Writes a float32 array as NPY version 1.0 in C order.
 *  @param context NULL for the defaults
 *  @param path of the file; replaced if it exists
 *  @param values product(shape) numbers
 *  @param rank number of axes, 1 to 8
 *  @param shape [rank] sizes, slowest axis first; each at least 1
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE, ::DDAEBM_IO or
 *          ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_array_write_npy(ddaebm_context *context,
                                                               const char *path,
                                                               const float *values, size_t rank,
                                                               const size_t *shape);

/** Writes a float64 array, as ddaebm_array_write_npy does.
 *  @param context NULL for the defaults
 *  @param path of the file; replaced if it exists
 *  @param values product(shape) numbers
 *  @param rank number of axes, 1 to 8
 *  @param shape [rank] sizes, slowest axis first; each at least 1
 *  @return as ddaebm_array_write_npy.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_array_write_npy_double(ddaebm_context *context,
                                                                      const char *path,
                                                                      const double *values,
                                                                      size_t rank,
                                                                      const size_t *shape);

/** Writes an 8-bit image as PNG.
 *  @param context NULL for the defaults
 *  @param path of the file; replaced if it exists
 *  @param pixels [height, width, channels] bytes, top row first
 *  @param height 1 to 65,535
 *  @param width 1 to 65,535
 *  @param channels 1 (grey) or 3 (RGB)
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE, ::DDAEBM_IO,
 *          ::DDAEBM_OUT_OF_MEMORY, or ::DDAEBM_UNSUPPORTED in a build without libpng.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_array_write_png(ddaebm_context *context,
                                                               const char *path,
                                                               const uint8_t *pixels, size_t height,
                                                               size_t width, size_t channels);

#ifdef __cplusplus
}
#endif

#endif
