/* The context from inside: memory, log and threads for the rooms above. */
#ifndef DD_CONTEXT_H
#define DD_CONTEXT_H

#include "base/threads.h"

#include <ddaebm/context.h>

/* *out = context with one more hold on it, or a new default one if context is NULL. Give it back
 * with ddaebm_context_free. */
ddaebm_status dd_context_hold(ddaebm_context **out, ddaebm_context *context);

/* At least size bytes, aligned to 64, or NULL with the thread's error text set. size 0 gives a
 * valid pointer. */
void *dd_alloc(ddaebm_context *context, size_t size);

/* count * size zero bytes, likewise; the product is checked. */
void *dd_alloc_zero(ddaebm_context *context, size_t count, size_t size);

/* A copy of a text, likewise. */
char *dd_copy_text(ddaebm_context *context, const char *text);

/* Takes back what the three above gave; NULL is fine. */
void dd_free(ddaebm_context *context, void *pointer);

/* Grows an array to hold at least `needed` elements (doubling), keeping its content: *capacity and
 * the result are updated. NULL on failure, with the old array still good. */
void *dd_grow(ddaebm_context *context, void *array, size_t *capacity, size_t needed, size_t size);

/* The same, but never to more than `most` elements, of which no more are needed. */
void *dd_grow_within(ddaebm_context *context, void *array, size_t *capacity, size_t needed,
                     size_t size, size_t most);

__attribute__((format(printf, 3, 4))) void
dd_report(ddaebm_context *context, ddaebm_log_level level, const char *format, ...);

/* A limit of the context, as a size. */
size_t dd_context_most(const ddaebm_context *context, ddaebm_limit limit);

/* What to do about data beyond DDAEBM_LIMIT_FILE_BYTES, for the end of a message. */
#define DD_RAISE_LIMIT "; raise the limit of bytes (--data-limit, DDAEBM_LIMIT_FILE_BYTES)"

/* The context's threads. */
dd_pool *dd_context_pool(ddaebm_context *context);

#endif
