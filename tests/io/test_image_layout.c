#define _GNU_SOURCE
#include "io/image_layout.h"
#include "support/counted.h"
#include "support/heard.h"

static void begin(void) {
    open_context(1);
    hear_context(context);
}

/* A shape, and what it is: 0 for rows, `why` for what is refused, `note` for a guess. */
static const struct {
    size_t rank, shape[4];
    ddaebm_layout asked;
    size_t height, width, channels;
    bool planes;
    const char *why, *note;
} rows[] = {
    {1, {7}, DDAEBM_LAYOUT_AUTO, 0, 0, 0, false, NULL, NULL},
    {2, {7, 784}, DDAEBM_LAYOUT_AUTO, 0, 0, 0, false, NULL, NULL},
    {5, {7, 2, 3, 28}, DDAEBM_LAYOUT_AUTO, 0, 0, 0, false, NULL, "5 axes is of no images"},
    {3, {7, 28, 28}, DDAEBM_LAYOUT_AUTO, 28, 28, 1, false, NULL, NULL},
    {3, {7, 20, 28}, DDAEBM_LAYOUT_AUTO, 20, 28, 1, false, NULL, NULL},
    {3, {7, 3, 3}, DDAEBM_LAYOUT_AUTO, 3, 3, 1, false, NULL, NULL},
    {3,
     {28, 28, 3},
     DDAEBM_LAYOUT_AUTO,
     0,
     0,
     0,
     false,
     "[28, 28, 3] may be one image of 3 channels, 28 images of 28 x 3",
     NULL},
    {3, {1000, 1, 2}, DDAEBM_LAYOUT_AUTO, 0, 0, 0, false, "--layout rows reads each entry", NULL},
    {3, {28, 28, 3}, DDAEBM_LAYOUT_NHWC, 28, 3, 1, false, NULL, NULL},
    {3, {28, 28, 3}, DDAEBM_LAYOUT_NCHW, 28, 3, 1, false, NULL, NULL},
    {3, {28, 28, 3}, DDAEBM_LAYOUT_ROWS, 0, 0, 0, false, NULL, NULL},
    {4, {7, 32, 32, 3}, DDAEBM_LAYOUT_AUTO, 32, 32, 3, false, NULL, NULL},
    {4, {7, 20, 32, 4}, DDAEBM_LAYOUT_AUTO, 20, 32, 4, false, NULL, NULL},
    {4,
     {7, 3, 32, 32},
     DDAEBM_LAYOUT_AUTO,
     32,
     32,
     3,
     true,
     NULL,
     "[7, 3, 32, 32] is read as [N, C, H, W] (layout nchw)"},
    {4,
     {7, 1, 28, 28},
     DDAEBM_LAYOUT_AUTO,
     28,
     28,
     1,
     true,
     NULL,
     "--layout rows reads it as rows"},
    {4,
     {7, 4, 4, 3},
     DDAEBM_LAYOUT_AUTO,
     4,
     4,
     3,
     false,
     NULL,
     "[N, H, W, C] (layout nhwc); --layout nchw reads it the other way"},
    {4,
     {7, 3, 4, 4},
     DDAEBM_LAYOUT_AUTO,
     4,
     4,
     3,
     true,
     NULL,
     "--layout nhwc reads it the other way"},
    {4,
     {7, 3, 32, 3},
     DDAEBM_LAYOUT_AUTO,
     0,
     0,
     0,
     false,
     "[7, 3, 32, 3] may be [N, H, W, C] or [N, C, H, W]",
     NULL},
    {4, {7, 3, 3, 3}, DDAEBM_LAYOUT_AUTO, 0, 0, 0, false, "--layout nchw as the second", NULL},
    {4, {7, 16, 16, 8}, DDAEBM_LAYOUT_AUTO, 0, 0, 0, false, "[7, 16, 16, 8] is of no images", NULL},
    {4, {7, 3, 3, 3}, DDAEBM_LAYOUT_NHWC, 3, 3, 3, false, NULL, NULL},
    {4, {7, 3, 3, 2}, DDAEBM_LAYOUT_NCHW, 3, 2, 3, true, NULL, NULL},
    {4, {7, 32, 32, 3}, DDAEBM_LAYOUT_ROWS, 0, 0, 0, false, NULL, NULL},
    {4, {7, 16, 16, 8}, DDAEBM_LAYOUT_ROWS, 0, 0, 0, false, NULL, NULL},
    {4,
     {7, 32, 32, 3},
     DDAEBM_LAYOUT_NCHW,
     0,
     0,
     0,
     false,
     "by layout nchw its shape [7, 32, 32, 3] has 32 channels",
     NULL},
    {4,
     {7, 3, 32, 32},
     DDAEBM_LAYOUT_NHWC,
     0,
     0,
     0,
     false,
     "by layout nhwc its shape [7, 3, 32, 32] has 32 channels",
     NULL},
    {2,
     {7, 784},
     DDAEBM_LAYOUT_NHWC,
     0,
     0,
     0,
     false,
     "layout nhwc is of arrays of 3 or 4 axes, and this one has 2",
     NULL},
    {5,
     {7, 2, 3, 28},
     DDAEBM_LAYOUT_NCHW,
     0,
     0,
     0,
     false,
     "layout nchw is of arrays of 3 or 4 axes",
     NULL},
};

