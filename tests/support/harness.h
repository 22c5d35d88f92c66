/* What tests share: a folder of the test's own, an allocator that counts and can be told to fail,
 * and the running of a suite. */
#ifndef TEST_HARNESS_H
#define TEST_HARNESS_H

#include "support/runner.h"

#include <check.h>
#include <ddaebm/ddaebm.h>
#include <dirent.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* SANITISED: the address, memory or thread sanitiser is compiled in, which makes all many times as
 * slow. gcc says so by macros, clang by features. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITISED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define SANITISED 1
#endif
#endif
#ifndef SANITISED
#define SANITISED 0
#endif

/* Returns whether long sweeps take a sample of their cases: under a sanitiser, and where
 * DDAEBM_TEST_SAMPLED is set in the environment (valgrind, scripts/test --quick). The value 0 asks
 * for every case. */
static inline bool sampled(void) {
    const char *text = getenv("DDAEBM_TEST_SAMPLED");
    return text ? strcmp(text, "0") != 0 : SANITISED;
}

/* Returns whether the longest sweeps take every case, of which else a part shows as much: where
 * DDAEBM_TEST_SAMPLED is 0 (scripts/test --long). */
static inline bool thorough(void) {
    const char *text = getenv("DDAEBM_TEST_SAMPLED");
    return text && strcmp(text, "0") == 0;
}

/* Returns the step of a sweep that takes every case, or one of `n` where sweeps are sampled. */
static inline size_t sweep_step(size_t n) {
    return sampled() ? n : 1;
}

static char folder[64];

/* The path of a file in the folder, valid until the next call but three. */
static inline const char *in_folder(const char *name) {
    static char paths[4][512];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    int length = snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    ck_assert_msg(length > 0 && (size_t)length < sizeof paths[0], "a path of %d bytes has no room",
                  length);
    return path;
}

static inline void make_folder(void) {
    strcpy(folder, "/tmp/ddaebm-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static inline size_t entries_in_folder(void) {
    size_t count = 0;
    DIR *listing = opendir(folder);
    ck_assert_ptr_nonnull(listing);
    for (struct dirent *entry; (entry = readdir(listing));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(listing);
    return count;
}

static inline void remove_tree(const char *path) {
    DIR *listing = opendir(path);
    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        char inside[1024];
        int length = snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        bool itself = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!itself && (size_t)length < sizeof inside && unlink(inside) != 0)
            remove_tree(inside);
    }
    if (listing)
        closedir(listing);
    (void)rmdir(path);
}

static inline void remove_folder(void) {
    remove_tree(folder);
}

