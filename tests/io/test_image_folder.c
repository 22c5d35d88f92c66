/* Folders of images: order, links, subfolders, and what is passed over or refused. */
#define _GNU_SOURCE
#include "base/context.h"
#include "io/image_file.h"
#include "io/image_folder.h"
#include "io/image_walk.h"
#include "support/counted.h"
#include "support/faults.h"
#include "support/heard.h"
#include "support/images_small.h"

#include <errno.h>
#include <stdarg.h>

static void begin(void) {
    open_context(1);
    hear_context(context);
}

static void make_folders(const char *name, ...) {
    va_list names;
    va_start(names, name);
    for (; name; name = va_arg(names, const char *))
        ck_assert_int_eq(mkdir(in_folder(name), 0700), 0);
    va_end(names);
}

static void put_text(const char *name) {
    put_file(in_folder(name), "x", 1);
}

static void make_link(const char *target, const char *name) {
    ck_assert_int_eq(symlink(target, in_folder(name)), 0);
}

/* ---- The walk. ---- */

static void assert_walk(bool recursive, const char *const *expected, size_t count) {
    dd_image_walk walk = {.passed = 0};
    ASSERT_OK(dd_image_walk_folder(&walk, context, folder, recursive));
    for (size_t i = 0; i < count && i < walk.images.count; i++)
        ck_assert_str_eq(walk.images.items[i], expected[i]);
    ck_assert_uint_eq(walk.images.count, count);
    dd_image_walk_free(&walk, context);
}

static void make_tree(void) {
    make_folders("b", "a", "a-b", "a/x", "a/.hidden", "empty", NULL);
    static const char *const images[] = {"m.png",           "k.JPG",   "b/2.png",   "b/10.png",
                                         "a/z.jpeg",        "a/b.png", "a/x/c.jpg", "a-b/y.png",
                                         "a/.hidden/n.png", ".n.png",  "a/._b.png"};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        put_text(images[i]);
    put_text("notes.txt");
    put_text("a/labels.CSV");
    put_text("a/README");
}

START_TEST(images_are_sorted_as_torchvision_sorts_them) {
    static const char *const own[] = {"k.JPG", "m.png"};
    static const char *const all[] = {"k.JPG",     "m.png",     "a/b.png",  "a/z.jpeg",
                                      "a/x/c.jpg", "a-b/y.png", "b/10.png", "b/2.png"};
    dd_image_walk walk = {.passed = 0};
    void *none = NULL;
    begin();
    make_tree();
    assert_walk(false, own, 2);
    assert_walk(true, all, 8);
    SWEEP_ALLOCATIONS(counted, none, dd_image_walk_folder(&walk, context, folder, true));
    dd_image_walk_free(&walk, context);
    close_context();
}
END_TEST

static const char *describe(char text[DD_WALK_ROOM], bool recursive) {
    dd_image_walk walk = {.passed = 0};
    ASSERT_OK(dd_image_walk_folder(&walk, context, folder, recursive));
    (void)dd_image_walk_describe(text, &walk);
    dd_image_walk_free(&walk, context);
    return text;
}

START_TEST(a_single_image_below_is_counted) {
    char text[DD_WALK_ROOM];
    begin();
    put_text("a.png");
    make_folders("below", NULL);
    put_text("below/b.png");
    ck_assert_str_eq(describe(text, false), "1 image in 1 folder below, which --recursive reads");
    close_context();
}
END_TEST

START_TEST(what_is_passed_over_is_counted) {
    char text[DD_WALK_ROOM];
    begin();
    put_text("a.png");
    ck_assert_str_eq(describe(text, false), "");
    make_tree();
    ck_assert_str_eq(describe(text, false), "1 file that is not " DD_IMAGE_FORMATS
                                            " (1 .txt); 6 images in 4 folders below, which "
                                            "--recursive reads");
    ck_assert_str_eq(describe(text, true), "3 files that are not " DD_IMAGE_FORMATS
                                           " (1 without an ending, 1 .csv, 1 .txt)");

    for (int i = 0; i < 30; i++) {
        char name[32];
        snprintf(name, sizeof name, "f.e%d", i);
        put_text(name);
        snprintf(name, sizeof name, "g%d.bmp", i);
        put_text(name);
    }

    put_text("h.an-ending-that-is-long");
    (void)describe(text, true);
    ck_assert_ptr_nonnull(strstr(text, "64 files that are not " DD_IMAGE_FORMATS
                                       " (30 .bmp, 1 without an ending, 1 .csv, "));
    ck_assert_ptr_nonnull(strstr(text, " and 29 others)"));
    close_context();
}
END_TEST

