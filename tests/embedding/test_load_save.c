/* Models and checkpoints through files, memory and the caller's functions: the same bytes whichever
 * way, failures passed on, loads that can be cancelled. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/small.h"

#include <ddaebm/stream.h>
#include <ddaebm/trainer.h>

static ddaebm_model *model;
static ddaebm_dataset *data;
static ddaebm_trainer *trainer;

static void begin(void) {
    open_context(1);
    data = small_rows(context, 21, 2);
    model = small_model(context, EVERYTHING, 3);
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, data, 5));
    ASSERT_OK(ddaebm_trainer_run(trainer, 3, NULL, NULL));
}

static void end(void) {
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(data);
    close_context();
}

/* --- A file in the program's own hands. --- */

enum { ROOM = 1 << 20 };

typedef struct tape {
    unsigned char *bytes;
    size_t size, at, piece, stop_after; /* calls; 0 for never */
    size_t calls;
} tape;

static tape new_tape(void) {
    return (tape){.bytes = malloc(ROOM), .piece = SIZE_MAX};
}

static ddaebm_status play(void *user, void *buffer, size_t capacity, size_t *got) {
    tape *self = user;
    if (++self->calls == self->stop_after)
        return DDAEBM_IO;
    size_t left = self->size - self->at, most = capacity < self->piece ? capacity : self->piece;
    *got = left < most ? left : most;
    memcpy(buffer, self->bytes + self->at, *got);
    self->at += *got;
    return DDAEBM_OK;
}

static ddaebm_status record(void *user, const void *bytes, size_t count) {
    tape *self = user;
    if (++self->calls == self->stop_after)
        return DDAEBM_CANCELLED;
    ck_assert_uint_le(count, ROOM - self->size);
    memcpy(self->bytes + self->size, bytes, count);
    self->size += count;
    return DDAEBM_OK;
}

static ddaebm_reader player(tape *from) {
    ddaebm_reader reader = DDAEBM_READER_INIT;
    reader.read = play;
    reader.user = from;
    return reader;
}

static ddaebm_writer recorder(tape *to) {
    ddaebm_writer writer = DDAEBM_WRITER_INIT;
    writer.write = record;
    writer.user = to;
    return writer;
}

/* Each test runs for both: 0 a model, 1 a checkpoint. */
static ddaebm_status save_stream(int kind, const ddaebm_writer *writer) {
    return kind ? ddaebm_trainer_save_stream(trainer, writer)
                : ddaebm_model_save_stream(model, writer);
}

static ddaebm_status save_path(int kind, const char *path) {
    return kind ? ddaebm_trainer_save(trainer, path) : ddaebm_model_save(model, path);
}

static ddaebm_status save_memory(int kind, void *bytes, size_t capacity, size_t *needed) {
    return kind ? ddaebm_trainer_save_memory(trainer, bytes, capacity, needed)
                : ddaebm_model_save_memory(model, bytes, capacity, needed);
}

/* What was loaded. */
typedef struct loaded {
    ddaebm_model *model;
    ddaebm_trainer *trainer;
} loaded;

static ddaebm_status load_stream(int kind, loaded *out, const ddaebm_reader *reader) {
    return kind ? ddaebm_trainer_resume_stream(&out->trainer, context, reader, data)
                : ddaebm_model_load_stream(&out->model, context, reader);
}

static ddaebm_status load_memory(int kind, loaded *out, const void *bytes, size_t size) {
    return kind ? ddaebm_trainer_resume_memory(&out->trainer, context, bytes, size, data)
                : ddaebm_model_load_memory(&out->model, context, bytes, size);
}

/* It saves the same bytes again; it is freed. */
static void assert_loaded(int kind, loaded *out, const void *bytes, size_t size) {
    static unsigned char again[ROOM];
    size_t needed = 0;
    if (kind)
        ASSERT_OK(ddaebm_trainer_save_memory(out->trainer, again, sizeof again, &needed));
    else
        ASSERT_OK(ddaebm_model_save_memory(out->model, again, sizeof again, &needed));
    ck_assert_uint_eq(needed, size);
    ck_assert_int_eq(memcmp(again, bytes, size), 0);
    ddaebm_trainer_free(out->trainer);
    ddaebm_model_free(out->model);
    *out = (loaded){NULL, NULL};
}

