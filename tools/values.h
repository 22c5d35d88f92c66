/* Values of options, from the words of a command line. */
#ifndef VALUES_H
#define VALUES_H

#include "options.h"

/* Reads an option's value into its row's target; text is NULL for a flag. 0, or what is wrong has
 * been said and 2. */
int read_value(const command *self, const option_row *row, const char *text);

#endif
