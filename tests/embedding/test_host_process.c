/* What belongs to the process stays as its program has it: floating-point environment, locale,
 * signals, standard streams, the BLAS's threads. */
#define _GNU_SOURCE
#include "embedding/embedding.h"

#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

static task expected, found;

static ddaebm_context *new_context(void) {
    ddaebm_context *context = NULL;
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    ASSERT_OK(ddaebm_context_set_threads(context, 2));
    return context;
}

static void assert_same_result(void) {
    ck_assert_uint_eq(found.file_size, expected.file_size);
    ck_assert_int_eq(memcmp(&found, &expected, sizeof found), 0);
}

static void run_as_usual(void) {
    ddaebm_context *context = new_context();
    do_task(context, &expected);
    ddaebm_context_free(context);
}

/* --- Arithmetic. --- */

/* Denormals become zero, in results and as operands. */
static void flush_to_zero(void) {
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

static unsigned control_word(void) {
#if defined(__x86_64__)
    return _mm_getcsr();
#else
    return 0;
#endif
}

/* The last of these is traps, which processors for ARM need not have. */
#if defined(__x86_64__) || defined(__i386__)
enum { ARITHMETICS = 6 };
#else
enum { ARITHMETICS = 5 };
#endif

static void choose(int which) {
    static const int roundings[] = {FE_UPWARD,    FE_DOWNWARD, FE_TOWARDZERO,
                                    FE_TONEAREST, FE_UPWARD,   FE_TONEAREST};
    ck_assert_int_eq(fesetround(roundings[which]), 0);
    ck_assert_int_eq(feclearexcept(FE_ALL_EXCEPT), 0);
    if (which == 3)
        flush_to_zero();
    if (which == 4)
        ck_assert_int_eq(feraiseexcept(FE_OVERFLOW | FE_INEXACT), 0);
    if (which == 5) /* a NaN or a division by zero in the library would end the program */
        ck_assert_int_ne(
            feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW | FE_INEXACT),
            -1);
}

/* The same bits, whatever the caller has chosen, and with threads that begin under it; and the
 * caller finds it as it was. */
START_TEST(arithmetic_is_left_alone) {
    run_as_usual();
    ddaebm_context *context = new_context();
    fenv_t usual;
    fegetenv(&usual);
    choose(_i);
    int rounding = fegetround(), flags = fetestexcept(FE_ALL_EXCEPT), traps = fegetexcept();
    unsigned word = control_word();
    do_task(context, &found);
    int rounding_after = fegetround(), flags_after = fetestexcept(FE_ALL_EXCEPT),
        traps_after = fegetexcept();
    unsigned word_after = control_word();
    fesetenv(&usual);
    ck_assert_int_eq(rounding_after, rounding);
    ck_assert_int_eq(flags_after, flags);
    ck_assert_int_eq(traps_after, traps);
    ck_assert_uint_eq(word_after, word);
    assert_same_result();
    ddaebm_context_free(context);
}
END_TEST

/* --- The rest. --- */

START_TEST(a_comma_locale_changes_nothing) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"};
    run_as_usual();
    size_t i = 0;
    while (i < sizeof names / sizeof *names && !setlocale(LC_ALL, names[i]))
        i++;
    if (i == sizeof names / sizeof *names) {
        printf("SKIPPED: a_comma_locale_changes_nothing: install the locale de_DE.UTF-8\n");
        return;
    }
    char number[16];
    (void)snprintf(number, sizeof number, "%.1f", 1.5);
    ck_assert_str_eq(number, "1,5");
    ddaebm_context *context = new_context();
    do_task(context, &found);
    assert_same_result();
    ck_assert_str_eq(setlocale(LC_ALL, NULL), names[i]);
    ddaebm_context_free(context);
}
END_TEST

enum { SIGNALS = 65 };

static void look_at_signals(struct sigaction actions[SIGNALS], sigset_t *mask) {
    memset(actions, 0, SIGNALS * sizeof *actions);
    for (int i = 1; i < SIGNALS; i++)
        (void)sigaction(i, NULL, &actions[i]);
    pthread_sigmask(SIG_SETMASK, NULL, mask);
}

START_TEST(signals_are_left_alone) {
    static struct sigaction before[SIGNALS], after[SIGNALS];
    sigset_t mask, mask_after;
    look_at_signals(before, &mask);
    run_as_usual();
    ck_assert_int_eq(chdir(folder), 0);
    ddaebm_model *model = small_model(NULL, "", 1);
    ASSERT_OK(ddaebm_model_save(model, "m"));
    ddaebm_model_free(model);
    look_at_signals(after, &mask_after);
    for (int i = 1; i < SIGNALS; i++) {
        ck_assert(before[i].sa_handler == after[i].sa_handler &&
                  before[i].sa_flags == after[i].sa_flags);
        ck_assert_int_eq(sigismember(&mask, i), sigismember(&mask_after, i));
    }
}
END_TEST