START_TEST(every_way_gives_the_same_bytes) {
    static unsigned char file[ROOM], memory[ROOM];
    tape to = new_tape();
    const ddaebm_writer function = recorder(&to);
    ddaebm_writer path = DDAEBM_WRITER_INIT;
    size_t needed = 0;
    path.path = in_folder("f");
    ASSERT_OK(save_stream(_i, &function));
    ASSERT_OK(save_path(_i, in_folder("g")));
    ASSERT_OK(save_stream(_i, &path));
    ck_assert_int_eq(save_memory(_i, NULL, 0, &needed), DDAEBM_OUT_OF_RANGE);
    ck_assert_uint_eq(needed, to.size);
    memset(memory, 'x', needed);
    ck_assert_int_eq(save_memory(_i, memory, needed - 1, NULL), DDAEBM_OUT_OF_RANGE);
    ck_assert(memory[0] == 'x' && memory[needed - 2] == 'x');
    ASSERT_OK(save_memory(_i, memory, needed, NULL));
    ck_assert_int_eq(memcmp(memory, to.bytes, needed), 0);
    for (const char *name = "fg"; *name; name++) {
        const char one[] = {*name, '\0'};
        ck_assert_uint_eq(get_file(in_folder(one), file, sizeof file), needed);
        ck_assert_int_eq(memcmp(file, memory, needed), 0);
    }
    ck_assert_uint_eq(entries_in_folder(), 2);
    free(to.bytes);
}
END_TEST

START_TEST(every_way_is_read) {
    static const size_t pieces[] = {1, 7, 4096, SIZE_MAX};
    tape from = new_tape();
    const ddaebm_writer writer = recorder(&from);
    loaded out = {NULL, NULL};
    ASSERT_OK(save_stream(_i, &writer));
    ASSERT_OK(save_path(_i, in_folder("f")));
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        const ddaebm_reader reader = player(&from);
        from.at = 0;
        from.piece = pieces[i];
        ASSERT_OK(load_stream(_i, &out, &reader));
        assert_loaded(_i, &out, from.bytes, from.size);
    }
    ddaebm_reader path = DDAEBM_READER_INIT;
    path.path = in_folder("f");
    ASSERT_OK(load_stream(_i, &out, &path));
    assert_loaded(_i, &out, from.bytes, from.size);
    ASSERT_OK(load_memory(_i, &out, from.bytes, from.size));
    assert_loaded(_i, &out, from.bytes, from.size);
    free(from.bytes);
}
END_TEST

