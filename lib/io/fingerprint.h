/* Fingerprints of data sets: the numbers of rows and columns, and a hash of all numbers. */
#ifndef DD_FINGERPRINT_H
#define DD_FINGERPRINT_H

#include <ddaebm/dataset.h>
#include <stdbool.h>

enum { DD_FINGERPRINT_NAME = 32 };

typedef enum dd_fingerprint_kind {
    DD_FINGERPRINT_NONE, /* a caller's source, whose content is not checked */
    DD_FINGERPRINT_ROWS,
    DD_FINGERPRINT_DRAWN /* a named set that is drawn */
} dd_fingerprint_kind;

/* The numbers of a fingerprint, as a checkpoint stores them. */
enum { DD_DATA_ROWS, DD_DATA_COLUMNS, DD_DATA_CONTENT, DD_DATA_NUMBERS };

typedef struct dd_fingerprint {
    dd_fingerprint_kind kind;
    uint64_t numbers[DD_DATA_NUMBERS]; /* rows, 0 if unbounded; columns; hash of the content, or the
                                        * seed of a set that is drawn */
    char name[DD_FINGERPRINT_NAME];    /* of a set without end */
} dd_fingerprint;

/* Reads the whole data set as doubles: files in float32 and in text have the same fingerprint if
 * all their numbers are equal. Fails with DDAEBM_OUT_OF_MEMORY, or as reading does; *out is then
 * untouched. */
ddaebm_status dd_fingerprint_make(dd_fingerprint *out, ddaebm_context *context,
                                  const ddaebm_dataset *dataset);

/* Returns whether two data sets are the same, as far as can be known. */
bool dd_fingerprint_is_same(const dd_fingerprint *a, const dd_fingerprint *b);

/* Fails with DDAEBM_MISMATCH and a message that tells how the given data first differs from that of
 * the run to be resumed, and what to do. */
ddaebm_status dd_fingerprint_refuse(const dd_fingerprint *given, const dd_fingerprint *had);

#endif
