#include "io/csv_head.h"

#include "base/context.h"
#include "base/error.h"
#include "base/excerpt.h"
#include "io/csv_count.h"
#include "io/csv_first.h"
#include "io/csv_words.h"
#include "io/selection.h"
#include "io/text.h"

#include <math.h>
#include <string.h>

/* ---- One line. ---- */

/* What a line holds. */
struct survey {
    size_t fields;
    size_t kept, numbers; /* fields; those that are kept; of those, the numbers */
    size_t empty, marks;  /* kept fields that are not numbers: empty ones, and marks of missing
                           * values */
    dd_csv_field mark;    /* the first such mark */
    bool mark_is_repeated;
    bool first_is_empty;
    bool rises; /* the numbers are whole and rise evenly */
};

/* Counts a field that is not a number, if it is empty or stands for one. */
static void take_mark(struct survey *out, const dd_csv_field *field) {
    out->empty += field->length == 0;
    if (field->length == 0 || !dd_csv_stands_for_number(field->text, field->length))
        return;
    const dd_csv_field *before = &out->mark;
    bool repeated = out->marks > 0 && field->length == before->length &&
                    memcmp(field->text, before->text, field->length) == 0;
    out->mark_is_repeated = out->mark_is_repeated || repeated;
    if (out->marks++ == 0)
        out->mark = *field;
}

/* Surveys a line; with selection NULL all fields count as kept. */
static ddaebm_status take_survey(struct survey *out, const dd_csv_cursor *line, char separator,
                                 const dd_selection *selection) {
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
        if (selection &&
            (field.column > selection->width || selection->place[field.column - 1] == DD_LEFT_OUT))
            continue;
        out->kept++;
        if (!dd_text_number(&number, field.text, field.length)) {
            take_mark(out, &field);
            continue;
        }
        out->rises = out->rises && dd_csv_goes_on(number, out->numbers++, last, &step);
        last = number;
    } while (!field.last);
    out->fields = field.column;
    return DDAEBM_OK;
}

/* ---- Columns that are left out. ---- */

/* Leaves out an unnamed column that counts up: the row numbers of pandas and R. */
static void judge_index(dd_csv_head *head, ddaebm_context *context, const dd_csv_cursor *first) {
    if (!head->has_names || head->width == 1)
        return;

    for (size_t j = 0; j < head->width; j++) {
        const char *name = dd_column_name(&head->names, j);
        double from = 0;
        bool unnamed = name ? dd_csv_is_unnamed(name) : j == 0;
        bool may_count = unnamed || (name && head->counted == DD_LEFT_OUT && dd_csv_is_index(name));
        bool counts = may_count && dd_csv_counts_up(*first, head->separator, j, &from);
        if (counts && unnamed) {
            head->spare[j] = true;
            dd_report(context, DDAEBM_LOG_INFO,
                      "column %zu has no name and counts the rows: it is left out; --columns 1-%zu "
                      "keeps it",
                      j + 1, head->width);
        } else if (counts && (from == 0 || from == 1)) {
            head->counted = j;
            head->counted_from = from;
        }
    }
    head->unnamed_first = !dd_column_name(&head->names, 0) && !head->spare[0];
}

/* Leaves out an unnamed last column that is empty in every line, which ends in a separator. */
static void judge_last(dd_csv_head *head, ddaebm_context *context, const dd_csv_cursor *first) {
    const size_t last = head->width - 1;
    if (dd_column_name(&head->names, last) ||
        !dd_csv_last_is_empty(*first, head->separator, head->width))
        return;
    head->spare[last] = true;
    dd_report(context, DDAEBM_LOG_INFO,
              "column %zu has no name and is empty in every line: it is left out", head->width);
}

static ddaebm_status judge_columns(dd_csv_head *head, ddaebm_context *context,
                                   const dd_csv_cursor *first, const ddaebm_read_options *options) {
    if (options->columns)
        return DDAEBM_OK;
    head->spare = dd_alloc_zero(context, head->width, sizeof *head->spare);
    if (!head->spare)
        return DDAEBM_OUT_OF_MEMORY;
    judge_last(head, context, first);
    judge_index(head, context, first);
    return DDAEBM_OK;
}

/* ---- Names. ---- */

/* Undoes the doubling of quotes within quotes. */
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

/* Sets the names from a header. A header with one name less than there are columns belongs to the
 * last columns, as R writes it, or to the first where the last column is empty. */
