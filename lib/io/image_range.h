/* Which numbers of an array of images are black and white. */
#ifndef DD_IMAGE_RANGE_H
#define DD_IMAGE_RANGE_H

#include "io/image_layout.h"

#include <ddaebm/dataset.h>

/* How far beyond -1 and 1 the numbers of samples may lie. */
#define DD_BEYOND_SAMPLES 0.1

typedef struct dd_image_range {
    double black, white;
    bool levels; /* black is 0, white 255 or 1, and all numbers are whole ones between: bytes can
                    hold them */
} dd_image_range;

/* Finds the range of images of floats, and reports what is guessed. As the options say; left to the
 * content:
 * - Booleans, and numbers from 0 to 1 or 0 and 1 alone: 0 and 1;
 * - fractions from -1 to 1 of which some are negative: -1 and 1; those of samples may lie a tenth
 * beyond;
 * - numbers from 0 to 255 of which one is 64 at least: 0 and 255.
 * OUT_OF_RANGE for others, with the range found, and for a number beyond the range that was asked
 * for by more than four times its width. NOT_FINITE names the first number that is not. */
ddaebm_status dd_image_range_find(dd_image_range *out, ddaebm_context *context,
                                  const dd_rows *images, dd_number_kind kind,
                                  const ddaebm_read_options *options);

/* The same of bytes: 0 and 255 unless all are 0 and 1. */
ddaebm_status dd_image_range_of_bytes(dd_image_range *out, ddaebm_context *context,
                                      const dd_images *images, const ddaebm_read_options *options);

/* Whether options ask for a range. */
static inline bool dd_image_range_asked(const ddaebm_read_options *options) {
    return options->black < options->white || options->black > options->white;
}

/* Brings floats of the range to [-1, 1]. */
void dd_image_range_scale(dd_rows *images, const dd_image_range *range);

#endif
