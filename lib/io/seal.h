/* The checksum in a safetensors file's metadata, "checksum":"0123abcd": of the header, these eight
 * digits taken as zeros, and of the data behind it. */
#ifndef DD_SEAL_H
#define DD_SEAL_H

#include "base/ieee.h"
#include "io/span.h"

#include <stdint.h>

/* What stands there until the rest is known. */
#define DD_SEAL_KEY "checksum"
#define DD_SEAL_BLANK "00000000"

enum { DD_SEAL_DIGITS = sizeof DD_SEAL_BLANK - 1 };

/* Where the digits stand in a header's JSON without blanks, or NULL. */
char *dd_seal_find(char *header, size_t length);

/* Of a header whose digits stand at `digits`, and of the spans after it; as text. */
void dd_seal_compute(char text[DD_SEAL_DIGITS + 1], const char *header, size_t length,
                     const char *digits, const dd_span *spans, size_t count);

#endif
