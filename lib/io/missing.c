#include "io/missing.h"

#include "base/error.h"
#include "io/text.h"

#include <math.h>
#include <string.h>

/* An item of a list, without blanks around it. */
typedef struct item {
    const char *text;
    size_t length;
} item;

/* Takes the next item off a list; false at its end. */
static bool next_item(item *out, const char **list) {
    const char *at = *list;
    if (!at)
        return false;
    size_t length = strcspn(at, ",");
    *list = at[length] == ',' ? at + length + 1 : NULL;
    while (length > 0 && *at == ' ') {
        at++;
        length--;
    }
    while (length > 0 && at[length - 1] == ' ')
        length--;
    *out = (item){at, length};
    return true;
}

ddaebm_status dd_missing_check(const char *list) {
    item next;
    while (next_item(&next, &list))
        if (next.length == 0)
            return dd_fail(DDAEBM_INVALID_ARGUMENT,
                           "missing has an empty item; allowed: allow, or words and numbers "
                           "between commas that stand for missing values");
    return DDAEBM_OK;
}

static bool is_same_word(const item *word, const char *text, size_t length) {
    if (word->length != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (dd_text_lower(word->text[i]) != dd_text_lower(text[i]))
            return false;
    return true;
}

/* Returns whether a list has a number. */
static bool has_number(const char *list, double number) {
    item next;
    double value = 0;
    while (next_item(&next, &list))
        if (dd_text_number(&value, next.text, next.length) && value == number)
            return true;
    return false;
}

bool dd_missing_is_word(const char *list, const char *text, size_t length) {
    item next;
    double value = 0;
    if (!list)
        return false;
    if (length == 0 || dd_text_is_word(text, length, "na") || dd_text_is_word(text, length, "nan"))
        return true;
    if (dd_text_number(&value, text, length))
        return has_number(list, value);
    while (next_item(&next, &list))
        if (is_same_word(&next, text, length))
            return true;
    return false;
}

void dd_missing_hide(dd_rows *rows, const char *list) {
    item next;
    double value = 0;
    while (next_item(&next, &list)) {
        if (!dd_text_number(&value, next.text, next.length))
            continue;
        for (size_t i = 0; i < rows->count * rows->width; i++)
            if (rows->wide && rows->wide[i] == value)
                rows->wide[i] = (double)NAN;
            else if (rows->values && rows->values[i] == (float)value)
                rows->values[i] = NAN;
    }
}

uint64_t dd_missing_count(const dd_rows *rows) {
    uint64_t count = 0;
    for (size_t i = 0; i < rows->count * rows->width; i++)
        count += isnan(dd_rows_at(rows, i)) ? 1 : 0;
    return count;
}
