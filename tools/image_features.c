#include "image_features.h"

#include "console.h"
#include "inputs.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of features.npy, written by the build (embed.cmake). */
extern const unsigned char features_file[];
extern const size_t features_file_size;

enum { SIDE = 28, LAYERS = 3, MOST_CHANNELS = IMAGE_FEATURES, MOST_NUMBERS = 14 * 14 * 32 };

/* A 3 x 3 convolution with a margin of one zero, and ReLU. */
typedef struct layer {
    size_t before, after, stride;  /* channels of input and output */
    const float *weights, *biases; /* [3, 3, before, after], [after] */
} layer;

/* ---- The file. ---- */

/* Reads the little-endian numbers after the header of the file into *out, to be freed with free. */
static int read_numbers(float **out, size_t expected) {
    enum { MAGIC = 8, LENGTH = 2 };
    size_t start = MAGIC + LENGTH + features_file[MAGIC] + 256u * features_file[MAGIC + 1];
    if (features_file_size != start + expected * sizeof(float))
        return fail("the weights for the features of images were built in wrongly");
    int code = make_room(out, expected, 1);
    if (code != 0)
        return code;
    for (size_t i = 0; i < expected; i++) {
        const unsigned char *b = features_file + start + i * sizeof(float);
        uint32_t bits = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        memcpy(*out + i, &bits, sizeof bits);
    }
    return 0;
}

/* Fills the layers, whose numbers are *numbers, to be freed with free. */
static int read_layers(layer layers[LAYERS], float **numbers) {
    static const layer shapes[LAYERS] = {
        {1, 16, 2, NULL, NULL}, {16, 32, 1, NULL, NULL}, {32, 64, 2, NULL, NULL}};
    size_t total = 0;
    for (size_t k = 0; k < LAYERS; k++)
        total += (9 * shapes[k].before + 1) * shapes[k].after;
    int code = read_numbers(numbers, total);
    if (code != 0)
        return code;

    const float *at = *numbers;
    for (size_t k = 0; k < LAYERS; k++) {
        layers[k] = shapes[k];
        layers[k].weights = at;
        layers[k].biases = at + 9 * layers[k].before * layers[k].after;
        at = layers[k].biases + layers[k].after;
    }
    return 0;
}

/* ---- Images. ---- */

/* Length of the part of pixel `pixel` of `count` that lies within [low, high] of a side of 1. */
static double overlap(size_t pixel, size_t count, double low, double high) {
    double first = (double)pixel / (double)count, last = (double)(pixel + 1) / (double)count;
    double from = first > low ? first : low, to = last < high ? last : high;
    return to > from ? to - from : 0;
}

/* Mean of the image over a pixel of the small one, over all channels. */
static double mean_below(const double *image, image_shape shape, size_t row, size_t column) {
    const double size = 1.0 / SIDE, top = (double)row * size, left = (double)column * size;
    size_t first_row = (size_t)(top * (double)shape.height),
           first_column = (size_t)(left * (double)shape.width);
    double sum = 0, area = 0;
    for (size_t i = first_row; i < shape.height; i++) {
        double down = overlap(i, shape.height, top, top + size);
        if (down <= 0 && i > first_row)
            break;
        for (size_t j = first_column; j < shape.width; j++) {
            double part = down * overlap(j, shape.width, left, left + size);
            if (part <= 0 && j > first_column)
                break;
            for (size_t c = 0; c < shape.channels; c++)
                sum += part * image[(i * shape.width + j) * shape.channels + c];
            area += part * (double)shape.channels;
        }
    }
    return sum / area;
}

static void reduce(float *out, const double *image, image_shape shape) {
    bool same = shape.height == SIDE && shape.width == SIDE && shape.channels == 1;
    for (size_t i = 0; i < SIDE; i++)
        for (size_t j = 0; j < SIDE; j++)
            out[i * SIDE + j] =
                (float)(same ? image[i * SIDE + j] : mean_below(image, shape, i, j));
}

/* ---- The network. ---- */

/* Adds a tap's products to the sums of all channels. Most numbers after a ReLU are 0. */
static void add_tap(float *sums, const float *pixel, const float *weights, const layer *l) {
    for (size_t c = 0; c < l->before; c++) {
        if (pixel[c] == 0)
            continue;
        for (size_t o = 0; o < l->after; o++)
            sums[o] += pixel[c] * weights[c * l->after + o];
    }
}

static void convolve(float *out, const float *in, size_t side, const layer *l) {
    size_t out_side = side / l->stride;
    for (size_t place = 0; place < out_side * out_side; place++) {
        float sums[MOST_CHANNELS];
        memcpy(sums, l->biases, l->after * sizeof *sums);
        for (size_t tap = 0; tap < 9; tap++) { /* rows and columns begin with one of zeros */
            size_t row = place / out_side * l->stride + tap / 3,
                   column = place % out_side * l->stride + tap % 3;
            if (row >= 1 && row <= side && column >= 1 && column <= side)
                add_tap(sums, in + ((row - 1) * side + column - 1) * l->before,
                        l->weights + tap * l->before * l->after, l);
        }
        for (size_t o = 0; o < l->after; o++)
            out[place * l->after + o] = sums[o] > 0 ? sums[o] : 0;
    }
}

/* Means over all pixels of the last layer. */
static void features_of(float *out, const float *image, const layer layers[LAYERS]) {
    static float numbers[2][MOST_NUMBERS];
    size_t side = SIDE;
    const float *in = image;
    for (size_t k = 0; k < LAYERS; k++) {
        convolve(numbers[k % 2], in, side, &layers[k]);
        in = numbers[k % 2];
        side /= layers[k].stride;
    }
    for (size_t f = 0; f < IMAGE_FEATURES; f++) {
        double sum = 0;
        for (size_t place = 0; place < side * side; place++)
            sum += (double)in[place * IMAGE_FEATURES + f];
        out[f] = (float)(sum / (double)(side * side));
    }
}

int find_features(float **out, const double *images, size_t count, image_shape shape) {
    layer layers[LAYERS];
    float *numbers = NULL, image[SIDE * SIDE];
    size_t width = shape.height * shape.width * shape.channels;
    int code = 0;
    TRY(read_layers(layers, &numbers));
    TRY(make_room(out, count, IMAGE_FEATURES));
    for (size_t i = 0; i < count; i++) {
        reduce(image, images + i * width, shape);
        features_of(*out + i * IMAGE_FEATURES, image, layers);
    }
cleanup:
    free(numbers);
    return code;
}
