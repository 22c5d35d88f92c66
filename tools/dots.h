/* A plot of a table of runs: a line a label, a dot a run. */
#ifndef DOTS_H
#define DOTS_H

#include <ddaebm/ddaebm.h>
#include <stdbool.h>

/* What is drawn of a CSV file whose first line names its columns. */
typedef struct dots_options {
    const char *table; /* the file */
    const char *label; /* column of texts */
    const char *value; /* column of numbers; rows whose cell is empty are left out */
    bool logarithmic;  /* the axis of the values */
} dots_options;

/* Draws each run as a dot on the line of its label, and the mean of each label with a 95% bootstrap
 * interval, and writes the PNG. */
int draw_dots(const dots_options *options, ddaebm_context *context, const char *out);

#endif
