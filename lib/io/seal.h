/* The checksum in the metadata of a safetensors file, "checksum":"0123abcd": of the header, with
 * these eight digits as zeros, and of the data after it. */
#ifndef DD_SEAL_H
#define DD_SEAL_H

#include "base/ieee.h"
#include "io/span.h"

#include <stdint.h>

/* The digits until the checksum is known. */
#define DD_SEAL_KEY "checksum"
#define DD_SEAL_BLANK "00000000"

enum { DD_SEAL_DIGITS = sizeof DD_SEAL_BLANK - 1 };

/* Finds the digits in the JSON of a header without blanks; NULL if there are none. */
char *dd_seal_find(char *header, size_t length);

/* Computes the checksum, as text, of a header with the digits at `digits` and of the spans after
 * it. */
void dd_seal_compute(char text[DD_SEAL_DIGITS + 1], const char *header, size_t length,
                     const char *digits, const dd_span *spans, size_t count);

#endif
