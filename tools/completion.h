/* Completion of command lines, from the same tables that the parser reads. */
#ifndef COMPLETION_H
#define COMPLETION_H

#include "options.h"

/* Prints what the last word of a command's line may become, one a line, most with a tab and a
 * meaning: options, or values of the option before it. Prints nothing for the name of a file, which
 * the shell completes itself. Returns the exit status. */
int complete_option(const option_row *rows, size_t count, int argc, char **argv);

/* Prints the same for the word that names the command. */
int complete_command(const command *commands, size_t count);

#endif
