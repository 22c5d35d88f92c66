#include "io/safetensors_writer.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "base/excerpt.h"
#include "base/half.h"
#include "base/utf8.h"
#include "io/seal.h"
#include "io/text.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { LENGTH = 8, ALIGNMENT = 8 };

/* A tensor to be written; its name is the key in `tensors`. */
struct item {
    dd_stored dtype;
    const void *data;
    size_t bytes;
    json_t *entry; /* borrowed from `tensors` */
    void *copy;    /* data that the writer owns, or NULL */
};

struct dd_safetensors_writer {
    ddaebm_context *context;
    json_t *tensors,
        *metadata;      /* objects, to which data_offsets are added when the file is written */
    struct item *items; /* in the order of the calls */
    size_t count, capacity;
};

/* The file in pieces: the header, then the data of each tensor. */
struct image {
    char *header;
    dd_span *spans;
    size_t count, bytes;
};

static ddaebm_status no_memory(void) {
    return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory for the header of a safetensors file");
}

ddaebm_status dd_safetensors_writer_create(dd_safetensors_writer **out, ddaebm_context *context) {
    ddaebm_context *held = NULL;
    ddaebm_status status = dd_context_hold(&held, context);
    if (status != DDAEBM_OK)
        return status;

    dd_safetensors_writer *writer = dd_alloc_zero(held, 1, sizeof *writer);
    if (!writer) {
        ddaebm_context_free(held);
        return DDAEBM_OUT_OF_MEMORY;
    }

    writer->context = held;
    writer->tensors = json_object();
    writer->metadata = json_object();
    if (!writer->tensors ||
        json_object_set_new(writer->metadata, DD_SEAL_KEY, json_string(DD_SEAL_BLANK)) != 0) {
        dd_safetensors_writer_free(writer);
        return no_memory();
    }

    *out = writer;
    return DDAEBM_OK;
}

void dd_safetensors_writer_free(dd_safetensors_writer *writer) {
    if (!writer)
        return;
    ddaebm_context *context = writer->context;
    json_decref(writer->tensors);
    json_decref(writer->metadata);
    for (size_t i = 0; i < writer->count; i++)
        dd_free(context, writer->items[i].copy);
    dd_free(context, writer->items);
    dd_free(context, writer);
    ddaebm_context_free(context);
}

/* Checks that a tensor may be added under this name. */
static ddaebm_status check_name(const dd_safetensors_writer *writer, const char *name) {
    char quote[DD_EXCERPT_ROOM];
    size_t length = strlen(name);
    const char *shown = dd_excerpt(quote, name, length);
    if (length == 0 || strcmp(name, "__metadata__") == 0 || !dd_utf8_is_valid(name, length))
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "a tensor cannot have the name '%s'", shown);
    if (length > DD_SAFETENSORS_MOST_NAME)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "the name '%s' has %zu bytes; at most %d are allowed",
                       shown, length, DD_SAFETENSORS_MOST_NAME);
    if (json_object_get(writer->tensors, name))
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "a tensor '%s' exists already", shown);

    const size_t tensors = dd_context_most(writer->context, DDAEBM_LIMIT_TENSORS);
    if (writer->count >= tensors)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "tensor '%s' is one more than the %zu allowed", shown,
                       tensors);
    return DDAEBM_OK;
}

/* Checks the shape of a tensor and computes its bytes. */
static ddaebm_status measure(size_t *bytes, const char *name, dd_stored dtype, size_t rank,
                             const size_t *shape) {
    *bytes = dd_stored_size(dtype);
    if (rank > DD_SAFETENSORS_MOST_RANK)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "tensor '%.60s' has %zu axes; at most %d are allowed",
                       name, rank, DD_SAFETENSORS_MOST_RANK);
    for (size_t i = 0; i < rank; i++)
        if (shape[i] < 1 || shape[i] > DD_SAFETENSORS_MOST_DIMENSION ||
            !dd_size_mul(bytes, *bytes, shape[i]))
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "tensor '%.60s': axis %zu has length %zu; allowed: 1 to %d, in all what "
                           "memory holds",
                           name, i, shape[i], DD_SAFETENSORS_MOST_DIMENSION);
    return DDAEBM_OK;
}

