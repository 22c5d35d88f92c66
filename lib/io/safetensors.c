#include "io/safetensors.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "base/excerpt.h"
#include "base/struct_size.h"
#include "io/json.h"
#include "io/seal.h"
#include "io/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "files are read and written as they lie in memory");

enum {
    LENGTH = 8, /* bytes before the header */
    ALIGNMENT = 8,
    /* Most JSON values of a header within the limits. A tensor has itself, its type, up to 8 sizes,
     * two offsets and both lists; metadata has texts. */
    VALUES_A_TENSOR = 14,
    METADATA_VALUES = 4096
};

static const struct {
    const char *name;
    size_t size;
} stored[DD_STORED_COUNT] = {{"F64", 8}, {"I64", 8},  {"F32", 4}, {"I32", 4},
                             {"F16", 2}, {"BF16", 2}, {"U8", 1}};

struct dd_safetensors {
    ddaebm_context *context;
    json_t *header;           /* owns the names and the metadata */
    dd_block block;           /* owns the data */
    dd_tensor_entry *entries; /* sorted by name */
    size_t count;
};

/* The place of a tensor in the data, while the header is read. */
struct place {
    size_t begin, end, index;
};

const char *dd_stored_name(dd_stored dtype) {
    return stored[dtype].name;
}

size_t dd_stored_size(dd_stored dtype) {
    return stored[dtype].size;
}

static ddaebm_status parse_header(json_t **out, const char *text, size_t length, size_t tensors) {
    dd_json_error error;
    json_t *header =
        dd_json_read(text, length, tensors * VALUES_A_TENSOR + METADATA_VALUES, &error);
    if (!header)
        return dd_fail(error.status, "its header cannot be read: byte %zu: %s", error.byte,
                       error.text);
    if (!json_is_object(header)) {
        json_decref(header);
        return dd_fail(DDAEBM_FORMAT, "its header is not a JSON object");
    }
    *out = header;
    return DDAEBM_OK;
}

static ddaebm_status refuse(ddaebm_status status, const dd_tensor_entry *entry, const char *what) {
    char quote[DD_EXCERPT_ROOM];
    return dd_fail(status, "tensor '%s': %s", dd_excerpt(quote, entry->name, strlen(entry->name)),
                   what);
}

static ddaebm_status check_name(const dd_tensor_entry *entry) {
    size_t length = strlen(entry->name);
    if (length == 0)
        return dd_fail(DDAEBM_FORMAT, "a tensor has an empty name");
    if (length > DD_SAFETENSORS_MOST_NAME)
        return refuse(DDAEBM_OUT_OF_RANGE, entry, "its name has more than the 255 bytes allowed");
    return DDAEBM_OK;
}

static ddaebm_status read_type(dd_tensor_entry *entry, const json_t *value) {
    char quote[DD_EXCERPT_ROOM], text[160];
    const char *name = json_string_value(value);
    if (!name)
        return refuse(DDAEBM_FORMAT, entry, "dtype is missing or not a string");
    for (dd_stored dtype = 0; dtype < DD_STORED_COUNT; dtype++)
        if (strcmp(stored[dtype].name, name) == 0) {
            entry->dtype = dtype;
            return DDAEBM_OK;
        }
    (void)snprintf(text, sizeof text, "dtype is '%s'; known: F64 F32 F16 BF16 I64 I32 U8",
                   dd_excerpt(quote, name, strlen(name)));
    return refuse(DDAEBM_UNSUPPORTED, entry, text);
}

/* Reads the shape of a tensor and computes its elements and bytes. */
static ddaebm_status read_shape(dd_tensor_entry *entry, const json_t *value) {
    if (!json_is_array(value))
        return refuse(DDAEBM_FORMAT, entry, "shape is missing or not a list");

    entry->rank = json_array_size(value);
    entry->elements = 1;
    if (entry->rank > DD_SAFETENSORS_MOST_RANK)
        return refuse(DDAEBM_OUT_OF_RANGE, entry, "shape has more than the 8 axes allowed");

    for (size_t i = 0; i < entry->rank; i++) {
        const json_t *size = json_array_get(value, i);
        if (!json_is_integer(size))
            return refuse(DDAEBM_FORMAT, entry, "shape holds a value that is not an integer");
        json_int_t length = json_integer_value(size);
        if (length < 1 || length > DD_SAFETENSORS_MOST_DIMENSION)
            return refuse(DDAEBM_OUT_OF_RANGE, entry, "shape holds a size outside 1 to 2147483647");
        entry->shape[i] = (size_t)length;
        if (!dd_size_mul(&entry->elements, entry->elements, entry->shape[i]))
            return refuse(DDAEBM_OUT_OF_RANGE, entry, "shape exceeds the address space");
    }

    if (!dd_size_mul(&entry->bytes, entry->elements, stored[entry->dtype].size))
        return refuse(DDAEBM_OUT_OF_RANGE, entry, "shape exceeds the address space");
    return DDAEBM_OK;
}

