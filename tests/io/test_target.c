/* Writing whole files to memory and to a caller's function. */
#define _GNU_SOURCE
#include "io/target.h"

#include "base/context.h"
#include "support/counted.h"

enum { MEGABYTE = 1 << 20 };

START_TEST(writers_are_checked) {
    ddaebm_writer writer = DDAEBM_WRITER_INIT;
    ASSERT_FAILS(dd_target_write(context, &(dd_target){.writer = &writer}, NULL, 0),
                 DDAEBM_INVALID_ARGUMENT, "a write function");
    writer.struct_size = 5;
    ASSERT_FAILS(dd_target_write(context, &(dd_target){.writer = &writer}, NULL, 0),
                 DDAEBM_INVALID_ARGUMENT, "DDAEBM_WRITER_INIT");
}
END_TEST

typedef struct sink {
    size_t used, calls, largest, fail_at;
    unsigned char *bytes;
} sink;

static ddaebm_status take(void *user, const void *bytes, size_t count) {
    sink *self = user;
    self->calls++;
    self->largest = count > self->largest ? count : self->largest;
    if (self->calls == self->fail_at)
        return DDAEBM_CANCELLED;
    memcpy(self->bytes + self->used, bytes, count);
    self->used += count;
    return DDAEBM_OK;
}

START_TEST(writing_is_in_steps) {
    enum { SIZE = 2 * MEGABYTE + 9 };
    unsigned char *bytes = malloc(SIZE);

    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i * 5);
    const dd_span spans[] = {{bytes, 10}, {NULL, 0}, {bytes + 10, SIZE - 10}};
    sink to = {.bytes = malloc(SIZE)};
    ddaebm_writer writer = DDAEBM_WRITER_INIT;
    writer.write = take;
    writer.user = &to;
    ASSERT_OK(dd_target_write(context, &(dd_target){.writer = &writer}, spans, 3));
    ck_assert(to.used == SIZE && to.calls == 3 && to.largest == MEGABYTE &&
              memcmp(to.bytes, bytes, SIZE) == 0);
    to.used = to.calls = 0;
    to.fail_at = 2;
    ASSERT_FAILS(dd_target_write(context, &(dd_target){.writer = &writer}, spans, 3),
                 DDAEBM_CANCELLED, "write function stopped after 10 bytes");
    ck_assert_uint_eq(to.calls, 2);
    free(to.bytes);
    free(bytes);
}
END_TEST

START_TEST(memory_is_written_whole_or_not_at_all) {
    const dd_span spans[] = {{"one", 3}, {NULL, 0}, {" two", 4}},
                  vast[] = {{"", SIZE_MAX}, {"", 1}};
    char data[8] = "";
    size_t needed = 0;
    const dd_target whole = {.data = data, .capacity = 7, .needed = &needed},
                    small = {.data = data, .capacity = 6};
    ASSERT_FAILS(dd_target_write(context, &small, spans, 3), DDAEBM_OUT_OF_RANGE,
                 "6 bytes is too small for a file of 7");
    ck_assert_str_eq(data, "");
    ASSERT_OK(dd_target_write(context, &whole, spans, 3));
    ck_assert_str_eq(data, "one two");
    ck_assert_uint_eq(needed, 7);
    ASSERT_FAILS(dd_target_write(context, &(dd_target){.needed = &needed}, spans, 3),
                 DDAEBM_OUT_OF_RANGE, "0 bytes");
    ASSERT_FAILS(dd_target_write(context, &(dd_target){.capacity = 7}, spans, 3),
                 DDAEBM_INVALID_ARGUMENT, "must not be NULL");
    ASSERT_FAILS(dd_target_write(context, &whole, vast, 2), DDAEBM_OUT_OF_RANGE, "address space");
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("io/target", writers_are_checked, writing_is_in_steps,
                     memory_is_written_whole_or_not_at_all);
}
