/* Lines of CSV, and the fields in them. */
#ifndef DD_CSV_LINE_H
#define DD_CSV_LINE_H

#include <ddaebm/status.h>
#include <stdbool.h>
#include <stddef.h>

/* The rest of the text, and the present line. */
typedef struct dd_csv_cursor {
    const char *next, *end;
    const char *line, *line_end;
    size_t number; /* number of the line, from 1 */
} dd_csv_cursor;

/* Moves to the next line that is neither empty nor a comment; false at the end of the text. */
bool dd_csv_next_row(dd_csv_cursor *cursor);

/* Moves to the next comment, whose line is what follows its # and blanks; false at the end of the
 * text. */
bool dd_csv_next_comment(dd_csv_cursor *cursor);

/* Returns whether the line tells Excel the separator: "sep=;". */
bool dd_csv_is_for_excel(const dd_csv_cursor *cursor);

/* Returns the first of tab, semicolon and comma that is in the line outside quotes, or a blank. */
char dd_csv_separator(const dd_csv_cursor *cursor);

/* A field, without quotes and blanks around it. */
typedef struct dd_csv_field {
    const char *text; /* a quote within quotes stands twice */
    size_t length;
    size_t column; /* from 1 */
    bool last;
    bool quoted;
} dd_csv_field;

/* Reads the field at *at, which begins at the start of the line, and moves *at to the next. Fails
 * with DDAEBM_FORMAT for quotes that do not close. */
ddaebm_status dd_csv_next_field(dd_csv_field *field, const dd_csv_cursor *cursor, const char **at,
                                char separator);

#endif
