#include "support/tamper.h"

#include "io/safetensors_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The keys of the metadata that fixtures, models and checkpoints have. */
static const char *const keys[] = {"format",
                                   "config",
                                   "norms",
                                   "null_gradients",
                                   "unused_parameters",
                                   "float32_error",
                                   "version",
                                   "temperature",
                                   "columns",
                                   "best_step",
                                   "held_out_contrast",
                                   "trainer.data_name",
                                   "data_kind"};

static void check(bool good, const char *what) {
    if (good)
        return;
    fprintf(stderr, "tamper: %s: %s\n", what, ddaebm_error_message());
    abort();
}

static bool is(const char *wanted, const char *name) {
    return wanted && strcmp(wanted, name) == 0;
}

static void put_number(void *data, dd_stored type, size_t i, double number) {
    if (type == DD_STORED_F64)
        ((double *)data)[i] = number;
    else if (type == DD_STORED_F32)
        ((float *)data)[i] = (float)number;
    else if (type == DD_STORED_I64)
        ((int64_t *)data)[i] = (int64_t)number;
}

static double get_number(const void *data, dd_stored type, size_t i) {
    return type == DD_STORED_F64   ? ((const double *)data)[i]
           : type == DD_STORED_F32 ? (double)((const float *)data)[i]
           : type == DD_STORED_I64 ? (double)((const int64_t *)data)[i]
                                   : 0;
}

/* Adds a tensor, changed or not. Its bytes, `copy`, with room for an element more, must live until
 * the file is written. */
static bool add_tensor(dd_safetensors_writer *writer, const dd_tensor_entry *entry, void *copy,
                       const test_tamper *change) {
    size_t rank = entry->rank, shape[DD_SAFETENSORS_MOST_RANK + 1];
    dd_stored type = entry->dtype;
    bool touched = false;
    memcpy(shape, entry->shape, sizeof entry->shape);
    memcpy(copy, entry->data, entry->bytes);
    if (is(change->scale, entry->name)) {
        for (size_t i = 0; i < entry->elements; i++)
            put_number(copy, type, i, get_number(copy, type, i) * change->factor);
        touched = true;
    }
    if (is(change->poke, entry->name)) {
        put_number(copy, type, entry->elements - 1, change->value);
        touched = true;
    }
    if (is(change->shorten, entry->name)) {
        shape[0] = entry->elements - 1;
        rank = 1;
        touched = true;
    }
    if (is(change->lengthen, entry->name)) {
        size_t element = entry->bytes / entry->elements;
        memcpy((char *)copy + entry->bytes, (char *)copy + entry->bytes - element, element);
        shape[0] = entry->elements + 1;
        rank = 1;
        touched = true;
    }
    if (is(change->reshape, entry->name)) {
        memmove(shape + 1, shape, rank++ * sizeof *shape);
        shape[0] = 1;
        touched = true;
    }
    if (is(change->retype, entry->name)) {
        type = type == DD_STORED_F32   ? DD_STORED_I32
               : type == DD_STORED_F64 ? DD_STORED_I64
                                       : DD_STORED_F64;
        touched = true;
    }
    check(dd_safetensors_writer_add(writer, entry->name, type, rank, shape, copy) == DDAEBM_OK,
          entry->name);
    return touched;
}

static void add_metadata(dd_safetensors_writer *writer, const dd_safetensors *file,
                         const test_tamper *change) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *text =
            is(change->metadata, keys[i]) ? change->text : dd_safetensors_metadata(file, keys[i]);
        if (text)
            check(dd_safetensors_writer_metadata(writer, keys[i], text) == DDAEBM_OK, keys[i]);
    }
}

void *test_tamper_bytes(const void *data, size_t size, const test_tamper *change,
                        size_t *new_size) {
    static const float one = 1;
    const char *const named[] = {change->drop,     change->scale,   change->poke,  change->shorten,
                                 change->lengthen, change->reshape, change->retype};
    ddaebm_context *context = NULL;
    dd_safetensors *file = NULL;
    dd_safetensors_writer *writer = NULL;
    bool wanted = false, touched = false;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        wanted = wanted || named[i];
    check(ddaebm_context_create(&context, NULL) == DDAEBM_OK, "context");
    dd_memory_source memory = {data, size};
    const ddaebm_reader reader = dd_reader_of_memory(&memory);
    check(dd_safetensors_open(&file, context, &reader) == DDAEBM_OK, "parse");
    check(dd_safetensors_writer_create(&writer, context) == DDAEBM_OK, "writer");
    add_metadata(writer, file, change);
    size_t count = dd_safetensors_count(file);
    void **copies = calloc(count, sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        const dd_tensor_entry *entry = dd_safetensors_entry(file, i);
        copies[i] = malloc(entry->bytes + sizeof(double));
        if (is(change->drop, entry->name))
            touched = true;
        else
            touched = add_tensor(writer, entry, copies[i], change) || touched;
    }
    check(touched || !wanted, "no tensor of that name");
    if (change->add)
        check(dd_safetensors_writer_add(writer, change->add, DD_STORED_F32, 0, NULL, &one) ==
                  DDAEBM_OK,
              change->add);
    check(dd_safetensors_writer_write(writer, &(dd_target){.needed = new_size}) ==
              DDAEBM_OUT_OF_RANGE,
          "size");
    void *bytes = malloc(*new_size);
    check(dd_safetensors_writer_write(writer, &(dd_target){NULL, bytes, *new_size, NULL}) ==
              DDAEBM_OK,
          "write");
    for (size_t i = 0; i < count; i++)
        free(copies[i]);
    free(copies);
    dd_safetensors_writer_free(writer);
    dd_safetensors_free(file);
    ddaebm_context_free(context);
    return bytes;
}

void test_tamper_file(const char *from, const char *to, const test_tamper *change) {
    enum { MOST = 4 << 20 };
    char *data = malloc(MOST);
    size_t new_size = 0;
    FILE *file = fopen(from, "rb");
    check(data && file, from);
    size_t size = fread(data, 1, MOST, file);
    fclose(file);
    void *bytes = test_tamper_bytes(data, size, change, &new_size);
    file = fopen(to, "wb");
    check(file && fwrite(bytes, 1, new_size, file) == new_size && fclose(file) == 0, to);
    free(bytes);
    free(data);
}
