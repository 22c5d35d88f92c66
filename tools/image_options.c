#include "image_options.h"

#include "console.h"
#include "signals.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, WHITE = 255, MOST_SIDE = 65535, MOST_TRAINED = 128 };

image_shape shape_of_model(const ddaebm_model *model) {
    image_shape shape;
    ddaebm_model_image_shape(model, &shape.height, &shape.width, &shape.channels);
    return shape;
}

image_shape shape_of_data(const ddaebm_dataset *dataset) {
    image_shape shape;
    ddaebm_dataset_image_shape(dataset, &shape.height, &shape.width, &shape.channels);
    return shape;
}

bool can_be_trained(image_shape shape) {
    return shape.height == shape.width && shape.height % 2 == 0 && shape.height > 0 &&
           shape.height <= MOST_TRAINED;
}

size_t side_to_train(image_shape shape) {
    size_t side = shape.height > shape.width ? shape.height : shape.width;
    return side < MOST_TRAINED ? side + side % 2 : MOST_TRAINED;
}

int check_drawable(image_shape shape, const char *path) {
    if (shape.height == 0)
        return fail("%.250s: these rows are no images; give a name that ends in .npy or .csv",
                    path);
    if (shape.channels != 1 && shape.channels != 3)
        return fail("%.250s: images of %zu channels; a PNG has 1 or 3, give a name that ends in "
                    ".npy or .csv",
                    path, shape.channels);
    return 0;
}

/* Converts a value in [-1, 1] to a byte. */
static uint8_t byte_of(float value) {
    float scaled = (value + 1) * 127.5f + 0.5f;
    return (uint8_t)(scaled > 0 ? scaled < 255 ? scaled : 255 : 0);
}

static void draw_image(uint8_t *corner, size_t line, const float *image, image_shape shape) {
    for (size_t y = 0; y < shape.height; y++)
        for (size_t i = 0; i < shape.width * shape.channels; i++)
            corner[y * line + i] = byte_of(image[y * shape.width * shape.channels + i]);
}

size_t grid_columns(uint64_t count) {
    size_t columns = 1;
    while (columns < MOST_SIDE && (uint64_t)columns * columns < count)
        columns++;
    return columns;
}

int check_grid(const char *path, uint64_t count, size_t columns, image_shape shape) {
    uint64_t rows = (count + columns - 1) / columns;
    if (columns > MOST_SIDE / (shape.width + GAP) || rows > MOST_SIDE / (shape.height + GAP))
        return fail("%.250s: a grid of %zu by %" PRIu64
                    " images is larger than a PNG may be; ask for fewer",
                    path, columns, rows);
    return 0;
}

int write_grid_png(ddaebm_context *context, const char *path, const float *images, size_t count,
                   size_t columns, image_shape shape) {
    int code = check_grid(path, count, columns, shape);
    if (code != 0)
        return code;

    size_t rows = (count + columns - 1) / columns;
    size_t width = columns * (shape.width + GAP) - GAP, height = rows * (shape.height + GAP) - GAP,
           line = width * shape.channels;
    uint8_t *pixels = malloc(height * line);
    if (!pixels)
        return fail("no memory for an image of %zu by %zu; ask for fewer", width, height);

    memset(pixels, WHITE, height * line);
    for (size_t i = 0; i < count; i++) {
        size_t top = i / columns * (shape.height + GAP), left = i % columns * (shape.width + GAP);
        draw_image(pixels + top * line + left * shape.channels, line,
                   images + i * shape.height * shape.width * shape.channels, shape);
    }

    hold_signals(path);
    code = checked(ddaebm_array_write_png(context, path, pixels, height, width, shape.channels));
    release_signals();
    free(pixels);
    return code;
}
