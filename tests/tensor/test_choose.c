#define _POSIX_C_SOURCE 200809L /* mkdtemp, setenv */
/* Which set of instructions a process uses, and what its environment says to that. */
#include "support/harness.h"
#include "support/instruction_sets.h"

START_TEST(sets_are_whole) {
    for (size_t i = 0; dd_instructions_built(i); i++) {
        const dd_instructions *set = dd_instructions_built(i);
        ck_assert_str_eq(set->vector->name, set->name);
        ck_assert_str_eq(set->maps->name, set->name);
        ck_assert_str_eq(set->tiles->name, set->name);
    }
    ck_assert_str_eq(dd_instructions_built(0)->name, "portable");
    ck_assert(dd_instructions_built(0)->runs() && dd_instructions_built(0)->pays());
}
END_TEST

/* A name gives that set, or the last before it that runs. */
START_TEST(a_name_holds_to_a_set) {
    const dd_instructions *last = NULL;
    for (size_t i = 0; dd_instructions_built(i); i++) {
        const dd_instructions *set = dd_instructions_built(i);
        if (set->runs())
            last = set;
        ck_assert_ptr_eq(dd_instructions_find(set->name), last);
    }
}
END_TEST

/* The last that runs and pays. */
START_TEST(other_words_say_nothing) {
    const dd_instructions *best = NULL;
    for (size_t i = 0; dd_instructions_built(i); i++)
        if (dd_instructions_built(i)->runs() && dd_instructions_built(i)->pays())
            best = dd_instructions_built(i);
    ck_assert_ptr_eq(dd_instructions_find(NULL), best);
    ck_assert_ptr_eq(dd_instructions_find(""), best);
    ck_assert_ptr_eq(dd_instructions_find("AVX2"), best);
}
END_TEST

/* Each test is a process of its own, which has not chosen yet. */
START_TEST(the_environment_is_read_once) {
    ck_assert_int_eq(setenv("DDAEBM_INSTRUCTIONS", "portable", 1), 0);
    ck_assert_str_eq(dd_instructions_choose()->name, "portable");
    unsetenv("DDAEBM_INSTRUCTIONS");
    ck_assert_str_eq(dd_instructions_choose()->name, "portable");
    ck_assert_ptr_eq(dd_kernels_choose(), &dd_kernels_portable);
    ck_assert_ptr_eq(dd_map_kernels_choose(), &dd_map_kernels_portable);
    ck_assert_ptr_eq(dd_tile_kernels_choose(), &dd_tile_kernels_portable);
}
END_TEST

START_TEST(without_a_word_the_best_is_used) {
    unsetenv("DDAEBM_INSTRUCTIONS");
    ck_assert_ptr_eq(dd_instructions_choose(), dd_instructions_find(NULL));
    ck_assert_ptr_eq(dd_kernels_choose(), dd_instructions_find(NULL)->vector);
}
END_TEST

int main(void) {
    return RUN_TESTS("choose", sets_are_whole, a_name_holds_to_a_set, other_words_say_nothing,
                     the_environment_is_read_once, without_a_word_the_best_is_used);
}
