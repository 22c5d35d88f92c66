/* Reading safetensors: eight bytes of header length, a JSON header, and the tensors' bytes. Files
 * come from strangers, so everything that the header says is held against the limits below, those
 * of the context, and against the bytes that there are before any of it is used.
 */
#ifndef DD_SAFETENSORS_H
#define DD_SAFETENSORS_H

#include "io/intake.h"

enum {
    DD_SAFETENSORS_MOST_NAME = 255,
    DD_SAFETENSORS_MOST_RANK = 8,
    DD_SAFETENSORS_MOST_DIMENSION = 0x7FFFFFFF
};

/* How elements are stored, widest first. */
typedef enum dd_stored {
    DD_STORED_F64,
    DD_STORED_I64,
    DD_STORED_F32,
    DD_STORED_I32,
    DD_STORED_F16,
    DD_STORED_BF16,
    DD_STORED_U8,
    DD_STORED_COUNT
} dd_stored;

/* Name in the file, "F32", and bytes of one element. */
const char *dd_stored_name(dd_stored dtype);
size_t dd_stored_size(dd_stored dtype);

typedef struct dd_tensor_entry {
    const char *name;
    dd_stored dtype;
    size_t rank;
    size_t shape[DD_SAFETENSORS_MOST_RANK];
    size_t elements;  /* product of the shape; 1 for rank 0 */
    const void *data; /* little-endian, row-major, aligned to its type */
    size_t bytes;
} dd_tensor_entry;

/* A file's content in memory, read-only: any number of threads may look. */
typedef struct dd_safetensors dd_safetensors;

/* Reads a whole stream: the header is checked before any data are read. What dd_intake_open and
 * dd_intake_fill return, FORMAT (malformed: the text says where), UNSUPPORTED (an element type not
 * known here), OUT_OF_RANGE (beyond a limit) or OUT_OF_MEMORY; *out, to be freed with
 * dd_safetensors_free, is untouched on failure. */
ddaebm_status dd_safetensors_open(dd_safetensors **out, ddaebm_context *context,
                                  const ddaebm_reader *reader);

/* Reads a stream, hands what it holds to `use`, and frees it. The context (NULL for a new one)
 * lives at least as long. Failures name the path, where there is one. */
typedef ddaebm_status (*dd_safetensors_function)(void *user, ddaebm_context *context,
                                                 const dd_safetensors *file);
ddaebm_status dd_safetensors_use(ddaebm_context *context, const ddaebm_reader *reader,
                                 dd_safetensors_function use, void *user);

/* NULL is fine. */
void dd_safetensors_free(dd_safetensors *file);

/* The context that it was opened with. */
const ddaebm_context *dd_safetensors_context(const dd_safetensors *file);

size_t dd_safetensors_count(const dd_safetensors *file);

/* The index-th tensor in the order of the names' bytes, or NULL past the last. Valid as long as the
 * file is. */
const dd_tensor_entry *dd_safetensors_entry(const dd_safetensors *file, size_t index);

/* The tensor of that name, or NULL. */
const dd_tensor_entry *dd_safetensors_find(const dd_safetensors *file, const char *name);

/* The metadata of that key, or NULL. */
const char *dd_safetensors_metadata(const dd_safetensors *file, const char *key);

#endif
