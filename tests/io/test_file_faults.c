/* Every system call of a save or a load is made to fail, to be interrupted, or to move fewer bytes,
 * one after the other. */
#define _GNU_SOURCE
#include "base/error.h"
#include "support/counted.h"
#include "support/faults.h"
#include "support/small.h"

#include <ddaebm/array.h>
#include <ddaebm/row_writer.h>
#include <ddaebm/trainer.h>
#include <errno.h>

enum { MOST_BYTES = 1 << 18, MOST_CALLS = 10000 };

static ddaebm_dataset *dataset;
static ddaebm_model *model;
static ddaebm_trainer *trainer;

/* What is there before a save, and after. */
static unsigned char old_bytes[] = "an older file, of another length", new_bytes[MOST_BYTES],
                     found[MOST_BYTES];
static size_t new_size;

static void begin(void) {
    open_context(1);
    dataset = small_rows(context, 21, 2);
    model = small_model(context, EVERYTHING, 3);
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 5));
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 2, NULL, NULL));
}

static void end(void) {
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
    close_context();
}

/* Checks that a failure names the file and the system's reason. */
static void assert_told(ddaebm_status status, int error, const char *path) {
    ck_assert_int_eq(status, DDAEBM_IO);
    const char *message = ddaebm_error_message();
    ck_assert_msg(strstr(message, strerror(error)) && strstr(message, path), "the message is '%s'",
                  message);
}

static const int errors[] = {EIO, ENOSPC};

/* --- Saving. --- */

static ddaebm_status save_model(const char *path) {
    return ddaebm_model_save(model, path);
}

static ddaebm_status save_half(const char *path) {
    return ddaebm_model_save_half(model, path);
}

static ddaebm_status save_run(const char *path) {
    return ddaebm_trainer_save(trainer, path);
}

static ddaebm_status save_array(const char *path) {
    static const float values[] = {1, 2, 3};
    const size_t shape = 3;
    return ddaebm_array_write_npy(context, path, values, 1, &shape);
}

/* Row by row. */
static ddaebm_status save_rows(const char *path) {
    static const float rows[] = {1.0f / 3, 2.0f / 3, 4.0f / 3, 5.0f / 3, 7.0f / 3, 8.0f / 3};
    ddaebm_writer to = DDAEBM_WRITER_INIT;
    ddaebm_row_options options = DDAEBM_ROW_OPTIONS_INIT;
    ddaebm_row_writer *writer = NULL;
    const size_t shape[] = {3, 2};
    ddaebm_status status = DDAEBM_OK;
    to.path = path;
    DD_TRY(ddaebm_row_writer_create(&writer, context, &to, &options, 2, shape));

    for (size_t i = 0; i < 3; i++)
        DD_TRY(ddaebm_row_writer_append(writer, rows + 2 * i, 1));
    DD_TRY(ddaebm_row_writer_finish(writer));
cleanup:
    ddaebm_row_writer_free(writer);
    return status;
}

static ddaebm_status (*const saves[])(const char *path) = {save_model, save_half, save_run,
                                                           save_array, save_rows};
enum { SAVES = sizeof saves / sizeof *saves };

/* What stands at the target before a save. */
typedef enum place { NOTHING, A_FILE, A_LINK, PLACES } place;

static void prepare(place kind) {
    (void)unlink(in_folder("target"));
    (void)unlink(in_folder("real"));
    if (kind != NOTHING)
        put_file(in_folder(kind == A_LINK ? "real" : "target"), old_bytes, sizeof old_bytes);
    if (kind == A_LINK)
        ck_assert_int_eq(symlink("real", in_folder("target")), 0);
}

static void remove_strays(void) {
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing));)
        if (strncmp(entry->d_name, ".ddaebm-", 8) == 0)
            ck_assert_int_eq(unlink(in_folder(entry->d_name)), 0);
    closedir(listing);
}

