#include "io/fingerprint.h"

#include "base/context.h"
#include "base/error.h"
#include "io/dataset.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- The hash. ---- */

/* Numbers go to the lanes in turn, so that a processor can run several multiplications at once. */
enum { LANES = 4, BLOCK_NUMBERS = 8192 };

typedef struct hash {
    uint64_t lanes[LANES];
    uint64_t done; /* numbers */
} hash;

/* Mixes a value into the state. For every `before` the map is one to one in `value`, so two
 * sequences that differ in a single number have different hashes. The shift moves the high bits,
 * where small whole numbers have theirs, to the low ones, from where the next multiplication
 * spreads them. */
static uint64_t stir(uint64_t before, uint64_t value) {
    uint64_t mixed = (before ^ value) * UINT64_C(0xD6E8FEB86659FD93);
    return mixed ^ mixed >> 32;
}

static uint64_t bits_of(double number) {
    uint64_t bits = 0;
    number = isnan(number) ? (double)NAN : number + 0.0; /* makes -0 equal to 0 */
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static void hash_numbers(hash *self, const double *numbers, size_t count) {
    size_t i = 0;
    for (; i < count && self->done % LANES != 0; i++, self->done++)
        self->lanes[self->done % LANES] =
            stir(self->lanes[self->done % LANES], bits_of(numbers[i]));
    for (; count - i >= LANES; i += LANES, self->done += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            self->lanes[lane] = stir(self->lanes[lane], bits_of(numbers[i + lane]));
    for (; i < count; i++, self->done++)
        self->lanes[self->done % LANES] =
            stir(self->lanes[self->done % LANES], bits_of(numbers[i]));
}

static uint64_t hash_finish(const hash *self) {
    uint64_t all = stir(0, self->done);
    for (size_t lane = 0; lane < LANES; lane++)
        all = stir(all, self->lanes[lane]);
    return stir(all, UINT64_C(0x9E3779B97F4A7C15));
}

/* ---- Of a data set. ---- */

/* Hashes the numbers of a data set, block by block. */
static ddaebm_status hash_rows(uint64_t *content, ddaebm_context *context,
                               const ddaebm_dataset *dataset) {
    size_t width = ddaebm_dataset_width(dataset),
           room = width < BLOCK_NUMBERS ? BLOCK_NUMBERS / width : 1;
    uint64_t rows = ddaebm_dataset_rows(dataset);
    hash all = {.lanes = {1, 2, 3, 4}};
    ddaebm_status status = DDAEBM_OK;
    double *block = dd_alloc_zero(context, room * width, sizeof *block);
    if (!block)
        return DDAEBM_OUT_OF_MEMORY;

    for (uint64_t first = 0; first < rows && status == DDAEBM_OK; first += room) {
        size_t count = rows - first < room ? (size_t)(rows - first) : room;
        status = ddaebm_dataset_read_double(dataset, first, count, block);
        if (status == DDAEBM_OK)
            hash_numbers(&all, block, count * width);
    }
    if (status == DDAEBM_OK)
        *content = hash_finish(&all);
    dd_free(context, block);
    return status;
}

ddaebm_status dd_fingerprint_make(dd_fingerprint *out, ddaebm_context *context,
                                  const ddaebm_dataset *dataset) {
    dd_fingerprint made = {
        .numbers = {ddaebm_dataset_rows(dataset), ddaebm_dataset_width(dataset)}};
    uint64_t *content = &made.numbers[DD_DATA_CONTENT];
    const char *name = dd_dataset_drawn(dataset, content);
    ddaebm_status status = DDAEBM_OK;
    if (name) {
        made.kind = DD_FINGERPRINT_DRAWN;
        (void)snprintf(made.name, sizeof made.name, "%s", name);
    } else if (dd_dataset_in_memory(dataset)) {
        made.kind = DD_FINGERPRINT_ROWS;
        status = hash_rows(content, context, dataset);
    }

    if (status == DDAEBM_OK)
        *out = made;
    return status;
}

/* ---- Comparing. ---- */

enum { DESCRIPTION = 128 };

static const char *describe(char text[DESCRIPTION], const dd_fingerprint *self) {
    if (self->kind == DD_FINGERPRINT_DRAWN)
        (void)snprintf(text, DESCRIPTION, "the named set %s with seed %" PRIu64, self->name,
                       self->numbers[DD_DATA_CONTENT]);
    else
        (void)snprintf(text, DESCRIPTION, "a set of %" PRIu64 " rows", self->numbers[DD_DATA_ROWS]);
    return text;
}

static ddaebm_status refuse(const char *difference) {
    return dd_fail(DDAEBM_MISMATCH,
                   "%s; give the data of the run, or allow other data (--resume-data other, "
                   "DDAEBM_RESUME_OTHER_DATA)",
                   difference);
}

static ddaebm_status refuse_kind(const dd_fingerprint *given, const dd_fingerprint *had) {
    char here[DESCRIPTION], there[DESCRIPTION], text[2 * DESCRIPTION + 64];
    (void)snprintf(text, sizeof text, "the data is %s, and the run to resume had %s",
                   describe(here, given), describe(there, had));
    return refuse(text);
}

/* Refuses rows by the first difference: in rows, columns or content. */
static ddaebm_status refuse_rows(const uint64_t *given, const uint64_t *had) {
    static const char *const what[] = {[DD_DATA_ROWS] = "rows", [DD_DATA_COLUMNS] = "columns"};
    char text[192];

    for (int i = DD_DATA_ROWS; i <= DD_DATA_COLUMNS; i++)
        if (given[i] != had[i]) {
            (void)snprintf(text, sizeof text,
                           "the data has %" PRIu64 " %s, and that of the run to resume %" PRIu64,
                           given[i], what[i], had[i]);
            return refuse(text);
        }
    (void)snprintf(text, sizeof text,
                   "the data is not that of the run to resume: both have %" PRIu64
                   " rows of %" PRIu64 " numbers, but other numbers, or the same in another order",
                   given[DD_DATA_ROWS], given[DD_DATA_COLUMNS]);
    return refuse(text);
}

bool dd_fingerprint_is_same(const dd_fingerprint *a, const dd_fingerprint *b) {
    if (a->kind == DD_FINGERPRINT_NONE || b->kind == DD_FINGERPRINT_NONE)
        return true;
    return a->kind == b->kind && memcmp(a->numbers, b->numbers, sizeof a->numbers) == 0 &&
           strcmp(a->name, b->name) == 0;
}

ddaebm_status dd_fingerprint_refuse(const dd_fingerprint *given, const dd_fingerprint *had) {
    bool rows = given->kind == DD_FINGERPRINT_ROWS && had->kind == DD_FINGERPRINT_ROWS;
    return rows ? refuse_rows(given->numbers, had->numbers) : refuse_kind(given, had);
}
