/* Restoration: images of Fashion-MNIST with noise on them, and with their centre missing, are
 * restored by a model of clean images. Prints the peak signal-to-noise ratio before and after.
 *
 *     11_restore MODEL [COUNT [DRAWS]]
 *
 * MODEL is examples/data/fashion-small.safetensors, or another of 28 x 28 grey images. */
#include <ddaebm/ddaebm.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Leaves the function if a call failed. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != DDAEBM_OK)                                                                   \
            goto cleanup;                                                                          \
    } while (0)

enum { SIDE = 28, WIDTH = SIDE * SIDE, HOLE = 14 };

/* Standard normal, the same on every machine. */
static double normal(void) {
    static uint64_t state = 1;
    double u[2];
    for (int i = 0; i < 2; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        u[i] = ((double)(state >> 32) + 0.5) / 4294967296.0;
    }
    return sqrt(-2 * log(u[0])) * cos(6.28318530717958648 * u[1]);
}

static int is_missing(size_t pixel) {
    size_t row = pixel % WIDTH / SIDE, column = pixel % SIDE, before = (SIDE - HOLE) / 2;
    return row >= before && row < before + HOLE && column >= before && column < before + HOLE;
}

/* Mean of the images' ratios in decibels, over all pixels or the missing ones; images are clipped
 * to [-1, 1]. */
static double ratio(const float *found, const float *clean, size_t count, int missing) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double squares = 0, pixels = 0;
        for (size_t j = i * WIDTH; j < (i + 1) * WIDTH; j++) {
            if (missing && !is_missing(j))
                continue;
            double value = found[j] > 1 ? 1 : found[j] < -1 ? -1 : (double)found[j];
            squares += (value - (double)clean[j]) * (value - (double)clean[j]);
            pixels++;
        }
        sum += 10 * log10(4 / (squares / pixels));
    }
    return sum / (double)count;
}

static ddaebm_status run(const char *path, size_t count, size_t draws) {
    ddaebm_model *model = NULL;
    ddaebm_dataset *dataset = NULL;
    ddaebm_restorer *restorer = NULL;
    float *clean = malloc(count * WIDTH * sizeof *clean), *y = malloc(count * WIDTH * sizeof *y),
          *mean = malloc(count * WIDTH * sizeof *mean);
    const double noise = 50.0 / 255, none = 0; /* of the range from -1 to 1 */
    ddaebm_status status = clean && y && mean ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    TRY(status);
    TRY(ddaebm_model_load(&model, NULL, path));
    TRY(ddaebm_dataset_create_named(&dataset, NULL, "fashion-mnist-test", 0));
    TRY(ddaebm_model_check_data(model, dataset));
    TRY(ddaebm_dataset_read(dataset, 0, count, clean));
    TRY(ddaebm_restorer_create(&restorer, model));

    for (size_t i = 0; i < count * WIDTH; i++)
        y[i] = clean[i] + (float)(noise * normal());
    TRY(ddaebm_restorer_set_noise(restorer, &noise, 1));
    TRY(ddaebm_restorer_mean(restorer, 1, 0, count, y, draws, mean, NULL));
    printf("noise of 25 of 255: %.1f dB, restored %.1f dB\n", ratio(y, clean, count, 0),
           ratio(mean, clean, count, 0));

    for (size_t i = 0; i < count * WIDTH; i++)
        y[i] = is_missing(i) ? NAN : clean[i];
    TRY(ddaebm_restorer_set_noise(restorer, &none, 1));
    TRY(ddaebm_restorer_mean(restorer, 1, 0, count, y, draws, mean, NULL));
    printf("centre of %d x %d missing: filled in with %.1f dB\n", HOLE, HOLE,
           ratio(mean, clean, count, 1));
cleanup:
    ddaebm_restorer_free(restorer);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
    free(clean);
    free(y);
    free(mean);
    return status;
}

int main(int argc, char **argv) {
    long count = argc > 2 ? strtol(argv[2], NULL, 10) : 8,
         draws = argc > 3 ? strtol(argv[3], NULL, 10) : 8;
    if (argc < 2 || count < 1 || count > 10000 || draws < 1) {
        fprintf(stderr, "usage: 11_restore MODEL [COUNT [DRAWS]]\n");
        return 2;
    }
    if (run(argv[1], (size_t)count, (size_t)draws) == DDAEBM_OK)
        return EXIT_SUCCESS;
    fprintf(stderr, "11_restore: %s\n", ddaebm_error_message());
    return EXIT_FAILURE;
}