/* Returns whether the target is the new file. It must be that or the old one. */
static bool is_new(place kind) {
    struct stat about;
    const char *path = in_folder("target");
    bool there = lstat(path, &about) == 0;
    ck_assert(there || kind == NOTHING);
    if (!there)
        return false;

    ck_assert_int_eq(S_ISLNK(about.st_mode), kind == A_LINK);
    size_t size = get_file(path, found, sizeof found);
    if (kind != NOTHING && size == sizeof old_bytes && memcmp(found, old_bytes, size) == 0)
        return false;

    ck_assert_uint_eq(size, new_size);
    ck_assert_int_eq(memcmp(found, new_bytes, size), 0);
    return true;
}

/* Saves with one fault: no memory is lost and no descriptor stays open. *calls is the number of
 * calls. */
static ddaebm_status save_with(int which, place kind, fault what, int error, size_t at,
                               fault_reach reach, size_t *calls) {
    prepare(kind);
    size_t live = counted.live;
    const char *path = in_folder("target");
    faults_begin(what, error, at, reach);
    ddaebm_status status = saves[which](path);
    *calls = faults_end();
    ck_assert_uint_eq(counted.live, live);
    ck_assert_int_eq(faults_open_files(), 0);
    return status;
}

static void learn_new(int which) {
    ASSERT_OK(saves[which](in_folder("new")));
    new_size = get_file(in_folder("new"), new_bytes, sizeof new_bytes);
    ck_assert_uint_lt(new_size, sizeof new_bytes);
    ck_assert_int_eq(unlink(in_folder("new")), 0);
}

static size_t entries_at(place kind, bool written) {
    return kind == A_LINK ? 2 : kind == A_FILE || written;
}

/* Only the flush of the folder may fail after the new file is in place; only closing the folder and
 * keeping the permissions may fail unnoticed. */
static size_t sweep_errors(int which, place kind, int error, fault_reach reach) {
    size_t calls = 0, failed = 0, unnoticed = 0, unflushed = 0;
    for (size_t at = 1;; at++) {
        ddaebm_status status = save_with(which, kind, FAULT_ERROR, error, at, reach, &calls);
        bool written = is_new(kind);
        if (status == DDAEBM_OK) {
            ck_assert(written);
        } else {
            assert_told(status, error, in_folder("target"));
            failed++;
            unflushed += written;
        }
        if (reach == FAULT_ONCE)
            ck_assert_uint_eq(entries_in_folder(), entries_at(kind, written));
        remove_strays();
        if (!faults_first()) {
            ck_assert_int_eq(status, DDAEBM_OK);
            ck_assert_uint_eq(calls, at - 1);
            break;
        }
        unnoticed += status == DDAEBM_OK;
        ck_assert_uint_lt(at, MOST_CALLS);
    }

    ck_assert_uint_eq(unnoticed, kind != NOTHING && reach == FAULT_ONCE ? 2 : 1);
    ck_assert_uint_eq(unflushed, 1);
    ck_assert_uint_ge(failed, 8);
    return failed + unnoticed;
}

START_TEST(a_save_that_fails_leaves_the_old_file_or_the_new) {
    begin();
    size_t points = 0;
    learn_new(_i / PLACES);
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e += sweep_step(2))
        for (fault_reach reach = FAULT_ONCE; reach <= FAULT_FROM_THERE_ON;
             reach = (fault_reach)(reach + sweep_step(2)))
            points += sweep_errors(_i / PLACES, (place)(_i % PLACES), errors[e], reach);
    printf("save %d of %d: %zu failures\n", _i + 1, SAVES * PLACES, points);
    end();
}
END_TEST

static void assert_saved(ddaebm_status status, place kind) {
    ASSERT_OK(status);
    ck_assert(is_new(kind));
    ck_assert_uint_eq(entries_in_folder(), entries_at(kind, true));
}