/* A folder is walked once, whatever leads to it; folders above the walk are not folders below. */
START_TEST(links_make_no_loops) {
    static const char *const all[] = {"a/1.png", "c/2.png"};
    char text[DD_WALK_ROOM];
    begin();
    make_folders("a", "a/deep", NULL);
    put_text("a/1.png");
    make_link(".", "self");
    make_link("../..", "a/above");
    make_link("..", "a/up");
    make_link("../../a", "a/deep/again");
    make_link("/", "root");
    char outside[64] = "/tmp/ddaebm-test-XXXXXX", path[100];
    ck_assert_ptr_nonnull(mkdtemp(outside));
    snprintf(path, sizeof path, "%s/2.png", outside);
    put_file(path, "x", 1);
    make_link(outside, "c");
    make_link(outside, "d"); /* the same once more */
    assert_walk(true, all, 2);
    ck_assert_str_eq(describe(text, true),
                     "6 links back to a folder that is read anyway, or above");
    make_link("nowhere", "dogs");
    make_link("loop", "loop");
    ck_assert_str_eq(
        describe(text, true),
        "2 links that lead nowhere; 6 links back to a folder that is read anyway, or above");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(outside), 0);
    close_context();
}
END_TEST

START_TEST(folders_that_cannot_be_read_are_refused) {
    dd_image_walk walk = {.passed = 0};
    begin();
    make_folders("a", NULL);
    put_text("a/1.png");

    for (size_t at = 1; at <= 2; at++) {
        faults_begin(FAULT_ERROR, EACCES, at, FAULT_ONCE);
        faults_only("opendir");
        ASSERT_FAILS(dd_image_walk_folder(&walk, context, folder, true), DDAEBM_IO,
                     "cannot read the folder");
        ck_assert_uint_eq(faults_end(), at);
    }

    faults_begin(FAULT_ERROR, EACCES, 2, FAULT_ONCE); /* where images are only counted */
    faults_only("opendir");
    ASSERT_OK(dd_image_walk_folder(&walk, context, folder, false));
    (void)faults_end();
    ck_assert_uint_eq(walk.images_below, 0);
    dd_image_walk_free(&walk, context);
    ASSERT_FAILS(dd_image_walk_folder(&walk, context, in_folder("none"), true), DDAEBM_IO,
                 "none: No such file");
    close_context();
}
END_TEST

#ifdef DDAEBM_HAVE_PNG

/* ---- Sets. ---- */

enum { WIDTH = 11, HEIGHT = 9, PIXELS = WIDTH * HEIGHT };

static void put_image(const char *name, size_t height, size_t width, size_t channels,
                      uint32_t seed) {
    uint8_t data[4 * PIXELS];
    ck_assert_uint_le(height * width * channels, sizeof data);
    fill_bytes(data, sizeof data, seed);
    ASSERT_OK(ddaebm_array_write_png(NULL, in_folder(name), data, height, width, channels));
}

static ddaebm_status read_set(dd_images *out, size_t resize, int recursive) {
    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    options.resize = resize;
    options.recursive = recursive;
    return dd_image_folder_read(out, context, folder, &options);
}

START_TEST(a_folder_is_read_in_order) {
    uint8_t expected[4 * PIXELS];
    dd_images out = {.block = NULL};
    begin();

    for (uint32_t i = 1; i <= 3; i++)
        put_image((const char[]){"cba"[3 - i], '.', 'p', 'n', 'g', '\0'}, HEIGHT, WIDTH, 3, i);
    SWEEP_ALLOCATIONS(counted, out.block, read_set(&out, 0, 0));
    ck_assert_uint_eq(out.count, 3);

    for (uint32_t i = 0; i < 3; i++) {
        fill_bytes(expected, sizeof expected, i + 1);
        ck_assert_mem_eq(out.pixels + i * 3 * PIXELS, expected, 3 * PIXELS);
    }

    ck_assert_uint_eq(heard_lines, 0);
    dd_free(context, out.block);
    close_context();
}
END_TEST

