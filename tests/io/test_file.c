/* Reading whole files. */
#define _GNU_SOURCE
#include "base/context.h"
#include "io/file.h"
#include "support/counted.h"
#include "support/faults.h"

#include <errno.h>
#include <fcntl.h>

static ddaebm_status write_text(const char *path, const char *text) {
    dd_span span = {text, strlen(text)};
    return dd_file_write(context, path, &span, 1);
}

static void assert_content(const char *path, const char *text) {
    char buffer[256] = "";
    size_t size = get_file(path, buffer, sizeof buffer - 1);
    ck_assert_uint_eq(size, strlen(text));
    ck_assert_str_eq(buffer, text);
}

START_TEST(what_is_written_is_read) {
    dd_span spans[] = {{"one", 3}, {NULL, 0}, {" two", 4}};
    void *data = NULL;
    size_t size = 0;
    ASSERT_OK(dd_file_write(context, in_folder("a"), spans, 3));
    ASSERT_OK(dd_file_read(context, in_folder("a"), 7, &data, &size));
    ck_assert_uint_eq(size, 7);
    ck_assert_str_eq(data, "one two");
    dd_free(context, data);
    ck_assert_uint_eq(entries_in_folder(), 1);
}
END_TEST

START_TEST(large_and_empty_files_are_read) {
    size_t size = 5 * 1024 * 1024 + 3, got = 0;
    char *much = malloc(size);
    void *data = NULL;

    for (size_t i = 0; i < size; i++)
        much[i] = (char)(i * 31 >> 3);
    dd_span span = {much, size};
    ASSERT_OK(dd_file_write(context, in_folder("much"), &span, 1));
    ASSERT_OK(dd_file_read(context, in_folder("much"), size, &data, &got));
    ck_assert_uint_eq(got, size);
    ck_assert_int_eq(memcmp(data, much, size), 0);
    dd_free(context, data);
    free(much);
    ASSERT_OK(dd_file_write(context, in_folder("none"), NULL, 0));
    ASSERT_OK(dd_file_read(context, in_folder("none"), 0, &data, &got));
    ck_assert_uint_eq(got, 0);
    dd_free(context, data);
}
END_TEST

/* The kernel says 0 bytes of these; the content decides. */
START_TEST(files_without_a_size_are_read) {
    void *data = NULL;
    size_t size = 0;
    ASSERT_OK(dd_file_read(context, "/proc/self/status", 1 << 20, &data, &size));
    ck_assert_uint_gt(size, 10);
    dd_free(context, data);
    data = NULL;
    ASSERT_FAILS(dd_file_read(context, "/dev/zero", 3 << 20, &data, &size), DDAEBM_OUT_OF_RANGE,
                 "/dev/zero");
    ck_assert_ptr_null(data);
}
END_TEST

START_TEST(unreadable_files_are_refused) {
    void *data = NULL;
    size_t size = 77;
    ASSERT_FAILS(dd_file_read(context, in_folder("absent"), 9, &data, &size), DDAEBM_NOT_FOUND,
                 "absent");
    ASSERT_FAILS(dd_file_read(context, in_folder("absent/file"), 9, &data, &size), DDAEBM_NOT_FOUND,
                 "absent/file");
    ASSERT_FAILS(dd_file_read(context, "", 9, &data, &size), DDAEBM_NOT_FOUND, "No such file");
    ASSERT_FAILS(dd_file_read(context, folder, 9, &data, &size), DDAEBM_IO, "it is a folder");
    ASSERT_FAILS(dd_file_read(context, "/proc/self/mem", 9, &data, &size), DDAEBM_IO,
                 "/proc/self/mem"); /* read gives EIO */
    put_file(in_folder("ten"), "0123456789", 10);
    ASSERT_FAILS(dd_file_read(context, in_folder("ten"), 9, &data, &size), DDAEBM_OUT_OF_RANGE,
                 "10 bytes");
    ASSERT_FAILS(dd_file_read(context, in_folder("ten/x"), 9, &data, &size), DDAEBM_NOT_FOUND,
                 "Not a directory");

    if (geteuid() != 0) {
        ck_assert_int_eq(chmod(in_folder("ten"), 0), 0);
        ASSERT_FAILS(dd_file_read(context, in_folder("ten"), 10, &data, &size), DDAEBM_IO,
                     "may not read");
    }

    ck_assert_ptr_null(data);
    ck_assert_uint_eq(size, 77);
}
END_TEST

