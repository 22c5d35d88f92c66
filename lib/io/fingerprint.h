/* What tells one data set from another: how many rows and columns it has, and a hash of all its
 * numbers. */
#ifndef DD_FINGERPRINT_H
#define DD_FINGERPRINT_H

#include <ddaebm/dataset.h>
#include <stdbool.h>

enum { DD_FINGERPRINT_NAME = 32 };

typedef enum dd_fingerprint_kind {
    DD_FINGERPRINT_NONE, /* of a caller's source, whose content is the caller's business */
    DD_FINGERPRINT_ROWS,
    DD_FINGERPRINT_DRAWN /* of a named set without end */
} dd_fingerprint_kind;

/* The numbers of a fingerprint, as a checkpoint has them. */
enum { DD_DATA_ROWS, DD_DATA_COLUMNS, DD_DATA_CONTENT, DD_DATA_NUMBERS };

typedef struct dd_fingerprint {
    dd_fingerprint_kind kind;
    uint64_t numbers[DD_DATA_NUMBERS]; /* rows, 0 without end; columns; a hash of the content, or
                                          the seed of a set without end */
    char name[DD_FINGERPRINT_NAME];    /* of a set without end */
} dd_fingerprint;

/* Reads the whole set, as doubles: a file of float32 and one of text have the same fingerprint if
 * all their numbers are equal. OUT_OF_MEMORY, or what reading the set returned; *out is untouched
 * on failure. */
ddaebm_status dd_fingerprint_make(dd_fingerprint *out, ddaebm_context *context,
                                  const ddaebm_dataset *dataset);

/* Whether two sets are the same, as far as is known. */
bool dd_fingerprint_is_same(const dd_fingerprint *a, const dd_fingerprint *b);

/* MISMATCH: the first difference of the data that is given from that of the run to resume, and what
 * to do. */
ddaebm_status dd_fingerprint_refuse(const dd_fingerprint *given, const dd_fingerprint *had);

#endif
