/* Safetensors files with one thing about them changed: what a reader must notice. */
#ifndef TEST_TAMPER_H
#define TEST_TAMPER_H

#include <ddaebm/ddaebm.h>

/* One change; fields left 0 change nothing. */
typedef struct test_tamper {
    const char *drop;            /* a tensor left out */
    const char *add;             /* a tensor added: one float */
    const char *scale;           /* a tensor whose elements are multiplied by `factor` */
    double factor;               /* of `scale` */
    const char *poke;            /* a tensor whose last element becomes `value` */
    double value;                /* of `poke` */
    const char *shorten;         /* a tensor that loses its last element, and its shape */
    const char *lengthen;        /* a tensor that gets its last element once more, and its shape */
    const char *reshape;         /* a tensor that gets an axis of 1 more, in front */
    const char *retype;          /* a tensor whose bytes are said to hold another type */
    const char *metadata, *text; /* an entry of the metadata, and what it becomes; NULL: left out */
} test_tamper;

/* The changed file in memory: *size bytes, to be freed with free. Ends the program if anything
 * fails, or if a named tensor is not there. */
void *test_tamper_bytes(const void *data, size_t size, const test_tamper *change, size_t *new_size);

/* Reads one file and writes another. */
void test_tamper_file(const char *from, const char *to, const test_tamper *change);

#endif
