/* Text of any origin in messages: short, and cut between characters. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include "base/excerpt.h"

#include "base/utf8.h"
#include "support/harness.h"

enum { MOST = DD_EXCERPT_ROOM - 4 }; /* bytes that are shown whole */

START_TEST(short_text_is_shown_whole) {
    char shown[DD_EXCERPT_ROOM];
    ck_assert_str_eq(dd_excerpt(shown, "abc", 3), "abc");
    ck_assert_str_eq(dd_excerpt(shown, "abc", 2), "ab");
    ck_assert_str_eq(dd_excerpt(shown, "", 0), "");
    ck_assert_str_eq(dd_excerpt(shown, "\xC3\xA4", 2), "\xC3\xA4");
    ck_assert_str_eq(dd_excerpt(shown, "a\0b", 3), "a?b");
    ck_assert_ptr_eq(dd_excerpt(shown, "a", 1), shown);
}
END_TEST

/* Of two-byte characters, from an even or an odd byte on, so that some cuts would fall within one.
 */
START_TEST(a_cut_is_between_characters) {
    char shown[DD_EXCERPT_ROOM], lengthy[400];
    for (size_t length = 0; length < sizeof lengthy; length++)
        for (size_t odd = 0; odd < 2; odd++) {
            memset(lengthy, 'x', sizeof lengthy);
            for (size_t i = odd; i + 2 <= length; i += 2)
                memcpy(lengthy + i, "\xC3\xA4", 2);

            size_t used = strlen(dd_excerpt(shown, lengthy, length));
            ck_assert_uint_lt(used, sizeof shown);
            ck_assert(dd_utf8_is_valid(shown, used));
            ck_assert_int_eq(strstr(shown, "...") != NULL, length > MOST);
            ck_assert_uint_ge(used, length < MOST ? length : MOST - 1);
        }
}
END_TEST

START_TEST(the_room_is_used_and_not_exceeded) {
    struct {
        char shown[DD_EXCERPT_ROOM], guard;
    } room = {.guard = '!'};
    char lengthy[400];

    memset(lengthy, 'x', sizeof lengthy);
    ck_assert_uint_eq(strlen(dd_excerpt(room.shown, lengthy, MOST)), MOST);
    ck_assert_uint_eq(strlen(dd_excerpt(room.shown, lengthy, MOST + 1)), MOST + 3);
    ck_assert_str_eq(room.shown + MOST - 2, "xx...");

    memset(lengthy, '\x80', sizeof lengthy); /* no character begins anywhere */
    ck_assert_uint_eq(strlen(dd_excerpt(room.shown, lengthy, sizeof lengthy)), MOST + 3);
    ck_assert_int_eq(room.guard, '!');
}
END_TEST

int main(void) {
    return RUN_TESTS("base/excerpt", short_text_is_shown_whole, a_cut_is_between_characters,
                     the_room_is_used_and_not_exceeded);
}