/* Reads where the data of a tensor begins and ends. */
static ddaebm_status read_offsets(struct place *place, const dd_tensor_entry *entry,
                                  const json_t *value, size_t most) {
    const json_t *first = json_array_get(value, 0), *last = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return refuse(DDAEBM_FORMAT, entry, "data_offsets is not two integers");
    json_int_t begin = json_integer_value(first), end = json_integer_value(last);
    if (begin < 0 || end < begin || (uint64_t)end > most)
        return refuse(DDAEBM_FORMAT, entry, "data_offsets lie outside any file that is allowed");
    place->begin = (size_t)begin;
    place->end = (size_t)end;
    if (place->end - place->begin != entry->bytes)
        return refuse(DDAEBM_FORMAT, entry,
                      "data_offsets do not span the bytes that shape and dtype need");
    return DDAEBM_OK;
}

static ddaebm_status read_entry(dd_tensor_entry *entry, struct place *place, const json_t *value,
                                size_t most) {
    ddaebm_status status = check_name(entry);
    if (status == DDAEBM_OK && (!json_is_object(value) || json_object_size(value) != 3))
        status = refuse(DDAEBM_FORMAT, entry,
                        "it must have dtype, shape and data_offsets, and nothing else");
    if (status == DDAEBM_OK)
        status = read_type(entry, json_object_get(value, "dtype"));
    if (status == DDAEBM_OK)
        status = read_shape(entry, json_object_get(value, "shape"));
    if (status == DDAEBM_OK)
        status = read_offsets(place, entry, json_object_get(value, "data_offsets"), most);
    return status;
}

static ddaebm_status check_metadata(json_t *metadata) {
    const char *key = NULL;
    json_t *value = NULL;
    char quote[DD_EXCERPT_ROOM];
    if (!json_is_object(metadata))
        return dd_fail(DDAEBM_FORMAT, "__metadata__ is not a JSON object");
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value))
            return dd_fail(DDAEBM_FORMAT, "__metadata__: the value of '%s' is not a string",
                           dd_excerpt(quote, key, strlen(key)));
    }
    return DDAEBM_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const dd_tensor_entry *)a)->name, ((const dd_tensor_entry *)b)->name);
}

static int by_place(const void *a, const void *b) {
    const struct place *left = a, *right = b;
    return left->begin != right->begin ? (left->begin < right->begin ? -1 : 1)
                                       : (left->end > right->end) - (left->end < right->end);
}

/* Sorts the places and checks that they follow each other without gap or overlap, up to *end. No
 * tensor is empty, so none can hide. */
static ddaebm_status check_places(struct place *places, const dd_tensor_entry *entries,
                                  size_t count, size_t *end) {
    size_t at = 0;
    if (count > 0)
        qsort(places, count, sizeof *places, by_place);
    for (size_t i = 0; i < count; at = places[i++].end)
        if (places[i].begin != at)
            return refuse(DDAEBM_FORMAT, &entries[places[i].index],
                          places[i].begin < at ? "its data overlap another tensor's"
                                               : "there are bytes before it that no tensor owns");
    *end = at;
    return DDAEBM_OK;
}

/* Reads all entries, in the order of the header, and their places, in the order of the data, which
 * has at most `most` bytes and in fact *end. */
static ddaebm_status read_entries(dd_safetensors *file, struct place *places, size_t most,
                                  size_t *end) {
    const char *key = NULL;
    json_t *value = NULL;
    size_t count = 0;

    json_object_foreach(file->header, key, value) {
        ddaebm_status status = DDAEBM_OK;
        if (strcmp(key, "__metadata__") == 0) {
            status = check_metadata(value);
        } else {
            file->entries[count].name = key;
            places[count].index = count;
            status = read_entry(&file->entries[count], &places[count], value, most);
            count++;
        }
        if (status != DDAEBM_OK)
            return status;
    }

    return check_places(places, file->entries, count, end);
}

/* Points the entries at their data. If a file leaves one unaligned, all are copied to a block in
 * which each is aligned. */
