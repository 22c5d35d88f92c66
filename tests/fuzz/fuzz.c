#include "fuzz/fuzz.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 64 }; /* before each block, for its size */

static struct {
    ddaebm_context *context;
    size_t live, live_before; /* bytes */
    bool refused;
} state;

void fuzz_require(bool holds, const char *rule, const char *file, int line) {
    if (holds)
        return;
    fprintf(stderr, "%s:%d: broken: %s; the last message: %s\n", file, line, rule,
            ddaebm_error_message());
    abort();
}

static void *allocate(void *user, size_t size) {
    (void)user;
    if (size > FUZZ_MOST_BYTES || state.live > FUZZ_MOST_BYTES - size) {
        state.refused = true;
        return NULL;
    }
    char *block = malloc(ROOM + size);
    FUZZ_REQUIRE(block != NULL);
    memcpy(block, &size, sizeof size);
    state.live += size;
    return block + ROOM;
}

static void release(void *user, void *pointer) {
    (void)user;
    char *block = (char *)pointer - ROOM;
    size_t size = 0;
    memcpy(&size, block, sizeof size);
    state.live -= size;
    free(block);
}

ddaebm_context *fuzz_context(void) {
    ddaebm_allocator allocator = DDAEBM_ALLOCATOR_INIT;
    allocator.allocate = allocate;
    allocator.release = release;
    if (state.context)
        return state.context;
    FUZZ_REQUIRE(ddaebm_context_create(&state.context, &allocator) == DDAEBM_OK);
    FUZZ_REQUIRE(ddaebm_context_set_threads(state.context, 1) == DDAEBM_OK);
    return state.context;
}

void fuzz_begin(void) {
    (void)fuzz_context();
    state.live_before = state.live;
}

void fuzz_end(void) {
    FUZZ_REQUIRE(state.live == state.live_before);
}

/* And puts what is to be judged next on a clean slate. */
static void forget(void) {
    state.refused = false;
    (void)dd_fail(DDAEBM_OK, "%s", "");
}

static bool is_one_line(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7F)
            return false;
    return true;
}

/* The statuses that are no one's fault but the bytes'. */
static bool may_be_caused_by_bytes(ddaebm_status status) {
    return status == DDAEBM_FORMAT || status == DDAEBM_UNSUPPORTED || status == DDAEBM_NOT_FOUND ||
           status == DDAEBM_OUT_OF_RANGE || status == DDAEBM_MISMATCH ||
           status == DDAEBM_NOT_FINITE;
}

bool fuzz_judge(ddaebm_status status, bool set) {
    FUZZ_REQUIRE(status != DDAEBM_OUT_OF_MEMORY);
    return fuzz_judge_hungry(status, set);
}

bool fuzz_judge_hungry(ddaebm_status status, bool set) {
    FUZZ_REQUIRE(set == (status == DDAEBM_OK));
    FUZZ_REQUIRE(state.refused == (status == DDAEBM_OUT_OF_MEMORY));
    if (status != DDAEBM_OK) {
        FUZZ_REQUIRE(state.refused || may_be_caused_by_bytes(status));
        FUZZ_REQUIRE(*ddaebm_error_message() != '\0');
        FUZZ_REQUIRE(is_one_line(ddaebm_error_message()));
    }
    forget();
    return status == DDAEBM_OK;
}

void *fuzz_unset(void) {
    return &state;
}

bool fuzz_made(ddaebm_status status, const void *handle) {
    FUZZ_REQUIRE(handle != NULL);
    return fuzz_judge(status, handle != fuzz_unset());
}

void fuzz_touch(const void *block, size_t size) {
    const volatile unsigned char *bytes = block;
    for (size_t i = 0; i < size; i++)
        (void)bytes[i];
}
