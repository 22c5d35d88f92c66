/* Where a convolution or a filter stands on an image. */
#ifndef DD_WINDOW_H
#define DD_WINDOW_H

#include "tensor/graph/operations.h"

/* Returns how many places a filter of `taps` has along `size` pixels; 0 if there is none. */
static inline size_t dd_window_places(size_t size, size_t taps, dd_window window) {
    int64_t room = (int64_t)size * window.up + window.before + window.after - (int64_t)taps;
    return room < 0 ? 0 : (size_t)(room / window.stride) + 1;
}

#endif
