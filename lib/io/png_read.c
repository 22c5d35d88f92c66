#include "io/png_read.h"

#include "base/context.h"
#include "base/error.h"

#include <string.h>

static const unsigned char signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

bool dd_png_recognise(const void *data, size_t size) {
    return size >= sizeof signature && memcmp(data, signature, sizeof signature) == 0;
}

#ifdef DDAEBM_HAVE_PNG

#include "io/png_jumps.h"

/* The state of decoding, which outlives the jumps of libpng. */
struct decoder {
    dd_png_user user; /* must be first: libpng gets its address */
    const unsigned char *at, *end;
    dd_images image;
    size_t most;                                /* numbers */
    uint8_t palette[PNG_MAX_PALETTE_LENGTH][4]; /* red, green, blue, alpha */
    int colours;                                /* of the palette; 0: none */
    bool alpha;                                 /* a last channel that is not the image's */
    uint8_t *decoded; /* [height, width, channels + alpha], or [height, width] of the palette */
};

static void give(png_structp png, png_bytep out, png_size_t size) {
    struct decoder *decoder = png_get_io_ptr(png);
    if ((size_t)(decoder->end - decoder->at) < size)
        png_error(png, "the file ends too early");
    memcpy(out, decoder->at, size);
    decoder->at += size;
}

/* Refuses what libpng only warns about, after which it would skip the chunk or decode other pixels.
 */
static void refuse_damage(png_structp png) {
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
#ifdef PNG_BENIGN_ERRORS_SUPPORTED
    png_set_benign_errors(png, 0);
#endif
}

/* Ignores all chunks but IHDR, PLTE, tRNS, IDAT and IEND. For a text or a profile libpng allocates
 * the length that the chunk claims, up to 2 GiB, before it checks that it is there. Chunks that are
 * ignored may have any length, where libpng's own limit on benign errors would refuse them. */
static void pass_over_remarks(png_structp png) {
#ifdef PNG_HANDLE_AS_UNKNOWN_SUPPORTED
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
#ifdef PNG_SET_USER_LIMITS_SUPPORTED
    png_set_chunk_malloc_max(png, 0);
#endif
#else
    (void)png;
#endif
}

/* Makes room for the image once the header is read, before libpng allocates rows. */
static void measure(png_structp png, png_infop info, struct decoder *decoder) {
    size_t bytes = 0, channels = png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR ? 3 : 1;
    decoder->image.shape =
        (dd_image_shape){png_get_image_height(png, info), png_get_image_width(png, info), channels};
    decoder->image.count = 1;
    decoder->user.status = dd_images_measure_one(&bytes, decoder->image.shape, decoder->most);
    if (decoder->user.status != DDAEBM_OK)
        png_error(png, "size");
    decoder->image.block = decoder->image.pixels = png_malloc(png, bytes);
}

/* Copies the palette, with its alpha values. */
static void keep_palette(png_structp png, png_infop info, struct decoder *decoder) {
    png_colorp colours = NULL;
    png_bytep alphas = NULL;
    int transparent = 0;
    (void)png_get_PLTE(png, info, &colours,
                       &decoder->colours); /* libpng has refused a file without a palette */
    (void)png_get_tRNS(png, info, &alphas, &transparent, NULL);

    for (int i = 0; i < decoder->colours; i++) {
        uint8_t *entry = decoder->palette[i];
        entry[0] = colours[i].red;
        entry[1] = colours[i].green;
        entry[2] = colours[i].blue;
        entry[3] = i < transparent ? alphas[i] : 255;
    }
}

/* Asks libpng for 8-bit grey or RGB, with alpha or not, or for palette indices. These are looked up
 * here, because libpng reads an index beyond the palette as black. */
static void normalise(png_structp png, png_infop info, struct decoder *decoder) {
    if (png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE) {
        keep_palette(png, info, decoder);
        png_set_packing(png);
    } else {
        if (png_get_bit_depth(png, info) == 16)
            png_set_scale_16(png);
        png_set_expand(png);
    }
    (void)png_set_interlace_handling(png);
    png_read_update_info(png, info);
    decoder->alpha =
        decoder->colours > 0 || png_get_channels(png, info) > decoder->image.shape.channels;
}

/* Returns whether more image data follows the end of its stream. libpng, which has read that chunk
 * with the last line, would ignore it. */
