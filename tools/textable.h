/* Two columns of a CSV file: a text and a number a row. */
#ifndef TEXTABLE_H
#define TEXTABLE_H

#include <stddef.h>

enum { LABEL_ROOM = 96 };

typedef struct labelled {
    char label[LABEL_ROOM];
    double value;
} labelled;

/* Reads the columns of the names. Cells may be quoted. Rows whose number is empty are left out;
 * text in its place is refused. *rows is freed with free. */
int read_labelled(labelled **rows, size_t *count, const char *path, const char *label,
                  const char *value);

#endif
