#include "io/csv.h"

#include "base/context.h"
#include "base/error.h"
#include "io/text.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What is left of the text, and the line in hand. */
struct cursor {
    const char *next, *end;
    const char *line, *line_end;
    size_t number; /* of the line, from 1 */
};

/* One field of a line, quotes and blanks taken off. */
struct field {
    const char *text;
    size_t length;
    size_t column; /* from 1 */
    bool last;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Moves to the next line, ended by LF, CRLF or CR; false at the end of the text. */
static bool next_line(struct cursor *cursor) {
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

/* Moves to the next line that is neither empty nor a comment. */
static bool next_row(struct cursor *cursor) {
    while (next_line(cursor)) {
        const char *at = cursor->line;
        while (at < cursor->line_end && is_blank(*at))
            at++;
        if (at < cursor->line_end && *at != '#')
            return true;
    }
    return false;
}

/* The first of tab, semicolon and comma that stands in the line outside quotes, or else a blank. */
static char find_separator(const struct cursor *cursor) {
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

/* Blanks that are not the separator itself. */
static const char *skip_blanks(const char *at, const char *end, char separator) {
    while (at < end && is_blank(*at) && (separator == ' ' || *at != separator))
        at++;
    return at;
}

static bool is_separator(char c, char separator) {
    return separator == ' ' ? is_blank(c) : c == separator;
}

/* Past the closing quote of a field that opens at `at`; NULL if it does not close on its line, or if anything but a separator
 * follows. */
static const char *end_of_quoted(const char *at, const char *end, char separator) {
    for (at++; at < end; at++) {
        if (*at != '"')
            continue;
        if (at + 1 < end && at[1] == '"') {
            at++;
            continue;
        }
        const char *after = skip_blanks(at + 1, end, separator);
        bool closed = after == end || is_separator(*after, separator) || (separator == ' ' && after > at + 1);
        return closed ? at + 1 : NULL;
    }
    return NULL;
}

static void trim(struct field *field) {
    while (field->length > 0 && is_blank(*field->text)) {
        field->text++;
        field->length--;
    }
    while (field->length > 0 && is_blank(field->text[field->length - 1]))
        field->length--;
}

/* Takes the field at *at, and moves *at to the next one. */
static ddaebm_status next_field(struct field *field, const struct cursor *cursor, const char **at, char separator) {
    const char *end = cursor->line_end, *start = skip_blanks(*at, end, separator), *stop = start;
    field->column++;
    if (start < end && *start == '"') {
        stop = end_of_quoted(start, end, separator);
        if (!stop)
            return dd_fail(DDAEBM_FORMAT, "line %zu, column %zu: a quote is not closed, or text follows it", cursor->number,
                           field->column);
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

/* Fields of the line in hand and how many of them are numbers. */
static ddaebm_status survey(const struct cursor *cursor, char separator, size_t *fields, size_t *numbers) {
    struct field field = {NULL, 0, 0, false};
    const char *at = cursor->line;
    float ignored = 0.0f;
    *numbers = 0;
    do {
        ddaebm_status status = next_field(&field, cursor, &at, separator);
        if (status != DDAEBM_OK)
            return status;
        *numbers += dd_text_number(&ignored, field.text, field.length);
    } while (!field.last);
    *fields = field.column;
    return DDAEBM_OK;
}

static ddaebm_status refuse_field(const struct cursor *cursor, const struct field *field, bool first_row) {
    char quote[DD_TEXT_QUOTE];
    if (field->length == 0)
        return dd_fail(DDAEBM_FORMAT, "line %zu, column %zu: a number is missing", cursor->number, field->column);
    return dd_fail(DDAEBM_FORMAT, "line %zu, column %zu: %s is not a number%s", cursor->number, field->column,
                   dd_text_quote(quote, field->text, field->length),
                   first_row ? " (in a header row no field may be a number)" : "");
}

/* Reads the line in hand into width floats. */
static ddaebm_status read_row(float *out, size_t width, const struct cursor *cursor, char separator, bool first_row) {
    struct field field = {NULL, 0, 0, false};
    const char *at = cursor->line;
    char quote[DD_TEXT_QUOTE];
    do {
        float value = 0.0f;
        ddaebm_status status = next_field(&field, cursor, &at, separator);
        if (status != DDAEBM_OK)
            return status;
        if (field.column > width)
            return dd_fail(DDAEBM_FORMAT, "line %zu is ragged: it has more fields than the %zu of the first row", cursor->number,
                           width);
        if (!dd_text_number(&value, field.text, field.length))
            return refuse_field(cursor, &field, first_row);
        if (!isfinite(value))
            return dd_fail(DDAEBM_NOT_FINITE, "line %zu, column %zu: %s is not a finite 32-bit number", cursor->number,
                           field.column, dd_text_quote(quote, field.text, field.length));
        out[field.column - 1] = value;
    } while (!field.last);
    if (field.column < width)
        return dd_fail(DDAEBM_FORMAT, "line %zu is ragged: it has %zu of the %zu fields of the first row", cursor->number,
                       field.column, width);
    return DDAEBM_OK;
}

/* Finds the separator and the width, and moves past a header. On return the cursor holds the first row of numbers. */
static ddaebm_status begin(struct cursor *cursor, char *separator, size_t *width, bool *first_row) {
    size_t numbers = 0;
    if (!next_row(cursor))
        return dd_fail(DDAEBM_FORMAT, "there are no rows in it");
    *separator = find_separator(cursor);
    ddaebm_status status = survey(cursor, *separator, width, &numbers);
    *first_row = numbers > 0;
    if (status == DDAEBM_OK && numbers == 0) {
        /* a header: the row after it holds numbers alone, so no comma or blank within a name can mislead */
        struct cursor header = *cursor;
        if (!next_row(cursor))
            return dd_fail(DDAEBM_FORMAT, "there are no rows of numbers in it");
        *separator = find_separator(cursor);
        status = survey(cursor, *separator, width, &numbers);
        bool one_name = *width == 1 && find_separator(&header) == ' ';
        if (status == DDAEBM_OK && !one_name)
            status = survey(&header, *separator, width, &numbers);
    }
    if (status == DDAEBM_OK && *width > DD_MOST_WIDTH)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "its rows have %zu fields; allowed: 1 to %d", *width, DD_MOST_WIDTH);
    return status;
}

static const char *skip_mark(const char *text, size_t size) {
    return size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
}

ddaebm_status dd_csv_parse(dd_rows *out, ddaebm_context *context, const char *text, size_t size) {
    if (size == 0)
        return dd_fail(DDAEBM_FORMAT, "it is empty");
    const char *zero = memchr(text, '\0', size);
    if (zero)
        return dd_fail(DDAEBM_FORMAT, "byte %zu is 0: it is neither NPY nor IDX nor text in UTF-8", (size_t)(zero - text));
    ddaebm_status status = DDAEBM_OK;
    struct cursor cursor = {skip_mark(text, size), text + size, NULL, NULL, 0};
    dd_rows rows = {NULL, 0, 0};
    size_t capacity = 0, used = 0;
    char separator = ',';
    bool first_row = true;
    DD_TRY(begin(&cursor, &separator, &rows.width, &first_row));
    do {
        /* width and used are bounded by the text's length: the sum cannot overflow */
        float *grown = dd_grow(context, rows.values, &capacity, used + rows.width, sizeof *grown);
        if (!grown) {
            status = DDAEBM_OUT_OF_MEMORY;
            goto cleanup;
        }
        rows.values = grown;
        DD_TRY(read_row(rows.values + used, rows.width, &cursor, separator, first_row));
        used += rows.width;
        rows.count++;
        first_row = false;
    } while (next_row(&cursor));
    *out = rows;
    return DDAEBM_OK;
cleanup:
    dd_free(context, rows.values);
    return status;
}
