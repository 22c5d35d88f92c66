/* The functions of oneDNN, whose shared library is loaded at the first convolution that uses it. A
 * process without images then need not have it installed, nor wait for it: loading it takes longer
 * than everything else at start. */
#ifndef DD_ONEDNN_H
#define DD_ONEDNN_H

#include "base/ieee.h"

#include <oneapi/dnnl/dnnl.h>

/* Those that are called, named without their dnnl_. */
#define DD_ONEDNN_FUNCTIONS(X)                                                                     \
    X(engine_create)                                                                               \
    X(engine_destroy)                                                                              \
    X(stream_create)                                                                               \
    X(stream_wait)                                                                                 \
    X(stream_destroy)                                                                              \
    X(memory_desc_init_by_tag)                                                                     \
    X(memory_desc_init_submemory)                                                                  \
    X(memory_desc_equal)                                                                           \
    X(memory_desc_get_size)                                                                        \
    X(memory_create)                                                                               \
    X(memory_destroy)                                                                              \
    X(dilated_convolution_forward_desc_init)                                                       \
    X(dilated_convolution_backward_data_desc_init)                                                 \
    X(dilated_convolution_backward_weights_desc_init)                                              \
    X(reorder_primitive_desc_create)                                                               \
    X(primitive_attr_create)                                                                       \
    X(primitive_attr_destroy)                                                                      \
    X(primitive_attr_set_scratchpad_mode)                                                          \
    X(primitive_desc_create)                                                                       \
    X(primitive_desc_destroy)                                                                      \
    X(primitive_desc_query)                                                                        \
    X(primitive_desc_query_md)                                                                     \
    X(primitive_create)                                                                            \
    X(primitive_destroy)                                                                           \
    X(primitive_execute)

typedef struct dd_onednn {
#define DD_ONEDNN_MEMBER(name) __typeof__(dnnl_##name) *name;
    DD_ONEDNN_FUNCTIONS(DD_ONEDNN_MEMBER)
#undef DD_ONEDNN_MEMBER
    /* OpenMP's, of the runtime that the library computes with; NULL where it was built without
     * threads. */
    void (*omp_set_num_threads)(int);
    int (*omp_get_max_threads)(void);
} dd_onednn;

/* Returns oneDNN's functions, or NULL where no oneDNN of the version and threading that was
 * compiled against is installed. From any thread; loaded once and kept. */
const dd_onednn *dd_onednn_load(void);

#endif
