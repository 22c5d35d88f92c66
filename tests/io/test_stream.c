/* Streams: read in order, in steps, with memory that grows with what has come; written in steps;
 * and what a caller's function may not do. */
#define _GNU_SOURCE
#include "io/stream.h"

#include "base/context.h"
#include "io/safetensors.h"
#include "support/counted.h"

enum { MEGABYTE = 1 << 20 };

/* A function that gives `size` bytes, the i-th of which is i * 7, in pieces of at most `piece`;
 * beyond the `head`, if there is one. */
typedef struct source {
    const unsigned char *head;
    size_t head_size, size, piece, at, calls, largest;
    size_t fail_at; /* of its calls */
    ddaebm_status failure;
    bool lie;      /* say that one byte more was given than fits */
    bool finished; /* it said so: it must not be called again */
} source;

static ddaebm_status give(void *user, void *buffer, size_t capacity, size_t *got) {
    source *self = user;
    unsigned char *out = buffer;
    ck_assert(!self->finished);
    self->calls++;
    self->largest = capacity > self->largest ? capacity : self->largest;
    if (self->fail_at == self->calls) {
        self->finished = true;
        return self->failure;
    }
    size_t left = self->head_size + self->size - self->at,
           most = capacity < self->piece ? capacity : self->piece;
    *got = left < most ? left : most;
    for (size_t i = 0; i < *got; i++, self->at++)
        out[i] = self->at < self->head_size ? self->head[self->at]
                                            : (unsigned char)((self->at - self->head_size) * 7);
    self->finished = *got == 0;
    if (self->lie)
        *got = capacity + 1;
    return DDAEBM_OK;
}

static ddaebm_reader reader_of(source *from) {
    ddaebm_reader reader = DDAEBM_READER_INIT;
    reader.read = give;
    reader.user = from;
    return reader;
}

static ddaebm_status read_whole(const ddaebm_reader *reader, size_t wanted, dd_block *block,
                                bool *ended) {
    dd_intake stream;
    ddaebm_status status = dd_intake_open(&stream, reader);
    if (status != DDAEBM_OK)
        return status;
    status = dd_intake_fill(&stream, context, block, wanted);
    if (status == DDAEBM_OK)
        status = dd_intake_finish(&stream, ended);
    dd_intake_close(&stream);
    return status;
}

START_TEST(all_sources_give_the_same) {
    enum { SIZE = 3 * MEGABYTE + 5 };
    unsigned char *bytes = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i * 7);
    put_file(in_folder("f"), bytes, SIZE);
    source plain = {.size = SIZE, .piece = SIZE_MAX}, crumbs = {.size = SIZE, .piece = 1001};
    dd_memory memory = {(const char *)bytes, SIZE};
    const ddaebm_reader readers[] = {reader_of(&plain), reader_of(&crumbs),
                                     dd_reader_of_memory(&memory),
                                     dd_reader_of_file(in_folder("f"))};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        dd_block block = {NULL, 0, 0};
        bool ended = false;
        ASSERT_OK(read_whole(&readers[i], SIZE, &block, &ended));
        ck_assert(ended && block.used == SIZE && memcmp(block.data, bytes, SIZE) == 0);
        dd_free(context, block.data);
    }
    ck_assert_uint_eq(plain.largest, MEGABYTE);
    free(bytes);
}
END_TEST

START_TEST(what_follows_is_noticed) {
    source longer = {.size = 9, .piece = 4}, shorter = {.size = 7, .piece = 4};
    ddaebm_reader reader = reader_of(&longer);
    dd_block block = {NULL, 0, 0}, other = {NULL, 0, 0};
    bool ended = true;
    ASSERT_OK(read_whole(&reader, 8, &block, &ended));
    ck_assert(!ended && block.used == 8);
    reader = reader_of(&shorter);
    ASSERT_OK(read_whole(&reader, 8, &other, &ended));
    ck_assert(ended && other.used == 7);
    dd_free(context, block.data);
    dd_free(context, other.data);
}
END_TEST

/* Whatever is wanted, and whatever size the reader claims, memory is at most three times what came,
 * and a step. */