START_TEST(a_save_goes_on_after_signals_and_short_writes) {
    begin();
    int which = _i / PLACES;
    place kind = (place)(_i % PLACES);
    size_t calls = 0;
    learn_new(which);

    for (size_t at = 1; at <= (calls ? calls : 1); at = next_case(at)) {
        assert_saved(save_with(which, kind, FAULT_ERROR, EINTR, at, FAULT_ONCE, &calls), kind);
        ck_assert(faults_first() || sampled());
        assert_saved(save_with(which, kind, FAULT_SHORT, 0, at, FAULT_ONCE, &calls), kind);
    }

    size_t undisturbed = calls;
    printf("save %d of %d: %zu interruptions, %zu short calls\n", _i + 1, SAVES * PLACES,
           undisturbed, undisturbed);
    for (size_t at = 1; at <= 2; at++) {
        assert_saved(save_with(which, kind, FAULT_ERROR, EINTR, at, FAULT_EVERY_OTHER, &calls),
                     kind);
        ck_assert_uint_gt(calls, undisturbed);
    }

    assert_saved(save_with(which, kind, FAULT_SHORT, 0, 1, FAULT_FROM_THERE_ON, &calls), kind);
    ck_assert_uint_gt(calls, undisturbed + 5);
    end();
}
END_TEST

/* Failures that do not endanger the data: file systems without permissions or flushes, and folders
 * that may not be read. */
START_TEST(a_save_goes_on_without_courtesies) {
    static const struct {
        const char *call;
        size_t at;
        int errors[8];
    } courtesies[] = {{"fchmod", 1, {EPERM, ENOTSUP, EINVAL, ENOSYS, EROFS, EACCES, EIO}},
                      {"fsync", 1, {EINVAL, ENOTSUP, ENOSYS}},
                      {"fsync", 2, {EINVAL, ENOTSUP, ENOSYS, EACCES, EPERM, EROFS, EBADF}},
                      {"open", 1, {EACCES, EPERM}}};
    begin();
    learn_new(_i / PLACES);

    for (size_t c = 0; c < sizeof courtesies / sizeof *courtesies; c++)
        for (const int *error = courtesies[c].errors; *error != 0; error++) {
            prepare((place)(_i % PLACES));
            faults_begin(FAULT_ERROR, *error, courtesies[c].at, FAULT_ONCE);
            faults_only(courtesies[c].call);
            ddaebm_status status = saves[_i / PLACES](in_folder("target"));
            (void)faults_end();
            ck_assert_int_eq(faults_first() != NULL, _i % PLACES != NOTHING || c > 0);
            ck_assert_int_eq(faults_open_files(), 0);
            assert_saved(status, (place)(_i % PLACES));
        }
    end();
}
END_TEST

/* A flush that fails because of the disk is a failure, and the old file stays. */
START_TEST(a_save_that_is_not_on_the_disk_fails) {
    static const int disk[] = {EIO, ENOSPC, EDQUOT};
    begin();
    learn_new(_i / PLACES);

    for (size_t e = 0; e < sizeof disk / sizeof *disk; e++) {
        prepare((place)(_i % PLACES));
        faults_begin(FAULT_ERROR, disk[e], 1, FAULT_ONCE);
        faults_only("fsync");
        ddaebm_status status = saves[_i / PLACES](in_folder("target"));
        (void)faults_end();
        assert_told(status, disk[e], in_folder("target"));
        ck_assert(!is_new((place)(_i % PLACES)));
        ck_assert_uint_eq(entries_in_folder(), entries_at((place)(_i % PLACES), false));
    }
    end();
}
END_TEST

/* If the mode cannot be set, the new file is no more open than the old one. */
START_TEST(a_private_file_stays_private) {
    begin();
    struct stat about;
    learn_new(_i);
    prepare(A_FILE);
    ck_assert_int_eq(chmod(in_folder("target"), 0600), 0);
    faults_begin(FAULT_ERROR, EPERM, 1, FAULT_ONCE);
    faults_only("fchmod");
    ASSERT_OK(saves[_i](in_folder("target")));
    (void)faults_end();
    ck_assert_int_eq(stat(in_folder("target"), &about), 0);
    ck_assert_int_eq(about.st_mode & 0077, 0);
    end();
}
END_TEST

/* The content is flushed before the file is renamed, and the name before success: a power failure
 * leaves the old file or the new one. */
