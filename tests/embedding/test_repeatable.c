/* What repeats, and how well. The same program on the same machine gives the same bits. With
 * `deterministic`, so do other numbers of threads and other cuts of a call. Without it, and across
 * the BLAS's kernels (OpenBLAS has one for each kind of processor, and is told which by its
 * environment), numbers agree within TOLERANCE of the largest. */
#define _GNU_SOURCE
#include "embedding/embedding.h"
#include "support/extremes.h"

#include <errno.h>
#include <math.h>
#include <sys/wait.h>

enum { ROWS = 423, IMAGES = 9, STEPS = 3 };

/* For what one model draws and scores, and for the losses of its first step. */
static const double TOLERANCE = 2e-5;

/* Of one model: what it draws and scores, and its first step. */
typedef struct answers {
    float samples[ROWS * TASK_WIDTH], scores[ROWS], gradients[ROWS * TASK_WIDTH],
        images[IMAGES * IMAGE_WIDTH];
    float losses[3], image_losses[3];
} answers;

/* And of runs. */
typedef struct everything {
    answers of_model;
    task of_run;
    size_t image_run_size;
    unsigned char image_run[TASK_FILE];
} everything;

static ddaebm_trainer *first_step(const ddaebm_model *model, const ddaebm_dataset *data,
                                  float *losses) {
    ddaebm_trainer *trainer = NULL;
    ddaebm_step_statistics statistics = DDAEBM_STEP_STATISTICS_INIT;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, data, 5));
    ASSERT_OK(ddaebm_trainer_step(trainer, &statistics));
    losses[0] = (float)statistics.energy_loss;
    losses[1] = (float)statistics.penalty;
    losses[2] = (float)statistics.generator_loss;
    return trainer;
}

static void ask_about_rows(ddaebm_context *context, answers *a) {
    ddaebm_model *model = small_model(
        context,
        "\"diffusion.beta_max\":20,\"training.batch\":400,\"energy.hidden_layers\":[160,160]", 3);
    ddaebm_dataset *data = NULL;
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&data, context, "pinwheel", 4));
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ASSERT_OK(ddaebm_sampler_draw(sampler, 1, 0, ROWS, a->samples));
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, a->samples, ROWS, 0, a->scores));
    ASSERT_OK(ddaebm_scorer_gradient(scorer, a->samples, ROWS, 1, a->gradients));
    ddaebm_trainer_free(first_step(model, data, a->losses));
    ddaebm_scorer_free(scorer);
    ddaebm_sampler_free(sampler);
    ddaebm_dataset_free(data);
    ddaebm_model_free(model);
}

/* And a run of a few steps, if it is wanted. */
static void ask_about_images(ddaebm_context *context, answers *a, everything *run) {
    ddaebm_model *model = small_image_model(context);
    ddaebm_dataset *data = NULL;
    ddaebm_sampler *sampler = NULL;
    uint8_t bytes[20 * IMAGE_WIDTH];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * i * 7 / 31);
    ASSERT_OK(
        ddaebm_dataset_create_images(&data, context, bytes, sizeof bytes / IMAGE_WIDTH, 8, 8, 1));
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_sampler_draw(sampler, 1, 0, IMAGES, a->images));
    ddaebm_sampler_free(sampler);
    ddaebm_trainer *trainer = first_step(model, data, a->image_losses);
    if (run) {
        ASSERT_OK(ddaebm_trainer_run_until(trainer, STEPS, NULL, NULL));
        ASSERT_OK(ddaebm_trainer_save_memory(trainer, run->image_run, sizeof run->image_run,
                                             &run->image_run_size));
    }
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(data);
    ddaebm_model_free(model);
}

static void do_everything(int threads, int deterministic, everything *out) {
    ddaebm_context *context = NULL;
    memset(out, 0, sizeof *out);
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    ASSERT_OK(ddaebm_context_set_threads(context, threads));
    ASSERT_OK(ddaebm_context_set_deterministic(context, deterministic));
    ask_about_rows(context, &out->of_model);
    ask_about_images(context, &out->of_model, out);
    do_task(context, &out->of_run);
    ddaebm_context_free(context);
}

static everything expected, found;

/* In a process of its own, in whose environment OpenBLAS finds the name of a processor, unless that
 * is NULL. */
