/* The context: what it asks of an allocator and of nobody else, who keeps it alive, memory from
 * inside, and the log. */
#include "base/context.h"

#include "base/checked.h"
#include "support/runner.h"

#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- An allocator that counts, checks what it gets back, gives blocks that are aligned as badly as
 * is allowed, and runs out when told to. --- */

enum { SHIFT = 16, MARK = 0x5AFE };

typedef struct counter {
    size_t calls, live, allowed;
} counter;

static void *counted_allocate(void *user, size_t size) {
    counter *count = user;
    ck_assert_uint_gt(size, 0);
    if (count->calls++ >= count->allowed)
        return NULL;
    unsigned char *block = malloc(size + SHIFT);
    ck_assert_ptr_nonnull(block);
    const int mark = MARK;
    memcpy(block, &mark, sizeof mark);
    memset(block + SHIFT, 0xA5, size); /* nobody may take it for zeros */
    count->live++;
    return block + SHIFT;
}

static void counted_release(void *user, void *pointer) {
    counter *count = user;
    int mark = 0;
    ck_assert_ptr_nonnull(pointer);
    memcpy(&mark, (unsigned char *)pointer - SHIFT, sizeof mark);
    ck_assert_int_eq(mark, MARK);
    ck_assert_uint_gt(count->live, 0);
    count->live--;
    free((unsigned char *)pointer - SHIFT);
}

static ddaebm_allocator counted_allocator(counter *count) {
    *count = (counter){.allowed = SIZE_MAX};
    ddaebm_allocator allocator = DDAEBM_ALLOCATOR_INIT;
    allocator.allocate = counted_allocate;
    allocator.release = counted_release;
    allocator.user = count;
    return allocator;
}

static ddaebm_context *counted_context(counter *count) {
    ddaebm_allocator allocator = counted_allocator(count);
    ddaebm_context *context = NULL;
    ck_assert_int_eq(ddaebm_context_create(&context, &allocator), DDAEBM_OK);
    return context;
}

/* --- Creation. --- */

/* The ABI of the one struct that crosses it. */
START_TEST(the_allocator_struct_is_pinned) {
    ck_assert_uint_eq(offsetof(ddaebm_allocator, struct_size), 0);
    ck_assert_uint_eq(offsetof(ddaebm_allocator, allocate), sizeof(size_t));
    ck_assert_uint_eq(offsetof(ddaebm_allocator, release), 2 * sizeof(size_t));
    ck_assert_uint_eq(offsetof(ddaebm_allocator, user), 3 * sizeof(size_t));
    ck_assert_uint_eq(sizeof(ddaebm_allocator), 4 * sizeof(size_t));
    ddaebm_allocator allocator = DDAEBM_ALLOCATOR_INIT;
    ck_assert_uint_eq(allocator.struct_size, sizeof allocator);
    ck_assert(!allocator.allocate && !allocator.release && !allocator.user);
}
END_TEST

START_TEST(creation_refuses_what_it_cannot_use) {
    counter count;
    ddaebm_allocator allocator = counted_allocator(&count);
    ddaebm_context *const untouched = (ddaebm_context *)(void *)&count;
    ddaebm_context *context = untouched;
    ck_assert_int_eq(ddaebm_context_create(NULL, &allocator), DDAEBM_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "out"));
    for (size_t size = 0; size < sizeof allocator;
         size++) { /* too small, cut within a field, or without both functions */
        allocator.struct_size = size;
        bool whole = size % 8 == 0 && size > 0;
        if (size == offsetof(ddaebm_allocator, user))
            continue;
        ck_assert_int_eq(ddaebm_context_create(&context, &allocator), DDAEBM_INVALID_ARGUMENT);
        ck_assert_ptr_nonnull(
            strstr(ddaebm_error_message(), whole ? "must both be set" : "struct_size"));
    }
    for (int missing = 0; missing < 3; missing++) {
        allocator = counted_allocator(&count);
        allocator.allocate = missing == 1 ? counted_allocate : NULL;
        allocator.release = missing == 2 ? counted_release : NULL;
        ck_assert_int_eq(ddaebm_context_create(&context, &allocator), DDAEBM_INVALID_ARGUMENT);
    }
    ck_assert_ptr_eq(context, untouched);
    ck_assert_uint_eq(count.calls, 0);
    ddaebm_context_free(NULL);
}
END_TEST

