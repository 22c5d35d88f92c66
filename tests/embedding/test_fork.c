/* A child after fork goes on with the handles that it got: it makes its threads anew and computes the same, and nothing hangs. */
#define _GNU_SOURCE
#include "embedding/embedding.h"

#include <pthread.h>
#include <sys/wait.h>

enum { ROWS = 3000, PICTURES = 300, CHILDREN = 6, NUMBERS = PICTURES * PICTURE_WIDTH };
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

/* The child's body, which ends with the number of a line that went wrong, or 0; an alarm ends what hangs. */
typedef int (*body)(void *argument);

#define EXPECT(condition)                                                                                                          \
    do {                                                                                                                           \
        if (!(condition))                                                                                                          \
            return __LINE__ % 250 + 1;                                                                                             \
    } while (0)

static void in_a_child(body run, void *argument) {
    int state = 0;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        alarm(100);
        _exit(run(argument));
    }
    ck_assert_int_eq(waitpid(child, &state, 0), child);
    ck_assert_msg(WIFEXITED(state) && WEXITSTATUS(state) == 0, "the child ended with state %d (exit %d)", state,
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

/* Of rows, and of pictures, whose convolutions may be those of a library with threads of its own. */
START_TEST(a_sampler_goes_on_in_the_child) {
    begin();
    ddaebm_model *model = _i ? small_picture_model(context) : small_model(context, "", 1);
    ddaebm_sampler *sampler = NULL;
    count = _i ? PICTURES : ROWS;
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
    EXPECT(ddaebm_trainer_run(trainer, 4, NULL, NULL) == DDAEBM_OK);
    EXPECT(ddaebm_trainer_save_memory(trainer, found.file, sizeof found.file, &found.file_size) == DDAEBM_OK);
    EXPECT(found.file_size == expected.file_size && memcmp(found.file, expected.file, found.file_size) == 0);
    ddaebm_trainer_free(trainer);
    return 0;
}

START_TEST(a_run_goes_on_in_the_child) {
    begin();
    ddaebm_model *model = small_model(context, EVERYTHING, 1);
    ddaebm_dataset *data = small_rows(context, 21, 2);
    ddaebm_trainer *whole = NULL, *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&whole, model, data, 1));
    ASSERT_OK(ddaebm_trainer_run(whole, 4, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_save_memory(whole, expected.file, sizeof expected.file, &expected.file_size));
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, data, 1));
    ASSERT_OK(ddaebm_trainer_run(trainer, 2, NULL, NULL));
    in_a_child(resume_training, trainer);
    ddaebm_trainer_free(whole);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(data);
    ddaebm_model_free(model);
    ddaebm_context_free(context);
}
END_TEST

/* --- While other threads compute: what is theirs is not for the child, but all else is. --- */

static atomic_bool enough;
static atomic_int drawing;

static void *draw_on(void *sampler) {
    float some[50 * TASK_WIDTH];
    bool good = true;
    for (uint64_t i = 0; good && !atomic_load(&enough); i++) {
        good = ddaebm_sampler_draw(sampler, i, 0, 50, some) == DDAEBM_OK;
        if (i == 0)
            drawing++;
    }
    return good ? sampler : NULL;
}

extern int openblas_get_num_threads(void) __attribute__((weak));

/* A handle of the child's own in the context whose threads another thread had, and the BLAS as it was. */
static int draw_with_a_new_one(void *argument) {
    ddaebm_sampler *sampler = NULL;
    EXPECT(ddaebm_sampler_create(&sampler, argument) == DDAEBM_OK);
    EXPECT(ddaebm_sampler_draw(sampler, 1, 0, count, again) == DDAEBM_OK);
    EXPECT(memcmp(again, rows, sizeof rows) == 0);
    ddaebm_sampler_free(sampler);
    return 0;
}

static int count_blas_threads(void *threads) {
    int status = draw_with_a_new_one(((void **)threads)[1]);
    EXPECT(status == 0);
    EXPECT(openblas_get_num_threads() == *((int **)threads)[0]);
    return 0;
}

START_TEST(a_fork_may_come_in_the_middle) {
    enum { OTHERS = 2 };
    begin();
    pthread_t threads[OTHERS];
    ddaebm_sampler *samplers[OTHERS] = {NULL, NULL}, *mine = NULL;
    ddaebm_model *model = small_model(context, "", 1);
    int blas = openblas_get_num_threads ? openblas_get_num_threads() : 0;
    void *both[2] = {&blas, model};
    ASSERT_OK(ddaebm_sampler_create(&mine, model));
    ASSERT_OK(ddaebm_sampler_draw(mine, 1, 0, count, rows));
    for (int i = 0; i < OTHERS; i++) {
        ASSERT_OK(ddaebm_sampler_create(&samplers[i], model));
        ck_assert_int_eq(pthread_create(&threads[i], NULL, draw_on, samplers[i]), 0);
    }
    while (atomic_load(&drawing) < OTHERS)
        (void)usleep(100);
    for (int i = 0; i < CHILDREN; i++)
        in_a_child(blas ? count_blas_threads : draw_with_a_new_one, blas ? (void *)both : model);
    atomic_store(&enough, true);
    for (int i = 0; i < OTHERS; i++) {
        void *result = NULL;
        ck_assert_int_eq(pthread_join(threads[i], &result), 0);
        ck_assert_ptr_nonnull(result);
        ddaebm_sampler_free(samplers[i]);
    }
    ddaebm_sampler_free(mine);
    ddaebm_model_free(model);
    ddaebm_context_free(context);
}
END_TEST

int main(void) {
    const TTest *const both[] = {a_sampler_goes_on_in_the_child};
    const TTest *const once[] = {everything_works_in_the_child, a_run_goes_on_in_the_child, a_fork_may_come_in_the_middle};
    return run_loop_tests("fork of samplers", both, 1, 2) | run_tests("fork", once, sizeof once / sizeof *once);
}
