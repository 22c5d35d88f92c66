/* Memory from a caller's allocator: aligned blocks, with sizes that are checked. */
#ifndef DD_ALLOCATOR_H
#define DD_ALLOCATOR_H

#include "base/ieee.h"

#include <ddaebm/context.h>
#include <stdbool.h>
#include <stddef.h>

/* Sets *chosen, which the caller has initialised, to a valid copy of `given`, or to malloc and free
 * if that is NULL. Fails with DDAEBM_INVALID_ARGUMENT or DDAEBM_UNSUPPORTED. */
ddaebm_status dd_allocator_choose(ddaebm_allocator *chosen, const ddaebm_allocator *given);

/* Returns at least `size` bytes, aligned to 64, or NULL with the thread's error text set. Size 0
 * gives a valid pointer. */
void *dd_allocator_take(const ddaebm_allocator *from, size_t size);

/* Returns count * size zero bytes, otherwise as dd_allocator_take; the product is checked. */
void *dd_allocator_take_zero(const ddaebm_allocator *from, size_t count, size_t size);

/* Gives back what the two functions above returned; NULL is fine. */
void dd_allocator_give_back(const ddaebm_allocator *to, void *pointer);

#endif