/* A run that is resumed from memory is the run. */
START_TEST(a_resumed_run_is_the_run) {
    static unsigned char before[ROOM], after[ROOM];
    ddaebm_trainer *resumed = NULL;
    size_t size = 0, length = 0;
    ASSERT_OK(ddaebm_trainer_save_memory(trainer, before, sizeof before, &size));
    ASSERT_OK(ddaebm_trainer_resume_memory(&resumed, NULL, before, size, data));
    ASSERT_OK(ddaebm_trainer_run(trainer, 9, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_run(resumed, 9, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_save_memory(trainer, before, sizeof before, &size));
    ASSERT_OK(ddaebm_trainer_save_memory(resumed, after, sizeof after, &length));
    ck_assert(size == length && memcmp(before, after, size) == 0);
    ddaebm_trainer_free(resumed);
}
END_TEST

START_TEST(failures_of_functions_come_back) {
    tape to = new_tape();
    ddaebm_writer writer = recorder(&to);
    loaded out = {NULL, NULL};
    ASSERT_OK(save_stream(_i, &writer));
    size_t calls = to.calls;
    ck_assert_uint_gt(calls, 3);
    for (size_t nth = 1; nth <= calls; nth += 3) {
        tape other = new_tape();
        writer = recorder(&other);
        other.stop_after = nth;
        ASSERT_FAILS(save_stream(_i, &writer), DDAEBM_CANCELLED, "write function stopped");
        ck_assert_uint_eq(other.calls, nth);
        free(other.bytes);
    }
    size_t live = counted.live;
    for (size_t nth = 1; nth < 5; nth++) {
        const ddaebm_reader reader = player(&to);
        to.at = to.calls = 0;
        to.stop_after = nth;
        ASSERT_FAILS(load_stream(_i, &out, &reader), DDAEBM_IO, "read function stopped");
        ck_assert(!out.model && !out.trainer && counted.live == live);
    }
    to.at = to.stop_after = 0;
    const ddaebm_reader reader = player(&to);
    ASSERT_OK(load_stream(_i, &out, &reader));
    assert_loaded(_i, &out, to.bytes, to.size);
    free(to.bytes);
}
END_TEST

START_TEST(what_is_malformed_is_refused) {
    tape from = new_tape();
    const ddaebm_writer writer = recorder(&from);
    const ddaebm_reader reader = player(&from), none = DDAEBM_READER_INIT;
    const ddaebm_writer nowhere = DDAEBM_WRITER_INIT;
    loaded out = {NULL, NULL};
    ASSERT_OK(save_stream(_i, &writer));
    size_t size = from.size;
    for (from.size = 0; from.size < size; from.size += 1 + size / 40) {
        from.at = 0;
        ck_assert_int_eq(load_stream(_i, &out, &reader), DDAEBM_FORMAT);
    }
    from.size = size + 1;
    from.at = 0;
    ASSERT_FAILS(load_stream(_i, &out, &reader), DDAEBM_FORMAT, "more follows");
    ASSERT_FAILS(load_stream(_i, &out, &none), DDAEBM_INVALID_ARGUMENT,
                 "a path or a read function");
    ASSERT_FAILS(load_stream(_i, &out, NULL), DDAEBM_INVALID_ARGUMENT, "reader");
    ASSERT_FAILS(load_memory(_i, &out, NULL, 3), DDAEBM_INVALID_ARGUMENT, "data");
    ASSERT_FAILS(save_stream(_i, &nowhere), DDAEBM_INVALID_ARGUMENT, "a path or a write function");
    ASSERT_FAILS(save_stream(_i, NULL), DDAEBM_INVALID_ARGUMENT, "writer");
    ASSERT_FAILS(save_memory(_i, NULL, 3, NULL), DDAEBM_INVALID_ARGUMENT, "data");
    ck_assert(!out.model && !out.trainer);
    free(from.bytes);
}
END_TEST

START_TEST(memory_may_run_out) {
    tape to = new_tape();
    const ddaebm_writer writer = recorder(&to);
    const ddaebm_reader reader = player(&to);
    void *none = NULL;
    loaded out = {NULL, NULL};
    SWEEP_ALLOCATIONS_FROM(counted, none, (to.size = 0, save_stream(_i, &writer)), true);
    if (_i == 0) { /* test_checkpoint.c has the other */
        SWEEP_ALLOCATIONS_FROM(counted, out.model, (to.at = 0, load_stream(_i, &out, &reader)),
                               true);
        assert_loaded(_i, &out, to.bytes, to.size);
    }
    free(to.bytes);
}
END_TEST

/* --- Progress. --- */

typedef struct watch {
    uint64_t calls, done, total, stop_at;
} watch;

static int look(void *user, uint64_t done, uint64_t total) {
    watch *self = user;
    ck_assert_uint_gt(done, self->done);
    self->calls++;
    self->done = done;
    self->total = total;
    return self->calls == self->stop_at;
}

START_TEST(loads_tell_and_can_be_cancelled) {
    tape from = new_tape();
    const ddaebm_writer writer = recorder(&from);
    loaded out = {NULL, NULL};
    ASSERT_OK(save_stream(_i, &writer));
    ASSERT_OK(save_path(_i, in_folder("f")));
    ddaebm_reader readers[3] = {player(&from), player(&from), DDAEBM_READER_INIT};
    readers[1].size = from.size;
    readers[2].path = in_folder("f");
    size_t live = counted.live;
    from.piece = 5000;
    for (size_t i = 0; i < 3; i++) {
        watch w = {0};
        readers[i].progress = look;
        readers[i].progress_user = &w;
        from.at = 0;
        ASSERT_OK(load_stream(_i, &out, &readers[i]));
        ck_assert(w.done == from.size && w.total == (i == 0 ? 0 : from.size) && w.calls >= 3);
        assert_loaded(_i, &out, from.bytes, from.size);
        for (uint64_t stop = 1, all = w.calls; stop <= all; stop++) {
            w = (watch){.stop_at = stop};
            from.at = 0;
            ASSERT_FAILS(load_stream(_i, &out, &readers[i]), DDAEBM_CANCELLED, "cancelled after");
            ck_assert(w.calls == stop && !out.model && !out.trainer && counted.live == live);
        }
    }
    free(from.bytes);
}
END_TEST

int main(void) {
    use_fixture(begin, end);
    const TTest *const tests[] = {
        every_way_gives_the_same_bytes,  every_way_is_read,  a_resumed_run_is_the_run,
        failures_of_functions_come_back, memory_may_run_out, what_is_malformed_is_refused,
        loads_tell_and_can_be_cancelled};
    return run_loop_tests("load and save", tests, sizeof tests / sizeof *tests, 2);
}
