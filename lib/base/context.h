/* The context inside the library: memory, log, limits and threads for the rooms above. */
#ifndef DD_CONTEXT_H
#define DD_CONTEXT_H

#include "base/threads.h"

#include <ddaebm/context.h>

/* Sets *out to the context, with one more reference to it, or to a new default context if that is
 * NULL. ddaebm_context_free drops the reference. */
ddaebm_status dd_context_hold(ddaebm_context **out, ddaebm_context *context);

/* Returns at least `size` bytes, aligned to 64, or NULL with the thread's error text set. Size 0
 * gives a valid pointer. */
void *dd_alloc(ddaebm_context *context, size_t size);

/* Returns count * size zero bytes, otherwise as dd_alloc; the product is checked. */
void *dd_alloc_zero(ddaebm_context *context, size_t count, size_t size);

/* Returns a copy of a text, otherwise as dd_alloc. */
char *dd_copy_text(ddaebm_context *context, const char *text);

/* Frees what the three functions above returned; NULL is fine. */
void dd_free(ddaebm_context *context, void *pointer);

/* Grows an array to at least `needed` elements by doubling, and returns its new address: its
 * content is kept, its new elements are zero, and *capacity is updated. NULL on failure, with the
 * old array still valid. */
void *dd_grow(ddaebm_context *context, void *array, size_t *capacity, size_t needed, size_t size);

/* Grows an array as dd_grow does, but to at most `most` elements; needed <= most. */
void *dd_grow_within(ddaebm_context *context, void *array, size_t *capacity, size_t needed,
                     size_t size, size_t most);

/* Passes a message to the context's log function, if there is one and the level is high enough. */
__attribute__((format(printf, 3, 4))) void
dd_report(ddaebm_context *context, ddaebm_log_level level, const char *format, ...);

/* Returns a limit of the context as a size. */
size_t dd_context_most(const ddaebm_context *context, ddaebm_limit limit);

/* Ends a message about data beyond DDAEBM_LIMIT_FILE_BYTES. */
#define DD_RAISE_LIMIT "; raise the limit of bytes (--data-limit, DDAEBM_LIMIT_FILE_BYTES)"

/* Returns the context's threads. */
dd_pool *dd_context_pool(ddaebm_context *context);

#endif
