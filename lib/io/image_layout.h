/* Finding which axes of an array are height, width and channels. */
#ifndef DD_IMAGE_LAYOUT_H
#define DD_IMAGE_LAYOUT_H

#include "io/images.h"

#include <ddaebm/dataset.h>
#include <stdbool.h>

/* Type of the numbers in a file. */
typedef enum dd_number_kind { DD_BOOLEANS, DD_BYTES, DD_INTEGERS, DD_FRACTIONS } dd_number_kind;

enum { DD_ARRAY_AXES = 4 };

typedef struct dd_array_axes {
    size_t rank;
    size_t length[DD_ARRAY_AXES]; /* of the first axes only */
    dd_number_kind kind;
} dd_array_axes;

typedef struct dd_image_layout {
    dd_image_shape shape; /* all 0 for plain rows */
    bool planes;          /* the channels come before height and width */
} dd_image_layout;

/* Finds the layout of an array. If the options leave it open, three axes are [N, H, W], and four
 * are [N, H, W, C] or [N, C, H, W], whichever has 1 to 4 channels, or is square if both have. A
 * guess is reported. Other arrays of three or four axes are DDAEBM_UNSUPPORTED, with a message that
 * says which layout reads them. DDAEBM_INVALID_ARGUMENT for a layout that the array cannot have. */
ddaebm_status dd_image_layout_find(dd_image_layout *out, ddaebm_context *context,
                                   const dd_array_axes *axes, ddaebm_layout asked);

/* Moves the channels of `count` images from first to last place; numbers have `size` bytes. */
ddaebm_status dd_image_layout_interleave(void *numbers, size_t size, ddaebm_context *context,
                                         dd_image_shape shape, size_t count);

#endif
