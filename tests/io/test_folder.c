#define _GNU_SOURCE
#include "base/context.h"
#include "io/folder.h"
#include "support/harness.h"

static fussy counted;

START_TEST(names_are_chosen_and_sorted) {
    static const char *const there[] = {"b.png", "a10.png", "a2.PNG", "a.txt", ".hidden.png", "png", ".png", "c.png.gz"};
    static const char *const wanted[] = {"a10.png", "a2.PNG", "b.png"};
    dd_names names = {NULL, 0, 0};
    ddaebm_context *context = fussy_context(&counted);
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
    ASSERT_FAILS(dd_folder_list(&names, context, in_folder("none"), "", ".png"), DDAEBM_IO, "none: No such file");
    ddaebm_context_free(context);
    ck_assert_uint_eq(counted.live, 0);
}
END_TEST

START_TEST(folders_are_told_from_files) {
    ddaebm_context *context = fussy_context(&counted);
    put_file(in_folder("a"), "", 0);
    ck_assert(dd_folder_is(folder));
    ck_assert(!dd_folder_is(in_folder("a")));
    ck_assert(!dd_folder_is(in_folder("none")));
    char *path = dd_folder_join(context, "x/y", "z");
    ck_assert_str_eq(path, "x/y/z");
    dd_free(context, path);
    ddaebm_context_free(context);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {names_are_chosen_and_sorted, folders_are_told_from_files};
    return run_tests("folder", tests, sizeof tests / sizeof *tests);
}
