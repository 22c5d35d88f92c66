/* Rows that are images: their shapes, and PNG files that hold a grid of them. */
#ifndef IMAGE_OPTIONS_H
#define IMAGE_OPTIONS_H

#include <ddaebm/ddaebm.h>
#include <stdbool.h>

/* The shape of an image; all 0 for plain rows. */
typedef struct image_shape {
    size_t height, width, channels;
} image_shape;

image_shape shape_of_model(const ddaebm_model *model);
image_shape shape_of_data(const ddaebm_dataset *dataset);

/* Returns whether image networks take the shape: a square of an even side up to 128. */
bool can_be_trained(image_shape shape);

/* Returns the side of the square to which --resize should bring images of the shape. */
size_t side_to_train(image_shape shape);

/* Returns 0 if a PNG can show rows of the shape; otherwise complains and returns the exit status.
 */
int check_drawable(image_shape shape, const char *path);

/* Returns the number of columns of a grid that is about square. */
size_t grid_columns(uint64_t count);

/* Returns 0 if a PNG can hold a grid of so many images; otherwise complains and returns the exit
 * status. */
int check_grid(const char *path, uint64_t count, size_t columns, image_shape shape);

/* Writes images [count, height, width, channels] in [-1, 1] as a grid, row by row, on white. */
int write_grid_png(ddaebm_context *context, const char *path, const float *images, size_t count,
                   size_t columns, image_shape shape);

#endif
