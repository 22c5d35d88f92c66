/* Writing safetensors, and reading back what was written. */
#define _GNU_SOURCE
#include "io/safetensors_writer.h"
#include "support/counted.h"
#include "support/safetensors_small.h"

#include <stdint.h>

/* As contexts begin. */
enum { MOST_TENSORS = 16384 };

static ddaebm_status save_file(const dd_safetensors_writer *writer, const char *path) {
    const ddaebm_writer file = dd_writer_of_file(path);
    return dd_safetensors_writer_write(writer, &(dd_target){.writer = &file});
}

static ddaebm_status save_memory(const dd_safetensors_writer *writer, void *data, size_t capacity,
                                 size_t *needed) {
    return dd_safetensors_writer_write(writer, &(dd_target){NULL, data, capacity, needed});
}

static const float weights[] = {1, 2, 3, 4, 5, 6};

static const int64_t step = 77;

static const double table[] = {0.5, 0.25};

static const uint8_t flags[] = {1, 0, 1};

static dd_safetensors_writer *make_writer(void) {
    const size_t shape[] = {2, 3}, two = 2, three = 3;
    dd_safetensors_writer *writer = NULL;
    ASSERT_OK(dd_safetensors_writer_create(&writer, context));
    ASSERT_OK(dd_safetensors_writer_add(writer, "flags", DD_STORED_U8, 1, &three, flags));
    ASSERT_OK(dd_safetensors_writer_add(writer, "energy.w\xC3\xA4ight", DD_STORED_F32, 2, shape,
                                        weights));
    ASSERT_OK(dd_safetensors_writer_add(writer, "step", DD_STORED_I64, 0, NULL, &step));
    ASSERT_OK(dd_safetensors_writer_add(writer, "table", DD_STORED_F64, 1, &two, table));
    ASSERT_OK(dd_safetensors_writer_metadata(writer, "format", "old"));
    ASSERT_OK(dd_safetensors_writer_metadata(writer, "format", "ddaebm \"1\"\n"));
    return writer;
}

static void assert_written(const dd_safetensors *file) {
    ck_assert_uint_eq(dd_safetensors_count(file), 4);
    ck_assert_str_eq(dd_safetensors_metadata(file, "format"), "ddaebm \"1\"\n");
    const dd_tensor_entry *entry = dd_safetensors_find(file, "energy.w\xC3\xA4ight");
    ck_assert_ptr_nonnull(entry);
    ck_assert_uint_eq(entry->rank, 2);
    ck_assert_uint_eq(entry->shape[1], 3);
    ck_assert_int_eq(memcmp(entry->data, weights, sizeof weights), 0);
    ck_assert_int_eq(memcmp(dd_safetensors_find(file, "step")->data, &step, sizeof step), 0);
    ck_assert_int_eq(memcmp(dd_safetensors_find(file, "table")->data, table, sizeof table), 0);
    ck_assert_int_eq(memcmp(dd_safetensors_find(file, "flags")->data, flags, sizeof flags), 0);
}

START_TEST(what_is_written_is_read) {
    dd_safetensors_writer *writer = make_writer();
    dd_safetensors *file = NULL;
    char bytes[1024], again[1024];
    size_t needed = 0;
    ASSERT_OK(save_file(writer, in_folder("m")));
    ck_assert_uint_eq(entries_in_folder(), 1);
    ASSERT_OK(open_file(&file, context, in_folder("m")));
    assert_written(file);
    dd_safetensors_free(file);
    ASSERT_FAILS(save_memory(writer, NULL, 0, &needed), DDAEBM_OUT_OF_RANGE, "too small");
    ck_assert_uint_gt(needed, 0);
    memset(bytes, 7, sizeof bytes);
    ASSERT_FAILS(save_memory(writer, bytes, needed - 1, NULL), DDAEBM_OUT_OF_RANGE, "too small");
    ck_assert_int_eq(bytes[0], 7);
    ASSERT_OK(save_memory(writer, bytes, needed, &needed));
    ck_assert_int_eq(bytes[needed], 7);
    ck_assert_uint_eq(get_file(in_folder("m"), again, sizeof again), needed);
    ck_assert_int_eq(memcmp(bytes, again, needed), 0);
    uint64_t length = 0;
    memcpy(&length, bytes, 8);
    ck_assert_uint_eq(length % 8, 0);
    ck_assert_uint_eq(needed,
                      8 + length + sizeof weights + sizeof step + sizeof table + sizeof flags);
    file = NULL;
    ASSERT_OK(open_memory(&file, NULL, bytes, needed));
    dd_safetensors_writer_free(writer);
    dd_safetensors_writer_free(NULL);
    assert_written(file);
    dd_safetensors_free(file);
}
END_TEST

