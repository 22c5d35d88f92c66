/* The error for a name that no key has. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include "config/key_suggest.h"

#include "base/excerpt.h"
#include "config/keys.h"
#include "support/harness.h"

START_TEST(an_unknown_name_gets_the_nearest) {
    const struct {
        const char *name, *suggestion;
    } rows[] = {
        {"diffusion.timestep", "\"diffusion.timesteps\""},
        {"difusion.timesteps", "\"diffusion.timesteps\""},
        {"timesteps", "\"diffusion.timesteps\""},
        {"Data.Width", "\"data.width\""},
        {"optimizer.beta_1", "\"optimizer.beta1\""},
        {"gama", "\"objective.gamma\""},
        {"energy.feature_layer", "\"energy.feature_layers\""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_ptr_null(dd_key_find(rows[i].name));
        ck_assert_int_eq(dd_key_unknown(rows[i].name), DDAEBM_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), rows[i].name));
        ck_assert_msg(strstr(ddaebm_error_message(), rows[i].suggestion) != NULL, "%s",
                      ddaebm_error_message());
    }

    ck_assert_int_eq(dd_key_unknown("something else altogether"), DDAEBM_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "no key has a similar name"));
    ck_assert_int_eq(dd_key_unknown(""), DDAEBM_NOT_FOUND);
    ck_assert_int_eq(dd_key_unknown("diffusion"), DDAEBM_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "is a group of keys"));
}
END_TEST

START_TEST(any_name_can_be_shown) {
    char name[400];
    for (size_t length = 0; length < sizeof name; length++) {
        memset(name, 'x', length);
        name[length] = '\0';
        ck_assert_int_eq(dd_key_unknown(name), DDAEBM_NOT_FOUND);
        ck_assert_int_eq(strstr(ddaebm_error_message(), name) != NULL,
                         length <= DD_EXCERPT_ROOM - 4);
    }
}
END_TEST

int main(void) {
    return RUN_TESTS("config/key_suggest", an_unknown_name_gets_the_nearest, any_name_can_be_shown);
}
