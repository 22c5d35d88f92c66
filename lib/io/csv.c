#include "io/csv.h"

#include "base/context.h"
#include "base/error.h"
#include "base/excerpt.h"
#include "io/csv_first.h"
#include "io/csv_head.h"
#include "io/csv_words.h"
#include "io/missing.h"
#include "io/selection.h"
#include "io/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A table that is being read. */
struct reading {
    ddaebm_context *context;
    const ddaebm_read_options *options;
    dd_csv_head head;
    dd_selection selection;
    dd_csv_cursor cursor, first; /* the present line, and the first row of numbers */
    dd_rows rows;
    size_t capacity; /* of rows.wide, in numbers */
};

/* Writes the place of a field: "line 3, column 2 ('weight')". */
static const char *place_of(char out[160], const struct reading *r, const dd_csv_field *field) {
    char quote[DD_EXCERPT_ROOM];
    const char *name = dd_column_name(&r->head.names, field->column - 1);
    (void)snprintf(out, 160, name ? "line %zu, column %zu ('%s')" : "line %zu, column %zu",
                   r->cursor.number, field->column,
                   name ? dd_excerpt(quote, name, strlen(name)) : "");
    return out;
}

/* Fails for a field that is not a number. */
static ddaebm_status refuse_field(const struct reading *r, const dd_csv_field *field) {
    char quote[DD_EXCERPT_ROOM], place[160];
    bool may_be_header =
        r->rows.count == 0 && !r->head.has_names && r->options->header == DDAEBM_HEADER_AUTO;
    (void)place_of(place, r, field);
    if (field->length == 0)
        return dd_fail(
            DDAEBM_FORMAT,
            "%s: a number is missing; --drop %zu leaves the column out; ddaebm train and impute "
            "read it as a missing value with --missing allow",
            place, field->column);

    char hint[96];
    (void)snprintf(hint, sizeof hint, " (--drop %zu leaves a column of texts out)", field->column);
    return dd_fail(
        DDAEBM_FORMAT, "%s: '%s' %s%s", place, dd_excerpt(quote, field->text, field->length),
        dd_csv_explain(field->text, field->length),
        may_be_header
            ? " (in a header row no field may be a number, unless --header yes says that it is one)"
            : hint);
}

static ddaebm_status read_field(double *row, const struct reading *r, const dd_csv_field *field) {
    char quote[DD_EXCERPT_ROOM], place[160];
    size_t at = r->selection.place[field->column - 1];
    double value = 0;
    if (at == DD_LEFT_OUT)
        return DDAEBM_OK;
    if (dd_missing_is_word(r->options->missing, field->text, field->length)) {
        row[at] = (double)NAN;
        return DDAEBM_OK;
    }
    if (!dd_text_number(&value, field->text, field->length))
        return refuse_field(r, field);
    if (!isfinite(value))
        return dd_fail(
            DDAEBM_NOT_FINITE, "%s: '%s' is not a finite number%s", place_of(place, r, field),
            dd_excerpt(quote, field->text, field->length),
            isnan(value)
                ? "; ddaebm train and impute read it as a missing value with --missing allow"
                : "");
    row[at] = value;
    return DDAEBM_OK;
}

/* Reads the kept fields of the present line. */
static ddaebm_status read_row(double *row, const struct reading *r) {
    dd_csv_field field = {.column = 0};
    const char *at = r->cursor.line;

    do {
        ddaebm_status status = dd_csv_next_field(&field, &r->cursor, &at, r->head.separator);
        if (status == DDAEBM_OK && field.column > r->head.width)
            status = dd_fail(DDAEBM_FORMAT,
                             "line %zu is ragged: it has more fields than the %zu of the first row",
                             r->cursor.number, r->head.width);
        if (status == DDAEBM_OK)
            status = read_field(row, r, &field);
        if (status != DDAEBM_OK)
            return status;
    } while (!field.last);
    if (field.column < r->head.width)
        return dd_fail(DDAEBM_FORMAT,
                       "line %zu is ragged: it has %zu of the %zu fields of the first row",
                       r->cursor.number, field.column, r->head.width);
    return DDAEBM_OK;
}

/* Reads the rows from the present line to the end. */
static ddaebm_status read_rows(struct reading *r) {
    dd_rows *rows = &r->rows;
    rows->width = r->selection.kept;

    do {
        /* cannot overflow: width and count are bounded by the text's length */
        size_t used = rows->count * rows->width;
        double *grown =
            dd_grow(r->context, rows->wide, &r->capacity, used + rows->width, sizeof *grown);
        if (!grown)
            return DDAEBM_OUT_OF_MEMORY;
        rows->wide = grown;
        ddaebm_status status = read_row(rows->wide + used, r);
        if (status != DDAEBM_OK)
            return status;
        rows->count++;
    } while (dd_csv_next_row(&r->cursor));
    return DDAEBM_OK;
}