START_TEST(a_writer_may_have_nothing) {
    dd_safetensors_writer *writer = NULL;
    dd_safetensors *file = NULL;
    ASSERT_OK(dd_safetensors_writer_create(&writer, NULL));
    ASSERT_OK(save_file(writer, in_folder("m")));
    ASSERT_OK(open_file(&file, context, in_folder("m")));
    ck_assert_uint_eq(dd_safetensors_count(file), 0);
    dd_safetensors_free(file);
    dd_safetensors_writer_free(writer);
}
END_TEST

START_TEST(what_cannot_be_written_is_refused) {
    dd_safetensors_writer *writer = make_writer();
    const size_t one = 1, zero = 0, vast[] = {0x7FFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF},
                 nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, beyond = 0x80000000;
    char lengthy[300];
    memset(lengthy, 'n', 256);
    lengthy[256] = '\0';
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "", DD_STORED_U8, 1, &one, flags),
                 DDAEBM_INVALID_ARGUMENT, "name");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "__metadata__", DD_STORED_U8, 1, &one, flags),
                 DDAEBM_INVALID_ARGUMENT, "name");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "\xFF", DD_STORED_U8, 1, &one, flags),
                 DDAEBM_INVALID_ARGUMENT, "name");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "step", DD_STORED_U8, 1, &one, flags),
                 DDAEBM_INVALID_ARGUMENT, "already");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, lengthy, DD_STORED_U8, 1, &one, flags),
                 DDAEBM_OUT_OF_RANGE, "256 bytes");
    ASSERT_OK(dd_safetensors_writer_add(writer, lengthy + 1, DD_STORED_U8, 1, &one, flags));
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "x", DD_STORED_U8, 1, &zero, flags),
                 DDAEBM_OUT_OF_RANGE, "length 0");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "x", DD_STORED_U8, 1, &beyond, flags),
                 DDAEBM_OUT_OF_RANGE, "2147483648");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "x", DD_STORED_U8, 3, vast, flags),
                 DDAEBM_OUT_OF_RANGE, "axis 2");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "x", DD_STORED_U8, 9, nine, flags),
                 DDAEBM_OUT_OF_RANGE, "9 axes");
    ASSERT_FAILS(dd_safetensors_writer_add_half(writer, "", 1, &one, weights),
                 DDAEBM_INVALID_ARGUMENT, "name");
    ASSERT_FAILS(dd_safetensors_writer_metadata(writer, "k", "\xFF"), DDAEBM_INVALID_ARGUMENT,
                 "UTF-8");
    ASSERT_FAILS(dd_safetensors_writer_metadata(writer, "\xFF", "v"), DDAEBM_INVALID_ARGUMENT,
                 "UTF-8");
    ASSERT_FAILS(save_file(writer, "/dev/full"), DDAEBM_IO, "/dev/full");
    ASSERT_FAILS(save_file(writer, in_folder("no/m")), DDAEBM_IO, "create it first");
    ck_assert_uint_eq(entries_in_folder(), 0);
    ASSERT_OK(save_file(writer, in_folder("m"))); /* still of use */
    ASSERT_OK(dd_safetensors_writer_add(writer, "vast", DD_STORED_F32, 2, vast, weights));
    ASSERT_FAILS(save_file(writer, in_folder("m")), DDAEBM_OUT_OF_RANGE, "exceed");
    dd_safetensors_writer_free(writer);
    writer = make_writer();
    char *much = malloc((8 << 20) + 1);
    memset(much, 'm', 8 << 20);
    much[8 << 20] = '\0';
    ASSERT_OK(dd_safetensors_writer_metadata(writer, "much", much));
    ASSERT_FAILS(save_file(writer, in_folder("m")), DDAEBM_OUT_OF_RANGE, "8388608");
    free(much);
    dd_safetensors_writer_free(writer);
}
END_TEST

/* The data alone takes all bytes that a file may have; none of them is touched. */
START_TEST(a_header_may_be_too_much) {
    dd_safetensors_writer *writer = NULL;
    const size_t most = 0x7FFFFFFF, rest = 2;
    ASSERT_OK(dd_safetensors_writer_create(&writer, context));
    ASSERT_OK(dd_safetensors_writer_add(writer, "a", DD_STORED_U8, 1, &most, flags));
    ASSERT_OK(dd_safetensors_writer_add(writer, "b", DD_STORED_U8, 1, &most, flags));
    ASSERT_OK(dd_safetensors_writer_add(writer, "c", DD_STORED_U8, 1, &rest, flags));
    ASSERT_FAILS(save_file(writer, in_folder("m")), DDAEBM_OUT_OF_RANGE,
                 "the file exceeds the 4294967296 bytes allowed");
    ck_assert_uint_eq(entries_in_folder(), 0);
    dd_safetensors_writer_free(writer);
}
END_TEST