static ddaebm_status lay_out(dd_safetensors *file, const struct place *places, const char *data) {
    bool aligned = true;
    size_t total = 0;

    for (size_t i = 0; i < file->count; i++) {
        dd_tensor_entry *entry = &file->entries[places[i].index];
        entry->data = data + places[i].begin;
        aligned = aligned && (uintptr_t)entry->data % stored[entry->dtype].size == 0;
        total += (entry->bytes + ALIGNMENT - 1) / ALIGNMENT *
                 ALIGNMENT; /* no overflow: the bytes are there */
    }

    if (aligned)
        return DDAEBM_OK;
    char *block = dd_alloc(file->context, total), *at = block;
    if (!block)
        return DDAEBM_OUT_OF_MEMORY;

    for (size_t i = 0; i < file->count; i++) {
        dd_tensor_entry *entry = &file->entries[places[i].index];
        memcpy(at, entry->data, entry->bytes);
        entry->data = at;
        at += (entry->bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    dd_free(file->context, file->block.data);
    file->block.data = block;
    return DDAEBM_OK;
}

/* Refuses a length of the header beyond the limit: a safetensors file with a large header, or
 * another kind of file. */
static ddaebm_status refuse_length(dd_safetensors *file, dd_intake *intake, uint64_t length,
                                   size_t most) {
    dd_block *block = &file->block;
    ddaebm_status status = dd_intake_fill(intake, file->context, block, LENGTH + 1);
    if (status != DDAEBM_OK)
        return status;
    if (length >= UINT64_C(1) << 40 || block->used <= LENGTH || block->data[LENGTH] != '{')
        return dd_fail(DDAEBM_FORMAT, "it is not a model: it is not a safetensors file");
    return dd_fail(
        DDAEBM_OUT_OF_RANGE,
        "its header claims %llu bytes, at most %zu are allowed: is it a safetensors file?",
        (unsigned long long)length, most);
}

/* Reads and parses the header; sets *data to the place where the bytes of the tensors begin. */
static ddaebm_status load_header(dd_safetensors *file, dd_intake *intake, size_t *data) {
    dd_block *block = &file->block;
    uint64_t length = 0;
    ddaebm_status status = dd_intake_fill(intake, file->context, block, LENGTH);
    if (status != DDAEBM_OK)
        return status;
    if (block->used < LENGTH)
        return dd_fail(DDAEBM_FORMAT, "it has %zu bytes: too short for a safetensors file",
                       block->used);

    memcpy(&length, block->data, LENGTH);
    const size_t most = dd_context_most(file->context, DDAEBM_LIMIT_HEADER_BYTES);
    const size_t most_in_all = dd_context_most(file->context, DDAEBM_LIMIT_FILE_BYTES);
    if (length > most)
        return refuse_length(file, intake, length, most);
    if (LENGTH + length > most_in_all)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "its header alone takes more than the %zu bytes allowed a file",
                       most_in_all);

    *data = LENGTH + (size_t)length;
    status = dd_intake_fill(intake, file->context, block, *data);
    if (status != DDAEBM_OK)
        return status;
    if (block->used < *data)
        return dd_fail(DDAEBM_FORMAT, "it is cut off: its header claims %zu bytes, %zu are there",
                       (size_t)length, block->used - LENGTH);

    return parse_header(&file->header, block->data + LENGTH, (size_t)length,
                        dd_context_most(file->context, DDAEBM_LIMIT_TENSORS));
}

/* Reads the bytes of the tensors, `size` of them from `data` on, after which the file must end. */
static ddaebm_status load_data(dd_safetensors *file, dd_intake *intake, size_t data, size_t size) {
    bool ended = false;
    ddaebm_status status = dd_intake_fill(intake, file->context, &file->block, data + size);
    if (status != DDAEBM_OK)
        return status;
    if (file->block.used < data + size)
        return dd_fail(DDAEBM_FORMAT, "it is cut off: its tensors take %zu bytes, %zu are there",
                       size, file->block.used - data);
    status = dd_intake_finish(intake, &ended);
    if (status == DDAEBM_OK && !ended)
        status = dd_fail(DDAEBM_FORMAT, "the tensors end at byte %zu of the data, and more follows",
                         size);
    return status;
}

/* Checks the checksum, if the file has one. */
static ddaebm_status check_seal(const dd_safetensors *file, size_t data) {
    if (!dd_safetensors_metadata(file, DD_SEAL_KEY))
        return DDAEBM_OK;

    char computed[DD_SEAL_DIGITS + 1], *header = file->block.data + LENGTH,
                                       *digits = dd_seal_find(header, data - LENGTH);
    const dd_span span = {file->block.data + data, file->block.used - data};
    if (!digits)
        return dd_fail(DDAEBM_FORMAT,
                       "__metadata__: the checksum is not %d digits in a header without blanks",
                       DD_SEAL_DIGITS);
    dd_seal_compute(computed, header, data - LENGTH, digits, &span, 1);
    if (memcmp(computed, digits, DD_SEAL_DIGITS) == 0)
        return DDAEBM_OK;

    return dd_fail(DDAEBM_FORMAT,
                   "it is damaged: its content has checksum %s, its header says %.*s", computed,
                   DD_SEAL_DIGITS, digits);
}

/* Reads and checks the header, then reads the tensors. */
static ddaebm_status load(dd_safetensors *file, dd_intake *intake) {
    struct place *places = NULL;
    size_t data = 0, size = 0;
    ddaebm_status status = load_header(file, intake, &data);
    if (status != DDAEBM_OK)
        return status;

    file->count =
        json_object_size(file->header) - (json_object_get(file->header, "__metadata__") != NULL);
    const size_t tensors = dd_context_most(file->context, DDAEBM_LIMIT_TENSORS);
    const size_t most = dd_context_most(file->context, DDAEBM_LIMIT_FILE_BYTES);
    if (file->count > tensors)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "it has %zu tensors; at most %zu are allowed",
                       file->count, tensors);

    file->entries = dd_alloc_zero(file->context, file->count, sizeof *file->entries);
    places = dd_alloc_zero(file->context, file->count, sizeof *places);
    if (!file->entries || !places) {
        status = DDAEBM_OUT_OF_MEMORY;
        goto cleanup;
    }

    DD_TRY(read_entries(file, places, most - data, &size));
    DD_TRY(load_data(file, intake, data, size));
    DD_TRY(check_seal(file, data));
    DD_TRY(lay_out(file, places, file->block.data + data));
    if (file->count > 0)
        qsort(file->entries, file->count, sizeof *file->entries, by_name);
cleanup:
    dd_free(file->context, places);
    return status;
}