/* A sparse file of 8 GiB is refused before it is read. */
START_TEST(a_huge_file_costs_nothing) {
    void *data = NULL;
    size_t size = 0, calls = counted.calls;
    put_file(in_folder("huge"), "", 0);
    ck_assert_int_eq(truncate(in_folder("huge"), (off_t)8 << 30), 0);
    ASSERT_FAILS(dd_file_read(context, in_folder("huge"), (size_t)4 << 30, &data, &size),
                 DDAEBM_OUT_OF_RANGE, "8589934592");
    ck_assert_uint_eq(counted.calls, calls);
}
END_TEST

static void grow_file(void) {
    int file = open(in_folder("ten"), O_WRONLY | O_APPEND);
    ck_assert_int_eq(write(file, "x", 1), 1);
    ck_assert_int_eq(close(file), 0);
}

START_TEST(a_file_that_grows_is_refused) {
    void *data = NULL;
    size_t size = 77;
    put_file(in_folder("ten"), "0123456789", 10);
    faults_begin(FAULT_ERROR, 0, 0, FAULT_ONCE);
    faults_meanwhile("read", grow_file);
    ASSERT_FAILS(dd_file_read(context, in_folder("ten"), 100, &data, &size), DDAEBM_IO,
                 "it grew while it was read");
    (void)faults_end();
    ck_assert_ptr_null(data);
    ck_assert_uint_eq(size, 77);
}
END_TEST

/* Messages hold the system's reason, in words. */
START_TEST(reasons_of_the_system_are_reported) {
    static const struct {
        int error;
        ddaebm_status status;
        const char *why;
    } rows[] = {{ENOENT, DDAEBM_NOT_FOUND, "check the path"},
                {ENOTDIR, DDAEBM_NOT_FOUND, "check the path"},
                {EACCES, DDAEBM_IO, "this user may not read"},
                {EPERM, DDAEBM_IO, "this user may not read"},
                {EMFILE, DDAEBM_IO, "close some files"},
                {ENFILE, DDAEBM_IO, "close some files"},
                {ELOOP, DDAEBM_IO, "Too many levels"},
                {99999, DDAEBM_IO, "cannot read "},
                {99999, DDAEBM_IO, "unknown error"}};
    put_file(in_folder("ten"), "0123456789", 10);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *data = NULL;
        size_t size = 0;
        faults_begin(FAULT_ERROR, rows[i].error, 1, FAULT_ONCE);
        ASSERT_FAILS(dd_file_read(context, in_folder("ten"), 100, &data, &size), rows[i].status,
                     rows[i].why);
        (void)faults_end();
    }
}
END_TEST

START_TEST(memory_may_run_out) {
    void *data = NULL;
    size_t size = 0;
    put_file(in_folder("a"), "abc", 3);
    SWEEP_ALLOCATIONS(counted, data, dd_file_read(context, in_folder("a"), 10, &data, &size));
    dd_free(context, data);
    void *none = NULL;
    SWEEP_ALLOCATIONS(counted, none, write_text(in_folder("a"), "new"));
    assert_content(in_folder("a"), "new");
    ck_assert_int_eq(symlink("a", in_folder("link")), 0);
    SWEEP_ALLOCATIONS(counted, none, write_text(in_folder("link"), "newer"));
    assert_content(in_folder("a"), "newer");
    put_file(in_folder("a"), "", 0);
    data = NULL;
    SWEEP_ALLOCATIONS(counted, data, dd_file_read(context, in_folder("a"), 0, &data, &size));
    dd_free(context, data);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("io/file", what_is_written_is_read, large_and_empty_files_are_read,
                     files_without_a_size_are_read, unreadable_files_are_refused,
                     a_huge_file_costs_nothing, a_file_that_grows_is_refused,
                     reasons_of_the_system_are_reported, memory_may_run_out);
}
