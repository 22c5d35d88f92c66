/* Writing safetensors. The reader of safetensors.h accepts whatever a writer accepts. */
#ifndef DD_SAFETENSORS_WRITER_H
#define DD_SAFETENSORS_WRITER_H

#include "io/safetensors.h"
#include "io/target.h"

typedef struct dd_safetensors_writer dd_safetensors_writer;

/* Creates a writer, which the caller frees; *out is untouched on failure. */
ddaebm_status dd_safetensors_writer_create(dd_safetensors_writer **out, ddaebm_context *context);

/* Adds a tensor. The name is copied; the data, row-major elements of the type, is borrowed until
 * the file is written. The rank may be 0, for a single element; shape is then NULL. Fails with
 * DDAEBM_INVALID_ARGUMENT for a name that is empty, not UTF-8 or already used, DDAEBM_OUT_OF_RANGE
 * beyond the limits of safetensors.h, or DDAEBM_OUT_OF_MEMORY. */
ddaebm_status dd_safetensors_writer_add(dd_safetensors_writer *writer, const char *name,
                                        dd_stored dtype, size_t rank, const size_t *shape,
                                        const void *data);

/* Adds finite floats as F16, of which the writer keeps a copy. Fails as dd_safetensors_writer_add
 * does, and with DDAEBM_OUT_OF_RANGE for a number beyond that type. */
ddaebm_status dd_safetensors_writer_add_half(dd_safetensors_writer *writer, const char *name,
                                             size_t rank, const size_t *shape, const float *data);

/* Sets a text of the metadata, replacing an earlier one under the same key. Key and value must be
 * UTF-8 and are copied. */
ddaebm_status dd_safetensors_writer_metadata(dd_safetensors_writer *writer, const char *key,
                                             const char *value);

/* Writes the file as dd_target_write does. The writer can be used again; equal calls write equal
 * bytes. */
ddaebm_status dd_safetensors_writer_write(const dd_safetensors_writer *writer,
                                          const dd_target *target);

/* Creates a writer, fills it by `fill`, writes, and frees it. */
typedef ddaebm_status (*dd_safetensors_fill)(dd_safetensors_writer *writer, const void *user);
ddaebm_status dd_safetensors_save(ddaebm_context *context, const dd_target *target,
                                  dd_safetensors_fill fill, const void *user);

/* Frees the writer; NULL is fine. */
void dd_safetensors_writer_free(dd_safetensors_writer *writer);

#endif
