/* Rows that are images: their shapes, and files of many. */
#ifndef IMAGE_OPTIONS_H
#define IMAGE_OPTIONS_H

#include <ddaebm/ddaebm.h>
#include <stdbool.h>

/* All 0 for plain rows. */
typedef struct image_shape {
    size_t height, width, channels;
} image_shape;

image_shape shape_of_model(const ddaebm_model *model);
image_shape shape_of_data(const ddaebm_dataset *dataset);

/* Whether networks of images take the shape: a square of an even side up to 128. */
bool can_be_trained(image_shape shape);

/* The side of a square that networks take, and to which --resize brings images of the shape. */
size_t side_to_train(image_shape shape);

/* 0 if rows of the shape can be drawn in a PNG; else what is in the way has been said. */
int check_drawable(image_shape shape, const char *path);

/* Columns of a grid that is about square. */
size_t grid_columns(uint64_t count);

/* 0 if a PNG can hold a grid of so many images; else that has been said. */
int check_grid(const char *path, uint64_t count, size_t columns, image_shape shape);

/* [count, height, width, channels] in [-1, 1] as a grid of images, row by row, on white. */
int write_grid_png(ddaebm_context *context, const char *path, const float *images, size_t count,
                   size_t columns, image_shape shape);

#endif