/* Puts the path, if there is one, before the message of a failure. */
static ddaebm_status name_file(ddaebm_status status, const ddaebm_reader *reader) {
    return status == DDAEBM_OK || !reader->path ? status : dd_fail_in(status, reader->path);
}

static ddaebm_status open_stream(dd_safetensors **out, ddaebm_context *context, dd_intake *intake) {
    dd_safetensors *file = dd_alloc_zero(context, 1, sizeof *file);
    if (!file)
        return DDAEBM_OUT_OF_MEMORY;
    (void)dd_context_hold(&file->context, context); /* only adds a reference: cannot fail */
    ddaebm_status status = load(file, intake);
    if (status == DDAEBM_OK)
        *out = file;
    else
        dd_safetensors_free(file);
    return name_file(status, &intake->reader);
}

ddaebm_status dd_safetensors_open(dd_safetensors **out, ddaebm_context *context,
                                  const ddaebm_reader *reader) {
    ddaebm_context *held = NULL;
    dd_intake intake;
    ddaebm_status status = dd_context_hold(&held, context);
    if (status != DDAEBM_OK)
        return status;
    DD_TRY(dd_intake_open(&intake, reader));
    status = open_stream(out, held, &intake);
    dd_intake_close(&intake);
cleanup:
    ddaebm_context_free(held);
    return status;
}

ddaebm_status dd_safetensors_use(ddaebm_context *context, const ddaebm_reader *reader,
                                 dd_safetensors_function use, void *user) {
    ddaebm_context *held = NULL;
    dd_safetensors *file = NULL;
    ddaebm_reader own = DDAEBM_READER_INIT;
    ddaebm_status status = dd_context_hold(&held, context);
    if (status != DDAEBM_OK)
        return status;

    DD_TRY(dd_struct_in(&own, sizeof own, reader, "DDAEBM_READER_INIT"));
    DD_TRY(dd_safetensors_open(&file, held, &own));
    status = name_file(use(user, held, file), &own);
cleanup:
    dd_safetensors_free(file);
    ddaebm_context_free(held);
    return status;
}

void dd_safetensors_free(dd_safetensors *file) {
    if (!file)
        return;
    ddaebm_context *context = file->context;
    json_decref(file->header);
    dd_free(context, file->entries);
    dd_free(context, file->block.data);
    dd_free(context, file);
    ddaebm_context_free(context);
}

const ddaebm_context *dd_safetensors_context(const dd_safetensors *file) {
    return file->context;
}

size_t dd_safetensors_count(const dd_safetensors *file) {
    return file->count;
}

const dd_tensor_entry *dd_safetensors_entry(const dd_safetensors *file, size_t index) {
    return index < file->count ? &file->entries[index] : NULL;
}

const dd_tensor_entry *dd_safetensors_find(const dd_safetensors *file, const char *name) {
    const dd_tensor_entry key = {.name = name};
    return file->count ? bsearch(&key, file->entries, file->count, sizeof key, by_name) : NULL;
}

const char *dd_safetensors_metadata(const dd_safetensors *file, const char *key) {
    return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}
