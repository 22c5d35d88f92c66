/* Reading JSON into values of jansson. Safe when memory runs out, which jansson's own reader is
 * not. */
#ifndef DD_JSON_H
#define DD_JSON_H

#include "base/ieee.h"

#include <ddaebm/status.h>
#include <jansson.h>

enum { DD_JSON_MOST_DEPTH = 8 };

/* Why and where reading failed. */
typedef struct dd_json_error {
    ddaebm_status status; /* DDAEBM_FORMAT, DDAEBM_OUT_OF_RANGE (a number, depth, or the number of
                           * values) or DDAEBM_OUT_OF_MEMORY */
    int line;             /* from 1 */
    size_t byte;          /* from 0 */
    char text[128];
} dd_json_error;

/* Returns the value of the whole text as a new reference, or NULL with *error set. There may be at
 * most `most_values` values. Names in an object must differ, texts must be valid UTF-8 without NUL,
 * numbers finite, and integers of 64 bits. */
json_t *dd_json_read(const char *text, size_t length, size_t most_values, dd_json_error *error);

/* Returns the length of a UTF-8 byte-order mark, 3 or 0. Files that people write may have one,
 * headers of model files do not. */
size_t dd_json_mark(const char *text, size_t length);

#endif
