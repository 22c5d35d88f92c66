#include "io/jpeg_read.h"

#include "base/context.h"
#include "base/error.h"

#include <string.h>

static const unsigned char start_of_image[] = {0xFF, 0xD8, 0xFF};

bool dd_jpeg_recognise(const void *data, size_t size) {
    return size >= sizeof start_of_image &&
           memcmp(data, start_of_image, sizeof start_of_image) == 0;
}

#ifdef DDAEBM_HAVE_JPEG

#include <stdio.h> /* before jpeglib.h, which needs it */

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>

enum {
    MOST_SCANS = 100
}; /* each scan costs a pass over the whole image; encoders write about ten */

/* The state of decoding, which outlives the jumps of libjpeg. */
struct decoder {
    struct jpeg_error_mgr errors; /* must be first: libjpeg hands back its address */
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf leave;
    ddaebm_context *context;
    const void *data;
    size_t size, most;
    dd_images image;
    ddaebm_status status;
};

static struct decoder *decoder_of(j_common_ptr jpeg) {
    return (struct decoder *)(void *)jpeg->err;
}

static _Noreturn void leave(struct decoder *decoder) {
    longjmp(decoder->leave, 1);
}

/* Handles an error of libjpeg; must not return. */
static _Noreturn void fail(j_common_ptr jpeg) {
    struct decoder *decoder = decoder_of(jpeg);
    char text[JMSG_LENGTH_MAX] = "";
    jpeg->err->format_message(jpeg, text);
    decoder->status = jpeg->err->msg_code == JERR_OUT_OF_MEMORY
                          ? dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory to read a JPEG")
                          : dd_fail(DDAEBM_FORMAT, "it is damaged or cut off: %s", text);
    leave(decoder);
}

/* Refuses what libjpeg warns about: the file is damaged, and libjpeg would go on with invented
 * pixels. Levels from 0 on are remarks. */
static void judge_message(j_common_ptr jpeg, int level) {
    if (level < 0)
        fail(jpeg);
}

static void print_nothing(j_common_ptr jpeg) {
    (void)jpeg;
}

static void count_scans(j_common_ptr jpeg) {
    struct decoder *decoder = decoder_of(jpeg);
    if (decoder->jpeg.input_scan_number <= MOST_SCANS)
        return;
    decoder->status = dd_fail(DDAEBM_OUT_OF_RANGE, "it has more than %d scans", MOST_SCANS);
    leave(decoder);
}

/* Asks libjpeg for grey or RGB. */
static ddaebm_status choose_colours(struct decoder *decoder) {
    switch (decoder->jpeg.jpeg_color_space) {
    case JCS_GRAYSCALE:
        decoder->jpeg.out_color_space = JCS_GRAYSCALE;
        return DDAEBM_OK;
    case JCS_RGB:
    case JCS_YCbCr:
        decoder->jpeg.out_color_space = JCS_RGB;
        return DDAEBM_OK;
    case JCS_CMYK:
    case JCS_YCCK:
        return dd_fail(DDAEBM_UNSUPPORTED, "it is a JPEG in CMYK, for printing; convert it to RGB");
    default:
        return dd_fail(DDAEBM_UNSUPPORTED,
                       "it is a JPEG of %d channels that are neither grey nor RGB",
                       decoder->jpeg.num_components);
    }
}

/* Makes room for the image, before libjpeg allocates rows and coefficients of its own. */
static ddaebm_status make_room(struct decoder *decoder) {
    size_t bytes = 0, channels = decoder->jpeg.out_color_space == JCS_GRAYSCALE ? 1 : 3;
    decoder->image.shape =
        (dd_image_shape){decoder->jpeg.image_height, decoder->jpeg.image_width, channels};
    decoder->image.count = 1;
    ddaebm_status status = dd_images_measure_one(&bytes, decoder->image.shape, decoder->most);
    if (status != DDAEBM_OK)
        return status;
    decoder->image.block = decoder->image.pixels = dd_alloc_zero(decoder->context, bytes, 1);
    return decoder->image.block ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

/* Makes all calls that may jump; called under setjmp. */
static void read_image(struct decoder *decoder) {
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    jpeg_mem_src(jpeg, decoder->data, decoder->size);
    (void)jpeg_read_header(jpeg, TRUE);
    decoder->status = choose_colours(decoder);
    if (decoder->status == DDAEBM_OK)
        decoder->status = make_room(decoder);
    if (decoder->status != DDAEBM_OK)
        return;

    size_t line = decoder->image.shape.width * decoder->image.shape.channels;
    (void)jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = decoder->image.pixels + jpeg->output_scanline * line;
        (void)jpeg_read_scanlines(jpeg, &row, 1);
    }
    (void)jpeg_finish_decompress(jpeg);
    decoder->image.surplus = jpeg->src->bytes_in_buffer;
}

/* Decodes the file. The caller frees the image's block, also on failure. libjpeg reports errors by
 * jumps, which do not leave this function. */
static ddaebm_status decode(struct decoder *decoder) {
    decoder->jpeg.err = jpeg_std_error(&decoder->errors);
    decoder->errors.error_exit = fail;
    decoder->errors.emit_message = judge_message;
    decoder->errors.output_message = print_nothing;
    decoder->progress.progress_monitor = count_scans;
    if (setjmp(decoder->leave) == 0) {
        jpeg_create_decompress(&decoder->jpeg);
        decoder->jpeg.progress = &decoder->progress;
        read_image(decoder);
    }
    jpeg_destroy_decompress(&decoder->jpeg);
    return decoder->status;
}

ddaebm_status dd_jpeg_parse(dd_images *out, ddaebm_context *context, const void *data, size_t size,
                            size_t most) {
    struct decoder decoder = {.context = context, .data = data, .size = size, .most = most};
    if (!dd_jpeg_recognise(data, size))
        return dd_fail(DDAEBM_FORMAT, "it is not a JPEG file");
    ddaebm_status status = decode(&decoder);
    if (status == DDAEBM_OK)
        *out = decoder.image;
    else
        dd_free(context, decoder.image.block);
    return status;
}

#else

ddaebm_status dd_jpeg_parse(dd_images *out, ddaebm_context *context, const void *data, size_t size,
                            size_t most) {
    (void)out, (void)context, (void)data, (void)size, (void)most;
    return dd_fail(
        DDAEBM_UNSUPPORTED,
        "this build has no libjpeg; install it and build again, or convert the images to PNG");
}

#endif
