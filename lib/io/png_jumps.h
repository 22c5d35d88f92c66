/* What reading and writing PNG share: memory from the context, and errors as jumps. Only for files
 * that include png.h. */
#ifndef DD_PNG_JUMPS_H
#define DD_PNG_JUMPS_H

#include "base/context.h"
#include "base/error.h"

#include <png.h>
#include <stdbool.h>

/* The state that libpng hands to the functions below; it outlives the jumps. */
typedef struct dd_png_user {
    ddaebm_context *context;
    ddaebm_status blame; /* status of libpng's own errors, and the words before its message */
    const char *words;
    bool starved;         /* an allocation failed */
    ddaebm_status status; /* of the first failure */
} dd_png_user;

static inline png_voidp dd_png_allocate(png_structp png, png_alloc_size_t size) {
    dd_png_user *user = png_get_mem_ptr(png);
    void *block = dd_alloc(user->context, size);
    user->starved = user->starved || !block;
    return block;
}

static inline void dd_png_release(png_structp png, png_voidp pointer) {
    dd_free(((dd_png_user *)png_get_mem_ptr(png))->context, pointer);
}

/* Keeps the first reason, unless memory is what failed, and jumps. */
static inline void dd_png_fail(png_structp png, png_const_charp text) {
    dd_png_user *user = png_get_error_ptr(png);
    if (user->starved)
        user->status = DDAEBM_OUT_OF_MEMORY;
    else if (user->status == DDAEBM_OK)
        user->status = dd_fail(user->blame, "%s: %s", user->words, text);
    png_longjmp(png, 1);
}

static inline void dd_png_ignore(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

#endif
