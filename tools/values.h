/* Values of options, parsed from the words of a command line. */
#ifndef VALUES_H
#define VALUES_H

#include "options.h"

/* Reads an option's value into its row's target; text is NULL for a flag. Returns 0, or EXIT_USAGE
 * after a complaint. */
int read_value(const command *self, const option_row *row, const char *text);

#endif
