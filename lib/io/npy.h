/* Reading and writing arrays in NumPy's format, NPY. */
#ifndef DD_NPY_H
#define DD_NPY_H

#include "io/image_layout.h"

#include <ddaebm/context.h>
#include <stdbool.h>

/* Returns whether a file's first bytes are NPY's. */
bool dd_npy_recognise(const void *data, size_t size);

/* Reads an NPY file as rows along the first axis; an array of rank 1 is a column. Versions 1 to 3;
 * floats of 16, 32 and 64 bits, integers of 8 to 64 bits and booleans; both byte orders; C and
 * Fortran order. Fails with DDAEBM_FORMAT if it is malformed, has no elements, or has more or fewer
 * bytes than its header says, DDAEBM_UNSUPPORTED for other types and for rank 0, and
 * DDAEBM_OUT_OF_RANGE beyond the limits; *out is then untouched. */
ddaebm_status dd_npy_parse(dd_rows *out, ddaebm_context *context, const void *data, size_t size);

/* Reads an NPY file as dd_npy_parse does, but always as floats: enough for images. */
ddaebm_status dd_npy_parse_floats(dd_rows *out, ddaebm_context *context, const void *data,
                                  size_t size);

/* Reads axes and type from the header; fails as dd_npy_parse does. */
ddaebm_status dd_npy_look(dd_array_axes *out, const void *data, size_t size);

/* Reads images from a file of DD_BYTES. All axes but the first must have as many numbers as
 * `shape`; otherwise as dd_npy_parse. */
ddaebm_status dd_npy_parse_bytes(dd_images *out, ddaebm_context *context, const void *data,
                                 size_t size, dd_image_shape shape);

/* Most axes of an array that is written, and room for its header. */
enum { DD_NPY_MOST_RANK_WRITTEN = 8, DD_NPY_HEADER = 256 };

/* Writes the header of a little-endian array of type f4 or f8 in C order; returns its length, a
 * multiple of 64. */
size_t dd_npy_format_header(char out[DD_NPY_HEADER], const char *type, size_t rank,
                            const size_t *shape);

#endif
