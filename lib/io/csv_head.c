#include "io/csv_head.h"

#include "base/context.h"
#include "base/error.h"
#include "io/selection.h"
#include "io/text.h"

#include <math.h>
#include <string.h>

/* ---- One line. ---- */

/* What is in a line. */
struct survey {
    size_t fields;
    size_t kept, numbers; /* of the fields: those that are kept, and of those the numbers */
    bool first_is_empty;
    bool rises; /* the numbers are whole and rise evenly */
};

/* Whether a number goes on as those before, whole and evenly rising. */
static bool goes_on(double number, size_t before, double last, double *step) {
    if (number != floor(number) || !isfinite(number))
        return false;
    if (before == 1)
        *step = number - last;
    return before == 0 || (*step > 0 && number - last == *step);
}

/* selection may be NULL: all fields are kept. */
static ddaebm_status take_survey(struct survey *out, const dd_csv_cursor *line, char separator, const dd_selection *selection) {
    dd_csv_field field = {.column = 0};
    const char *at = line->line;
    double number = 0, last = 0, step = 0;
    *out = (struct survey){.rises = true};
    do {
        ddaebm_status status = dd_csv_next_field(&field, line, &at, separator);
        if (status != DDAEBM_OK)
            return status;
        if (field.column == 1)
            out->first_is_empty = field.length == 0;
        if (selection && (field.column > selection->width || selection->place[field.column - 1] == DD_LEFT_OUT))
            continue;
        out->kept++;
        if (!dd_text_number(&number, field.text, field.length))
            continue;
        out->rises = out->rises && goes_on(number, out->numbers++, last, &step);
        last = number;
    } while (!field.last);
    out->fields = field.column;
    return DDAEBM_OK;
}

/* ---- A column that counts the rows. ---- */

/* Whether the first field of all lines from this one on is a whole number, one more in each. */
static bool counts_up(dd_csv_cursor cursor, char separator) {
    double last = 0;
    bool first = true;
    do {
        dd_csv_field field = {.column = 0};
        const char *at = cursor.line;
        double number = 0;
        if (dd_csv_next_field(&field, &cursor, &at, separator) != DDAEBM_OK || !dd_text_number(&number, field.text, field.length) ||
            number != floor(number) || !(first || number == last + 1))
            return false;
        last = number;
        first = false;
    } while (dd_csv_next_row(&cursor));
    return true;
}

/* An unnamed first column, as pandas and R write their row numbers, is left out if it counts up. */
static void judge_index(dd_csv_head *head, ddaebm_context *context, const dd_csv_cursor *first,
                        const ddaebm_read_options *options) {
    if (!head->has_names || dd_column_name(&head->names, 0) || head->width == 1 || options->columns)
        return;
    if (counts_up(*first, head->separator)) {
        head->index = 0;
        dd_report(context, DDAEBM_LOG_INFO, "column 1 has no name and counts the rows: it is left out; columns 1-%zu keeps it",
                  head->width);
    } else {
        dd_report(context, DDAEBM_LOG_INFO, "column 1 has no name, and is kept; drop 1 leaves it out");
    }
}

/* ---- Names. ---- */

/* A quote within quotes stands twice. */
static void halve_quotes(char *name) {
    char *to = name;
    for (const char *at = name; *at; at++) {
        *to++ = *at;
        if (at[0] == '"' && at[1] == '"')
            at++;
    }
    *to = '\0';
}

static void put_name(dd_column_names *names, size_t index, const dd_csv_field *field) {
    size_t before = names->used;
    dd_column_names_put(names, index, field->text, field->length);
    if (field->quoted && names->used > before)
        halve_quotes(names->texts + before);
}

/* Names are aligned with the last columns: R leaves out that of the first. */
static ddaebm_status put_names(dd_column_names *names, const dd_csv_cursor *line, char separator, size_t missing) {
    dd_csv_field field = {.column = 0};
    const char *at = line->line;
    ddaebm_status status = DDAEBM_OK;
    do {
        status = dd_csv_next_field(&field, line, &at, separator);
        if (status == DDAEBM_OK)
            put_name(names, field.column - 1 + missing, &field);
    } while (status == DDAEBM_OK && !field.last);
    return status;
}

