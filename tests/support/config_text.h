/* What tests of configurations share: their text, and whether two are the same. */
#ifndef TEST_CONFIG_TEXT_H
#define TEST_CONFIG_TEXT_H

#include "base/real_text.h"
#include "config/config.h"
#include "config/key_print.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline ddaebm_config *create(const char *preset) {
    ddaebm_config *config = NULL;
    ck_assert_int_eq(ddaebm_config_create(&config, NULL, preset), DDAEBM_OK);
    return config;
}

static inline ddaebm_status parse(ddaebm_config *config, const char *text) {
    return ddaebm_config_parse(config, text, strlen(text));
}

/* Returns the text of a key, or of all keys; the caller frees it. */
static inline char *text_of(const ddaebm_config *config, const char *key) {
    size_t needed = 0;
    ck_assert_int_eq(ddaebm_config_text(config, key, NULL, 0, &needed), DDAEBM_OUT_OF_RANGE);
    char *text = malloc(needed);
    ck_assert_ptr_nonnull(text);
    size_t again = 0;
    ck_assert_int_eq(ddaebm_config_text(config, key, text, needed, &again), DDAEBM_OK);
    ck_assert_uint_eq(again, needed);
    ck_assert_uint_eq(strlen(text) + 1, needed);
    return text;
}

static inline void assert_text(const ddaebm_config *config, const char *key, const char *expected) {
    char *text = text_of(config, key);
    ck_assert_str_eq(text, expected);
    free(text);
}

static inline void assert_same(const ddaebm_config *a, const ddaebm_config *b) {
    char *text_a = text_of(a, NULL), *text_b = text_of(b, NULL);
    ck_assert_str_eq(text_a, text_b);
    free(text_a);
    free(text_b);
    for (size_t i = 0; i < dd_key_count(); i++)
        if (dd_key_at(i)->type == DDAEBM_TYPE_REAL)
            ck_assert_double_eq(dd_key_real(dd_key_at(i), dd_config_settings(a)),
                                dd_key_real(dd_key_at(i), dd_config_settings(b)));
}

static inline void assert_message(const char *part) {
    ck_assert_msg(strstr(ddaebm_error_message(), part) != NULL, "\"%s\" lacks \"%s\"",
                  ddaebm_error_message(), part);
    ck_assert_ptr_null(strchr(ddaebm_error_message(), '\n'));
}

/* Makes a configuration whose values all differ from those of "toy". */
static inline ddaebm_config *unusual(void) {
    ddaebm_config *config = create("toy");
    for (size_t i = 0; i < dd_key_count(); i++) {
        const dd_key *key = dd_key_at(i);
        char text[DD_VALUE_ROOM] = "";
        if (key->type == DDAEBM_TYPE_REAL)
            dd_real_text(key->least + (key->most - key->least) / 3, text);
        else if (key->type == DDAEBM_TYPE_INTEGER)
            (void)snprintf(text, sizeof text, "%.0f", key->most - 1);
        else if (key->type == DDAEBM_TYPE_REALS)
            (void)snprintf(text, sizeof text, "[%g, %g, 0.1]", key->least, key->most);
        else if (key->type == DDAEBM_TYPE_INTEGERS)
            (void)snprintf(text, sizeof text, "[%.0f, %.0f, 3]", key->most, key->least);
        else if (key->type == DDAEBM_TYPE_BOOLEAN)
            (void)snprintf(text, sizeof text, "true");
        else
            (void)snprintf(text, sizeof text, "%s",
                           strrchr(key->choices, '|') ? strrchr(key->choices, '|') + 1
                                                      : key->choices);
        ck_assert_msg(ddaebm_config_set(config, key->name, text) == DDAEBM_OK, "%s",
                      ddaebm_error_message());
    }
    return config;
}

#endif
