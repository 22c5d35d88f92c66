/* Outputs that are open: which descriptors they have, and that no child of the process gets one. */
#define _GNU_SOURCE
#include "io/output.h"

#include "base/context.h"
#include "io/intake.h"
#include "io/target.h"
#include "support/counted.h"

#include <fcntl.h>

static bool ends_on_exec(int file) {
    int flags = fcntl(file, F_GETFD);
    ck_assert_int_ge(flags, 0);
    return (flags & FD_CLOEXEC) != 0;
}

/* Returns a path to a descriptor that a child of the process would get. */
static const char *path_of(int file) {
    static char path[40];
    ck_assert_int_eq(fcntl(file, F_SETFD, 0), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", file);
    return path;
}

static void expect_closed_on_exec(const char *path, bool has_folder) {
    const ddaebm_writer writer = dd_writer_of_file(path);
    dd_output output;
    ASSERT_OK(dd_output_open(&output, context, &writer));
    ck_assert(ends_on_exec(output.file));
    ck_assert_int_eq(output.folder >= 0, has_folder);
    ck_assert(!has_folder || ends_on_exec(output.folder));
    dd_output_discard(&output);
}

START_TEST(no_child_gets_an_output) {
    put_file(in_folder("there"), "a", 1);
    int file = open(in_folder("there"), O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(file, 0);

    expect_closed_on_exec(in_folder("new"), true);
    expect_closed_on_exec(in_folder("there"), true);
    expect_closed_on_exec("/dev/null", false);
    expect_closed_on_exec(path_of(file), false);
    close(file);
}
END_TEST

/* Where standard input is closed, the folder may get descriptor 0. */
START_TEST(descriptor_zero_is_like_any_other) {
    const ddaebm_writer writer = dd_writer_of_file(in_folder("new"));
    int input = dup(STDIN_FILENO);
    close(STDIN_FILENO);
    dd_output output;
    ASSERT_OK(dd_output_open(&output, context, &writer));
    ck_assert(output.folder == 0 || output.file == 0);
    dd_output_discard(&output);
    ck_assert_uint_eq(entries_in_folder(), 0);
    ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFD), -1);
    if (input >= 0) {
        ck_assert_int_eq(dup2(input, STDIN_FILENO), STDIN_FILENO);
        close(input);
    }
}
END_TEST

START_TEST(no_child_gets_an_input) {
    put_file(in_folder("there"), "a", 1);
    int file = open(in_folder("there"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(file, 0);
    char there[128];
    snprintf(there, sizeof there, "%s/there", folder);
    const char *const paths[] = {there, path_of(file)};

    for (size_t i = 0; i < 2; i++) {
        const ddaebm_reader reader = dd_reader_of_file(paths[i]);
        dd_intake intake;
        ASSERT_OK(dd_intake_open(&intake, &reader));
        ck_assert(ends_on_exec(intake.file));
        dd_intake_close(&intake);
    }

    dd_intake plain;
    ASSERT_OK(dd_intake_open_plain(&plain, there));
    ck_assert(ends_on_exec(plain.file));
    dd_intake_close(&plain);
    close(file);
}
END_TEST

/* Until it is finished, an output is a new file beside the old one; when it is discarded it is
 * gone. */
START_TEST(an_output_is_a_new_file) {
    put_file(in_folder("there"), "old", 3);
    const ddaebm_writer writer = dd_writer_of_file(in_folder("there"));
    dd_output output;
    struct stat old, new;

    ASSERT_OK(dd_output_open(&output, context, &writer));
    ck_assert_uint_eq(entries_in_folder(), 2);
    ck_assert_int_eq(stat(in_folder("there"), &old), 0);
    ck_assert_int_eq(stat(in_folder(output.temporary), &new), 0);
    ck_assert(old.st_ino != new.st_ino &&new.st_size == 0);
    dd_output_discard(&output);
    ck_assert_uint_eq(entries_in_folder(), 1);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("io/output", no_child_gets_an_output, descriptor_zero_is_like_any_other,
                     no_child_gets_an_input, an_output_is_a_new_file);
}
