#include "base/context.h"
#include "base/error.h"
#include "sample/evaluator_parts.h"
#include "tensor/exec/computation.h"
#include "tensor/kernels/share.h"

#include <stdatomic.h>

struct dd_eval_running {
    dd_evaluator *evaluator;
    const dd_eval_call *asked;
    size_t wholes, pieces; /* full chunks, and nearly equal pieces of the remaining rows */
    int piece_size;        /* size of the pieces' lanes */
    atomic_size_t done;
    atomic_bool cancelled, by_chunk;
};

bool dd_lane_report(dd_lane *lane, size_t rows) {
    dd_eval_running *c = lane->call;
    const dd_eval_call *asked = c ? c->asked : NULL;
    if (!c)
        return true;
    if (atomic_load(&c->cancelled))
        return false;
    size_t done = atomic_fetch_add(&c->done, rows) + rows;
    if (lane->is_callers && asked->progress &&
        asked->progress(asked->progress_user, done, asked->count * asked->passes) != 0)
        atomic_store(&c->cancelled, true);
    return !atomic_load(&c->cancelled);
}

void dd_lane_cancel(dd_lane *lane) {
    if (!lane->call)
        return;
    atomic_store(&lane->call->by_chunk, true);
    atomic_store(&lane->call->cancelled, true);
}

/* Rows of chunk i of a call; full ones come first. */
static dd_range rows_of(const dd_eval_running *c, size_t i) {
    size_t chunk = c->evaluator->chunk_rows[DD_EVAL_WHOLE], full = c->wholes * chunk;
    if (i < c->wholes)
        return (dd_range){i * chunk, (i + 1) * chunk};
    dd_range mine = dd_share(c->asked->count - full, i - c->wholes, c->pieces);
    return (dd_range){full + mine.first, full + mine.last};
}

/* Computes a chunk in the taker's lane, which may report and cancel meanwhile. */
static void run_chunk(dd_eval_running *c, size_t chunk, int taker) {
    dd_range mine = rows_of(c, chunk);
    dd_lane *lane = dd_evaluator_lane_of(
        c->evaluator, chunk < c->wholes ? DD_EVAL_WHOLE : c->piece_size, (size_t)taker);
    lane->call = c;
    lane->is_callers = taker == 0;

    c->asked->chunk(c->asked->user, lane, mine.first, mine.last - mine.first);
    dd_lane_report(lane, mine.last - mine.first);
    lane->call = NULL;
}

/* Any thread may compute a chunk: its result does not depend on the thread. Only the caller's,
 * number 0, reports. */
static void run_chunks(void *argument, size_t part, int taker) {
    dd_eval_running *c = argument;
    size_t chunks = c->wholes + c->pieces;
    dd_range mine = dd_share(chunks, part, chunks < DD_MOST_PARTS ? chunks : DD_MOST_PARTS);
    for (size_t i = mine.first; i < mine.last && !atomic_load(&c->cancelled); i++)
        run_chunk(c, i, taker);
}

/* Threads that the context got after the lanes were made have no lane, and do not take part. */
static void run_all(dd_evaluator *evaluator, dd_eval_running *c, bool alone) {
    size_t chunks = c->wholes + c->pieces, parts = chunks < DD_MOST_PARTS ? chunks : DD_MOST_PARTS;
    dd_pool_run(dd_context_pool(evaluator->context), alone,
                &(dd_work){.parts = parts,
                           .takers = (int)evaluator->threads,
                           .function = run_chunks,
                           .argument = c});
}

/* Divides the remaining rows into one, two or four pieces, which suit any number of threads and are
 * not much slower than a chunk. */
static size_t pieces_of(size_t rows, size_t chunk) {
    size_t pieces = 1;
    while (pieces * chunk < rows)
        pieces *= 2;
    return pieces;
}

/* Runs full chunks, `together` at a time, and then what is left by itself, so that this does not
 * depend on what came before (dd_evaluator_block). */
static void cut(const dd_evaluator *evaluator, dd_eval_running *c) {
    size_t chunk = evaluator->chunk_rows[DD_EVAL_WHOLE], together = evaluator->together,
           count = c->asked->count;
    c->piece_size = DD_EVAL_SINGLE;
    c->pieces = count;
    if (evaluator->sizes == 1 || count == 1)
        return;
    c->wholes = count / (chunk * together) * together;
    c->pieces = count - c->wholes * chunk;
    if (evaluator->rest_is_single || c->pieces == 0)
        return;
    c->piece_size = DD_EVAL_WHOLE;
    c->pieces = pieces_of(c->pieces, chunk);
}

ddaebm_status dd_evaluator_call(dd_evaluator *evaluator, const dd_eval_call *asked) {
    ddaebm_status status = dd_computation_check();
    if (status != DDAEBM_OK)
        return status;
    dd_eval_running c = {.evaluator = evaluator, .asked = asked};
    cut(evaluator, &c);
    atomic_init(&c.done, 0);
    atomic_init(&c.cancelled, false);
    atomic_init(&c.by_chunk, false);

    dd_computation_begin();
    bool is_row = asked->count == 1 && evaluator->sizes > 1 && !evaluator->rest_is_single;
    if (is_row && asked->passes == 1 && !asked->alone) /* done before it could be cancelled */
        asked->chunk(asked->user, &evaluator->lanes[0], 0, 1);
    else
        run_all(evaluator, &c, asked->alone || c.wholes + c.pieces == 1);
    dd_computation_end();

    if (atomic_load(&c.by_chunk))
        return DDAEBM_CANCELLED;
    if (atomic_load(&c.cancelled))
        return dd_fail(DDAEBM_CANCELLED, "cancelled after %zu of %zu rows",
                       atomic_load(&c.done) / asked->passes, asked->count);
    return DDAEBM_OK;
}

ddaebm_status dd_evaluator_run(dd_evaluator *evaluator, size_t count, dd_eval_chunk chunk,
                               void *user, ddaebm_progress_function progress, void *progress_user) {
    return dd_evaluator_call(evaluator, &(dd_eval_call){.count = count,
                                                        .passes = 1,
                                                        .chunk = chunk,
                                                        .user = user,
                                                        .progress = progress,
                                                        .progress_user = progress_user});
}

/* What follows the last multiple is divided as if it were alone, and no call is short enough for
 * its rows to be computed one by one. */
size_t dd_evaluator_block(const dd_evaluator *evaluator) {
    return evaluator->sizes == 1 ? 1 : evaluator->chunk_rows[DD_EVAL_WHOLE] * evaluator->together;
}

size_t dd_evaluator_lanes(const dd_evaluator *evaluator) {
    return (size_t)evaluator->sizes * evaluator->threads;
}

size_t dd_evaluator_lane_rows(const dd_evaluator *evaluator, size_t number) {
    return evaluator->lanes[number].rows;
}

dd_lane *dd_evaluator_lane(const dd_evaluator *evaluator, const dd_lane *other) {
    return &evaluator->lanes[other->number];
}

size_t dd_lane_number(const dd_lane *lane) {
    return lane->number;
}

float *dd_lane_buffer(dd_lane *lane, dd_eval_slot slot) {
    return lane->buffers[slot];
}

void dd_lane_compute(dd_lane *lane, size_t timestep, size_t count) {
    for (size_t i = 0; i < count; i++)
        lane->buffers[DD_EVAL_TIMESTEP][i] = (float)timestep;
    if (lane->any_rows)
        dd_workspace_run_rows(lane->workspace, count, dd_context_pool(lane->context), true);
    else
        dd_workspace_run(lane->workspace, 1, dd_context_pool(lane->context), true);
}
