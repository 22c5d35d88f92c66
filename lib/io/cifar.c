#include "io/cifar.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"

#include <string.h>

enum {
    SIDE = 32,
    CHANNELS = 3,
    PLANE = SIDE * SIDE,
    IMAGE = PLANE * CHANNELS,
    RECORD = 1 + IMAGE,
    MOST_LABEL = 9
};

static ddaebm_status check_records(const uint8_t *bytes, size_t size) {
    if (size == 0 || size % RECORD != 0)
        return dd_fail(DDAEBM_FORMAT,
                       "it has %zu bytes; CIFAR-10 batches consist of whole records of %d bytes",
                       size, RECORD);
    for (size_t i = 0; i < size; i += RECORD)
        if (bytes[i] > MOST_LABEL)
            return dd_fail(
                DDAEBM_FORMAT,
                "record %zu (from 1) of the CIFAR-10 batch has label %u; allowed: 0 to %d",
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

/* Converts records with one plane per channel to images with channels last. */
static void interleave(uint8_t *out, const uint8_t *records, size_t count) {
    for (size_t i = 0; i < count; i++, out += IMAGE, records += RECORD)
        for (size_t c = 0; c < CHANNELS; c++)
            for (size_t at = 0; at < PLANE; at++)
                out[at * CHANNELS + c] = records[1 + c * PLANE + at];
}

/* Adds a file's images to the block, which has *capacity bytes and grows. */
static ddaebm_status append(dd_images *images, size_t *capacity, ddaebm_context *context,
                            const void *data, size_t size) {
    size_t added = size / RECORD;
    ddaebm_status status = check_records(data, size);
    if (status == DDAEBM_OK)
        status = dd_images_make_room(images, capacity, context, added);
    if (status != DDAEBM_OK)
        return status;
    interleave(images->pixels + images->count * IMAGE, data, added);
    images->count += added;
    return DDAEBM_OK;
}

static const dd_images none = {.shape = {SIDE, SIDE, CHANNELS}};

ddaebm_status dd_cifar_parse(dd_images *out, ddaebm_context *context, const void *data,
                             size_t size) {
    dd_images images = none;
    size_t capacity = 0;
    ddaebm_status status = append(&images, &capacity, context, data, size);
    if (status == DDAEBM_OK)
        *out = images;
    return status;
}

static ddaebm_status append_file(dd_images *images, size_t *capacity, ddaebm_context *context,
                                 const char *path) {
    void *data = NULL;
    size_t size = 0;
    ddaebm_status status = dd_folder_read_file(context, path, &data, &size);
    if (status != DDAEBM_OK)
        return status;
    status = append(images, capacity, context, data, size);
    dd_free(context, data);
    return status == DDAEBM_OK ? status : dd_fail_in(status, path);
}

ddaebm_status dd_cifar_read_folder(dd_images *out, ddaebm_context *context, const char *path,
                                   const dd_names *names) {
    dd_images images = none;
    size_t capacity = 0;
    ddaebm_status status = DDAEBM_OK;

    for (size_t i = 0; i < names->count && status == DDAEBM_OK; i++) {
        char *file = dd_folder_join(context, path, names->items[i]);
        status = file ? append_file(&images, &capacity, context, file) : DDAEBM_OUT_OF_MEMORY;
        dd_free(context, file);
    }

    if (status == DDAEBM_OK)
        *out = images;
    else
        dd_free(context, images.block);
    return status;
}