static ddaebm_status put_names(dd_column_names *names, const dd_csv_cursor *line, char separator,
                               size_t missing) {
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

ddaebm_status dd_csv_read_names(dd_column_names *out, ddaebm_context *context,
                                const dd_csv_cursor *line, char separator, size_t width) {
    struct survey survey;
    ddaebm_status status = take_survey(&survey, line, separator, NULL);
    if (status != DDAEBM_OK)
        return status;
    size_t length = (size_t)(line->line_end - line->line);
    bool whole = width == 1 && survey.fields > 1 &&
                 dd_csv_separator(line) == ' '; /* one name that contains blanks */
    if (!whole && survey.fields != width && survey.fields + 1 != width)
        return dd_fail(DDAEBM_FORMAT,
                       "line %zu is a header of %zu names, and there are %zu columns", line->number,
                       survey.fields, width);

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

/* Checks that the header has as many names as the first row has fields, or one less, as R writes
 * it: the first column then has the names of the rows, numbers that count up or texts. */
static ddaebm_status check_header(const dd_csv_cursor *header, const dd_csv_cursor *first,
                                  const dd_csv_head *head, const ddaebm_read_options *options) {
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

    if (survey.fields + 1 == row.fields &&
        dd_csv_last_is_empty(*first, head->separator, row.fields))
        return DDAEBM_OK;

    bool named = survey.fields + 1 == row.fields &&
                 dd_csv_next_field(&field, first, &at, head->separator) == DDAEBM_OK &&
                 (options->header == DDAEBM_HEADER_YES ||
                  dd_csv_counts_up(*first, head->separator, 0, &number) ||
                  !dd_text_number(&number, field.text, field.length));
    return named ? DDAEBM_OK
                 : dd_fail(DDAEBM_FORMAT, "line %zu is ragged: it has %zu fields, the header %zu",
                           first->number, row.fields, survey.fields);
}

/* ---- The head. ---- */

/* Refuses a first line whose kept fields are all marks of missing values, or that repeats one: it
 * is a row, not a header. */
static ddaebm_status refuse_marks(const dd_csv_cursor *line, const struct survey *survey) {
    char quote[DD_EXCERPT_ROOM];
    const dd_csv_field *mark = &survey->mark;
    if (survey->empty == survey->kept && survey->kept > 1)
        return dd_fail(
            DDAEBM_FORMAT,
            "line %zu, column 1: a number is missing (--header yes reads the line as names)",
            line->number);
    if (survey->marks == 0 ||
        (survey->marks + survey->empty < survey->kept && !survey->mark_is_repeated))
        return DDAEBM_OK;

    return dd_fail(DDAEBM_FORMAT,
                   "line %zu, column %zu: '%s' %s (--header yes reads the line as names)",
                   line->number, mark->column, dd_excerpt(quote, mark->text, mark->length),
                   dd_csv_explain(mark->text, mark->length));
}

/* Surveys the fields of a line that the options keep. */
static ddaebm_status survey_kept(struct survey *out, ddaebm_context *context,
                                 const dd_csv_cursor *line, char separator,
                                 const ddaebm_read_options *options) {
    const dd_column_names unnamed = {.items = NULL};
    dd_selection selection = {.place = NULL};
    ddaebm_status status = take_survey(out, line, separator, NULL);

    if (status != DDAEBM_OK || (!options->columns && !options->drop))
        return status;
    status = dd_selection_make(&selection, context, options, &unnamed, out->fields, NULL);
    if (status == DDAEBM_OK)
        status = take_survey(out, line, separator, &selection);
    else if (status != DDAEBM_OUT_OF_MEMORY)
        status = DDAEBM_OK; /* blanks and commas in names mislead: the first row will say what is
                               wrong */
    dd_selection_free(&selection, context);
    return status;
}

/* Guesses whether the first line is a header: no kept field is a number, or all but an empty first
 * one are the names 0, 1, 2, ... beside an index. */
static ddaebm_status guess(bool *is_header, ddaebm_context *context, const dd_csv_cursor *cursor,
                           const ddaebm_read_options *options) {
    const char separator = dd_csv_separator(cursor);
    struct survey survey;
    ddaebm_status status = survey_kept(&survey, context, cursor, separator, options);
    if (status != DDAEBM_OK)
        return status;

    dd_csv_cursor next = *cursor;
    double number = 0;
    *is_header =
        survey.numbers == 0 ||
        (survey.first_is_empty && survey.numbers > 1 && survey.numbers + 1 == survey.fields &&
         survey.rises && dd_csv_next_row(&next) && dd_csv_counts_up(next, separator, 0, &number));
    return survey.numbers == 0 && !dd_selection_has_names(options) ? refuse_marks(cursor, &survey)
                                                                   : DDAEBM_OK;
}

/* Returns whether a comment has a name for each column. May set *separator to the comment's own. */
static bool names_columns(const dd_csv_cursor *comment, size_t width, char *separator) {
    const char candidates[] = {*separator, dd_csv_separator(comment)};
    for (size_t i = 0; i < sizeof candidates; i++) {
        struct survey survey;
        if (take_survey(&survey, comment, candidates[i], NULL) == DDAEBM_OK &&
            survey.fields == width && survey.numbers == 0 && survey.empty == 0) {
            *separator = candidates[i];
            return true;
        }
    }
    return false;
}

/* Finds the last comment above the first row that names its columns, as NumPy writes them. */
static bool find_comment(dd_csv_cursor *comment, char *separator, dd_csv_cursor above,
                         const dd_csv_cursor *first) {
    const char own = dd_csv_separator(first);
    struct survey row;
    bool found = false;
    if (take_survey(&row, first, own, NULL) != DDAEBM_OK || row.fields == 1)
        return false; /* a single column would take any word for its name */

    while (dd_csv_next_comment(&above) && above.number < first->number) {
        char with = own;
        if (!names_columns(&above, row.fields, &with))
            continue;
        *comment = above;
        *separator = with;
        found = true;
    }
    return found;
}

/* Where the names of the columns are, if anywhere. */
struct header {
    dd_csv_cursor line;
    char separator; /* separator of a comment */
    bool is_there, is_comment;
};

/* Finds the line or comment that holds the names, as the options and the content say. */
static ddaebm_status find_header(struct header *out, ddaebm_context *context,
                                 const dd_csv_cursor *above, const dd_csv_cursor *cursor,
                                 const ddaebm_read_options *options) {
    struct header header = {.line = *cursor, .is_there = options->header == DDAEBM_HEADER_YES};
    if (options->header == DDAEBM_HEADER_AUTO) {
        ddaebm_status status = guess(&header.is_there, context, cursor, options);
        if (status != DDAEBM_OK)
            return status;
        header.is_comment =
            !header.is_there && find_comment(&header.line, &header.separator, *above, cursor);
        header.is_there = header.is_there || header.is_comment || dd_selection_has_names(options);
    }
    *out = header;
    return DDAEBM_OK;
}

/* Reads the names from the header. */
static ddaebm_status take_names(dd_csv_head *head, ddaebm_context *context,
                                const struct header *header, const dd_csv_cursor *first,
                                const ddaebm_read_options *options) {
    if (header->is_comment) {
        dd_report(
            context, DDAEBM_LOG_INFO,
            "line %zu, a comment, was read as the columns' names; --header no keeps it a comment",
            header->line.number);
        return dd_csv_read_names(&head->names, context, &header->line, header->separator,
                                 head->width);
    }

    struct survey survey;
    ddaebm_status status = check_header(&header->line, first, head, options);
    if (status == DDAEBM_OK)
        status = take_survey(&survey, &header->line, head->separator, NULL);
    if (status != DDAEBM_OK)
        return status;
    bool without_last = survey.fields + 1 == head->width &&
                        dd_csv_last_is_empty(*first, head->separator, head->width);
    return dd_csv_read_names(&head->names, context, &header->line, head->separator,
                             head->width - (without_last ? 1 : 0));
}

/* Moves to the first line that is not empty, a comment or Excel's "sep=;". */
static bool first_line(dd_csv_cursor *cursor) {
    return dd_csv_next_row(cursor) && (!dd_csv_is_for_excel(cursor) || dd_csv_next_row(cursor));
}

/* Finds separator and width from a row of numbers, where no comma or blank within a name can
 * mislead. */
static ddaebm_status measure_width(dd_csv_head *head, const dd_csv_cursor *row) {
    struct survey survey;
    head->separator = dd_csv_separator(row);
    ddaebm_status status = take_survey(&survey, row, head->separator, NULL);
    if (status == DDAEBM_OK && survey.fields > DD_MOST_WIDTH)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "its rows have %zu fields; allowed: 1 to %d",
                       survey.fields, DD_MOST_WIDTH);
    head->width = survey.fields;
    return status;
}

ddaebm_status dd_csv_read_head(dd_csv_head *out, ddaebm_context *context, dd_csv_cursor *cursor,
                               const ddaebm_read_options *options) {
    dd_csv_head head = {.counted = DD_LEFT_OUT};
    const dd_csv_cursor above = *cursor;
    struct header header;
    ddaebm_status status = DDAEBM_OK;
    if (!first_line(cursor))
        return dd_fail(DDAEBM_FORMAT, "there are no rows in it");

    DD_TRY(find_header(&header, context, &above, cursor, options));
    head.has_names = header.is_there;
    if (header.is_there && !header.is_comment && !dd_csv_next_row(cursor))
        DD_TRY(dd_fail(DDAEBM_FORMAT, "there are no rows of numbers in it"));
    DD_TRY(measure_width(&head, cursor));
    if (head.has_names)
        DD_TRY(take_names(&head, context, &header, cursor, options));
    DD_TRY(judge_columns(&head, context, cursor, options));
    *out = head;
    return DDAEBM_OK;
cleanup:
    dd_csv_head_free(&head, context);
    return status;
}

void dd_csv_head_free(dd_csv_head *head, ddaebm_context *context) {
    dd_free(context, head->spare);
    dd_column_names_free(&head->names, context);
    head->spare = NULL;
}