START_TEST(memory_that_runs_out_leaves_nothing) {
    counter count;
    ddaebm_allocator allocator = counted_allocator(&count);
    ddaebm_context *context = NULL;
    ddaebm_status status;
    size_t allowed = 0;
    do {
        count.calls = 0;
        count.allowed = allowed++;
        status = ddaebm_context_create(&context, &allocator);
        ck_assert(status == DDAEBM_OK || (status == DDAEBM_OUT_OF_MEMORY && !context &&
                                          count.live == 0 && *ddaebm_error_message()));
    } while (status != DDAEBM_OK);
    ck_assert_uint_ge(allowed, 3);
    int threads = ddaebm_context_threads(context);
    size_t live = count.live;
    for (allowed = 0, status = DDAEBM_OUT_OF_MEMORY; status != DDAEBM_OK; allowed++) {
        count.calls = 0;
        count.allowed = allowed;
        ck_assert_int_eq(ddaebm_context_threads(context), threads);
        status = ddaebm_context_set_threads(context, 5);
        ck_assert_uint_eq(count.live, live);
    }
    ck_assert_int_eq(ddaebm_context_threads(context), 5);
    ddaebm_context_free(context);
    ck_assert_uint_eq(count.live, 0);
}
END_TEST

START_TEST(the_last_hold_frees) {
    counter count;
    ddaebm_context *context = counted_context(&count), *held = NULL;
    ck_assert_int_eq(dd_context_hold(&held, context), DDAEBM_OK);
    ck_assert_ptr_eq(held, context);
    ck_assert_int_eq(dd_context_hold(&held, context), DDAEBM_OK);
    ddaebm_context_free(context);
    ddaebm_context_free(held);
    ck_assert_uint_gt(count.live, 0);
    dd_free(held, dd_alloc(held, 10)); /* still good */
    ddaebm_context_free(held);
    ck_assert_uint_eq(count.live, 0);
    ck_assert_int_eq(dd_context_hold(&held, NULL), DDAEBM_OK); /* one of its own */
    ck_assert_int_ge(ddaebm_context_threads(held), 1);
    ck_assert_ptr_nonnull(dd_context_pool(held));
    ddaebm_context_free(held);
}
END_TEST

/* --- Memory from inside. --- */

START_TEST(blocks_are_aligned_and_as_large_as_asked) {
    counter count;
    ddaebm_context *context = counted_context(&count);
    size_t live = count.live;
    for (size_t size = 0; size < 300; size++) {
        unsigned char *block = dd_alloc(context, size), *zeros = dd_alloc_zero(context, size, 3);
        ck_assert(block && zeros);
        ck_assert_uint_eq((uintptr_t)block % 64, 0);
        ck_assert_uint_eq((uintptr_t)zeros % 64, 0);
        memset(block, 1, size); /* for the sanitizer to see */
        for (size_t i = 0; i < 3 * size; i++)
            ck_assert_uint_eq(zeros[i], 0);
        dd_free(context, block);
        dd_free(context, zeros);
    }
    dd_free(context, NULL);
    ck_assert_uint_eq(count.live, live);
    ddaebm_context_free(context);
}
END_TEST

START_TEST(sizes_beyond_the_address_space_are_refused) {
    counter count;
    ddaebm_context *context = counted_context(&count);
    size_t calls = count.calls;
    for (size_t below = 0; below < 72; below++)
        ck_assert_ptr_null(dd_alloc(context, SIZE_MAX - below));
    ck_assert_ptr_null(dd_alloc_zero(context, SIZE_MAX / 2, 3));
    ck_assert_ptr_null(dd_alloc_zero(context, (size_t)1 << 33, (size_t)1 << 33));
    ck_assert(*ddaebm_error_message());
    ck_assert_uint_eq(count.calls, calls);
    size_t out = 0;
    ck_assert(!dd_size_mul(&out, SIZE_MAX, 2) && !dd_size_add(&out, SIZE_MAX, 1));
    ck_assert(dd_size_mul(&out, SIZE_MAX / 2, 2) && out == SIZE_MAX - 1);
    ck_assert(dd_size_add(&out, SIZE_MAX - 1, 1) && out == SIZE_MAX);
    ddaebm_context_free(context);
}
END_TEST

