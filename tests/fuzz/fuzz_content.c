/* A file of data, whichever its format: told by its content, unpacked, read as a set. CIFAR-10's
 * batches and gzip have no target of their own. */
#define _GNU_SOURCE /* memfd_create */
#include "fuzz/fuzz.h"
#include "io/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file in memory with the content. */
static int make_file(const uint8_t *data, size_t size) {
    int file = memfd_create("input", MFD_CLOEXEC);
    FUZZ_REQUIRE(file >= 0);
    for (size_t at = 0; at < size;) {
        ssize_t written = write(file, data + at, size - at);
        FUZZ_REQUIRE(written > 0);
        at += (size_t)written;
    }
    FUZZ_REQUIRE(lseek(file, 0, SEEK_SET) == 0); /* a descriptor is read from where it stands */
    return file;
}

/* The first row and the last: finite, and near [-1, 1] in an image. */
static void read_rows(const ddaebm_dataset *dataset) {
    size_t width = ddaebm_dataset_width(dataset), height = 0, across = 0, channels = 0;
    uint64_t rows = ddaebm_dataset_rows(dataset);
    ddaebm_dataset_image_shape(dataset, &height, &across, &channels);
    FUZZ_REQUIRE(rows > 0 && width > 0 && width <= DD_MOST_WIDTH);
    FUZZ_REQUIRE(height == 0 || height * across * channels == width);
    double *row = malloc(width * sizeof *row);
    FUZZ_REQUIRE(row != NULL);
    for (uint64_t at = 0; at<rows; at += rows> 1 ? rows - 1 : 1) {
        FUZZ_REQUIRE(ddaebm_dataset_read_double(dataset, at, 1, row) == DDAEBM_OK);
        for (size_t i = 0; i < width; i++)
            FUZZ_REQUIRE(isfinite(row[i]) && (height == 0 || (row[i] >= -1.1 && row[i] <= 1.1)));
    }
    free(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ddaebm_dataset *dataset = fuzz_unset();
    char path[64];
    fuzz_begin();
    int file = make_file(data, size);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    ddaebm_status status = ddaebm_dataset_open(&dataset, fuzz_context(), path);
    if (fuzz_judge_hungry(status,
                          dataset != fuzz_unset())) { /* gzip packs a thousand bytes into one */
        read_rows(dataset);
        ddaebm_dataset_free(dataset);
    }
    (void)close(file);
    fuzz_end();
    return 0;
}