START_TEST(images_must_be_alike) {
    dd_images out = {.block = NULL};
    begin();
    put_image("a.png", HEIGHT, WIDTH, 3, 1);
    put_image("b.png", HEIGHT, WIDTH, 1, 2);
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_MISMATCH,
                 "b.png: it is 11 pixels wide, 9 high and grey; a.png is 11 wide, 9 high and "
                 "colour: make all alike");
    ck_assert_ptr_null(strstr(ddaebm_error_message(), "--resize"));
    put_image("b.png", HEIGHT + 1, WIDTH, 3, 2);
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_MISMATCH, "b.png: it is 11 pixels wide, 10 high");
    put_image("b.png", HEIGHT, WIDTH + 1, 1, 2);
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_MISMATCH,
                 "make all alike, or bring them to one size with --resize");
    put_file(in_folder("b.png"), "GIF89a", 6);
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_FORMAT,
                 "b.png: it is not a " DD_IMAGE_FORMATS " file");
    ck_assert_ptr_null(out.block);
    close_context();
}
END_TEST

START_TEST(images_of_all_sizes_are_resized) {
    uint8_t expected[3 * PIXELS];
    dd_images out = {.block = NULL};
    begin();
    put_image("a.png", HEIGHT, WIDTH, 3, 1);
    put_image("b.png", 2, 3, 3, 2);
    put_image("c.png", 11, 11, 3, 3);
    SWEEP_ALLOCATIONS(counted, out.block, read_set(&out, 11, 0));
    ck_assert(out.count == 3 && out.shape.height == 11 && out.shape.width == 11 &&
              out.shape.channels == 3);
    fill_bytes(expected, sizeof expected, 1);

    for (size_t i = 0; i < 33; i++) /* a line of black above, and one below */
        ck_assert(out.pixels[i] == 0 && out.pixels[10 * 33 + i] == 0);
    ck_assert_mem_eq(out.pixels + 33, expected, 3 * PIXELS);
    fill_bytes(expected, sizeof expected, 2);
    ck_assert_mem_eq(out.pixels + 363 + 4 * 33 + 4 * 3, expected, 9);
    dd_free(context, out.block);
    out = (dd_images){.block = NULL};
    ASSERT_OK(read_set(&out, 1, 0));
    ck_assert(out.count == 3 && out.shape.height == 1 && out.shape.width == 1);
    uint8_t last[3] = {out.pixels[6], out.pixels[7], out.pixels[8]};
    dd_free(context, out.block);
    ck_assert_int_eq(unlink(in_folder("a.png")) | unlink(in_folder("b.png")), 0);
    ASSERT_OK(read_set(&out, 1, 0)); /* alone, the last is what it was among others */
    ck_assert_mem_eq(out.pixels, last, 3);
    dd_free(context, out.block);
    put_image("a.png", HEIGHT, WIDTH, 3, 1);
    enum { LONG = 65535, LINES = 17 }; /* larger than a row may be */
    uint8_t *large = calloc(LINES, LONG);
    ASSERT_OK(ddaebm_array_write_png(NULL, in_folder("b.png"), large, LINES, LONG, 1));
    free(large);
    ck_assert_int_eq(unlink(in_folder("a.png")) | unlink(in_folder("c.png")), 0);
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_OUT_OF_RANGE,
                 "hold more than 1048576 numbers; --resize S makes larger ones smaller");
    ASSERT_OK(read_set(&out, 8, 0));
    ck_assert(out.count == 1 && out.shape.height == 8);
    dd_free(context, out.block);
    close_context();
}
END_TEST

