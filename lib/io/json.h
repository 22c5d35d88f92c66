/* Reading JSON into jansson's values, safely where memory runs out. */
#ifndef DD_JSON_H
#define DD_JSON_H

#include <ddaebm/status.h>
#include <jansson.h>

enum { DD_JSON_MOST_DEPTH = 8 };

/* The value that the text holds, a new reference; or NULL, and *error says where the text is wrong, or that memory ran out. */
json_t *dd_json_read(const char *text, size_t length, size_t flags, json_error_t *error);

/* The status of a failure to read. */
ddaebm_status dd_json_status(const json_error_t *error);

#endif
