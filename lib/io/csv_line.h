/* Lines of numbers in text, and the fields in them. */
#ifndef DD_CSV_LINE_H
#define DD_CSV_LINE_H

#include <ddaebm/status.h>
#include <stdbool.h>
#include <stddef.h>

/* What is left of the text, and the line in hand. */
typedef struct dd_csv_cursor {
    const char *next, *end;
    const char *line, *line_end;
    size_t number; /* of the line, from 1 */
} dd_csv_cursor;

/* Moves to the next line that is neither empty nor a comment; false at the end of the text. */
bool dd_csv_next_row(dd_csv_cursor *cursor);

/* Moves to the next comment, what follows its # and blanks being the line; false at the end of the
 * text. */
bool dd_csv_next_comment(dd_csv_cursor *cursor);

/* Whether the line tells Excel the separator, as "sep=;" does. */
bool dd_csv_is_for_excel(const dd_csv_cursor *cursor);

/* The first of tab, semicolon and comma that stands in the line outside quotes, or else a blank. */
char dd_csv_separator(const dd_csv_cursor *cursor);

/* One field of a line, quotes and blanks taken off. */
typedef struct dd_csv_field {
    const char *text; /* a quote within quotes stands twice */
    size_t length;
    size_t column; /* from 1 */
    bool last;
    bool quoted;
} dd_csv_field;

/* Takes the field at *at, from the beginning of the line on, and moves *at to the next one. FORMAT
 * for quotes that do not close. */
ddaebm_status dd_csv_next_field(dd_csv_field *field, const dd_csv_cursor *cursor, const char **at,
                                char separator);

#endif