/* Checks whether a first row that was read as numbers is likely to be names, now that all rows are
 * known. */
static ddaebm_status judge_first(struct reading *r) {
    dd_rows *rows = &r->rows;
    dd_csv_first first = r->head.has_names || r->options->header != DDAEBM_HEADER_AUTO
                             ? DD_CSV_ROW
                             : dd_csv_judge_first(rows);
    if (first == DD_CSV_STRANGER)
        dd_report(r->context, DDAEBM_LOG_INFO,
                  "line %zu is far from all below it, and was read as a row; --header yes reads it "
                  "as the columns' names",
                  r->first.number);
    if (first == DD_CSV_COUNT)
        dd_report(r->context, DDAEBM_LOG_INFO,
                  "line %zu counts the columns, and was read as a row; --header yes reads it as "
                  "their names",
                  r->first.number);
    if (first != DD_CSV_NAMES)
        return DDAEBM_OK;

    dd_report(r->context, DDAEBM_LOG_INFO,
              "line %zu is unlike all below it, and was read as the columns' names; --header no "
              "reads it as a row",
              r->first.number);
    rows->count--;
    memmove(rows->wide, rows->wide + rows->width, rows->count * rows->width * sizeof *rows->wide);
    return dd_csv_read_names(&r->head.names, r->context, &r->first, r->head.separator,
                             r->head.width);
}

/* Reports a kept column that seems to number the rows. */
static void report_kept(const struct reading *r) {
    const dd_csv_head *head = &r->head;
    const size_t *place = r->selection.place;
    if (head->unnamed_first && head->width > 1 && place[0] != DD_LEFT_OUT)
        dd_report(r->context, DDAEBM_LOG_INFO,
                  "column 1 has no name, and is kept; --drop 1 leaves it out");
    if (head->counted != DD_LEFT_OUT && place[head->counted] != DD_LEFT_OUT)
        dd_report(r->context, DDAEBM_LOG_INFO,
                  "column %zu ('%s') counts the rows from %g, and is kept; --drop %s leaves it out",
                  head->counted + 1, head->names.items[head->counted], head->counted_from,
                  head->names.items[head->counted]);
}

/* Keeps the names of the kept columns, unless they are too long for a model's file. */
static ddaebm_status keep_names(dd_column_names *out, const struct reading *r) {
    ddaebm_status status = dd_selection_names(out, r->context, &r->selection, &r->head.names);
    if (status == DDAEBM_OK && out->count + out->used > DD_MOST_NAME_BYTES) {
        dd_report(r->context, DDAEBM_LOG_WARNING,
                  "the columns' names have more than %d bytes: they are not kept",
                  DD_MOST_NAME_BYTES);
        dd_column_names_free(out, r->context);
    }
    return status;
}

static const char *skip_mark(const char *text, size_t size) {
    return size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
}

ddaebm_status dd_csv_parse(dd_rows *out, dd_column_names *names, ddaebm_context *context,
                           const char *text, size_t size, const ddaebm_read_options *options) {
    struct reading r = {.context = context,
                        .options = options,
                        .cursor = {.next = skip_mark(text, size), .end = text + size}};
    dd_column_names kept = {.items = NULL};
    ddaebm_status status = DDAEBM_OK;
    if (size == 0)
        return dd_fail(DDAEBM_FORMAT, "it is empty");
    const char *zero = memchr(text, '\0', size);
    if (zero)
        return dd_fail(DDAEBM_FORMAT, "byte %zu is 0: it is neither NPY nor IDX nor text in UTF-8",
                       (size_t)(zero - text));

    DD_TRY(dd_csv_read_head(&r.head, context, &r.cursor, options));
    r.first = r.cursor;
    DD_TRY(dd_selection_make(&r.selection, context, options, &r.head.names, r.head.width,
                             r.head.spare));
    report_kept(&r);
    DD_TRY(read_rows(&r));
    DD_TRY(judge_first(&r));
    DD_TRY(keep_names(&kept, &r));
    *out = r.rows;
    *names = kept;
    r.rows.wide = NULL;
cleanup:
    dd_free(context, r.rows.wide);
    dd_selection_free(&r.selection, context);
    dd_csv_head_free(&r.head, context);
    return status;
}