START_TEST(as_many_tensors_as_allowed) {
    dd_safetensors_writer *writer = NULL;
    dd_safetensors *file = NULL;
    char name[32];
    const size_t one = 1;
    ASSERT_OK(dd_safetensors_writer_create(&writer, context));

    for (unsigned i = 0; i < MOST_TENSORS; i++) {
        snprintf(name, sizeof name, "t%u", i);
        ASSERT_OK(dd_safetensors_writer_add(writer, name, DD_STORED_U8, 1, &one, flags));
    }

    ASSERT_FAILS(dd_safetensors_writer_add(writer, "more", DD_STORED_U8, 1, &one, flags),
                 DDAEBM_OUT_OF_RANGE, "16384");
    ASSERT_OK(save_file(writer, in_folder("m")));
    ASSERT_OK(open_file(&file, context, in_folder("m")));

    for (unsigned i = 0; i < MOST_TENSORS; i++) {
        snprintf(name, sizeof name, "t%u", i);
        ck_assert_ptr_nonnull(dd_safetensors_find(file, name));
    }

    dd_safetensors_free(file);
    dd_safetensors_writer_free(writer);
}
END_TEST

/* Reads all of a file, as a caller would. */
static void walk(const dd_safetensors *file) {
    unsigned sum = 0;
    for (size_t i = 0; i < dd_safetensors_count(file); i++) {
        const dd_tensor_entry *entry = dd_safetensors_entry(file, i);
        ck_assert_ptr_eq(dd_safetensors_find(file, entry->name), entry);
        for (size_t k = 0; k < entry->bytes; k++)
            sum += ((const unsigned char *)entry->data)[k];
    }
    ck_assert_uint_ne(sum, 1);
}

START_TEST(every_cut_is_refused_and_every_flip_survived) {
    dd_safetensors_writer *writer = make_writer();
    unsigned char bytes[1024];
    size_t size = 0;
    ASSERT_OK(save_memory(writer, bytes, sizeof bytes, &size));
    dd_safetensors_writer_free(writer);
    size_t live = counted.live;

    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *part = malloc(cut ? cut : 1);
        dd_safetensors *file = NULL;
        memcpy(part, bytes, cut);
        ck_assert_int_ne(open_memory(&file, context, part, cut), DDAEBM_OK);
        ck_assert_ptr_null(file);
        free(part);
    }

    for (size_t bit = 0; bit < 8 * size; bit++) {
        dd_safetensors *file = NULL;
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        if (open_memory(&file, context, bytes, size) == DDAEBM_OK)
            walk(file);
        dd_safetensors_free(file);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }

    ck_assert_uint_eq(counted.live, live);
}
END_TEST

START_TEST(memory_may_run_out) {
    dd_safetensors *file = NULL;
    void *none = NULL;
    char bytes[1024];
    dd_safetensors_writer *writer = make_writer(), *other = NULL;
    SWEEP_ALLOCATIONS(counted, none, save_file(writer, in_folder("m")));
    SWEEP_ALLOCATIONS(counted, none, save_memory(writer, bytes, sizeof bytes, NULL));
    SWEEP_ALLOCATIONS(counted, file, open_file(&file, context, in_folder("m")));
    dd_safetensors_free(file);
    file = NULL;
    SWEEP_ALLOCATIONS(counted, file,
                      parse(&file,
                            "{\"u\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"d\":{"
                            "\"dtype\":\"F64\",\"shape\":[1],"
                            "\"data_offsets\":[1,9]}}",
                            9));
    dd_safetensors_free(file);
    SWEEP_ALLOCATIONS(counted, other, dd_safetensors_writer_create(&other, context));
    counted.fail_at = counted.calls + 1;
    ck_assert_int_eq(dd_safetensors_writer_add(other, "step", DD_STORED_I64, 0, NULL, &step),
                     DDAEBM_OUT_OF_MEMORY);
    ASSERT_OK(dd_safetensors_writer_add(other, "step", DD_STORED_I64, 0, NULL, &step));
    dd_safetensors_writer_free(other);
    dd_safetensors_writer_free(writer);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("io/safetensors_writer", what_is_written_is_read, a_writer_may_have_nothing,
                     what_cannot_be_written_is_refused, a_header_may_be_too_much,
                     as_many_tensors_as_allowed, every_cut_is_refused_and_every_flip_survived,
                     memory_may_run_out);
}