START_TEST(arrays_grow_and_keep_their_content) {
    counter count;
    ddaebm_context *context = counted_context(&count);
    size_t live = count.live, capacity = 0;
    int *array = NULL;
    for (int i = 0; i < 1000; i++) {
        int *grown = dd_grow(context, array, &capacity, (size_t)i + 1, sizeof *array);
        ck_assert_ptr_nonnull(grown);
        ck_assert_uint_gt(capacity, (size_t)i);
        array = grown;
        array[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(array[i], i);
    ck_assert_uint_le(count.calls, 20);
    size_t before = capacity;
    count.allowed = 0;
    ck_assert_ptr_null(dd_grow(context, array, &capacity, capacity + 1, sizeof *array));
    ck_assert_uint_eq(capacity, before);
    ck_assert_int_eq(array[999], 999);
    ck_assert_ptr_null(dd_alloc(context, 1));
    ck_assert_ptr_null(dd_copy_text(context, "text"));
    count.allowed = SIZE_MAX;
    char *text = dd_copy_text(context, "text");
    ck_assert_str_eq(text, "text");
    dd_free(context, text);
    dd_free(context, array);
    ck_assert_uint_eq(count.live, live);
    ddaebm_context_free(context);
}
END_TEST

/* --- The log. --- */

typedef struct record {
    int lines;
    ddaebm_log_level level;
    char text[2000];
} record;

static void keep(void *user, ddaebm_log_level level, const char *line) {
    record *r = user;
    r->lines++;
    r->level = level;
    (void)snprintf(r->text, sizeof r->text, "%s", line);
}

START_TEST(lines_of_a_level_and_above_are_told) {
    counter count;
    ddaebm_context *context = counted_context(&count);
    record r = {0};
    dd_report(context, DDAEBM_LOG_WARNING, "silent by default");
    for (int least = DDAEBM_LOG_DEBUG; least <= DDAEBM_LOG_WARNING; least++)
        for (int level = DDAEBM_LOG_DEBUG; level <= DDAEBM_LOG_WARNING; level++) {
            ck_assert_int_eq(ddaebm_context_set_log(context, keep, &r, (ddaebm_log_level)least),
                             DDAEBM_OK);
            r = (record){0};
            dd_report(context, (ddaebm_log_level)level, "step %d of %s", 7, "ten");
            ck_assert_int_eq(r.lines, level >= least);
            if (r.lines) {
                ck_assert_int_eq((int)r.level, level);
                ck_assert_str_eq(r.text, "step 7 of ten");
            }
        }
    ck_assert_int_eq(ddaebm_context_set_log(context, NULL, NULL, DDAEBM_LOG_DEBUG), DDAEBM_OK);
    r = (record){0};
    dd_report(context, DDAEBM_LOG_WARNING, "silent again");
    ck_assert_int_eq(r.lines, 0);
    ck_assert_int_eq(ddaebm_context_set_log(NULL, keep, &r, DDAEBM_LOG_DEBUG),
                     DDAEBM_INVALID_ARGUMENT);
    ddaebm_context_free(context);
}
END_TEST

START_TEST(long_lines_are_cut) {
    counter count;
    ddaebm_context *context = counted_context(&count);
    record r = {0};
    char line[1500];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = 0;
    ck_assert_int_eq(ddaebm_context_set_log(context, keep, &r, DDAEBM_LOG_DEBUG), DDAEBM_OK);
    dd_report(context, DDAEBM_LOG_INFO, "%s", line);
    ck_assert_int_eq(r.lines, 1);
    ck_assert_uint_eq(strlen(r.text), 1023);
    ddaebm_context_free(context);
}
END_TEST

/* --- Limits and switches. --- */

static ddaebm_context *fresh(void) {
    ddaebm_context *context = NULL;
    ck_assert_int_eq(ddaebm_context_create(&context, NULL), DDAEBM_OK);
    return context;
}

START_TEST(limits_have_bounds) {
    static const struct {
        ddaebm_limit limit;
        uint64_t initial, most;
    } rows[] = {{DDAEBM_LIMIT_FILE_BYTES, UINT64_C(4294967296), UINT64_C(1) << 62},
                {DDAEBM_LIMIT_HEADER_BYTES, 8388608, 1 << 30},
                {DDAEBM_LIMIT_TENSORS, 16384, 1 << 20}};
    ddaebm_context *context = fresh();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_uint_eq(ddaebm_context_limit(NULL, rows[i].limit), rows[i].initial);
        ck_assert_uint_eq(ddaebm_context_limit(context, rows[i].limit), rows[i].initial);
        ck_assert_int_eq(ddaebm_context_set_limit(context, rows[i].limit, rows[i].most), DDAEBM_OK);
        ck_assert_int_eq(ddaebm_context_set_limit(context, rows[i].limit, rows[i].most + 1),
                         DDAEBM_OUT_OF_RANGE);
        ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "allowed: 1 to"));
        ck_assert_int_eq(ddaebm_context_set_limit(context, rows[i].limit, 0), DDAEBM_OUT_OF_RANGE);
        ck_assert_uint_eq(ddaebm_context_limit(context, rows[i].limit), rows[i].most);
        ck_assert_int_eq(ddaebm_context_set_limit(context, rows[i].limit, 1), DDAEBM_OK);
        ck_assert_uint_eq(dd_context_most(context, rows[i].limit), 1);
    }
    ck_assert_int_eq(ddaebm_context_set_limit(context, (ddaebm_limit)3, 5),
                     DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_context_set_limit(NULL, DDAEBM_LIMIT_TENSORS, 5),
                     DDAEBM_INVALID_ARGUMENT);
    ck_assert_uint_eq(ddaebm_context_limit(context, (ddaebm_limit)-1), 0);
    ddaebm_context_free(context);
}
END_TEST

