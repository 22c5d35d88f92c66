#define _GNU_SOURCE
#include "io/system_error.h"
#include "support/harness.h"

#include <errno.h>

START_TEST(errors_come_with_what_to_do) {
    static const struct {
        int error;
        const char *remedy;
    } rows[] = {{ENOSPC, "; free some space"},
                {EDQUOT, "; free some space"},
                {EACCES, "; choose a place that this user may write to"},
                {EPERM, "; choose a place that this user may write to"},
                {EROFS, "; choose a place that this user may write to"},
                {EISDIR, "; give the name of a file in it"},
                {EFBIG, "; raise the limit on file sizes"},
                {EMFILE, "; close some files"},
                {ENFILE, "; close some files"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ASSERT_FAILS(dd_system_refuse(DDAEBM_IO, "write", "a/b", rows[i].error), DDAEBM_IO,
                     rows[i].remedy);
        ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "cannot write a/b: "));
        ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), strerror(rows[i].error)));
    }
    (void)dd_system_refuse(DDAEBM_IO, "read", "a/b", EIO);
    ck_assert_ptr_null(strchr(ddaebm_error_message(), ';'));
}
END_TEST

START_TEST(an_unknown_error_has_a_text) {
    char text[128];
    ck_assert_str_eq(dd_system_reason(99999, text, sizeof text), "unknown error");
    ck_assert_str_eq(dd_system_reason(EIO, text, sizeof text), strerror(EIO));
}
END_TEST

int main(void) {
    return RUN_TESTS("system_error", errors_come_with_what_to_do, an_unknown_error_has_a_text);
}
