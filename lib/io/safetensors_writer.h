/* Writing safetensors. What a writer accepts, the reader of safetensors.h takes back. */
#ifndef DD_SAFETENSORS_WRITER_H
#define DD_SAFETENSORS_WRITER_H

#include "io/safetensors.h"
#include "io/target.h"

typedef struct dd_safetensors_writer dd_safetensors_writer;

/* *out, to be freed with dd_safetensors_writer_free, is untouched on failure. */
ddaebm_status dd_safetensors_writer_create(dd_safetensors_writer **out, ddaebm_context *context);

/* Adds a tensor. The name is copied; the data, row-major elements of the type, is borrowed until
 * the file is written. rank may be 0, for a single element, and shape then NULL. INVALID_ARGUMENT
 * for a name that is empty, no UTF-8 or there already, OUT_OF_RANGE beyond the limits of
 * safetensors.h, OUT_OF_MEMORY. */
ddaebm_status dd_safetensors_writer_add(dd_safetensors_writer *writer, const char *name,
                                        dd_stored dtype, size_t rank, const size_t *shape,
                                        const void *data);

/* Adds finite floats as F16; the writer keeps a copy. As dd_safetensors_writer_add, and
 * OUT_OF_RANGE for a number beyond that type. */
ddaebm_status dd_safetensors_writer_add_half(dd_safetensors_writer *writer, const char *name,
                                             size_t rank, const size_t *shape, const float *data);

/* Sets a text of the metadata; a second one for the same key replaces the first. Both are copied
 * and must be UTF-8. */
ddaebm_status dd_safetensors_writer_metadata(dd_safetensors_writer *writer, const char *key,
                                             const char *value);

/* Writes the file's bytes as dd_target_write does: a file of the system whole or not at all. The
 * writer can be used again. The same calls give the same bytes. */
ddaebm_status dd_safetensors_writer_write(const dd_safetensors_writer *writer,
                                          const dd_target *target);

/* Makes a writer, has it filled by `fill`, writes, and frees it. */
typedef ddaebm_status (*dd_safetensors_fill)(dd_safetensors_writer *writer, const void *user);
ddaebm_status dd_safetensors_save(ddaebm_context *context, const dd_target *target,
                                  dd_safetensors_fill fill, const void *user);

/* NULL is fine. */
void dd_safetensors_writer_free(dd_safetensors_writer *writer);

#endif
