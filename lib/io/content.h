/* The content of a file or folder of data, whichever format it has. */
#ifndef DD_CONTENT_H
#define DD_CONTENT_H

#include "io/columns.h"
#include "io/images.h"

#include <ddaebm/dataset.h>

/* Either rows of numbers, or 8-bit images. */
typedef struct dd_content {
    dd_rows rows;            /* empty for 8-bit images */
    dd_column_names columns; /* of rows */
    bool is_text;            /* the file was CSV */
    bool has_own_layout;     /* the format says what its numbers are: PNG, JPEG, CIFAR-10 */
    dd_image_shape
        shape;           /* shape of rows that are images with float pixels; all 0 for plain rows */
    dd_images images;    /* 8-bit images; empty for rows */
    size_t rank;         /* axes of the array that was read; 0 for other formats */
    double black, white; /* numbers of the file that are -1 and 1; both 0 for plain rows */
} dd_content;

/* Reads whatever ddaebm_dataset_open takes; the format is found from the content. A file is read
 * whole into memory: with a mapping, a process that truncates the file would end this one. Failures
 * name the file and the cause; *out is then untouched. */
ddaebm_status dd_content_read(dd_content *out, ddaebm_context *context, const char *path,
                              const ddaebm_read_options *options);

void dd_content_free(dd_content *content, ddaebm_context *context);

#endif
