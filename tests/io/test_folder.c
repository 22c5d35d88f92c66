#define _GNU_SOURCE
#include "base/context.h"
#include "io/folder.h"
#include "support/counted.h"
#include "support/faults.h"

#include <errno.h>

START_TEST(names_are_chosen_and_sorted) {
    static const char *const there[] = {"b.png",       "a10.png", "a2.PNG", "a.txt",
                                        ".hidden.png", "png",     ".png",   "c.png.gz"};
    static const char *const wanted[] = {"a10.png", "a2.PNG", "b.png"};
    dd_names names = {NULL, 0, 0};
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        put_file(in_folder(there[i]), "", 0);
    SWEEP_ALLOCATIONS(counted, names.items, dd_folder_list(&names, context, folder, "", ".png"));
    ck_assert_uint_eq(names.count, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_str_eq(names.items[i], wanted[i]);
    dd_names_free(&names, context);
    ASSERT_OK(dd_folder_list(&names, context, folder, "b", ".png"));
    ck_assert_uint_eq(names.count, 1);
    dd_names_free(&names, context);
    ASSERT_OK(dd_folder_list(&names, context, folder, "x", ".png"));
    ck_assert_uint_eq(names.count, 0);
    dd_names_free(&names, context);
    ASSERT_FAILS(dd_folder_list(&names, context, in_folder("none"), "", ".png"), DDAEBM_IO,
                 "none: No such file");
}
END_TEST

START_TEST(folders_are_told_from_files) {
    put_file(in_folder("a"), "", 0);
    ck_assert(dd_folder_is(folder));
    ck_assert(!dd_folder_is(in_folder("a")));
    ck_assert(!dd_folder_is(in_folder("none")));
    char *path = dd_folder_join(context, "x/y", "z");
    ck_assert_str_eq(path, "x/y/z");
    dd_free(context, path);
}
END_TEST

START_TEST(a_folder_that_cannot_be_read_is_refused) {
    static const int errors[] = {EIO, 99999};
    put_file(in_folder("a.png"), "", 0);
    put_file(in_folder("b.png"), "", 0);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        size_t calls = 1;
        for (size_t at = 1; at <= calls; at++) { /* opendir, and each readdir */
            dd_names names = {NULL, 77, 0};
            faults_begin(FAULT_ERROR, errors[i], at, FAULT_ONCE);
            ASSERT_FAILS(dd_folder_list(&names, context, folder, "", ".png"), DDAEBM_IO,
                         "cannot read the folder");
            calls = at + (faults_end() == at && at < 6);
            ck_assert_ptr_nonnull(
                strstr(ddaebm_error_message(), errors[i] == EIO ? strerror(EIO) : "unknown error"));
            ck_assert_uint_eq(names.count, 77);
        }
    }
}
END_TEST

START_TEST(a_signal_hides_no_folder) {
    faults_begin(FAULT_ERROR, EINTR, 1, FAULT_ONCE);
    ck_assert(dd_folder_is(folder));
    ck_assert_uint_eq(faults_end(), 2);
}
END_TEST

START_TEST(a_path_takes_memory) {
    counted.fail_at = counted.calls + 1;
    ck_assert_ptr_null(dd_folder_join(context, "x", "y"));
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("folder", names_are_chosen_and_sorted, folders_are_told_from_files,
                     a_folder_that_cannot_be_read_is_refused, a_signal_hides_no_folder,
                     a_path_takes_memory);
}
