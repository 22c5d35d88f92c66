#include "io/image_folder.h"

#include "base/context.h"
#include "base/error.h"
#include "io/cifar.h"
#include "io/image_file.h"
#include "io/image_walk.h"
#include "io/resize.h"

#include <string.h>

/* A set of images that is being read. */
struct reading {
    ddaebm_context *context;
    const ddaebm_read_options *options;
    const dd_names *names;
    dd_images set;
    size_t capacity; /* bytes of the block */
    size_t long_files, first_long, first_surplus;
};

static const char *kind_of(dd_image_shape shape) {
    return shape.channels == 1 ? "grey" : "colour";
}

static ddaebm_status check_shape(const struct reading *r, dd_image_shape one) {
    const dd_image_shape first = r->set.shape;
    const bool same_size = one.height == first.height && one.width == first.width;
    if (same_size && one.channels == first.channels)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_MISMATCH,
                   "it is %zu pixels wide, %zu high and %s; %.100s is %zu wide, %zu high and %s: "
                   "make all alike%s",
                   one.width, one.height, kind_of(one), r->names->items[0], first.width,
                   first.height, kind_of(first),
                   same_size ? "" : ", or bring them to one size with --resize");
}

/* Adds an image to the set, resized if the options ask for it. */
static ddaebm_status add_image(struct reading *r, const dd_images *one) {
    const size_t side = r->options->resize, numbers = side > 0 ? side * side * one->shape.channels
                                                               : dd_image_numbers(one->shape);
    const dd_image_shape shape =
        side > 0 ? (dd_image_shape){side, side, one->shape.channels} : one->shape;
    if (r->set.count == 0)
        r->set.shape = shape;
    ddaebm_status status = check_shape(r, shape);
    if (status == DDAEBM_OK)
        status = dd_images_make_room(&r->set, &r->capacity, r->context, 1);
    if (status != DDAEBM_OK)
        return status;

    uint8_t *to = r->set.pixels + r->set.count * numbers;
    if (side > 0)
        dd_resize_bytes(to, side, one->pixels, one->shape);
    else
        memcpy(to, one->pixels, numbers);
    r->set.count++;
    return DDAEBM_OK;
}

/* Reads the image in a file and adds it to the set; `at` is its index among the names. */
static ddaebm_status read_into(struct reading *r, const char *path, size_t at) {
    dd_images one = {.count = 0};
    void *data = NULL;
    size_t size = 0, most = r->options->resize > 0 ? DD_MOST_TO_RESIZE : DD_MOST_WIDTH;
    ddaebm_status status = dd_folder_read_file(r->context, path, &data, &size);
    if (status != DDAEBM_OK)
        return status;

    status = dd_image_file_parse(&one, r->context, data, size, most);
    if (status == DDAEBM_OK)
        status = add_image(r, &one);
    if (status == DDAEBM_OK && one.surplus > 0 && r->long_files++ == 0) {
        r->first_long = at;
        r->first_surplus = one.surplus;
    }

    dd_free(r->context, one.block);
    dd_free(r->context, data);
    return status == DDAEBM_OK ? status : dd_fail_in(status, path);
}

/* Reads the images of the named files of a folder. */
static ddaebm_status read_images(dd_images *out, ddaebm_context *context, const char *path,
                                 const dd_names *names, const ddaebm_read_options *options) {
    struct reading r = {.context = context, .options = options, .names = names};
    ddaebm_status status = DDAEBM_OK;

    for (size_t i = 0; i < names->count && status == DDAEBM_OK; i++) {
        char *file = dd_folder_join(context, path, names->items[i]);
        status = file ? read_into(&r, file, i) : DDAEBM_OUT_OF_MEMORY;
        dd_free(context, file);
    }

    if (status == DDAEBM_OK && r.long_files > 0)
        dd_report(context, DDAEBM_LOG_WARNING,
                  "%.100s has %zu byte%s after the end of its image%s: passed over",
                  names->items[r.first_long], r.first_surplus, r.first_surplus == 1 ? "" : "s",
                  r.long_files > 1 ? " (and others have some, too)" : "");

    if (status == DDAEBM_OK)
        *out = r.set;
    else
        dd_free(context, r.set.block);
    return status;
}

/* Returns whether files of image formats that cannot be read were passed over. */
static bool has_other_images(const dd_image_walk *walk) {
    static const char *const endings[] = {".avif", ".bmp", ".gif", ".heic", ".jp2",
                                          ".pgm",  ".ppm", ".tif", ".tiff", ".webp"};
    for (size_t i = 0; i < walk->kinds; i++)
        for (size_t j = 0; j < sizeof endings / sizeof *endings; j++)
            if (strcmp(walk->endings[i].ending, endings[j]) == 0)
                return true;
    return false;
}

static void report_passed(ddaebm_context *context, const dd_image_walk *walk) {
    char text[DD_WALK_ROOM];
    bool serious = walk->images_below > 0 || walk->lost > 0 || has_other_images(walk);
    if (walk->batches.count > 0 && walk->images.count > 0)
        dd_report(
            context, DDAEBM_LOG_WARNING,
            "the folder has CIFAR-10's batches, which are read, and %zu images, which are not",
            walk->images.count);
    else if (*dd_image_walk_describe(text, walk))
        dd_report(context, serious ? DDAEBM_LOG_WARNING : DDAEBM_LOG_INFO, "passed over: %s", text);
}

/* Fails for a folder without images, and tells what it has instead. */
static ddaebm_status refuse_empty(const char *path, const dd_image_walk *walk) {
    char text[DD_WALK_ROOM];
    if (walk->images_below > 0)
        return dd_fail(DDAEBM_FORMAT,
                       "%.250s: this folder has no images of its own, and %s%zu in %zu folder%s "
                       "below: --recursive "
                       "reads those",
                       path, walk->counted_all ? "" : "at least ", walk->images_below,
                       walk->folders_below, walk->folders_below == 1 ? "" : "s");
    (void)dd_image_walk_describe(text, walk);
    return dd_fail(DDAEBM_FORMAT,
                   "%.250s: this folder has no images: no file that ends in " DD_IMAGE_ENDINGS
                   ", and no data_batch_*.bin%s%s",
                   path, *text ? "; it has " : "", text);
}

ddaebm_status dd_image_folder_read(dd_images *out, ddaebm_context *context, const char *path,
                                   const ddaebm_read_options *options) {
    dd_image_walk walk = {.passed = 0};
    ddaebm_status status;
    DD_TRY(dd_image_walk_folder(&walk, context, path, options->recursive != 0));
    if (walk.batches.count == 0 && walk.images.count == 0)
        DD_TRY(refuse_empty(path, &walk));
    report_passed(context, &walk);
    if (walk.batches.count == 0) {
        DD_TRY(read_images(out, context, path, &walk.images, options));
        goto cleanup;
    }

    if (options->recursive)
        DD_TRY(dd_fail(
            DDAEBM_INVALID_ARGUMENT,
            "%.250s: recursive is an option of folders of images, and this one has CIFAR-10's "
            "batches",
            path));
    DD_TRY(dd_cifar_read_folder(out, context, path, &walk.batches));
    if (options->resize > 0)
        status = dd_images_resize(out, context, options->resize);
    if (status != DDAEBM_OK) {
        dd_free(context, out->block);
        *out = (dd_images){.count = 0};
    }
cleanup:
    dd_image_walk_free(&walk, context);
    return status;
}
