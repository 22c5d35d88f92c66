#include "io/csv_words.h"

#include "io/text.h"

#include <string.h>

static bool is_missing(const char *text, size_t length) {
    static const char *const marks[] = {"na",     "n/a",  "#n/a",    "#na", "<na>", "null",
                                        "#null!", "none", "missing", "\\n", "nil",  "?",
                                        "-",      "--",   "---",     ".",   "..",   "*"};
    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++)
        if (dd_text_is_word(text, length, marks[k]))
            return true;
    return false;
}

static bool is_hexadecimal(const char *text, size_t length) {
    size_t i = length > 0 && (*text == '-' || *text == '+');
    if (length < i + 3 || text[i] != '0' || dd_text_lower(text[i + 1]) != 'x')
        return false;
    for (i += 2; i < length; i++)
        if (!dd_text_is_digit(text[i]) &&
            (dd_text_lower(text[i]) < 'a' || dd_text_lower(text[i]) > 'f'))
            return false;
    return true;
}

/* ---- Digits between other marks than a point. ---- */

/* Groups of digits, as in 1.234.567,5: the marks between them, and how many groups have three
 * digits. */
struct groups {
    size_t count, triples; /* triples: among those after the first */
    size_t commas, points, others;
    bool triple_last;
    char last; /* mark */
};

/* Counts the mark between two groups and returns its length; 0 if there is none. */
static size_t take_mark(struct groups *g, const char *text, size_t length) {
    static const char narrow[] = "\xE2\x80\xAF", wide[] = "\xC2\xA0"; /* no-break spaces */
    g->last = *text;
    g->commas += *text == ',';
    g->points += *text == '.';
    if (*text == ',' || *text == '.')
        return 1;
    g->others++;
    if (*text == '\'' || *text == ' ' || *text == '_')
        return 1;
    if (length >= 3 && memcmp(text, narrow, 3) == 0)
        return 3;
    return length >= 2 && memcmp(text, wide, 2) == 0 ? 2 : 0;
}

/* Splits a text into groups of digits; false if it holds anything but digits and marks. */
static bool find_groups(struct groups *g, const char *text, size_t length) {
    size_t i = length > 0 && (*text == '-' || *text == '+');
    *g = (struct groups){.count = 0};

    while (i < length) {
        size_t digits = 0;
        for (; i < length && dd_text_is_digit(text[i]); i++)
            digits++;
        if (digits == 0)
            return false;
        g->triple_last = g->count > 0 && digits == 3;
        g->triples += g->triple_last;
        g->count++;
        if (i == length)
            return true;
        size_t mark = take_mark(g, text + i, length - i);
        if (mark == 0)
            return false;
        i += mark;
    }
    return false;
}

/* ---- In words. ---- */

static const char *explain_groups(const struct groups *g) {
    if (g->commas == 1 && g->last == ',')
        return g->points + g->others > 0 || g->triple_last
                   ? "is not a number; a decimal comma? write a point, and leave separators of "
                     "thousands out"
                   : "is not a number; a decimal comma? write a point";
    return g->triples > 0 ? "is not a number; leave separators of thousands out"
                          : "is not a number";
}

const char *dd_csv_explain(const char *text, size_t length) {
    struct groups groups;
    if (is_missing(text, length))
        return "is a missing value: leave its row or column out, or allow it (ddaebm train and "
               "impute: --missing allow takes NA, NaN and empty fields, --missing WORDS others)";
    if (is_hexadecimal(text, length))
        return "is a hexadecimal number: write it in decimal";
    return find_groups(&groups, text, length) && groups.count > 1 ? explain_groups(&groups)
                                                                  : "is not a number";
}

bool dd_csv_stands_for_number(const char *text, size_t length) {
    struct groups groups;
    return is_missing(text, length) || is_hexadecimal(text, length) ||
           (find_groups(&groups, text, length) && groups.count == 2 && groups.commas == 1);
}