START_TEST(a_note_says_what_was_passed_over) {
    dd_images out = {.block = NULL};
    begin();
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_FORMAT,
                 "this folder has no images: no file that ends in " DD_IMAGE_ENDINGS);
    put_text("notes.txt");
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_FORMAT,
                 "data_batch_*.bin; it has 1 file that is not " DD_IMAGE_FORMATS " (1 .txt)");
    make_folders("cats", "dogs", NULL);
    put_image("cats/1.png", 2, 2, 1, 1);
    put_image("dogs/2.png", 2, 2, 1, 2);
    put_image("dogs/3.png", 2, 2, 1, 3);
    ASSERT_FAILS(
        read_set(&out, 0, 0), DDAEBM_FORMAT,
        "this folder has no images of its own, and 3 in 2 folders below: --recursive reads those");
    ck_assert_uint_eq(heard_lines, 0);
    ASSERT_OK(read_set(&out, 0, 1));
    ck_assert(out.count == 3 && heard_lines == 1 && heard_level == DDAEBM_LOG_INFO);
    dd_free(context, out.block);
    put_image("a.png", 2, 2, 1, 1);
    ASSERT_OK(read_set(&out, 0, 0));
    ck_assert(out.count == 1 && heard_lines == 2 && heard_level == DDAEBM_LOG_WARNING);
    ck_assert_str_eq(heard_line, "passed over: 1 file that is not " DD_IMAGE_FORMATS " (1 .txt); 3 "
                                 "images in 2 folders below, which --recursive "
                                 "reads");
    dd_free(context, out.block);
    put_text("b.webp");
    ASSERT_OK(read_set(&out, 0, 1));
    ck_assert(out.count == 4 && heard_lines == 3 && heard_level == DDAEBM_LOG_WARNING);
    dd_free(context, out.block);
    close_context();
}
END_TEST

START_TEST(batches_come_before_images) {
    static uint8_t batch[2 * 3073];
    dd_images out = {.block = NULL};
    begin();
    put_file(in_folder("data_batch_1.bin"), batch, sizeof batch);
    put_image("a.png", 2, 2, 1, 1);
    ASSERT_OK(read_set(&out, 0, 0));
    ck_assert(out.count == 2 && out.shape.height == 32 && heard_lines == 1 &&
              heard_level == DDAEBM_LOG_WARNING);
    ck_assert_ptr_nonnull(
        strstr(heard_line, "batches, which are read, and 1 images, which are not"));
    dd_free(context, out.block);
    ASSERT_OK(read_set(&out, 16, 0));
    ck_assert(out.count == 2 && out.shape.height == 16);
    dd_free(context, out.block);
    out.block = NULL;
    ASSERT_FAILS(read_set(&out, 0, 1), DDAEBM_INVALID_ARGUMENT,
                 "recursive is an option of folders of images");
    ASSERT_OK(ddaebm_context_set_limit(context, DDAEBM_LIMIT_FILE_BYTES, 7000));
    ASSERT_FAILS(read_set(&out, 64, 0), DDAEBM_OUT_OF_RANGE, "bytes allowed");
    ck_assert_ptr_null(out.block);
    close_context();
}
END_TEST

/* One warning, however many. */
START_TEST(bytes_after_the_end_are_passed_over) {
    uint8_t file[1000];
    dd_images out = {.block = NULL};
    begin();

    for (int i = 0; i < 3; i++) {
        char name[] = {(char)('a' + i), '.', 'p', 'n', 'g', '\0'};
        put_image(name, 2, 2, 1, 1);
        size_t size = get_file(in_folder(name), file, sizeof file - 1);
        file[size] = '\n';
        put_file(in_folder(name), file, size + (i > 0));
        if (i == 0)
            continue;
        heard_lines = 0;
        ASSERT_OK(read_set(&out, 0, 0));
        ck_assert(out.count == (size_t)i + 1 && heard_lines == 1 &&
                  heard_level == DDAEBM_LOG_WARNING);
        ck_assert_str_eq(heard_line,
                         i == 1 ? "b.png has 1 byte after the end of its image: passed over"
                                : "b.png has 1 byte after the end of its image (and others have "
                                  "some, too): passed over");
        dd_free(context, out.block);
    }
    close_context();
}
END_TEST

/* ---- Files that are not what their names say. ---- */

