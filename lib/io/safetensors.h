/* Reading safetensors: eight bytes with the length of the header, a JSON header, and the bytes of
 * the tensors. Files may be hostile: whatever the header says is checked against the limits below,
 * those of the context, and the bytes that are there, before it is used. */
#ifndef DD_SAFETENSORS_H
#define DD_SAFETENSORS_H

#include "io/intake.h"

enum {
    DD_SAFETENSORS_MOST_NAME = 255,
    DD_SAFETENSORS_MOST_RANK = 8,
    DD_SAFETENSORS_MOST_DIMENSION = 0x7FFFFFFF
};

/* Types of stored elements, the widest first. */
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

/* Return the name of a type in the file, such as "F32", and the bytes of one element. */
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

/* The content of a file in memory. It is read-only: any number of threads may use it. */
typedef struct dd_safetensors dd_safetensors;

/* Reads a whole file; the header is checked before any data is read. Fails as dd_intake_open and
 * dd_intake_fill do, and with DDAEBM_FORMAT (malformed; the message says where), DDAEBM_UNSUPPORTED
 * (type of element), DDAEBM_OUT_OF_RANGE (beyond a limit) or DDAEBM_OUT_OF_MEMORY. The caller frees
 * *out, which is untouched on failure. */
ddaebm_status dd_safetensors_open(dd_safetensors **out, ddaebm_context *context,
                                  const ddaebm_reader *reader);

/* Reads a file, passes it to `use` and frees it. The context, a new one for NULL, lives at least as
 * long. Messages of failures name the path, if there is one. */
typedef ddaebm_status (*dd_safetensors_function)(void *user, ddaebm_context *context,
                                                 const dd_safetensors *file);
ddaebm_status dd_safetensors_use(ddaebm_context *context, const ddaebm_reader *reader,
                                 dd_safetensors_function use, void *user);

/* Frees the file; NULL is fine. */
void dd_safetensors_free(dd_safetensors *file);

/* Returns the context that the file was opened with. */
const ddaebm_context *dd_safetensors_context(const dd_safetensors *file);

size_t dd_safetensors_count(const dd_safetensors *file);

/* Returns the index-th tensor, ordered by the bytes of the names, or NULL past the last. Valid as
 * long as the file. */
const dd_tensor_entry *dd_safetensors_entry(const dd_safetensors *file, size_t index);

/* Returns the tensor of a name, or NULL. */
const dd_tensor_entry *dd_safetensors_find(const dd_safetensors *file, const char *name);

/* Returns the metadata under a key, or NULL. */
const char *dd_safetensors_metadata(const dd_safetensors *file, const char *key);

#endif
