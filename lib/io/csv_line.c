#include "io/csv_line.h"

#include "base/error.h"

#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Moves to the next line, which ends with LF, CRLF or CR; false at the end of the text. */
static bool next_line(dd_csv_cursor *cursor) {
    if (cursor->next == cursor->end)
        return false;
    const char *at = cursor->line = cursor->next;
    while (at < cursor->end && *at != '\n' && *at != '\r')
        at++;
    cursor->line_end = at;
    if (at < cursor->end && *at == '\r' && at + 1 < cursor->end && at[1] == '\n')
        at++;
    cursor->next = at < cursor->end ? at + 1 : at;
    cursor->number++;
    return true;
}

bool dd_csv_next_row(dd_csv_cursor *cursor) {
    while (next_line(cursor)) {
        const char *at = cursor->line;
        while (at < cursor->line_end && is_blank(*at))
            at++;
        if (at < cursor->line_end && *at != '#')
            return true;
    }
    return false;
}

bool dd_csv_next_comment(dd_csv_cursor *cursor) {
    while (next_line(cursor)) {
        const char *at = cursor->line;
        while (at < cursor->line_end && is_blank(*at))
            at++;
        if (at == cursor->line_end || *at != '#')
            continue;
        while (at < cursor->line_end && (*at == '#' || is_blank(*at)))
            at++;
        cursor->line = at;
        return true;
    }
    return false;
}

bool dd_csv_is_for_excel(const dd_csv_cursor *cursor) {
    const char *at = cursor->line, *end = cursor->line_end;
    if (end - at >= 2 && *at == '"' && end[-1] == '"') {
        at++;
        end--;
    }
    return end - at == 5 && (memcmp(at, "sep=", 4) == 0 || memcmp(at, "SEP=", 4) == 0);
}

char dd_csv_separator(const dd_csv_cursor *cursor) {
    static const char candidates[] = "\t;,";
    for (const char *candidate = candidates; *candidate; candidate++) {
        bool quoted = false;
        for (const char *at = cursor->line; at < cursor->line_end; at++) {
            if (*at == '"')
                quoted = !quoted;
            else if (*at == *candidate && !quoted)
                return *candidate;
        }
    }
    return ' ';
}

/* Skips blanks that are not the separator. */
static const char *skip_blanks(const char *at, const char *end, char separator) {
    while (at < end && is_blank(*at) && (separator == ' ' || *at != separator))
        at++;
    return at;
}

static bool is_separator(char c, char separator) {
    return separator == ' ' ? is_blank(c) : c == separator;
}

/* Returns the place after the closing quote of a field that opens at `at`; NULL if it does not
 * close in its line, or if anything but a separator follows. */
static const char *end_of_quoted(const char *at, const char *end, char separator) {
    for (at++; at < end; at++) {
        if (*at != '"')
            continue;
        if (at + 1 < end && at[1] == '"') {
            at++;
            continue;
        }
        const char *after = skip_blanks(at + 1, end, separator);
        bool closed =
            after == end || is_separator(*after, separator) || (separator == ' ' && after > at + 1);
        return closed ? at + 1 : NULL;
    }
    return NULL;
}

static void trim(dd_csv_field *field) {
    while (field->length > 0 && is_blank(*field->text)) {
        field->text++;
        field->length--;
    }
    while (field->length > 0 && is_blank(field->text[field->length - 1]))
        field->length--;
}

ddaebm_status dd_csv_next_field(dd_csv_field *field, const dd_csv_cursor *cursor, const char **at,
                                char separator) {
    const char *end = cursor->line_end, *start = skip_blanks(*at, end, separator), *stop = start;
    field->column++;
    field->quoted = start < end && *start == '"';
    if (field->quoted) {
        stop = end_of_quoted(start, end, separator);
        if (!stop)
            return dd_fail(DDAEBM_FORMAT,
                           "line %zu, column %zu: a quote is not closed, or text follows it",
                           cursor->number, field->column);
        field->text = start + 1;
        field->length = (size_t)(stop - start) - 2;
    } else {
        while (stop < end && !is_separator(*stop, separator))
            stop++;
        field->text = start;
        field->length = (size_t)(stop - start);
    }

    trim(field);
    stop = skip_blanks(stop, end, separator);
    field->last = stop == end;
    *at = separator == ' ' || stop == end ? stop : stop + 1;
    return DDAEBM_OK;
}
