/* What reading and writing PNG share: memory from the context, and errors that are jumps. For the
 * files that include png.h alone. */
#ifndef DD_PNG_JUMPS_H
#define DD_PNG_JUMPS_H

#include "base/context.h"
#include "base/error.h"

#include <png.h>
#include <stdbool.h>

/* What libpng hands back to the functions below; outlives the jumps. */
typedef struct dd_png_user {
    ddaebm_context *context;
    ddaebm_status blame; /* status of what libpng finds wrong, and the words before its own */
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

/* Keeps the reason, unless there is one or memory is what failed, and leaves. */
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