/* Makes {"dtype": "F32", "shape": [2, 3]}; NULL without memory. */
static json_t *describe(dd_stored dtype, size_t rank, const size_t *shape) {
    json_t *entry = json_object(), *sizes = json_array();
    bool good = entry && sizes;
    for (size_t i = 0; good && i < rank; i++)
        good = json_array_append_new(sizes, json_integer((json_int_t)shape[i])) == 0;
    good = good && json_object_set_new(entry, "dtype", json_string(dd_stored_name(dtype))) == 0;
    good = good && json_object_set(entry, "shape", sizes) == 0;
    json_decref(sizes);
    if (good)
        return entry;
    json_decref(entry);
    return NULL;
}

ddaebm_status dd_safetensors_writer_add(dd_safetensors_writer *writer, const char *name,
                                        dd_stored dtype, size_t rank, const size_t *shape,
                                        const void *data) {
    size_t bytes = 0;
    ddaebm_status status = check_name(writer, name);

    if (status == DDAEBM_OK)
        status = measure(&bytes, name, dtype, rank, shape);
    if (status != DDAEBM_OK)
        return status;
    struct item *grown = dd_grow(writer->context, writer->items, &writer->capacity,
                                 writer->count + 1, sizeof *grown);
    if (!grown)
        return DDAEBM_OUT_OF_MEMORY;
    writer->items = grown;
    json_t *entry = describe(dtype, rank, shape);
    if (!entry || json_object_set_new(writer->tensors, name, entry) != 0)
        return no_memory();
    writer->items[writer->count++] = (struct item){dtype, data, bytes, entry, NULL};
    return DDAEBM_OK;
}

ddaebm_status dd_safetensors_writer_add_half(dd_safetensors_writer *writer, const char *name,
                                             size_t rank, const size_t *shape, const float *data) {
    size_t bytes = 0;
    ddaebm_status status = measure(&bytes, name, DD_STORED_F16, rank, shape);
    if (status != DDAEBM_OK)
        return status;

    uint16_t *copy = dd_alloc(writer->context, bytes);
    if (!copy)
        return DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; status == DDAEBM_OK && i < bytes / sizeof *copy; i++) {
        copy[i] = dd_half_from_float(data[i]);
        if (!isfinite(dd_half_to_float(copy[i])))
            status = dd_fail(DDAEBM_OUT_OF_RANGE, "element %zu of tensor %s is %g, beyond float16",
                             i, name, (double)data[i]);
    }

    if (status == DDAEBM_OK)
        status = dd_safetensors_writer_add(writer, name, DD_STORED_F16, rank, shape, copy);
    if (status == DDAEBM_OK)
        writer->items[writer->count - 1].copy = copy;
    else
        dd_free(writer->context, copy);
    return status;
}

ddaebm_status dd_safetensors_writer_metadata(dd_safetensors_writer *writer, const char *key,
                                             const char *value) {
    char quote[DD_EXCERPT_ROOM];
    if (!dd_utf8_is_valid(key, strlen(key)) || !dd_utf8_is_valid(value, strlen(value)))
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "metadata '%s' is not UTF-8",
                       dd_excerpt(quote, key, strlen(key)));
    return json_object_set_new(writer->metadata, key, json_string(value)) == 0 ? DDAEBM_OK
                                                                               : no_memory();
}

/* Places the tensors, the widest elements first so that all are aligned, and lists their data in
 * that order. */
static ddaebm_status place(struct image *image, const dd_safetensors_writer *writer) {
    const size_t most = dd_context_most(writer->context, DDAEBM_LIMIT_FILE_BYTES);
    size_t at = 0;

    image->count = 1; /* the first span is the header */
    for (dd_stored dtype = 0; dtype < DD_STORED_COUNT; dtype++)
        for (size_t i = 0; i < writer->count; i++) {
            const struct item *item = &writer->items[i];
            size_t end = 0;
            if (item->dtype != dtype)
                continue;
            if (!dd_size_add(&end, at, item->bytes) || end > most)
                return dd_fail(DDAEBM_OUT_OF_RANGE, "the tensors exceed the %zu bytes allowed",
                               most);
            json_t *offsets = json_array();
            bool good = offsets &&
                        json_array_append_new(offsets, json_integer((json_int_t)at)) == 0 &&
                        json_array_append_new(offsets, json_integer((json_int_t)end)) == 0;
            if (!good) {
                json_decref(offsets);
                return no_memory();
            }
            if (json_object_set_new(item->entry, "data_offsets", offsets) != 0)
                return no_memory();
            image->spans[image->count++] = (dd_span){item->data, item->bytes};
            at = end;
        }
    image->bytes = at;

    return DDAEBM_OK;
}

