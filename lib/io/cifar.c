#include "io/cifar.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"

#include <string.h>

enum { SIDE = 32, CHANNELS = 3, PLANE = SIDE * SIDE, PICTURE = PLANE * CHANNELS, RECORD = 1 + PICTURE, MOST_LABEL = 9 };

static ddaebm_status check_records(const uint8_t *bytes, size_t size) {
    if (size == 0 || size % RECORD != 0)
        return dd_fail(DDAEBM_FORMAT, "it has %zu bytes; CIFAR-10 batches are of records of %d bytes, and not cut off", size,
                       RECORD);
    for (size_t i = 0; i < size; i += RECORD)
        if (bytes[i] > MOST_LABEL)
            return dd_fail(DDAEBM_FORMAT, "record %zu (from 1) of the CIFAR-10 batch has label %u; allowed: 0 to %d",
                           i / RECORD + 1, bytes[i], MOST_LABEL);
    return DDAEBM_OK;
}

bool dd_cifar_recognise(const void *data, size_t size) {
    const uint8_t *bytes = data;
    if (size == 0 || size % RECORD != 0)
        return false;
    for (size_t i = 0; i < size; i += RECORD)
        if (bytes[i] > MOST_LABEL)
            return false;
    return true;
}

/* Planes to pixels. */
static void interleave(uint8_t *out, const uint8_t *records, size_t count) {
    for (size_t i = 0; i < count; i++, out += PICTURE, records += RECORD)
        for (size_t c = 0; c < CHANNELS; c++)
            for (size_t at = 0; at < PLANE; at++)
                out[at * CHANNELS + c] = records[1 + c * PLANE + at];
}

/* Adds a file's pictures to the block, which has room for *capacity bytes. */
static ddaebm_status append(dd_pictures *pictures, size_t *capacity, ddaebm_context *context, const void *data, size_t size) {
    size_t added = size / RECORD;
    ddaebm_status status = check_records(data, size);
    if (status == DDAEBM_OK)
        status = dd_pictures_make_room(pictures, capacity, context, added);
    if (status != DDAEBM_OK)
        return status;
    interleave(pictures->pixels + pictures->count * PICTURE, data, added);
    pictures->count += added;
    return DDAEBM_OK;
}

static const dd_pictures none = {.shape = {SIDE, SIDE, CHANNELS}};

ddaebm_status dd_cifar_parse(dd_pictures *out, ddaebm_context *context, const void *data, size_t size) {
    dd_pictures pictures = none;
    size_t capacity = 0;
    ddaebm_status status = append(&pictures, &capacity, context, data, size);
    if (status == DDAEBM_OK)
        *out = pictures;
    return status;
}

static ddaebm_status append_file(dd_pictures *pictures, size_t *capacity, ddaebm_context *context, const char *path) {
    void *data = NULL;
    size_t size = 0;
    ddaebm_status status = dd_folder_read_file(context, path, &data, &size);
    if (status != DDAEBM_OK)
        return status;
    status = append(pictures, capacity, context, data, size);
    dd_free(context, data);
    return status == DDAEBM_OK ? status : dd_fail_in(status, path);
}

ddaebm_status dd_cifar_read_folder(dd_pictures *out, ddaebm_context *context, const char *path, const dd_names *names) {
    dd_pictures pictures = none;
    size_t capacity = 0;
    ddaebm_status status = DDAEBM_OK;
    for (size_t i = 0; i < names->count && status == DDAEBM_OK; i++) {
        char *file = dd_folder_join(context, path, names->items[i]);
        status = file ? append_file(&pictures, &capacity, context, file) : DDAEBM_OUT_OF_MEMORY;
        dd_free(context, file);
    }
    if (status == DDAEBM_OK)
        *out = pictures;
    else
        dd_free(context, pictures.block);
    return status;
}
