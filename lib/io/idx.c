#include "io/idx.h"

#include "base/error.h"

enum { MAGIC = 4, AXIS = 4, UNSIGNED_BYTES = 8 };

bool dd_idx_recognise(const void *data, size_t size) {
    const uint8_t *bytes = data;
    return size >= MAGIC && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 8 && bytes[2] <= 14 &&
           bytes[3] >= 1 && bytes[3] <= 4;
}

static ddaebm_status check_kind(const uint8_t *data) {
    if (data[3] == 1)
        return dd_fail(
            DDAEBM_UNSUPPORTED,
            "its array has one axis: these are labels, not images; give the file of the images");
    if (data[3] == 2)
        return dd_fail(DDAEBM_UNSUPPORTED,
                       "its array has two axes; images have three, or four with channels");
    if (data[2] != UNSIGNED_BYTES)
        return dd_fail(DDAEBM_UNSUPPORTED,
                       "its numbers have IDX type %u; images have type 8, bytes", data[2]);
    return DDAEBM_OK;
}

static size_t header_size(const uint8_t *data) {
    return MAGIC + (size_t)AXIS * data[3];
}

ddaebm_status dd_idx_look(dd_array_axes *out, const void *data, size_t size) {
    const uint8_t *bytes = data;
    if (!dd_idx_recognise(data, size))
        return dd_fail(DDAEBM_FORMAT, "it is not an IDX file");

    ddaebm_status status = check_kind(bytes);
    if (status != DDAEBM_OK)
        return status;
    if (size < header_size(bytes))
        return dd_fail(DDAEBM_FORMAT, "it is cut off within its header");

    *out = (dd_array_axes){.rank = bytes[3], .kind = DD_BYTES};
    for (size_t i = 0; i < out->rank; i++) {
        const uint8_t *at = bytes + MAGIC + AXIS * i;
        out->length[i] = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    }
    return DDAEBM_OK;
}

ddaebm_status dd_idx_parse(dd_images *out, uint8_t *data, size_t size, size_t most,
                           dd_image_shape shape) {
    dd_array_axes axes;
    size_t bytes = 0;
    ddaebm_status status = dd_idx_look(&axes, data, size);
    if (status == DDAEBM_OK)
        status = dd_images_measure(&bytes, most, shape, axes.length[0]);
    if (status != DDAEBM_OK)
        return status;

    const size_t there = size - header_size(data);
    if (there != bytes)
        return dd_fail(DDAEBM_FORMAT,
                       "it is %s: its header asks for %zu bytes of pixels, the file has %zu",
                       there < bytes ? "cut off" : "too long", bytes, there);
    *out = (dd_images){
        .shape = shape, .count = axes.length[0], .block = data, .pixels = data + header_size(data)};
    return DDAEBM_OK;
}