ddaebm_status dd_csv_read_names(dd_column_names *out, ddaebm_context *context, const dd_csv_cursor *line, char separator,
                                size_t width) {
    struct survey survey;
    ddaebm_status status = take_survey(&survey, line, separator, NULL);
    if (status != DDAEBM_OK)
        return status;
    size_t length = (size_t)(line->line_end - line->line);
    bool whole = width == 1 && survey.fields > 1 && dd_csv_separator(line) == ' '; /* one name, with blanks in it */
    if (!whole && survey.fields != width && survey.fields + 1 != width)
        return dd_fail(DDAEBM_FORMAT, "line %zu is a header of %zu names, and there are %zu columns", line->number, survey.fields,
                       width);

    dd_column_names names = {.items = NULL};
    status = dd_column_names_make(&names, context, width, 2 * length + width);
    if (status != DDAEBM_OK)
        return status;
    if (whole) {
        dd_column_names_put(&names, 0, line->line, length);
    } else {
        status = put_names(&names, line, separator, width - survey.fields);
    }
    if (status == DDAEBM_OK)
        *out = names;
    else
        dd_column_names_free(&names, context);
    return status;
}

/* A header of one name less than there are fields is R's: the first column has the rows' own names, numbers that count up or texts. */
static ddaebm_status check_header(const dd_csv_cursor *header, const dd_csv_cursor *first, const dd_csv_head *head,
                                  const ddaebm_read_options *options) {
    struct survey survey, row;
    dd_csv_field field = {.column = 0};
    const char *at = first->line;
    double number = 0;
    ddaebm_status status = take_survey(&survey, header, head->separator, NULL);
    if (status == DDAEBM_OK)
        status = take_survey(&row, first, head->separator, NULL);
    if (status != DDAEBM_OK || survey.fields == row.fields)
        return status;
    if (row.fields == 1 && dd_csv_separator(header) == ' ')
        return DDAEBM_OK;

    bool named = survey.fields + 1 == row.fields && dd_csv_next_field(&field, first, &at, head->separator) == DDAEBM_OK &&
                 (options->header == DDAEBM_HEADER_YES || counts_up(*first, head->separator) ||
                  !dd_text_number(&number, field.text, field.length));
    return named ? DDAEBM_OK
                 : dd_fail(DDAEBM_FORMAT, "line %zu is ragged: it has %zu fields, the header %zu", first->number, row.fields,
                           survey.fields);
}

/* ---- The head. ---- */

/* Whether the first line, left to the content, is a header: no field that is kept is a number; or all but the first, which is empty, are the
 * names 0, 1, 2, ... beside an index. */
static ddaebm_status guess(bool *is_header, ddaebm_context *context, const dd_csv_cursor *cursor,
                           const ddaebm_read_options *options) {
    const dd_column_names unnamed = {.items = NULL};
    const char separator = dd_csv_separator(cursor);
    dd_selection selection = {.place = NULL};
    struct survey survey;
    ddaebm_status status = take_survey(&survey, cursor, separator, NULL);
    if (status == DDAEBM_OK && (options->columns || options->drop)) {
        status = dd_selection_make(&selection, context, options, &unnamed, survey.fields, DD_LEFT_OUT);
        if (status == DDAEBM_OK)
            status = take_survey(&survey, cursor, separator, &selection);
        else if (status != DDAEBM_OUT_OF_MEMORY)
            status = DDAEBM_OK; /* blanks and commas in names mislead: the first row will say what is wrong */
        dd_selection_free(&selection, context);
    }
    if (status != DDAEBM_OK)
        return status;

    dd_csv_cursor next = *cursor;
    *is_header = survey.numbers == 0 || (survey.first_is_empty && survey.numbers > 1 && survey.numbers + 1 == survey.fields &&
                                         survey.rises && dd_csv_next_row(&next) && counts_up(next, separator));
    return DDAEBM_OK;
}