START_TEST(memory_grows_with_what_comes) {
    static const size_t sizes[] = {0, 10, MEGABYTE, MEGABYTE + 1, 5 * MEGABYTE};
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        source from = {.size = sizes[i / 2], .piece = SIZE_MAX};
        ddaebm_reader reader = reader_of(&from);
        reader.size = i % 2 ? UINT64_C(4) << 30 : 0;
        dd_block block = {NULL, 0, 0};
        bool ended = false;
        size_t before = counted.bytes;
        ASSERT_OK(read_whole(&reader, (size_t)4 << 30, &block, &ended));
        ck_assert(ended && block.used == sizes[i / 2]);
        ck_assert_uint_le(counted.bytes - before, 2 * sizes[i / 2] + MEGABYTE + 200);
        dd_free(context, block.data);
    }
}
END_TEST

/* Headers that claim what does not come; each is all that there is of its file, or is followed by
 * no end of bytes. */
START_TEST(headers_that_lie_cost_nothing) {
    static const char tensor[] =
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[268435456,3],\"data_offsets\":[0,3221225472]}}";
    static const struct {
        uint64_t length;
        const char *header;
        size_t follows; /* bytes */
        ddaebm_status status;
        size_t most_read;
    } rows[] = {{UINT64_MAX, "", SIZE_MAX / 2, DDAEBM_FORMAT, 12}, /* no length of a header */
                {(8 << 20) + 1, "{", SIZE_MAX / 2, DDAEBM_OUT_OF_RANGE, 12},
                {(8 << 20) + 1, "", SIZE_MAX / 2, DDAEBM_FORMAT, 12},
                {8 << 20, "", 0, DDAEBM_FORMAT, 8},
                {sizeof tensor - 1, tensor, 0, DDAEBM_FORMAT, 200},
                {sizeof tensor - 1, tensor, 1000, DDAEBM_FORMAT, 1200},
                {2, "{}", SIZE_MAX / 2, DDAEBM_FORMAT, 12},
                {0, "", SIZE_MAX / 2, DDAEBM_FORMAT, 12},
                {100, "", SIZE_MAX / 2, DDAEBM_FORMAT, 200}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char head[200];
        size_t text = strlen(rows[i].header);
        memcpy(head, &rows[i].length, 8);
        memcpy(head + 8, rows[i].header, text);
        source from = {
            .head = head, .head_size = 8 + text, .size = rows[i].follows, .piece = SIZE_MAX};
        const ddaebm_reader reader = reader_of(&from);
        dd_safetensors *file = NULL;
        size_t most = counted.most;
        ck_assert_int_eq(dd_safetensors_open(&file, context, &reader), rows[i].status);
        ck_assert_ptr_null(file);
        if (rows[i].follows <= 1000) { /* nor is a file trusted beyond its end */
            unsigned char whole[1200] = {0};
            memcpy(whole, head, 8 + text);
            put_file(in_folder("lie"), whole, 8 + text + rows[i].follows);
            const ddaebm_reader named = dd_reader_of_file(in_folder("lie"));
            ck_assert_int_eq(dd_safetensors_open(&file, context, &named), rows[i].status);
        }
        ck_assert_uint_le(from.at, rows[i].most_read);
        ck_assert_msg(counted.most - most < 2 * MEGABYTE, "row %zu: %zu bytes at once", i,
                      (size_t)counted.most);
    }
}
END_TEST

START_TEST(a_functions_failure_is_passed_on) {
    static const ddaebm_status statuses[] = {DDAEBM_IO, DDAEBM_CANCELLED, DDAEBM_FORMAT,
                                             (ddaebm_status)77};
    for (size_t nth = 1; nth < 4; nth++)
        for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
            source from = {.size = 30, .piece = 10, .fail_at = nth, .failure = statuses[i]};
            const ddaebm_reader reader = reader_of(&from);
            dd_block block = {NULL, 0, 0};
            bool ended = false;
            ASSERT_FAILS(read_whole(&reader, 30, &block, &ended), statuses[i],
                         "read function stopped after");
            ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), nth == 1   ? " 0 bytes"
                                                                 : nth == 2 ? " 10 bytes"
                                                                            : " 20 bytes"));
            dd_free(context, block.data);
        }
    source from = {.size = 30, .piece = 10, .lie = true};
    const ddaebm_reader reader = reader_of(&from);
    dd_block block = {NULL, 0, 0};
    bool ended = false;
    ASSERT_FAILS(read_whole(&reader, 30, &block, &ended), DDAEBM_INVALID_ARGUMENT,
                 "gave 31 bytes where 30 fit");
    dd_free(context, block.data);
}
END_TEST

