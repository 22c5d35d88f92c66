/* Reading JSON into jansson's values, safely where memory runs out. */
#ifndef DD_JSON_H
#define DD_JSON_H

#include "base/ieee.h"

#include <ddaebm/status.h>
#include <jansson.h>

enum { DD_JSON_MOST_DEPTH = 8 };

/* Why and where a text is not read. */
typedef struct dd_json_error {
    ddaebm_status
        status;  /* FORMAT, OUT_OF_RANGE (numbers, depth, how many values) or OUT_OF_MEMORY */
    int line;    /* from 1 */
    size_t byte; /* from 0 */
    char text[128];
} dd_json_error;

/* The value that all of the text is, a new reference, of at most `most_values` values in all; or
 * NULL, and *error says why. Names within an object differ, texts are UTF-8 and hold no zero,
 * numbers are finite and integers of 64 bits. */
json_t *dd_json_read(const char *text, size_t length, size_t most_values, dd_json_error *error);

/* Bytes of the byte-order mark that editors of some systems put before UTF-8: 3 or 0. Whoever reads
 * a file that people write skips it; the header of a model's file has none. */
size_t dd_json_mark(const char *text, size_t length);

#endif
