/* Arrays in NumPy's format. */
#ifndef DD_NPY_H
#define DD_NPY_H

#include "io/rows.h"

#include <ddaebm/context.h>
#include <stdbool.h>

/* Whether a file's first bytes are NPY's. */
bool dd_npy_recognise(const void *data, size_t size);

/* Reads an NPY file's bytes (version 1 to 3; floats of 16, 32 or 64 bits, integers of 8 to 64 and booleans, either byte order, C or
 * Fortran order) as rows along the first axis; a rank-1 array is a column. FORMAT if malformed, if it has no elements or not just
 * as many bytes as its header says, UNSUPPORTED for other types and rank 0, OUT_OF_RANGE for sizes beyond the limits. out is
 * untouched on failure. */
ddaebm_status dd_npy_parse(dd_rows *out, ddaebm_context *context, const void *data, size_t size);

#endif
