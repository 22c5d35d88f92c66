/* Arrays in NumPy's format. */
#ifndef DD_NPY_H
#define DD_NPY_H

#include "io/image_layout.h"

#include <ddaebm/context.h>
#include <stdbool.h>

/* Whether a file's first bytes are NPY's. */
bool dd_npy_recognise(const void *data, size_t size);

/* Reads an NPY file's bytes (version 1 to 3; floats of 16, 32 or 64 bits, integers of 8 to 64 and
 * booleans, either byte order, C or Fortran order) as rows along the first axis; a rank-1 array is
 * a column. FORMAT if malformed, if it has no elements or not just as many bytes as its header
 * says, UNSUPPORTED for other types and rank 0, OUT_OF_RANGE for sizes beyond the limits. out is
 * untouched on failure. */
ddaebm_status dd_npy_parse(dd_rows *out, ddaebm_context *context, const void *data, size_t size);

/* The same as floats, whatever the type: for images, which are of few levels. */
ddaebm_status dd_npy_parse_floats(dd_rows *out, ddaebm_context *context, const void *data,
                                  size_t size);

/* What the header says of axes and type; fails as dd_npy_parse does. */
ddaebm_status dd_npy_look(dd_array_axes *out, const void *data, size_t size);

/* Reads a file of DD_BYTES, whose axes but the first have as many numbers as `shape`; otherwise as
 * dd_npy_parse. */
ddaebm_status dd_npy_parse_bytes(dd_images *out, ddaebm_context *context, const void *data,
                                 size_t size, dd_image_shape shape);

/* Axes of an array that is written, at most, and room for its header. */
enum { DD_NPY_MOST_RANK_WRITTEN = 8, DD_NPY_HEADER = 256 };

/* Writes the header of an array in C order, of type f4 or f8 in little-endian: its length, a
 * multiple of 64. */
size_t dd_npy_format_header(char out[DD_NPY_HEADER], const char *type, size_t rank,
                            const size_t *shape);

#endif