static bool more_data_follow(const struct decoder *decoder) {
    enum { FRAME = 12 }; /* bytes of a chunk apart from its data: length, name, checksum */
    const unsigned char *at = decoder->at;
    while (decoder->end - at >= FRAME) {
        size_t length = png_get_uint_32(at);
        if (length > 0 && memcmp(at + 4, "IDAT", 4) == 0)
            return true;
        if (length > (size_t)(decoder->end - at) - FRAME)
            return false; /* libpng refuses such a file */
        at += FRAME + length;
    }
    return false;
}

/* Reads header and pixels: makes all calls that may jump. */
static void read_image(png_structp png, png_infop info, struct decoder *decoder) {
    png_read_info(png, info);
    measure(png, info, decoder);
    normalise(png, info, decoder);
    size_t line = png_get_rowbytes(png, info), height = decoder->image.shape.height;
    decoder->decoded = png_malloc(png, height * line);
    int passes = png_get_interlace_type(png, info) == PNG_INTERLACE_ADAM7 ? 7 : 1;

    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < height; y++)
            png_read_row(png, decoder->decoded + y * line, NULL);
    if (more_data_follow(decoder))
        png_error(png, "more data follow its last line");
    png_read_end(png, NULL);
    decoder->image.surplus = (size_t)(decoder->end - decoder->at);
}

/* Writes the pixels, with transparent ones blended with black. */
static ddaebm_status lay_over_black(const struct decoder *decoder) {
    size_t channels = decoder->image.shape.channels,
           pixels = decoder->image.shape.height * decoder->image.shape.width;
    const bool numbers = decoder->colours > 0; /* palette indices */
    const uint8_t *from = decoder->decoded;
    uint8_t *to = decoder->image.pixels;

    for (size_t i = 0; i < pixels;
         i++, from += numbers ? 1 : channels + decoder->alpha, to += channels) {
        const uint8_t *pixel = numbers ? decoder->palette[*from] : from;
        if (numbers && *from >= decoder->colours)
            return dd_fail(DDAEBM_FORMAT, "its pixel %zu has colour %d of a palette of %d", i,
                           *from, decoder->colours);
        for (size_t c = 0; c < channels; c++)
            to[c] = decoder->alpha ? (uint8_t)((pixel[c] * pixel[channels] + 127) / 255) : pixel[c];
    }
    return DDAEBM_OK;
}

/* Decodes the file. The caller frees the decoder's blocks, also on failure. libpng reports errors
 * by jumps, which do not leave this function. */
static ddaebm_status decode(struct decoder *decoder) {
    png_structp png =
        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &decoder->user, dd_png_fail, dd_png_ignore,
                                 &decoder->user, dd_png_allocate, dd_png_release);

    if (!png)
        return decoder->user.status ? decoder->user.status
                                    : dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory to read a PNG");
    png_infop info = png_create_info_struct(png);
    if (!info) {
        decoder->user.status = dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory to read a PNG");
    } else if (setjmp(png_jmpbuf(png)) == 0) {
        png_set_user_limits(png, DD_MOST_WIDTH, DD_MOST_WIDTH);
        refuse_damage(png);
        pass_over_remarks(png);
        png_set_read_fn(png, decoder, give);
        read_image(png, info, decoder);
    }

    png_destroy_read_struct(&png, info ? &info : NULL, NULL);
    return decoder->user.status;
}

ddaebm_status dd_png_parse(dd_images *out, ddaebm_context *context, const void *data, size_t size,
                           size_t most) {
    const unsigned char *bytes = data;
    struct decoder decoder = {
        .user = {.context = context, .blame = DDAEBM_FORMAT, .words = "it is damaged or cut off"},
        .at = bytes,
        .end = bytes + size,
        .most = most};
    if (!dd_png_recognise(data, size))
        return dd_fail(DDAEBM_FORMAT, "it is not a PNG file");

    ddaebm_status status = decode(&decoder);
    if (status == DDAEBM_OK)
        status = lay_over_black(&decoder);
    if (status == DDAEBM_OK)
        *out = decoder.image;
    else
        dd_free(context, decoder.image.block);
    dd_free(context, decoder.decoded);
    return status;
}

#else

ddaebm_status dd_png_parse(dd_images *out, ddaebm_context *context, const void *data, size_t size,
                           size_t most) {
    (void)out, (void)context, (void)data, (void)size, (void)most;
    return dd_fail(
        DDAEBM_UNSUPPORTED,
        "this build has no libpng; install it and build again, or convert the images to NPY");
}

#endif