START_TEST(switches_are_off_until_set) {
    static const struct {
        ddaebm_status (*set)(ddaebm_context *, int);
        int (*get)(const ddaebm_context *);
    } rows[] = {{ddaebm_context_set_accept_not_finite, ddaebm_context_accepts_not_finite},
                {ddaebm_context_set_deterministic, ddaebm_context_deterministic}};
    ddaebm_context *context = fresh();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_int_eq(rows[i].get(NULL), 0);
        ck_assert_int_eq(rows[i].get(context), 0);
        ck_assert_int_eq(rows[i].set(context, 1), DDAEBM_OK);
        ck_assert_int_eq(rows[i].set(context, 2), DDAEBM_OUT_OF_RANGE);
        ck_assert_int_eq(rows[i].set(context, -1), DDAEBM_OUT_OF_RANGE);
        ck_assert_int_eq(rows[i].get(context), 1);
        ck_assert_int_eq(rows[i].set(context, 0), DDAEBM_OK);
        ck_assert_int_eq(rows[i].get(context), 0);
        ck_assert_int_eq(rows[i].set(NULL, 1), DDAEBM_INVALID_ARGUMENT);
    }
    ddaebm_context_free(context);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("context");
    TCase *tests = tcase_create("context");
    tcase_add_test(tests, the_allocator_struct_is_pinned);
    tcase_add_test(tests, creation_refuses_what_it_cannot_use);
    tcase_add_test(tests, memory_that_runs_out_leaves_nothing);
    tcase_add_test(tests, the_last_hold_frees);
    tcase_add_test(tests, blocks_are_aligned_and_as_large_as_asked);
    tcase_add_test(tests, sizes_beyond_the_address_space_are_refused);
    tcase_add_test(tests, arrays_grow_and_keep_their_content);
    tcase_add_test(tests, lines_of_a_level_and_above_are_told);
    tcase_add_test(tests, long_lines_are_cut);
    tcase_add_test(tests, limits_have_bounds);
    tcase_add_test(tests, switches_are_off_until_set);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
