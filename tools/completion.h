/* What a shell may complete a command line with, from the same tables that the parser reads. */
#ifndef COMPLETION_H
#define COMPLETION_H

#include "options.h"

/* Prints what the last word of a command's line may become, one a line, most with a tab and a
 * meaning: options, or values of the option before it. Nothing for the name of a file, which the
 * shell knows itself. The exit status. */
int complete_option(const option_row *rows, size_t count, int argc, char **argv);

/* The same of the words that name a command; `commands` of them. */
int complete_command(const command *commands, size_t count);

#endif