/* Good calls, failing ones, and one that warns. */
START_TEST(nothing_is_printed) {
    int kept[2] = {dup(1), dup(2)}, file = open(in_folder("out"), O_RDWR | O_CREAT, 0600);
    ck_assert(kept[0] >= 0 && kept[1] >= 0 && file >= 0);
    ck_assert(dup2(file, 1) == 1 && dup2(file, 2) == 2);
    ddaebm_context *context = new_context();
    do_task(context, &found);
    ddaebm_model *warned = small_model(
                     context, "\"diffusion.schedule\":\"vp\",\"diffusion.beta_max\":0.2", 1),
                 *none = NULL;
    ddaebm_status refused = ddaebm_model_load(&none, context, in_folder("none"));
    ddaebm_model_free(warned);
    ddaebm_context_free(context);
    fflush(NULL);
    off_t written = lseek(file, 0, SEEK_END);
    (void)dup2(kept[0], 1);
    (void)dup2(kept[1], 2);
    ck_assert_int_eq(refused, DDAEBM_NOT_FOUND);
    ck_assert_int_eq(written, 0);
    close(file);
    close(kept[0]);
    close(kept[1]);
}
END_TEST

extern void openblas_set_num_threads(int) __attribute__((weak));
extern int openblas_get_num_threads(void) __attribute__((weak));
extern void bli_thread_set_num_threads(int64_t) __attribute__((weak));
extern int64_t bli_thread_get_num_threads(void) __attribute__((weak));
extern void omp_set_num_threads(int) __attribute__((weak));
extern int omp_get_max_threads(void) __attribute__((weak));

typedef struct blas_threads {
    int openblas, openmp;
    int64_t blis;
} blas_threads;

static blas_threads get_blas_threads(void) {
    return (blas_threads){openblas_get_num_threads ? openblas_get_num_threads() : 0,
                          omp_get_max_threads ? omp_get_max_threads() : 0,
                          bli_thread_get_num_threads ? bli_thread_get_num_threads() : 0};
}

static void set_blas_threads(int threads) {
    if (openblas_set_num_threads)
        openblas_set_num_threads(threads);
    if (bli_thread_set_num_threads)
        bli_thread_set_num_threads(threads);
    if (omp_set_num_threads)
        omp_set_num_threads(threads);
}

enum { CALLERS = 4, DRAWS = 200 };

static void *draw_often(void *argument) {
    ddaebm_sampler *sampler = NULL;
    float rows[20 * TASK_WIDTH];
    bool good = ddaebm_sampler_create(&sampler, argument) == DDAEBM_OK;
    for (uint64_t i = 0; good && i < DRAWS; i++)
        good = ddaebm_sampler_draw(sampler, i, 0, i % 20 + 1, rows) == DDAEBM_OK;
    ddaebm_sampler_free(sampler);
    return good ? argument : NULL;
}

/* Calls that begin and end at once never leave the setting at one. */
START_TEST(the_blas_has_its_threads_back) {
    if (!openblas_get_num_threads && !bli_thread_get_num_threads) {
        printf("SKIPPED: the_blas_has_its_threads_back: the BLAS is neither OpenBLAS nor BLIS\n");
        return;
    }
    ddaebm_context *context = new_context();
    ddaebm_model *model = small_model(context, "", 1);
    for (int threads = 1; threads <= 2; threads++) {
        pthread_t callers[CALLERS];
        set_blas_threads(threads);
        blas_threads before = get_blas_threads(); /* one, where a BLAS was built for one */
        for (int i = 0; i < CALLERS; i++)
            ck_assert_int_eq(pthread_create(&callers[i], NULL, draw_often, model), 0);
        for (int i = 0; i < CALLERS; i++) {
            void *result = NULL;
            ck_assert_int_eq(pthread_join(callers[i], &result), 0);
            ck_assert_ptr_nonnull(result);
        }
        blas_threads after = get_blas_threads();
        ck_assert_int_eq(after.openblas, before.openblas);
        ck_assert_int_eq(after.openmp, before.openmp);
        ck_assert_int_eq(after.blis, before.blis);
    }
    ddaebm_model_free(model);
    ddaebm_context_free(context);
}
END_TEST

int main(void) {
    const TTest *const each[] = {arithmetic_is_left_alone};
    const TTest *const once[] = {a_comma_locale_changes_nothing, signals_are_left_alone,
                                 nothing_is_printed, the_blas_has_its_threads_back};
    return run_loop_tests("arithmetic", each, 1, ARITHMETICS) |
           run_tests("process", once, sizeof once / sizeof *once);
}
