/* A child after fork goes on with the handles that it got: it makes its threads anew and computes
 * the same, or refuses; nothing hangs. */
#define _GNU_SOURCE
#include "embedding/embedding.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { ROWS = 3000, IMAGES = 300, CHILDREN = 6, NUMBERS = IMAGES * IMAGE_WIDTH };
_Static_assert(NUMBERS >= ROWS * TASK_WIDTH, "one buffer has room for both");

static task expected, found;
static ddaebm_context *context;
static float rows[NUMBERS], again[NUMBERS];
static size_t count = ROWS;

static void begin(void) {
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    ASSERT_OK(ddaebm_context_set_threads(context, 2));
}

/* Threads of this process, as the system counts them. */
static size_t threads_here(void) {
    size_t found_here = 0;
    DIR *listing = opendir("/proc/self/task");
    for (struct dirent *entry; listing && (entry = readdir(listing));)
        found_here += entry->d_name[0] != '.';
    if (listing)
        closedir(listing);
    return found_here;
}

/* The child's body, which ends with the number of a line that went wrong, or 0; an alarm ends what
 * hangs. */
typedef int (*body)(void *argument);

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__ % 250 + 1;                                                             \
    } while (0)

static void in_a_child(body run, void *argument) {
    int state = 0;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)signal(SIGALRM, SIG_DFL); /* Check's own handler would end the test */
        alarm(100);
        _exit(run(argument));
    }
    ck_assert_int_eq(waitpid(child, &state, 0), child);
    ck_assert_msg(WIFEXITED(state) && WEXITSTATUS(state) == 0,
                  "the child ended with state %d (exit %d)", state,
                  WIFEXITED(state) ? WEXITSTATUS(state) : -1);
}

static int draw_again(void *sampler) {
    EXPECT(threads_here() == 1);
    EXPECT(ddaebm_sampler_draw(sampler, 1, 0, count, again) == DDAEBM_OK);
    EXPECT(memcmp(again, rows, sizeof rows) == 0);
    EXPECT(threads_here() >= 2); /* the library's; the BLAS may have made its own anew */
    ddaebm_sampler_free(sampler);
    ddaebm_context_free(context);
    return 0;
}

/* Of rows, and of images, whose convolutions may be those of a library with threads of its own. */
START_TEST(a_sampler_goes_on_in_the_child) {
    begin();
    ddaebm_model *model = _i ? small_image_model(context) : small_model(context, "", 1);
    ddaebm_sampler *sampler = NULL;
    count = _i ? IMAGES : ROWS;
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_sampler_draw(sampler, 1, 0, count, rows));
    ck_assert_uint_ge(threads_here(), 2);
    for (int i = 0; i < CHILDREN; i++)
        in_a_child(draw_again, sampler);
    ASSERT_OK(ddaebm_sampler_draw(sampler, 1, 0, count, again)); /* and in the parent */
    ck_assert_int_eq(memcmp(again, rows, sizeof rows), 0);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    ddaebm_context_free(context);
}
END_TEST

static int do_all(void *unused) {
    (void)unused;
    do_task(context, &found);
    EXPECT(memcmp(&found, &expected, sizeof found) == 0);
    EXPECT(ddaebm_context_set_threads(context, 3) == DDAEBM_OK);
    do_task(context, &found);
    ddaebm_context_free(context);
    return 0;
}

static int do_all_in_a_grandchild(void *unused) {
    (void)unused;
    do_task(context, &found);
    in_a_child(do_all, NULL);
    return do_all(NULL);
}

START_TEST(everything_works_in_the_child) {
    begin();
    do_task(context, &expected);
    in_a_child(do_all, NULL);
    in_a_child(do_all_in_a_grandchild, NULL);
    do_task(context, &found);
    ck_assert_int_eq(memcmp(&found, &expected, sizeof found), 0);
    ddaebm_context_free(context);
}
END_TEST

static int resume_training(void *trainer) {
    EXPECT(ddaebm_trainer_run_until(trainer, 4, NULL, NULL) == DDAEBM_OK);
    EXPECT(ddaebm_trainer_save_memory(trainer, found.file, sizeof found.file, &found.file_size) ==
           DDAEBM_OK);
    EXPECT(found.file_size == expected.file_size &&
           memcmp(found.file, expected.file, found.file_size) == 0);
    ddaebm_trainer_free(trainer);
    return 0;
}

START_TEST(a_run_goes_on_in_the_child) {
    begin();
    ddaebm_model *model = small_model(context, EVERYTHING, 1);
    ddaebm_dataset *data = small_rows(context, 21, 2);
    ddaebm_trainer *whole = NULL, *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&whole, model, data, 1));
    ASSERT_OK(ddaebm_trainer_run_until(whole, 4, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_save_memory(whole, expected.file, sizeof expected.file,
                                         &expected.file_size));
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, data, 1));
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 2, NULL, NULL));
    in_a_child(resume_training, trainer);
    ddaebm_trainer_free(whole);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(data);
    ddaebm_model_free(model);
    ddaebm_context_free(context);
}
END_TEST