START_TEST(a_save_flushes_before_it_moves) {
    begin();
    size_t calls = 0;
    ASSERT_OK(save_with(_i, A_FILE, FAULT_SHORT, 0, SIZE_MAX, FAULT_ONCE, &calls));
    ck_assert_str_eq(faults_trace(),
                     "stat lstat open openat fchmod write fsync close renameat fsync close ");
    end();
}
END_TEST

START_TEST(a_device_is_written_through_signals_and_fails_aloud) {
    begin();
    size_t calls = 1;

    for (size_t at = 1; at <= calls; at++) {
        faults_begin(FAULT_ERROR, EINTR, at, FAULT_ONCE);
        ASSERT_OK(saves[_i]("/dev/null"));
        calls = faults_end() - (strcmp(faults_first(), "close") != 0); /* a second try */
        faults_begin(FAULT_SHORT, 0, at, FAULT_FROM_THERE_ON);
        ASSERT_OK(saves[_i]("/dev/null"));
        (void)faults_end();
        faults_begin(FAULT_ERROR, EIO, at, FAULT_ONCE);
        assert_told(saves[_i]("/dev/null"), EIO, "/dev/null");
        (void)faults_end();
        ck_assert_int_eq(faults_open_files(), 0);
    }

    ck_assert_uint_ge(calls, 4);
    end();
}
END_TEST

/* --- Loading. --- */

static char untouched;

static ddaebm_status load_model(void **out) {
    ddaebm_model *back = (ddaebm_model *)*out;
    ddaebm_status status = ddaebm_model_load(&back, context, in_folder("model"));
    *out = back;
    return status;
}

static void check_model(void *back) {
    ck_assert(same_models(model, back));
    ddaebm_model_free(back);
}

static ddaebm_status resume_run(void **out) {
    ddaebm_trainer *back = (ddaebm_trainer *)*out;
    ddaebm_status status = ddaebm_trainer_resume(&back, context, in_folder("run"), dataset);
    *out = back;
    return status;
}

static void check_run(void *back) {
    size_t size = 0;
    ASSERT_OK(ddaebm_trainer_save_memory(back, found, sizeof found, &size));
    ck_assert_uint_eq(size, new_size);
    ck_assert_int_eq(memcmp(found, new_bytes, size), 0);
    ddaebm_trainer_free(back);
}

static ddaebm_status open_rows(void **out) {
    ddaebm_dataset *back = (ddaebm_dataset *)*out;
    ddaebm_status status = ddaebm_dataset_open(&back, context, in_folder("rows"));
    *out = back;
    return status;
}

static void check_rows(void *back) {
    ck_assert_uint_eq(ddaebm_dataset_rows(back), 2);
    ck_assert_uint_eq(ddaebm_dataset_width(back), 3);
    ddaebm_dataset_free(back);
}

static int64_t batch_of(const ddaebm_config *config) {
    int64_t batch = 0;
    ASSERT_OK(ddaebm_config_integer(config, "training.batch", &batch));
    return batch;
}

/* Loads into a configuration, which changes wholly or not at all. */
static ddaebm_status load_settings(void **out) {
    ddaebm_config *config = NULL;
    ASSERT_OK(ddaebm_config_create(&config, context, "toy"));
    int64_t before = batch_of(config);
    ddaebm_status status = ddaebm_config_load(config, in_folder("settings"));
    if (status == DDAEBM_OK) {
        *out = config;
        return status;
    }
    ck_assert_int_eq(batch_of(config), before);
    ddaebm_config_free(config);
    return status;
}

static void check_settings(void *back) {
    ck_assert_int_eq(batch_of(back), 77);
    ddaebm_config_free(back);
}

static const struct load {
    const char *name;
    ddaebm_status (*load)(void **out);
    void (*check)(void *back); /* and free */
} loads[] = {{"model", load_model, check_model},
             {"run", resume_run, check_run},
             {"rows", open_rows, check_rows},
             {"settings", load_settings, check_settings}};
enum { LOADS = sizeof loads / sizeof *loads };

static void begin_loads(void) {
    begin();
    ASSERT_OK(ddaebm_model_save(model, in_folder("model")));
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("run")));
    put_file(in_folder("rows"), "1,2,3\n4,5,6\n", 12);
    put_file(in_folder("settings"), "{\"training.batch\": 77}", 22);
    new_size = get_file(in_folder("run"), new_bytes, sizeof new_bytes);
}