START_TEST(links_are_named) {
    dd_images out = {.block = NULL};
    begin();
    put_image("a.png", 2, 2, 1, 1);
    make_link("a.png", "b.png");
    ASSERT_OK(read_set(&out, 0, 0));
    ck_assert_uint_eq(out.count, 2);
    dd_free(context, out.block);
    out.block = NULL;
    make_link("gone/c.png", "c.png");
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_IO,
                 "c.png: it is a link to gone/c.png, which is not there");
    ck_assert_int_eq(unlink(in_folder("c.png")), 0);
    make_link("d.jpg", "c.jpg");
    make_link("c.jpg", "d.jpg");
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_IO,
                 "c.jpg: it is a link to d.jpg, and leads back to itself");
    ck_assert_int_eq(unlink(in_folder("c.jpg")) | unlink(in_folder("d.jpg")), 0);
    make_folders("e.png", NULL);
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_IO, "e.png is a folder, and is named as an image is");
    put_image("e.png/f.png", 2, 2, 1, 1);
    ASSERT_OK(read_set(&out, 0, 1));
    ck_assert_uint_eq(out.count, 3);
    dd_free(context, out.block);
    out.block = NULL;
    ck_assert_int_eq(unlink(in_folder("e.png/f.png")) | rmdir(in_folder("e.png")), 0);
    make_link("gone", "data_batch_1.bin");
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_IO,
                 "data_batch_1.bin: it is a link to gone, which is not there");
    ck_assert_ptr_null(out.block);
    close_context();
}
END_TEST

START_TEST(files_that_may_not_be_read_are_named) {
    dd_images out = {.block = NULL};
    begin();
    put_image("a.png", 2, 2, 1, 1);
    put_image("b.png", 2, 2, 1, 1);
    faults_begin(FAULT_ERROR, EACCES, 2, FAULT_ONCE);
    faults_only("open");
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_IO,
                 "b.png: Permission denied; this user may not read it");
    (void)faults_end();
    faults_begin(FAULT_ERROR, ENOENT, 2, FAULT_ONCE);
    faults_only("open");
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_IO,
                 "b.png: it was removed after its folder was listed");
    (void)faults_end();
    ck_assert_ptr_null(out.block);
    close_context();
}
END_TEST

/* Reading a pipe without a writer would never return; a device may have no end. */
START_TEST(what_is_no_plain_file_is_not_waited_for) {
    dd_images out = {.block = NULL};
    begin();
    put_image("a.png", 2, 2, 1, 1);
    ck_assert_int_eq(mkfifo(in_folder("b.png"), 0600), 0);
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_IO, "b.png: it is not a regular file");
    ck_assert_int_eq(unlink(in_folder("b.png")), 0);
    make_link("/dev/zero", "b.png");
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_IO, "b.png: it is not a regular file");
    ck_assert_ptr_null(out.block);
    close_context();
}
END_TEST

/* Memory grows with what has been read and listed, up to the limit. */
START_TEST(a_folder_may_hold_too_much) {
    enum { FILES = 200 };
    dd_images out = {.block = NULL};
    begin();
    put_image("a.png", HEIGHT, WIDTH, 3, 1);

    for (int i = 0; i < FILES; i++) {
        char name[32];
        snprintf(name, sizeof name, "b%d.png", i);
        make_link("a.png", name);
    }

    ASSERT_OK(ddaebm_context_set_limit(context, DDAEBM_LIMIT_FILE_BYTES, 100 * 3 * PIXELS));
    counted.most = counted.bytes;
    ASSERT_FAILS(read_set(&out, 0, 0), DDAEBM_OUT_OF_RANGE, "its 101 images of 297 bytes");
    ck_assert_uint_lt(counted.most, 300 * 3 * PIXELS);
    ck_assert_ptr_null(out.block);
    close_context();
}
END_TEST

#endif

int main(void) {
    const TTest *const tests[] = {
        images_are_sorted_as_torchvision_sorts_them,
        a_single_image_below_is_counted,
        what_is_passed_over_is_counted,
        links_make_no_loops,
        folders_that_cannot_be_read_are_refused,
#ifdef DDAEBM_HAVE_PNG
        a_folder_is_read_in_order,
        images_must_be_alike,
        images_of_all_sizes_are_resized,
        a_note_says_what_was_passed_over,
        batches_come_before_images,
        bytes_after_the_end_are_passed_over,
        links_are_named,
        files_that_may_not_be_read_are_named,
        what_is_no_plain_file_is_not_waited_for,
        a_folder_may_hold_too_much,
#endif
    };
    return run_tests("image_folder", tests, sizeof tests / sizeof *tests);
}