START_TEST(shapes_are_images_or_refused) {
    begin();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dd_array_axes axes = {.rank = rows[i].rank, .kind = DD_FRACTIONS};
        dd_image_layout out = {{77, 77, 77}, true};
        memcpy(axes.length, rows[i].shape, sizeof axes.length);
        heard_lines = 0;
        ddaebm_status status = dd_image_layout_find(&out, context, &axes, rows[i].asked);
        ck_assert_msg((status != DDAEBM_OK) == (rows[i].why != NULL), "row %zu: %s", i,
                      ddaebm_error_message());
        if (rows[i].why) {
            ck_assert_int_eq(status, rows[i].asked == DDAEBM_LAYOUT_AUTO ? DDAEBM_UNSUPPORTED
                                                                         : DDAEBM_INVALID_ARGUMENT);
            ck_assert_msg(strstr(ddaebm_error_message(), rows[i].why) != NULL, "row %zu: %s", i,
                          ddaebm_error_message());
            ck_assert_uint_eq(out.shape.height, 77);
            continue;
        }
        ck_assert_msg(out.shape.height == rows[i].height && out.shape.width == rows[i].width &&
                          out.shape.channels == rows[i].channels && out.planes == rows[i].planes,
                      "row %zu: %zu x %zu x %zu", i, out.shape.height, out.shape.width,
                      out.shape.channels);
        ck_assert_uint_eq(heard_lines, rows[i].note != NULL);
        ck_assert_msg(!rows[i].note || strstr(heard_line, rows[i].note) != NULL, "row %zu: %s", i,
                      heard_line);
    }
    close_context();
}
END_TEST

START_TEST(planes_become_pixels) {
    /* two images of 2 x 1 pixels and 3 channels */
    const uint8_t planes[] = {1, 2, 11, 12, 21, 22, 101, 102, 111, 112, 121, 122};
    const uint8_t pixels[] = {1, 11, 21, 2, 12, 22, 101, 111, 121, 102, 112, 122};
    float floats[12];
    uint8_t bytes[12];
    void *none = NULL;
    begin();
    memcpy(bytes, planes, sizeof bytes);
    for (size_t i = 0; i < 12; i++)
        floats[i] = planes[i];
    SWEEP_ALLOCATIONS(counted, none,
                      dd_image_layout_interleave(bytes, 1, context, (dd_image_shape){2, 1, 3}, 2));
    ASSERT_OK(
        dd_image_layout_interleave(floats, sizeof *floats, context, (dd_image_shape){2, 1, 3}, 2));
    ck_assert_mem_eq(bytes, pixels, sizeof bytes);
    for (size_t i = 0; i < 12; i++)
        ck_assert(floats[i] == (float)pixels[i]);
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("image_layout", shapes_are_images_or_refused, planes_become_pixels);
}
