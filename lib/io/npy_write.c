#include "io/npy.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "io/file.h"

#include <ddaebm/array.h>
#include <stdio.h>
#include <string.h>

enum { MAGIC = 6 };
static const unsigned char magic[MAGIC] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

size_t dd_npy_format_header(char out[DD_NPY_HEADER], const char *type, size_t rank,
                            const size_t *shape) {
    size_t used = MAGIC + 4;
    memset(out, ' ', DD_NPY_HEADER);
    memcpy(out, magic, MAGIC);
    out[MAGIC] = 1;
    out[MAGIC + 1] = 0;
    used += (size_t)snprintf(out + used, DD_NPY_HEADER - used,
                             "{'descr': '<%s', 'fortran_order': False, 'shape': (", type);

    for (size_t i = 0; i < rank; i++)
        used += (size_t)snprintf(out + used, DD_NPY_HEADER - used,
                                 i + 1 < rank ? "%zu, "
                                 : rank == 1  ? "%zu,"
                                              : "%zu",
                                 shape[i]);
    used += (size_t)snprintf(out + used, DD_NPY_HEADER - used, "), }");
    out[used] = ' '; /* over the NUL */
    size_t whole = (used + 1 + 63) / 64 * 64;
    out[whole - 1] = '\n';
    out[MAGIC + 2] = (char)((whole - MAGIC - 4) & 0xFF);
    out[MAGIC + 3] = (char)((whole - MAGIC - 4) >> 8);
    return whole;
}

/* Writes numbers of type f4 or f8. */
static ddaebm_status write_npy(ddaebm_context *context, const char *path, const void *values,
                               const char *type, size_t bytes, size_t rank, const size_t *shape) {
    if (rank < 1 || rank > DD_NPY_MOST_RANK_WRITTEN)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "rank is %zu; allowed: 1 to %d", rank,
                       DD_NPY_MOST_RANK_WRITTEN);

    for (size_t i = 0; i < rank; i++)
        if (shape[i] == 0)
            return dd_fail(DDAEBM_OUT_OF_RANGE, "shape[%zu] is 0; allowed: at least 1", i);
        else if (!dd_size_mul(&bytes, bytes, shape[i]))
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "shape: the product of its sizes exceeds the address space");

    char header[DD_NPY_HEADER];
    dd_span spans[] = {{header, dd_npy_format_header(header, type, rank, shape)}, {values, bytes}};
    ddaebm_context *held = NULL;
    ddaebm_status status = dd_context_hold(&held, context);
    if (status == DDAEBM_OK)
        status = dd_file_write(held, path, spans, 2);
    ddaebm_context_free(held);
    return status;
}

ddaebm_status ddaebm_array_write_npy(ddaebm_context *context, const char *path, const float *values,
                                     size_t rank, const size_t *shape) {
    DD_REQUIRE(path);
    DD_REQUIRE(values);
    DD_REQUIRE(shape);
    return write_npy(context, path, values, "f4", sizeof *values, rank, shape);
}

ddaebm_status ddaebm_array_write_npy_double(ddaebm_context *context, const char *path,
                                            const double *values, size_t rank,
                                            const size_t *shape) {
    DD_REQUIRE(path);
    DD_REQUIRE(values);
    DD_REQUIRE(shape);
    return write_npy(context, path, values, "f8", sizeof *values, rank, shape);
}
