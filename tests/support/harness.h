/* For the tests of lib/io: a folder of the test's own, an allocator that can be told to fail, and the running of a suite. */
#ifndef IO_SUPPORT_H
#define IO_SUPPORT_H

#include <check.h>
#include <ddaebm/ddaebm.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

/* The path of a file in the folder, valid until the next call but three. */
static inline const char *in_folder(const char *name) {
    static char paths[4][400];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
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

static inline void remove_folder(void) {
    DIR *listing = opendir(folder);
    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        const char *path = in_folder(entry->d_name);
        if (unlink(path) != 0)
            (void)rmdir(path);
    }
    if (listing)
        closedir(listing);
    (void)rmdir(folder);
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

/* An allocator that counts, and fails at the call whose number is fail_at. */
typedef struct fussy {
    size_t calls, live, fail_at;
} fussy;

static inline void *fussy_allocate(void *user, size_t size) {
    fussy *self = user;
    if (++self->calls == self->fail_at)
        return NULL;
    self->live++;
    return malloc(size);
}

static inline void fussy_release(void *user, void *pointer) {
    ((fussy *)user)->live--;
    free(pointer);
}

static inline ddaebm_context *fussy_context(fussy *self) {
    ddaebm_allocator allocator = DDAEBM_ALLOCATOR_INIT;
    ddaebm_context *context = NULL;
    allocator.allocate = fussy_allocate;
    allocator.release = fussy_release;
    allocator.user = self;
    *self = (fussy){0, 0, 0};
    ck_assert_int_eq(ddaebm_context_create(&context, &allocator), DDAEBM_OK);
    return context;
}

/* Runs `call`, whose status is its value, with each of its allocations failing in turn, until it succeeds: each failure must be
 * OUT_OF_MEMORY, leave `out` NULL and lose no memory. */
#define SWEEP_ALLOCATIONS(self, out, call)                                                                                         \
    do {                                                                                                                           \
        size_t live_before = (self).live, nth = 0;                                                                                 \
        ddaebm_status swept;                                                                                                       \
        do {                                                                                                                       \
            (self).fail_at = (self).calls + ++nth;                                                                                 \
            swept = (call);                                                                                                        \
            if (swept != DDAEBM_OK) {                                                                                              \
                ck_assert_int_eq(swept, DDAEBM_OUT_OF_MEMORY);                                                                     \
                ck_assert_ptr_null(out);                                                                                           \
                ck_assert_uint_eq((self).live, live_before);                                                                       \
                ck_assert_uint_lt(nth, 100);                                                                                       \
            }                                                                                                                      \
        } while (swept != DDAEBM_OK);                                                                                              \
        (self).fail_at = 0;                                                                                                        \
        ck_assert_uint_gt(nth, 1);                                                                                                 \
    } while (0)

/* The call fails with the status, and the message, one line, has the text in it. */
#define ASSERT_FAILS(call, expected, text)                                                                                         \
    do {                                                                                                                           \
        ck_assert_int_eq((call), (expected));                                                                                      \
        const char *why = ddaebm_error_message();                                                                                  \
        ck_assert_msg(strstr(why, (text)) != NULL, "'%s' is not in '%s'", (text), why);                                            \
        ck_assert_ptr_null(strchr(why, '\n'));                                                                                     \
    } while (0)

#define ASSERT_OK(call) ck_assert_msg((call) == DDAEBM_OK, "%s: %s", #call, ddaebm_error_message())

/* Runs the tests, each with a folder of its own; what main returns. */
static inline int run_tests(const char *name, const TTest *const *tests, size_t count) {
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#endif
