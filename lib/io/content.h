/* What a file or folder of data holds, whichever format it has. */
#ifndef DD_CONTENT_H
#define DD_CONTENT_H

#include "io/columns.h"
#include "io/images.h"

#include <ddaebm/dataset.h>

/* Rows, or images of 8 bits. */
typedef struct dd_content {
    dd_rows rows;            /* without numbers for images of 8 bits */
    dd_column_names columns; /* of rows */
    bool is_text;            /* it was CSV */
    bool has_own_layout;     /* it was images of a format that says what its numbers are: PNG, JPEG,
                                CIFAR-10 */
    dd_image_shape shape; /* of rows that are images, floats from -1 to 1 or so: all 0 for others */
    dd_images images;     /* without pixels for rows */
} dd_content;

/* Reads what ddaebm_dataset_open takes, told by its content. Whatever the format, a file is read
 * whole: a mapped file that another process cuts short would end this one. Failures name file and
 * cause; out is untouched then. */
ddaebm_status dd_content_read(dd_content *out, ddaebm_context *context, const char *path,
                              const ddaebm_read_options *options);

void dd_content_free(dd_content *content, ddaebm_context *context);

#endif
