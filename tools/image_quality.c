#include "image_quality.h"

#include "console.h"
#include "image_features.h"
#include "inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = IMAGE_FEATURES, NEIGHBOURS = 3, MOST_COMPARED = 5000 };

/* ---- Fréchet distance. ---- */

typedef double matrix[WIDTH][WIDTH];

typedef struct normal {
    double mean[WIDTH];
    matrix covariance;
} normal;

static void fit_normal(normal *out, const float *features, size_t count) {
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < count; i++)
        for (size_t a = 0; a < WIDTH; a++)
            out->mean[a] += (double)features[i * WIDTH + a] / (double)count;
    for (size_t i = 0; i < count; i++) {
        double centred[WIDTH];
        for (size_t a = 0; a < WIDTH; a++)
            centred[a] = (double)features[i * WIDTH + a] - out->mean[a];
        for (size_t a = 0; a < WIDTH; a++)
            for (size_t b = 0; b < WIDTH; b++)
                out->covariance[a][b] += centred[a] * centred[b] / (double)(count - 1);
    }
}

static void multiply(matrix out, const matrix a, const matrix b) {
    memset(out, 0, sizeof(matrix));
    for (size_t i = 0; i < WIDTH; i++)
        for (size_t k = 0; k < WIDTH; k++)
            for (size_t j = 0; j < WIDTH; j++)
                out[i][j] += a[i][k] * b[k][j];
}

/* Trace of the square root of the product of two covariances, whose eigenvalues are not negative,
 * by the coupled Newton-Schulz iteration (Higham, "Functions of Matrices", 2008, section 6.3).
 * After 30 iterations eigenvalues a ten-billionth of the largest are exact; smaller ones do not
 * count. */
static double trace_of_root(const matrix a, const matrix b) {
    enum { ITERATIONS = 30 };
    matrix root, inverse, both, next;
    double square = 0, trace = 0;
    multiply(root, a, b);
    for (size_t i = 0; i < WIDTH; i++)
        for (size_t j = 0; j < WIDTH; j++)
            square += root[i][j] * root[i][j];
    double norm = sqrt(square);
    if (norm == 0)
        return 0;
    for (size_t i = 0; i < WIDTH; i++)
        for (size_t j = 0; j < WIDTH; j++) {
            root[i][j] /= norm;
            inverse[i][j] = i == j ? 1 : 0;
        }

    for (int n = 0; n < ITERATIONS; n++) {
        multiply(both, inverse, root);
        for (size_t i = 0; i < WIDTH; i++)
            for (size_t j = 0; j < WIDTH; j++)
                both[i][j] = (i == j ? 1.5 : 0) - 0.5 * both[i][j];
        multiply(next, root, both);
        memcpy(root, next, sizeof root);
        multiply(next, both, inverse);
        memcpy(inverse, next, sizeof inverse);
    }
    for (size_t i = 0; i < WIDTH; i++)
        trace += root[i][i];
    return trace * sqrt(norm);
}

static double frechet(const normal *a, const normal *b) {
    double sum = 0;
    for (size_t i = 0; i < WIDTH; i++) {
        double apart = a->mean[i] - b->mean[i];
        sum += apart * apart + a->covariance[i][i] + b->covariance[i][i];
    }
    sum -= 2 * trace_of_root(a->covariance, b->covariance);
    return sum > 0 ? sum : 0;
}

/* ---- Precision and recall. ---- */

static float square_distance(const float *a, const float *b) {
    float sum = 0;
    for (size_t f = 0; f < WIDTH; f++)
        sum += (a[f] - b[f]) * (a[f] - b[f]);
    return sum;
}

/* Squared distance of each image to its third neighbour in the set. */
static void find_radii(float *radii, const float *set, size_t count) {
    for (size_t i = 0; i < count; i++) {
        float least[NEIGHBOURS];
        for (size_t k = 0; k < NEIGHBOURS; k++)
            least[k] = INFINITY;
        for (size_t j = 0; j < count; j++) {
            float distance = i == j ? INFINITY : square_distance(set + i * WIDTH, set + j * WIDTH);
            for (size_t k = 0; k < NEIGHBOURS; k++)
                if (distance < least[k]) {
                    float larger = least[k];
                    least[k] = distance;
                    distance = larger;
                }
        }
        radii[i] = least[NEIGHBOURS - 1];
    }
}

/* Fraction of `points` that are within the radius of some image of the set. */
static double fraction_within(const float *points, const float *set, const float *radii,
                              size_t count) {
    size_t within = 0;
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t j = 0; j < count && !found; j++)
            found = square_distance(points + i * WIDTH, set + j * WIDTH) <= radii[j];
        within += found;
    }
    return (double)within / (double)count;
}

static int measure_support(image_measures *out, const float *samples, const float *data,
                           size_t count) {
    float *radii = NULL;
    int code = make_room(&radii, count, 1);
    if (code != 0)
        return code;
    find_radii(radii, data, count);
    out->precision = fraction_within(samples, data, radii, count);
    find_radii(radii, samples, count);
    out->recall = fraction_within(data, samples, radii, count);
    free(radii);
    return 0;
}

int measure_images(image_measures *out, const compared_rows *rows, image_shape shape) {
    float *samples = NULL, *data = NULL, *others = NULL;
    normal of_samples, of_data, of_others;
    size_t count = rows->count, compared = count < MOST_COMPARED ? count : MOST_COMPARED;
    int code = 0;
    TRY(find_features(&samples, rows->samples, count, shape));
    TRY(find_features(&data, rows->data, count, shape));
    TRY(find_features(&others, rows->others, count, shape));
    fit_normal(&of_samples, samples, count);
    fit_normal(&of_data, data, count);
    fit_normal(&of_others, others, count);
    out->frechet = frechet(&of_samples, &of_data);
    out->frechet_floor = frechet(&of_others, &of_data);
    TRY(measure_support(out, samples, data, compared));
cleanup:
    free(samples);
    free(data);
    free(others);
    return code;
}