/* Returns the header's JSON: metadata, then the tensors in the order in which they were added. */
static json_t *compose(const dd_safetensors_writer *writer) {
    json_t *root = json_object();
    bool good = root && json_object_set(root, "__metadata__", writer->metadata) == 0;
    if (good && json_object_update(root, writer->tensors) == 0)
        return root;
    json_decref(root);
    return NULL;
}

/* Writes image->header: its length, its JSON, and blanks up to a multiple of 8. */
static ddaebm_status dump(struct image *image, const dd_safetensors_writer *writer,
                          const json_t *root) {
    const size_t flags = JSON_COMPACT,
                 most = dd_context_most(writer->context, DDAEBM_LIMIT_FILE_BYTES);
    const size_t most_header = dd_context_most(writer->context, DDAEBM_LIMIT_HEADER_BYTES);
    size_t length = json_dumpb(root, NULL, 0, flags),
           padded = (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

    if (length == 0)
        return no_memory();
    if (padded > most_header)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "names and metadata need %zu bytes; at most %zu are allowed", padded,
                       most_header);
    image->header = dd_alloc(writer->context, LENGTH + padded);
    if (!image->header)
        return DDAEBM_OUT_OF_MEMORY;

    uint64_t stated = padded;
    memcpy(image->header, &stated, LENGTH);
    memset(image->header + LENGTH, ' ', padded);
    if (json_dumpb(root, image->header + LENGTH, length, flags) != length)
        return no_memory();

    image->spans[0] = (dd_span){image->header, LENGTH + padded};
    image->bytes += LENGTH + padded;
    return image->bytes <= most
               ? DDAEBM_OK
               : dd_fail(DDAEBM_OUT_OF_RANGE, "the file exceeds the %zu bytes allowed", most);
}

/* Puts the checksum into the finished file. */
static void seal(struct image *image) {
    char text[DD_SEAL_DIGITS + 1], *header = image->header + LENGTH;
    size_t length = image->spans[0].size - LENGTH;
    char *digits = dd_seal_find(header, length);
    dd_seal_compute(text, header, length, digits, image->spans + 1, image->count - 1);
    memcpy(digits, text, DD_SEAL_DIGITS);
}

static void clear(struct image *image, const dd_safetensors_writer *writer) {
    dd_free(writer->context, image->header);
    dd_free(writer->context, image->spans);
}

/* Builds the file; the caller clears the image, also on failure. */
static ddaebm_status build(struct image *image, const dd_safetensors_writer *writer) {
    image->spans = dd_alloc_zero(writer->context, writer->count + 1, sizeof *image->spans);
    if (!image->spans)
        return DDAEBM_OUT_OF_MEMORY;

    ddaebm_status status = place(image, writer);
    if (status != DDAEBM_OK)
        return status;
    json_t *root = compose(writer);
    if (!root)
        return no_memory();

    status = dump(image, writer, root);
    json_decref(root);
    if (status == DDAEBM_OK)
        seal(image);
    return status;
}

ddaebm_status dd_safetensors_writer_write(const dd_safetensors_writer *writer,
                                          const dd_target *target) {
    struct image image = {NULL, NULL, 0, 0};
    ddaebm_status status = build(&image, writer);
    if (status == DDAEBM_OK)
        status = dd_target_write(writer->context, target, image.spans, image.count);
    clear(&image, writer);
    return status;
}

ddaebm_status dd_safetensors_save(ddaebm_context *context, const dd_target *target,
                                  dd_safetensors_fill fill, const void *user) {
    dd_safetensors_writer *writer = NULL;
    ddaebm_status status = dd_safetensors_writer_create(&writer, context);
    if (status == DDAEBM_OK)
        status = fill(writer, user);
    if (status == DDAEBM_OK)
        status = dd_safetensors_writer_write(writer, target);
    dd_safetensors_writer_free(writer);
    return status;
}