static int stop_at_20(void *user, uint64_t done, uint64_t total) {
    size_t *calls = user;
    ++*calls;
    ck_assert_uint_eq(total, 0);
    return done >= 20;
}

START_TEST(progress_is_told_and_may_end_it) {
    source whole = {.size = 15, .piece = 10}, longer = {.size = 30, .piece = 10};
    size_t calls = 0;
    dd_block block = {NULL, 0, 0}, other = {NULL, 0, 0};
    bool ended = false;
    ddaebm_reader reader = reader_of(&whole);
    reader.progress = stop_at_20;
    reader.progress_user = &calls;
    ASSERT_OK(read_whole(&reader, 15, &block, &ended));
    ck_assert_uint_eq(calls, 2);
    reader.user = &longer;
    ASSERT_FAILS(read_whole(&reader, 30, &other, &ended), DDAEBM_CANCELLED,
                 "cancelled after 20 bytes");
    dd_free(context, block.data);
    dd_free(context, other.data);
}
END_TEST

static ddaebm_status use_none(void *user, ddaebm_context *held, const dd_safetensors *file) {
    (void)user, (void)held, (void)file;
    ck_abort_msg("there is nothing to use");
    return DDAEBM_OK;
}

/* All that is wanted is there, and then the source fails where its end should be. */
START_TEST(the_end_may_fail) {
    source from = {.head = (const unsigned char *)"\2\0\0\0\0\0\0\0{}",
                   .head_size = 10,
                   .piece = 10,
                   .failure = DDAEBM_IO};
    ddaebm_reader reader = reader_of(&from);
    from.fail_at = 3;
    ASSERT_FAILS(dd_safetensors_use(context, &reader, use_none, NULL), DDAEBM_IO,
                 "stopped after 10 bytes");
    reader.struct_size = 5;
    ASSERT_FAILS(dd_safetensors_use(context, &reader, use_none, NULL), DDAEBM_INVALID_ARGUMENT,
                 "DDAEBM_READER_INIT");
}
END_TEST

START_TEST(readers_and_writers_are_checked) {
    source from = {.size = 1, .piece = 1};
    ddaebm_reader reader = reader_of(&from), none = DDAEBM_READER_INIT;
    ddaebm_writer writer = DDAEBM_WRITER_INIT;
    dd_intake stream;
    reader.path = "both";
    ASSERT_FAILS(dd_intake_open(&stream, &reader), DDAEBM_INVALID_ARGUMENT, "not both");
    ASSERT_FAILS(dd_intake_open(&stream, &none), DDAEBM_INVALID_ARGUMENT,
                 "a path or a read function");
    none.struct_size = 5;
    ASSERT_FAILS(dd_intake_open(&stream, &none), DDAEBM_INVALID_ARGUMENT, "DDAEBM_READER_INIT");
    ASSERT_FAILS(dd_target_write(context, &(dd_target){.writer = &writer}, NULL, 0),
                 DDAEBM_INVALID_ARGUMENT, "a write function");
    writer.struct_size = 5;
    ASSERT_FAILS(dd_target_write(context, &(dd_target){.writer = &writer}, NULL, 0),
                 DDAEBM_INVALID_ARGUMENT, "DDAEBM_WRITER_INIT");
}
END_TEST

/* --- Writing. --- */

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

START_TEST(writing_is_in_steps_too) {
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
    return RUN_TESTS("stream", all_sources_give_the_same, what_follows_is_noticed,
                     memory_grows_with_what_comes, headers_that_lie_cost_nothing,
                     a_functions_failure_is_passed_on, readers_and_writers_are_checked,
                     writing_is_in_steps_too, memory_is_written_whole_or_not_at_all,
                     progress_is_told_and_may_end_it, the_end_may_fail);
}
