/* A run that is killed, at every call of a save or at any moment: its checkpoint loads, and all but
 * the last interval is in it. */
#define _GNU_SOURCE
#include "support/faults.h"
#include "support/small.h"

#include <ddaebm/trainer.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

/* LAST: for the falling rate; no run here gets so far. */
enum { EVERY = 5, LAST = 1000000, KILLS = 30, MOST_BYTES = 1 << 18 };
#define LONG_RUN EVERYTHING ",\"training.steps\":1000000"

static unsigned char before[MOST_BYTES], after[MOST_BYTES], found[MOST_BYTES];
static ddaebm_context *context;
static ddaebm_dataset *dataset;

static void begin(void) {
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    ASSERT_OK(ddaebm_context_set_threads(context, 1));
    dataset = small_rows(context, 21, 2);
}

static void end(void) {
    ddaebm_dataset_free(dataset);
    ddaebm_context_free(context);
}

static ddaebm_trainer *start(void) {
    ddaebm_model *model = small_model(context, LONG_RUN, 3);
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 9));
    ddaebm_model_free(model);
    return trainer;
}

static bool is_there(const char *path) {
    struct stat about;
    return stat(path, &about) == 0;
}

/* The step of a checkpoint, which is a model, too. */
static uint64_t step_of(const char *path) {
    ddaebm_trainer *trainer = NULL;
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_trainer_resume(&trainer, context, path, dataset));
    ASSERT_OK(ddaebm_model_load(&model, context, path));
    uint64_t step = ddaebm_trainer_steps(trainer);
    ddaebm_model_free(model);
    ddaebm_trainer_free(trainer);
    return step;
}

/* What a killed save could not take away: one file at most. */
static size_t remove_strays(void) {
    size_t count = 0;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing));)
        if (strncmp(entry->d_name, ".ddaebm-", 8) == 0)
            count += unlink(in_folder(entry->d_name)) == 0;
    closedir(listing);
    return count;
}

/* Whether the child was killed; else it must have ended well. */
static bool was_killed(pid_t child) {
    int state = 0;
    ck_assert_int_eq(waitpid(child, &state, 0), child);
    if (WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL)
        return true;
    ck_assert_msg(WIFEXITED(state) && WEXITSTATUS(state) == 0, "the child ended with state %d",
                  state);
    return false;
}

/* An alarm ends a child whose parent is gone. */
static pid_t new_child(void) {
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)signal(SIGALRM, SIG_DFL); /* Check's own handler would end the test */
        alarm(600);
    }
    return child;
}

/* --- At every call. --- */

/* A save that is killed at its n-th call: whether it was. The file is the one before or the one
 * after. */
static bool save_is_killed(const ddaebm_trainer *trainer, fault kind, size_t at) {
    pid_t child = new_child();
    if (child == 0) {
        faults_begin(kind, 0, at, FAULT_ONCE);
        _exit(ddaebm_trainer_save(trainer, in_folder("run")) == DDAEBM_OK ? 0 : 1);
    }
    return was_killed(child);
}

static size_t sweep_kills(const ddaebm_trainer *trainer, fault kind, bool was_there,
                          size_t size_before, size_t size_after) {
    size_t kills = 0, old = 0, strays = 0;
    bool killed = true, moved = false;
    for (size_t at = 1; killed; at = next_case(at), kills += killed) {
        (void)unlink(in_folder("run"));
        if (was_there)
            put_file(in_folder("run"), before, size_before);
        killed = save_is_killed(trainer, kind, at);
        size_t left = remove_strays();
        ck_assert_uint_le(left, 1);
        strays += left;
        size_t size =
            is_there(in_folder("run")) ? get_file(in_folder("run"), found, sizeof found) : 0;
        bool is_new = size == size_after && memcmp(found, after, size) == 0;
        ck_assert(is_new || (was_there ? size == size_before && memcmp(found, before, size) == 0
                                       : size == 0));
        ck_assert(is_new || !moved); /* once it is there, it is there */
        moved = is_new;
        old += !is_new;
        if (size > 0)
            ck_assert_uint_eq(step_of(in_folder("run")), is_new ? 2 * EVERY : EVERY);
        ck_assert(killed || (is_new && left == 0));
    }
    ck_assert_uint_ge(old, 8);
    /* Two calls after the move, and the save that was left alone. */
    ck_assert_uint_ge(kills + 1 - old, sampled() ? 1 : 3);
    ck_assert_uint_ge(strays, 4);
    return kills;
}