ddaebm_status dd_csv_read_head(dd_csv_head *out, ddaebm_context *context, dd_csv_cursor *cursor,
                               const ddaebm_read_options *options) {
    dd_csv_head head = {.index = DD_LEFT_OUT};
    struct survey survey;
    ddaebm_status status = DDAEBM_OK;
    if (!dd_csv_next_row(cursor))
        return dd_fail(DDAEBM_FORMAT, "there are no rows in it");

    const dd_csv_cursor header = *cursor;
    head.has_names = options->header == DDAEBM_HEADER_YES;
    if (options->header == DDAEBM_HEADER_AUTO) {
        head.has_names = dd_selection_has_names(options);
        if (!head.has_names)
            status = guess(&head.has_names, context, cursor, options);
    }
    if (status == DDAEBM_OK && head.has_names && !dd_csv_next_row(cursor))
        status = dd_fail(DDAEBM_FORMAT, "there are no rows of numbers in it");
    if (status != DDAEBM_OK)
        return status;

    /* A row of numbers tells the separator: no comma or blank within a name can mislead. */
    head.separator = dd_csv_separator(cursor);
    status = take_survey(&survey, cursor, head.separator, NULL);
    if (status == DDAEBM_OK && survey.fields > DD_MOST_WIDTH)
        status = dd_fail(DDAEBM_OUT_OF_RANGE, "its rows have %zu fields; allowed: 1 to %d", survey.fields, DD_MOST_WIDTH);
    if (status != DDAEBM_OK)
        return status;
    head.width = survey.fields;
    if (head.has_names) {
        status = check_header(&header, cursor, &head, options);
        if (status == DDAEBM_OK)
            status = dd_csv_read_names(&head.names, context, &header, head.separator, head.width);
    }
    if (status != DDAEBM_OK)
        return status;
    judge_index(&head, context, cursor, options);
    *out = head;
    return DDAEBM_OK;
}

/* ---- A first row of numbers. ---- */

static double number_at(const dd_rows *rows, size_t row, size_t column) {
    return dd_rows_at(rows, row * rows->width + column);
}

static bool row_rises(const dd_rows *rows, size_t row) {
    double step = 0;
    for (size_t j = 0; j < rows->width; j++)
        if (!goes_on(number_at(rows, row, j), j, j > 0 ? number_at(rows, row, j - 1) : 0, &step))
            return false;
    return rows->width > 1;
}

static bool row_is_whole(const dd_rows *rows, size_t row) {
    for (size_t j = 0; j < rows->width; j++)
        if (number_at(rows, row, j) != floor(number_at(rows, row, j)))
            return false;
    return true;
}

/* Whether the first number of a column is far from all others: by ten times their range or, where they are equal, by ten times as much as
 * they are. */
static bool first_is_far(const dd_rows *rows, size_t column) {
    double first = number_at(rows, 0, column), low = number_at(rows, 1, column), high = low;
    for (size_t i = 2; i < rows->count; i++) {
        low = fmin(low, number_at(rows, i, column));
        high = fmax(high, number_at(rows, i, column));
    }
    double away = fmax(first - high, low - first), range = high - low;
    return away > 10 * (range > 0 ? range : fabs(high));
}

static bool none_is_like_the_first(const dd_rows *rows) {
    enum { LINES = 10, COLUMNS = 8 };
    if (rows->count <= LINES)
        return false;
    for (size_t i = 1; i < rows->count; i++)
        if (row_rises(rows, i) || (rows->width < COLUMNS && row_is_whole(rows, i)))
            return false;
    return true;
}

dd_csv_first dd_csv_judge_first(const dd_rows *rows) {
    bool far = rows->count > 2;
    for (size_t j = 0; j < rows->width && far; j++)
        far = first_is_far(rows, j);
    if (row_rises(rows, 0) && (far || none_is_like_the_first(rows)))
        return DD_CSV_NAMES;
    return far ? DD_CSV_STRANGER : DD_CSV_ROW;
}