static inline void put_file(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static inline size_t get_file(const char *path, void *data, size_t most) {
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(data, 1, most, file);
    fclose(file);
    return size;
}

/* An allocator that counts, and fails at the call whose number is fail_at, or from there on. Any
 * thread may call it. */
typedef struct fussy {
    atomic_size_t calls, live, bytes; /* bytes: of what is live */
    atomic_size_t most;               /* of bytes */
    size_t fail_at;
    bool from_there_on;
} fussy;

enum { FUSSY_ROOM = 64 }; /* before each block, for its size */

static inline void *fussy_allocate(void *user, size_t size) {
    fussy *self = user;
    size_t call = ++self->calls;
    if (self->fail_at && (self->from_there_on ? call >= self->fail_at : call == self->fail_at))
        return NULL;
    char *block = malloc(FUSSY_ROOM + size);
    memcpy(block, &size, sizeof size);
    self->live++;
    size_t bytes = atomic_fetch_add(&self->bytes, size) + size, most = atomic_load(&self->most);
    while (bytes > most && !atomic_compare_exchange_weak(&self->most, &most, bytes))
        ;
    return block + FUSSY_ROOM;
}

static inline void fussy_release(void *user, void *pointer) {
    fussy *self = user;
    char *block = (char *)pointer - FUSSY_ROOM;
    size_t size = 0;
    memcpy(&size, block, sizeof size);
    self->live--;
    self->bytes -= size;
    free(block);
}

static inline ddaebm_context *fussy_context(fussy *self) {
    ddaebm_allocator allocator = DDAEBM_ALLOCATOR_INIT;
    ddaebm_context *context = NULL;
    allocator.allocate = fussy_allocate;
    allocator.release = fussy_release;
    allocator.user = self;
    *self = (fussy){.fail_at = 0};
    ck_assert_int_eq(ddaebm_context_create(&context, &allocator), DDAEBM_OK);
    return context;
}

/* Returns the case of a sweep that follows the nth: the next, or beyond the first 24 one of 13
 * where sweeps are sampled. */
static inline size_t next_case(size_t nth) {
    return nth + (nth < 24 ? 1 : sweep_step(13));
}

/* Runs `call`, whose status is its value, with its allocations failing in turn, each alone or with
 * all that follow, until it succeeds: each failure must be OUT_OF_MEMORY, leave `out` NULL and lose
 * no memory. */
#define SWEEP_ALLOCATIONS_FROM(self, out, call, on)                                                \
    do {                                                                                           \
        size_t live_before = (self).live, nth = 1;                                                 \
        ddaebm_status swept;                                                                       \
        (self).from_there_on = (on);                                                               \
        do {                                                                                       \
            (self).fail_at = (self).calls + nth;                                                   \
            nth = next_case(nth);                                                                  \
            swept = (call);                                                                        \
            if (swept != DDAEBM_OK) {                                                              \
                ck_assert_int_eq(swept, DDAEBM_OUT_OF_MEMORY);                                     \
                ck_assert_ptr_null(out);                                                           \
                ck_assert_uint_eq((self).live, live_before);                                       \
                ck_assert_uint_lt(nth, 100000);                                                    \
            }                                                                                      \
        } while (swept != DDAEBM_OK);                                                              \
        (self).fail_at = 0;                                                                        \
        ck_assert_uint_gt(nth, 2);                                                                 \
    } while (0)

#define SWEEP_ALLOCATIONS(self, out, call) SWEEP_ALLOCATIONS_FROM(self, out, call, false)

/* The call fails with the status, and the message, one line, has the text in it. */
#define ASSERT_FAILS(call, expected, text)                                                         \
    do {                                                                                           \
        ck_assert_int_eq((call), (expected));                                                      \
        const char *message_ = ddaebm_error_message();                                             \
        ck_assert_msg(strstr(message_, (text)) != NULL, "'%s' is not in '%s'", (text), message_);  \
        ck_assert_ptr_null(strchr(message_, '\n'));                                                \
    } while (0)

#define ASSERT_OK(call) ck_assert_msg((call) == DDAEBM_OK, "%s: %s", #call, ddaebm_error_message())

/* Functions that run before and after each test, in its process; NULL for none. */
static void (*test_setup)(void), (*test_teardown)(void);

static inline void use_fixture(void (*setup)(void), void (*teardown)(void)) {
    test_setup = setup;
    test_teardown = teardown;
}

/* Runs the tests `times` times, with _i from 0. Each has a folder of its own, and the fixture.
 * Returns the exit status of the program. */
static inline int run_loop_tests(const char *name, const TTest *const *tests, size_t count,
                                 int times) {
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    if (test_setup || test_teardown)
        tcase_add_checked_fixture(tcase, test_setup, test_teardown);
    for (size_t i = 0; i < count; i++)
        tcase_add_loop_test(tcase, tests[i], 0, times);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

static inline int run_tests(const char *name, const TTest *const *tests, size_t count) {
    return run_loop_tests(name, tests, count, 1);
}

/* Runs the tests that are listed: RUN_TESTS("name", a_test, another_test). */
#define TEST_LIST(...) ((const TTest *const[]){__VA_ARGS__})
#define RUN_TESTS(name, ...)                                                                       \
    run_tests(name, TEST_LIST(__VA_ARGS__), sizeof TEST_LIST(__VA_ARGS__) / sizeof(TTest *))

#endif
