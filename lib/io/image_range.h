/* The range of the numbers in an array of images: which are black and white. */
#ifndef DD_IMAGE_RANGE_H
#define DD_IMAGE_RANGE_H

#include "io/image_layout.h"

#include <ddaebm/dataset.h>

/* How far beyond -1 and 1 the numbers of samples may lie. */
#define DD_BEYOND_SAMPLES 0.1

typedef struct dd_image_range {
    double black, white;
    bool fits_bytes; /* black is 0, white 255 or 1, and all numbers are whole and in between, so
                      * bytes hold them */
} dd_image_range;

/* Finds the range of float images and reports guesses. If the options leave it open, it is
 * - 0 to 1 for booleans, and for numbers that are all from 0 to 1;
 * - -1 to 1 for fractions from -1 to 1 of which some are negative, samples up to a tenth beyond;
 * - 0 to 255 for numbers from 0 to 255 of which one is at least 64.
 * Anything else is DDAEBM_OUT_OF_RANGE, with the range that was found in the message, and so is a
 * number beyond the range asked for by more than four times its width. DDAEBM_NOT_FINITE names the
 * first number that is not finite. */
ddaebm_status dd_image_range_find(dd_image_range *out, ddaebm_context *context,
                                  const dd_rows *images, dd_number_kind kind,
                                  const ddaebm_read_options *options);

/* Finds the range of bytes: 0 to 255, or 0 to 1 if all are 0 and 1. */
ddaebm_status dd_image_range_of_bytes(dd_image_range *out, ddaebm_context *context,
                                      const dd_images *images, const ddaebm_read_options *options);

/* Returns whether options ask for a range. */
static inline bool dd_image_range_asked(const ddaebm_read_options *options) {
    return options->black < options->white || options->black > options->white;
}

/* Scales floats from the range to [-1, 1]. */
void dd_image_range_scale(dd_rows *images, const dd_image_range *range);

#endif
