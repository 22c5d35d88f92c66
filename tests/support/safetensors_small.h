/* Small safetensors files for tests: made of a header's text, and opened. */
#ifndef TEST_SAFETENSORS_SMALL_H
#define TEST_SAFETENSORS_SMALL_H

#include "io/safetensors.h"
#include "support/counted.h"

#include <stdint.h>

/* Returns a file in memory: the header's length, the header, and `bytes` of data. To be freed. */
static inline unsigned char *compose(const char *header, size_t bytes, size_t *size) {
    uint64_t length = strlen(header);
    unsigned char *file = malloc(8 + length + bytes);
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    for (size_t i = 0; i < bytes; i++)
        file[8 + length + i] = (unsigned char)i;
    *size = 8 + (size_t)length + bytes;
    return file;
}

static inline ddaebm_status open_file(dd_safetensors **out, ddaebm_context *held,
                                      const char *path) {
    const ddaebm_reader reader = dd_reader_of_file(path);
    return dd_safetensors_open(out, held, &reader);
}

static inline ddaebm_status open_memory(dd_safetensors **out, ddaebm_context *held,
                                        const void *data, size_t size) {
    dd_memory_source memory = {data, size};
    const ddaebm_reader reader = dd_reader_of_memory(&memory);
    return dd_safetensors_open(out, held, &reader);
}

static inline ddaebm_status parse(dd_safetensors **out, const char *header, size_t bytes) {
    size_t size = 0;
    unsigned char *file = compose(header, bytes, &size);
    ddaebm_status status = open_memory(out, context, file, size);
    free(file);
    return status;
}

#endif
