#include "io/png.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "io/file.h"

#include <stdbool.h>
#include <string.h>

enum { MOST_SIDE = 65535 };

#ifdef DDAEBM_HAVE_PNG

#include "io/png_jumps.h"

/* The file as libpng writes it, and how that failed. */
struct encoder {
    dd_png_user user; /* must be first: libpng gets its address */
    char *bytes;
    size_t used, capacity;
};

static void append(png_structp png, png_bytep data, png_size_t size) {
    struct encoder *encoder = png_get_io_ptr(png);
    size_t needed = 0;
    char *grown = NULL;
    if (dd_size_add(&needed, encoder->used, size))
        grown = dd_grow(encoder->user.context, encoder->bytes, &encoder->capacity, needed, 1);
    if (!grown) {
        encoder->user.starved = true;
        png_error(png, "no memory");
    }
    encoder->bytes = grown;
    memcpy(grown + encoder->used, data, size);
    encoder->used = needed;
}

static void flush(png_structp png) {
    (void)png;
}

/* Makes all calls that may jump; called under setjmp. */
static void write_image(png_structp png, png_infop info, struct encoder *encoder,
                        const uint8_t *pixels, png_uint_32 height, png_uint_32 width,
                        size_t channels) {
    png_set_write_fn(png, encoder, append, flush);
    png_set_IHDR(png, info, width, height, 8,
                 channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (size_t row = 0; row < height; row++)
        png_write_row(png, pixels + row * width * channels);
    png_write_end(png, info);
}

/* Encodes the image. The caller frees encoder->bytes, also on failure. libpng reports errors by
 * jumps, which do not leave this function. */
static ddaebm_status encode(struct encoder *encoder, const uint8_t *pixels, size_t height,
                            size_t width, size_t channels) {
    png_structp png =
        png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &encoder->user, dd_png_fail, dd_png_ignore,
                                  &encoder->user, dd_png_allocate, dd_png_release);

    if (!png)
        return encoder->user.status ? encoder->user.status
                                    : dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory to write a PNG");
    png_infop info = png_create_info_struct(png);
    if (!info)
        encoder->user.status = dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory to write a PNG");
    else if (setjmp(png_jmpbuf(png)) == 0)
        write_image(png, info, encoder, pixels, (png_uint_32)height, (png_uint_32)width, channels);
    png_destroy_write_struct(&png, info ? &info : NULL);
    return encoder->user.status;
}

static ddaebm_status write_png(ddaebm_context *context, const char *path, const uint8_t *pixels,
                               size_t height, size_t width, size_t channels) {
    struct encoder encoder = {
        .user = {.context = context, .blame = DDAEBM_INTERNAL, .words = "libpng"}};
    ddaebm_status status = encode(&encoder, pixels, height, width, channels);
    if (status == DDAEBM_OK) {
        dd_span span = {encoder.bytes, encoder.used};
        status = dd_file_write(context, path, &span, 1);
    }
    dd_free(context, encoder.bytes);
    return status;
}

#else

static ddaebm_status write_png(ddaebm_context *context, const char *path, const uint8_t *pixels,
                               size_t height, size_t width, size_t channels) {
    (void)context, (void)pixels, (void)height, (void)width, (void)channels;
    return dd_fail(
        DDAEBM_UNSUPPORTED,
        "cannot write %.250s: this build has no libpng; install it and build again, or write NPY",
        path);
}

#endif

ddaebm_status ddaebm_array_write_png(ddaebm_context *context, const char *path,
                                     const uint8_t *pixels, size_t height, size_t width,
                                     size_t channels) {
    DD_REQUIRE(path);
    DD_REQUIRE(pixels);
    if (height < 1 || height > MOST_SIDE || width < 1 || width > MOST_SIDE)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "an image %zu pixels wide and %zu high; allowed: 1 to %d", width, height,
                       MOST_SIDE);
    if (channels != 1 && channels != 3)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "channels is %zu; allowed: 1 or 3", channels);
    ddaebm_context *held = NULL;
    ddaebm_status status = dd_context_hold(&held, context);
    if (status == DDAEBM_OK)
        status = write_png(held, path, pixels, height, width, channels);
    ddaebm_context_free(held);
    return status;
}
