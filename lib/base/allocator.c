#include "base/allocator.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/struct_size.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static void *malloc_allocate(void *user, size_t size) {
    (void)user;
    return malloc(size);
}

static void malloc_release(void *user, void *pointer) {
    (void)user;
    free(pointer);
}

ddaebm_status dd_allocator_choose(ddaebm_allocator *chosen, const ddaebm_allocator *given) {
    if (!given) {
        chosen->allocate = malloc_allocate;
        chosen->release = malloc_release;
        return DDAEBM_OK;
    }

    ddaebm_status status = dd_struct_in(chosen, sizeof *chosen, given, "DDAEBM_ALLOCATOR_INIT");
    if (status == DDAEBM_OK && (!chosen->allocate || !chosen->release))
        status =
            dd_fail(DDAEBM_INVALID_ARGUMENT, "allocator: allocate and release must both be set");
    return status;
}

/* Returns an aligned address in the block; the slot before it holds the block's own address. */
static void *align(void *base) {
    uintptr_t aligned = ((uintptr_t)base + sizeof(void *) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    ((void **)aligned)[-1] = base;
    return (void *)aligned;
}

/* Calls the allocator. malloc becomes calloc where zeros are wanted: large blocks come from the
 * system as zeros, and calloc does not touch their pages before they are used. */
static void *allocate(const ddaebm_allocator *from, size_t bytes, bool zero) {
    if (zero && from->allocate == malloc_allocate)
        return calloc(1, bytes);
    void *base = from->allocate(from->user, bytes);
    return base && zero ? memset(base, 0, bytes) : base;
}

static void *take(const ddaebm_allocator *from, size_t size, bool zero) {
    size_t whole = 0;
    void *base = NULL;
    if (dd_size_add(&whole, size, ALIGNMENT + sizeof(void *)))
        base = allocate(from, whole, zero);
    if (base)
        return align(base);
    (void)dd_fail(DDAEBM_OUT_OF_MEMORY, "cannot allocate %zu bytes", size);
    return NULL;
}

void *dd_allocator_take(const ddaebm_allocator *from, size_t size) {
    return take(from, size, false);
}

void *dd_allocator_take_zero(const ddaebm_allocator *from, size_t count, size_t size) {
    size_t bytes = 0;
    if (dd_size_mul(&bytes, count, size))
        return take(from, bytes, true);
    (void)dd_fail(DDAEBM_OUT_OF_MEMORY, "%zu elements of %zu bytes exceed the address space", count,
                  size);
    return NULL;
}

void dd_allocator_give_back(const ddaebm_allocator *to, void *pointer) {
    if (pointer)
        to->release(to->user, ((void **)pointer)[-1]);
}