static void elsewhere(const char *processor, int threads, everything *out) {
    char number[16];
    char path[128];
    (void)snprintf(path, sizeof path, "%s", in_folder("result"));
    (void)snprintf(number, sizeof number, "%d", threads);
    pid_t child = fork();
    if (child == 0) {
        if (processor)
            (void)setenv("OPENBLAS_CORETYPE", processor, 1);
        (void)execl("/proc/self/exe", "test_repeatable", number, path, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        ck_assert_int_eq(errno, EINTR);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(get_file(path, out, sizeof *out), sizeof *out);
}

/* What the other process does, as a test: only there may Check's assertions be used. */
static int asked_threads;
static const char *asked_path;

START_TEST(the_question_is_answered) {
    do_everything(asked_threads, 0, &found);
    put_file(asked_path, &found, sizeof found);
}
END_TEST

static int answer(int threads, const char *path) {
    const TTest *const test[] = {the_question_is_answered};
    asked_threads = threads;
    asked_path = path;
    return run_tests("repeatable, elsewhere", test, 1);
}

START_TEST(the_same_call_gives_the_same_bits) {
    for (int threads = 1; threads <= 3; threads++) {
        do_everything(threads, 0, &expected);
        do_everything(threads, 0, &found);
        ck_assert_int_eq(memcmp(&expected, &found, sizeof found), 0);
        elsewhere(NULL, threads, &found);
        ck_assert_int_eq(memcmp(&expected, &found, sizeof found), 0);
    }
}
END_TEST

START_TEST(deterministic_bits_are_those_of_any_number_of_threads) {
    static const int threads[] = {2, 3, 5, 8, 11};
    do_everything(1, 1, &expected);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        do_everything(threads[i], 1, &found);
        ck_assert_msg(memcmp(&expected, &found, sizeof found) == 0, "other bits with %d threads",
                      threads[i]);
    }
}
END_TEST

/* _i: whether it is deterministic. Rows that are drawn and scored in pieces, and all at once. */
START_TEST(cuts_change_nothing_or_little) {
    static const size_t cuts[] = {0, 1, 4, 11, 12, 400, ROWS};
    ddaebm_context *context = NULL;
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    answers *whole = &expected.of_model, *pieces = &found.of_model;
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    ASSERT_OK(ddaebm_context_set_threads(context, 2));
    ASSERT_OK(ddaebm_context_set_deterministic(context, _i));
    ddaebm_model *model = small_model(
        context, "\"energy.hidden_layers\":[70,60],\"generator.hidden_layers\":[70,60]", 3);
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ASSERT_OK(ddaebm_sampler_draw(sampler, 1, 0, ROWS, whole->samples));
    ASSERT_OK(
        ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, whole->samples, ROWS, 0, whole->scores));
    for (size_t i = 0; i + 1 < sizeof cuts / sizeof *cuts; i++) {
        size_t first = cuts[i], count = cuts[i + 1] - first;
        ASSERT_OK(
            ddaebm_sampler_draw(sampler, 1, first, count, pieces->samples + first * TASK_WIDTH));
        ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY,
                                      whole->samples + first * TASK_WIDTH, count, 0,
                                      pieces->scores + first));
    }
    double worst = 0;
    for (size_t i = 0; i < ROWS * TASK_WIDTH; i++)
        worst = larger(worst, fabs((double)(whole->samples[i] - pieces->samples[i])));
    for (size_t i = 0; i < ROWS; i++)
        worst = larger(worst, fabs((double)(whole->scores[i] - pieces->scores[i]) /
                                   (1 + fabs((double)whole->scores[i]))));
    printf("cuts of a call%s: %.2g\n", _i ? ", deterministic" : "", worst);
    ck_assert_double_le(worst, _i ? 0 : TOLERANCE);
    ddaebm_scorer_free(scorer);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    ddaebm_context_free(context);
}
END_TEST

/* The largest difference, over the largest number. */
static double difference(const float *a, const float *b, size_t count) {
    double largest = 0, worst = 0;
    for (size_t i = 0; i < count; i++) {
        largest = larger(largest, fabs((double)a[i]));
        worst = larger(worst, fabs((double)a[i] - (double)b[i]));
    }
    return worst / largest;
}

static void compare(const char *what, int threads, const answers *a, const answers *b) {
    double worst = 0;
#define WORSE(field)                                                                               \
    worst = larger(worst, difference(a->field, b->field, sizeof a->field / sizeof *a->field))
    WORSE(samples);
    WORSE(scores);
    WORSE(gradients);
    WORSE(images);
    WORSE(losses);
    WORSE(image_losses);
#undef WORSE
    printf("%s, threads %d: %.2g of the largest\n", what, threads, worst);
    ck_assert_double_le(worst, TOLERANCE);
}

/* What OpenBLAS calls the processors that it has kernels for, and whether this one runs them. */
typedef struct processor {
    const char *name;
    bool is_like_this;
} processor;

static size_t list_processors(processor list[5]) {
#if defined(__x86_64__) || defined(__i386__)
    processor all[] = {
        {NULL, true},
        {"Prescott", true},
        {"Nehalem", __builtin_cpu_supports("sse4.2")},
        {"Haswell", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
        {"SkylakeX", __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")}};
#elif defined(__aarch64__)
    processor all[] = {{NULL, true}, {"ARMV8", true}, {"CORTEXA53", true}, {"NEOVERSEN1", true}};
#else
    processor all[] = {{NULL, true}};
#endif
    memcpy(list, all, sizeof all);
    return sizeof all / sizeof *all;
}

START_TEST(threads_and_blas_change_no_more_than_rounding) {
    processor list[5];
    size_t count = list_processors(list);
    do_everything(1, 0, &expected);
    for (size_t i = 0; i < count; i++)
        for (int threads = 1; list[i].is_like_this && threads <= 3; threads++) {
            elsewhere(list[i].name, threads, &found);
            compare(list[i].name ? list[i].name : "this processor", threads, &expected.of_model,
                    &found.of_model);
        }
    do_everything(2, 1, &found);
    compare("deterministic", 2, &expected.of_model, &found.of_model);
}
END_TEST

int main(int argc, char **argv) {
    if (argc == 3)
        return answer(atoi(argv[1]), argv[2]);
    const TTest *const tests[] = {the_same_call_gives_the_same_bits,
                                  deterministic_bits_are_those_of_any_number_of_threads,
                                  threads_and_blas_change_no_more_than_rounding};
    const TTest *const twice[] = {cuts_change_nothing_or_little};
    int failed = run_tests("repeatable", tests, sizeof tests / sizeof *tests);
    return run_loop_tests("repeatable, cut", twice, 1, 2) || failed;
}