static ddaebm_status load_with(const struct load *self, void **out, fault what, int error,
                               size_t at, fault_reach reach) {
    size_t live = counted.live;
    *out = &untouched;
    faults_begin(what, error, at, reach);
    ddaebm_status status = self->load(out);
    (void)faults_end();
    ck_assert_int_eq(faults_open_files(), 0);
    if (status != DDAEBM_OK) {
        ck_assert_ptr_eq(*out, &untouched);
        ck_assert_uint_eq(counted.live, live);
    }
    return status;
}

/* Faults that do no harm: a file that was read need not close, and whether a path is a folder shows
 * when it is opened. */
static bool is_harmless(const char *call, fault_reach reach) {
    return !call || strcmp(call, "close") == 0 ||
           (strcmp(call, "stat") == 0 && reach == FAULT_ONCE);
}

START_TEST(a_load_that_fails_leaves_nothing) {
    begin_loads();
    const struct load *self = &loads[_i];
    size_t points = 0;

    for (size_t e = 0; e < sizeof errors / sizeof *errors; e += sweep_step(2))
        for (fault_reach reach = FAULT_ONCE; reach <= FAULT_FROM_THERE_ON;
             reach = (fault_reach)(reach + sweep_step(2))) {
            size_t failed = 0, at = 0;
            do {
                void *back = NULL;
                ddaebm_status status = load_with(self, &back, FAULT_ERROR, errors[e], ++at, reach);
                if (status == DDAEBM_OK)
                    self->check(back);
                else
                    assert_told(status, errors[e], in_folder(self->name));
                ck_assert_int_eq(status == DDAEBM_OK, is_harmless(faults_first(), reach));
                failed += status != DDAEBM_OK;
            } while (faults_first());
            ck_assert_uint_ge(failed, 3);
            points += at - 1;
        }
    printf("load %d of %d: %zu failures\n", _i + 1, LOADS, points);
    end();
}
END_TEST

START_TEST(a_load_goes_on_after_signals_and_short_reads) {
    begin_loads();
    const struct load *self = &loads[_i];
    void *back = NULL;
    size_t at = 0;

    do {
        at = next_case(at);
        ASSERT_OK(load_with(self, &back, FAULT_ERROR, EINTR, at, FAULT_ONCE));
        self->check(back);
        bool struck = faults_first() != NULL;
        ASSERT_OK(load_with(self, &back, FAULT_SHORT, 0, at, FAULT_ONCE));
        self->check(back);
        if (!struck)
            break;
    } while (at < MOST_CALLS);
    ck_assert_uint_ge(at, 4);
    printf("load %d of %d: %zu interruptions, %zu short calls\n", _i + 1, LOADS, at - 1, at - 1);

    for (at = 1; at <= 2; at++) {
        ASSERT_OK(load_with(self, &back, FAULT_ERROR, EINTR, at, FAULT_EVERY_OTHER));
        self->check(back);
    }

    ASSERT_OK(load_with(self, &back, FAULT_SHORT, 0, 1, FAULT_FROM_THERE_ON));
    self->check(back);
    end();
}
END_TEST

int main(void) {
    const TTest *const saved[] = {a_save_that_fails_leaves_the_old_file_or_the_new,
                                  a_save_goes_on_after_signals_and_short_writes,
                                  a_save_goes_on_without_courtesies,
                                  a_save_that_is_not_on_the_disk_fails};
    const TTest *const direct[] = {a_save_flushes_before_it_moves, a_private_file_stays_private,
                                   a_device_is_written_through_signals_and_fails_aloud};
    const TTest *const loaded[] = {a_load_that_fails_leaves_nothing,
                                   a_load_goes_on_after_signals_and_short_reads};
    return run_loop_tests("faults of saves", saved, 4, SAVES * PLACES) |
           run_loop_tests("order of saves", direct, 3, SAVES) |
           run_loop_tests("faults of loads", loaded, 2, LOADS);
}