/* --- While another thread computes: the BLAS may hold locks that nobody gives back, so the child
 * refuses rather than hangs. --- */

static pthread_barrier_t meeting;

/* Called within a draw: comes when the test is to fork, and leaves when it has. */
static int wait_inside(void *user, uint64_t done, uint64_t total) {
    bool *once = user;
    (void)done;
    (void)total;
    if (!*once)
        return 0;
    *once = false;
    (void)pthread_barrier_wait(&meeting);
    (void)pthread_barrier_wait(&meeting);
    return 0;
}

static void *draw_and_wait(void *sampler) {
    static float some[ROWS * TASK_WIDTH];
    return ddaebm_sampler_draw(sampler, 1, 0, ROWS, some) == DDAEBM_OK ? sampler : NULL;
}

/* All that the child has, and who may compute in it. */
typedef struct heritage {
    ddaebm_sampler *sampler;
    ddaebm_scorer *scorer;
    ddaebm_trainer *trainer;
    const ddaebm_model *model;
} heritage;

static int be_refused(void *argument) {
    const heritage *all = argument;
    ddaebm_sampler *none = NULL;
    ddaebm_model *copy = NULL;
    size_t size = 0;
    EXPECT(ddaebm_sampler_draw(all->sampler, 1, 0, 1, again) == DDAEBM_STATE);
    EXPECT(strstr(ddaebm_error_message(), "forked while another thread computed"));
    EXPECT(ddaebm_scorer_score(all->scorer, DDAEBM_SCORE_ENERGY, rows, 9, 0, again) ==
           DDAEBM_STATE);
    EXPECT(ddaebm_trainer_step(all->trainer, NULL) == DDAEBM_STATE);
    EXPECT(ddaebm_sampler_create(&none, all->model) == DDAEBM_STATE && !none);
    EXPECT(ddaebm_model_save_memory(all->model, found.file, sizeof found.file, &size) ==
           DDAEBM_OK); /* the rest goes on */
    EXPECT(ddaebm_model_load_memory(&copy, context, found.file, size) == DDAEBM_OK);
    ddaebm_model_free(copy);
    ddaebm_sampler_free(all->sampler);
    ddaebm_scorer_free(all->scorer);
    ddaebm_trainer_free(all->trainer);
    ddaebm_context_free(context);
    return 0;
}

START_TEST(a_fork_in_the_midst_leaves_a_child_that_refuses) {
    begin();
    bool once = true;
    void *result = NULL;
    pthread_t other;
    heritage mine = {.model = NULL};
    ddaebm_sampler *theirs = NULL;
    ddaebm_context *alone = NULL; /* of one thread, which then hears of all progress */
    ASSERT_OK(ddaebm_context_create(&alone, NULL));
    ASSERT_OK(ddaebm_context_set_threads(alone, 1));
    ddaebm_model *model = small_model(context, "", 1), *other_model = small_model(alone, "", 1);
    ddaebm_dataset *data = small_rows(context, 21, 2);
    count = ROWS;
    mine.model = model;
    ASSERT_OK(ddaebm_sampler_create(&mine.sampler, model));
    ASSERT_OK(ddaebm_scorer_create(&mine.scorer, model));
    ASSERT_OK(ddaebm_trainer_create(&mine.trainer, model, data, 1));
    ASSERT_OK(ddaebm_sampler_draw(mine.sampler, 1, 0, ROWS, rows));
    ASSERT_OK(ddaebm_sampler_create(&theirs, other_model));
    ASSERT_OK(ddaebm_sampler_set_progress(theirs, wait_inside, &once));
    ck_assert_int_eq(pthread_barrier_init(&meeting, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&other, NULL, draw_and_wait, theirs), 0);
    (void)pthread_barrier_wait(&meeting);
    in_a_child(be_refused, &mine);
    ASSERT_OK(ddaebm_sampler_draw(mine.sampler, 1, 0, ROWS, again)); /* not the parent */
    ck_assert_int_eq(memcmp(again, rows, ROWS * TASK_WIDTH * sizeof *rows), 0);
    (void)pthread_barrier_wait(&meeting);
    ck_assert_int_eq(pthread_join(other, &result), 0);
    ck_assert_ptr_nonnull(result);
    in_a_child(draw_again, mine.sampler); /* nor a child of a quiet process */
    pthread_barrier_destroy(&meeting);
    ddaebm_sampler_free(theirs);
    ddaebm_sampler_free(mine.sampler);
    ddaebm_scorer_free(mine.scorer);
    ddaebm_trainer_free(mine.trainer);
    ddaebm_dataset_free(data);
    ddaebm_model_free(model);
    ddaebm_model_free(other_model);
    ddaebm_context_free(alone);
    ddaebm_context_free(context);
}
END_TEST

int main(void) {
    const TTest *const both[] = {a_sampler_goes_on_in_the_child};
    const TTest *const once[] = {everything_works_in_the_child, a_run_goes_on_in_the_child,
                                 a_fork_in_the_midst_leaves_a_child_that_refuses};
    return run_loop_tests("fork of samplers", both, 1, 2) |
           run_tests("fork", once, sizeof once / sizeof *once);
}
