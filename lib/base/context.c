#include "base/context.h"

#include "base/allocator.h"
#include "base/error.h"
#include "base/format.h"
#include "base/processors.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { LIMITS = 3 };

struct ddaebm_context {
    atomic_size_t holds; /* freed when there is none */
    ddaebm_allocator allocator;
    dd_pool *pool;
    ddaebm_log_function log;
    void *log_user;
    ddaebm_log_level log_least;
    uint64_t limits[LIMITS];
    int accept_not_finite, deterministic;
};

/* Indexed by ddaebm_limit. */
static const struct {
    const char *name;
    uint64_t initial, most;
} limits[LIMITS] = {{"DDAEBM_LIMIT_FILE_BYTES", UINT64_C(4) << 30, UINT64_C(1) << 62},
                    {"DDAEBM_LIMIT_HEADER_BYTES", 8 << 20, 1 << 30},
                    {"DDAEBM_LIMIT_TENSORS", 16384, 1 << 20}};

ddaebm_status ddaebm_context_create(ddaebm_context **out, const ddaebm_allocator *allocator) {
    DD_REQUIRE(out);
    ddaebm_allocator chosen = DDAEBM_ALLOCATOR_INIT;
    ddaebm_status status = dd_allocator_choose(&chosen, allocator);
    if (status != DDAEBM_OK)
        return status;

    ddaebm_context *context = chosen.allocate(chosen.user, sizeof *context);
    if (!context)
        return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory for a context");

    memset(context, 0, sizeof *context);
    atomic_init(&context->holds, 1);
    context->allocator = chosen;
    for (int i = 0; i < LIMITS; i++)
        context->limits[i] = limits[i].initial;
    status = dd_pool_create(&context->pool, &context->allocator, dd_threads_default().threads, 0);
    if (status != DDAEBM_OK) {
        chosen.release(chosen.user, context);
        return status;
    }
    *out = context;
    return DDAEBM_OK;
}

void ddaebm_context_free(ddaebm_context *context) {
    if (!context || atomic_fetch_sub(&context->holds, 1) != 1)
        return;
    dd_pool_free(context->pool);
    context->allocator.release(context->allocator.user, context);
}

ddaebm_status dd_context_hold(ddaebm_context **out, ddaebm_context *context) {
    if (!context)
        return ddaebm_context_create(out, NULL);
    atomic_fetch_add(&context->holds, 1);
    *out = context;
    return DDAEBM_OK;
}

/* ---- Threads and log. ---- */

ddaebm_status ddaebm_context_set_threads(ddaebm_context *context, int threads) {
    DD_REQUIRE(context);
    if (threads < 1 || threads > DD_MOST_THREADS)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "threads is %d; allowed: 1 to %d", threads,
                       DD_MOST_THREADS);

    dd_pool *pool = NULL;
    ddaebm_status status = dd_pool_create(&pool, &context->allocator, threads, 0);
    if (status != DDAEBM_OK)
        return status;

    dd_pool_free(context->pool);
    context->pool = pool;
    return DDAEBM_OK;
}

int ddaebm_context_threads(const ddaebm_context *context) {
    return context ? dd_pool_threads(context->pool) : dd_threads_default().threads;
}

int ddaebm_default_threads(char *reason, size_t size) {
    dd_threads_choice choice = dd_threads_default();
    if (reason && size > 0)
        dd_threads_explain(reason, size, &choice);
    return choice.threads;
}

ddaebm_status ddaebm_context_set_log(ddaebm_context *context, ddaebm_log_function function,
                                     void *user, ddaebm_log_level least) {
    DD_REQUIRE(context);
    context->log = function;
    context->log_user = user;
    context->log_least = least;
    return DDAEBM_OK;
}

/* ---- Limits and switches. ---- */

static bool is_limit(ddaebm_limit limit) {
    return (unsigned)limit < LIMITS;
}

ddaebm_status ddaebm_context_set_limit(ddaebm_context *context, ddaebm_limit limit,
                                       uint64_t value) {
    DD_REQUIRE(context);
    if (!is_limit(limit))
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "limit is %d; limits are numbered from 0 to %d",
                       (int)limit, LIMITS - 1);
    if (value < 1 || value > limits[limit].most)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "%s is %ju; allowed: 1 to %ju", limits[limit].name,
                       (uintmax_t)value, (uintmax_t)limits[limit].most);
    context->limits[limit] = value;
    return DDAEBM_OK;
}

uint64_t ddaebm_context_limit(const ddaebm_context *context, ddaebm_limit limit) {
    return !is_limit(limit) ? 0 : context ? context->limits[limit] : limits[limit].initial;
}

size_t dd_context_most(const ddaebm_context *context, ddaebm_limit limit) {
    uint64_t most = ddaebm_context_limit(context, limit);
    return most < SIZE_MAX ? (size_t)most : SIZE_MAX;
}

/* Sets a flag; fails for anything but 0 and 1. */
static ddaebm_status set_switch(int *out, const char *name, int value) {
    if (value != 0 && value != 1)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "%s is %d; allowed: 0 and 1", name, value);
    *out = value;
    return DDAEBM_OK;
}

ddaebm_status ddaebm_context_set_accept_not_finite(ddaebm_context *context, int accept) {
    DD_REQUIRE(context);
    return set_switch(&context->accept_not_finite, "accept", accept);
}

int ddaebm_context_accept_not_finite(const ddaebm_context *context) {
    return context && context->accept_not_finite;
}

ddaebm_status ddaebm_context_set_deterministic(ddaebm_context *context, int deterministic) {
    DD_REQUIRE(context);
    return set_switch(&context->deterministic, "deterministic", deterministic);
}

int ddaebm_context_deterministic(const ddaebm_context *context) {
    return context && context->deterministic;
}

dd_pool *dd_context_pool(ddaebm_context *context) {
    return context->pool;
}

void dd_report(ddaebm_context *context, ddaebm_log_level level, const char *format, ...) {
    if (!context->log || level < context->log_least)
        return;
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    dd_format(line, sizeof line, format, arguments);
    va_end(arguments);
    dd_utf8_make_printable(line);
    context->log(context->log_user, level, line);
}

/* ---- Memory. ---- */

void *dd_alloc(ddaebm_context *context, size_t size) {
    return dd_allocator_take(&context->allocator, size);
}

void *dd_alloc_zero(ddaebm_context *context, size_t count, size_t size) {
    return dd_allocator_take_zero(&context->allocator, count, size);
}

char *dd_copy_text(ddaebm_context *context, const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = dd_alloc(context, bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

void dd_free(ddaebm_context *context, void *pointer) {
    dd_allocator_give_back(&context->allocator, pointer);
}

void *dd_grow(ddaebm_context *context, void *array, size_t *capacity, size_t needed, size_t size) {
    return dd_grow_within(context, array, capacity, needed, size, SIZE_MAX);
}

void *dd_grow_within(ddaebm_context *context, void *array, size_t *capacity, size_t needed,
                     size_t size, size_t most) {
    if (needed <= *capacity)
        return array;

    size_t wanted = *capacity < 8 ? 8 : *capacity * 2;
    if (wanted > most)
        wanted = most;
    if (wanted < needed)
        wanted = needed;

    void *grown = dd_alloc_zero(context, wanted, size);
    if (!grown)
        return NULL;
    if (array)
        memcpy(grown, array, *capacity * size);
    dd_free(context, array);
    *capacity = wanted;
    return grown;
}