START_TEST(a_save_may_be_killed_at_any_call) {
    ddaebm_trainer *trainer = start();
    size_t size_before = 0, size_after = 0;
    ASSERT_OK(ddaebm_trainer_run(trainer, EVERY, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_save_memory(trainer, before, sizeof before, &size_before));
    ASSERT_OK(ddaebm_trainer_run(trainer, 2 * EVERY, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_save_memory(trainer, after, sizeof after, &size_after));
    const fault kinds[] = {FAULT_KILL_BEFORE, FAULT_KILL_MIDST, FAULT_KILL_AFTER};
    size_t kills = 0;
    for (int was_there = 0; was_there < 2; was_there++)
        kills += sweep_kills(trainer, kinds[_i], was_there, size_before, size_after);
    printf("saves killed: %zu\n", kills);
    ddaebm_trainer_free(trainer);
}
END_TEST

/* --- At any moment. --- */

/* What a run tells while it lives: steps that it has made, and those that it knows to be saved. */
typedef struct account {
    _Atomic uint64_t made, saved;
} account;

static int tell(void *user, const ddaebm_step_statistics *statistics, uint64_t last) {
    account *shared = user;
    (void)last;
    shared->made = statistics->step;
    return 0;
}

/* A run as a user has it: goes on where the checkpoint is, saves every few steps. The number of a
 * line that went wrong, or 0. */
static int run_and_save(account *shared, uint64_t last) {
    ddaebm_trainer *trainer = NULL;
    if (!is_there(in_folder("run")))
        trainer = start();
    else if (ddaebm_trainer_resume(&trainer, context, in_folder("run"), dataset) != DDAEBM_OK)
        return 1;
    while (ddaebm_trainer_steps(trainer) < last) {
        if (ddaebm_trainer_run(trainer, ddaebm_trainer_steps(trainer) + EVERY, tell, shared) !=
            DDAEBM_OK)
            return 2;
        if (ddaebm_trainer_save(trainer, in_folder("run")) != DDAEBM_OK)
            return 3;
        shared->saved = ddaebm_trainer_steps(trainer);
    }
    ddaebm_trainer_free(trainer);
    return 0;
}

static size_t draw(uint64_t *state, size_t below) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(*state >> 33) % below;
}

/* Kills the child some steps and a moment from now. */
static void kill_at_random(pid_t child, const account *shared, uint64_t *state) {
    uint64_t until = shared->made + draw(state, 2 * EVERY + 1);
    siginfo_t gone = {.si_pid = 0};
    const struct timespec glance = {0, 20000}, moment = {0, (long)draw(state, 1500000)};
    while (shared->made < until &&
           waitid(P_PID, (id_t)child, &gone, WEXITED | WNOHANG | WNOWAIT) == 0 && gone.si_pid == 0)
        (void)nanosleep(&glance, NULL);
    (void)nanosleep(&moment, NULL);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert(was_killed(child));
}

static size_t kills_wanted(void) {
    const char *text = getenv("DDAEBM_KILLS");
    return text ? (size_t)strtoul(text, NULL, 10) : KILLS / sweep_step(3);
}

START_TEST(a_run_may_be_killed_at_any_moment) {
    account *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    uint64_t state = (uint64_t)time(NULL), saved = 0, lost = 0;
    size_t kills = kills_wanted(), strays = 0, size = 0, size_whole = 0;
    for (size_t i = 0; i < kills; i++) {
        shared->made = shared->saved = saved;
        pid_t child = new_child();
        if (child == 0)
            _exit(run_and_save(shared, LAST));
        kill_at_random(child, shared, &state);
        strays += remove_strays();
        saved = is_there(in_folder("run")) ? step_of(in_folder("run")) : 0;
        ck_assert_uint_eq(saved % EVERY, 0);
        ck_assert_uint_ge(saved, shared->saved);
        ck_assert_uint_le(saved, shared->made);
        ck_assert_uint_le(shared->made - saved, EVERY);
        lost += shared->made - saved;
    }
    ck_assert_uint_gt(saved, kills / 2); /* most of them came while it ran */
    ck_assert_int_eq(run_and_save(shared, saved + EVERY), 0);
    /* All the pieces are one run. */
    ddaebm_trainer *whole = start();
    ASSERT_OK(ddaebm_trainer_run(whole, saved + EVERY, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_save_memory(whole, after, sizeof after, &size_whole));
    size = get_file(in_folder("run"), found, sizeof found);
    ck_assert_uint_eq(size, size_whole);
    ck_assert_int_eq(memcmp(found, after, size), 0);
    ddaebm_trainer_free(whole);
    printf("killed %zu times: %llu steps, %llu made again, %zu saves cut\n", kills,
           (unsigned long long)(saved + EVERY), (unsigned long long)lost, strays);
    munmap(shared, sizeof *shared);
}
END_TEST

int main(void) {
    use_fixture(begin, end);
    const TTest *const saves[] = {a_save_may_be_killed_at_any_call},
                       *const runs[] = {a_run_may_be_killed_at_any_moment};
    return run_loop_tests("killed saves", saves, 1, 3) | run_tests("killed runs", runs, 1);
}
