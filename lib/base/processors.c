#define _GNU_SOURCE /* sched_getaffinity */
#include "base/processors.h"

#include "base/cgroup.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

/* Bytes of an affinity mask: of most systems, and more than any kernel has. */
enum { USUAL_MASK = sizeof(cpu_set_t), LARGEST_MASK = 1 << 14 };

static int system_affinity(size_t bytes, unsigned long *mask) {
    return sched_getaffinity(0, bytes, (cpu_set_t *)(void *)mask) == 0 ? 0 : errno;
}

static int count_bits(const unsigned long *mask, size_t words) {
    int count = 0;
    for (size_t i = 0; i < words; i++)
        for (unsigned long left = mask[i]; left; left &= left - 1)
            count++;
    return count;
}

int dd_processors_in(dd_affinity_function affinity) {
    unsigned long mask[LARGEST_MASK / sizeof(unsigned long)] = {0};
    int before = errno, failed = EINVAL, count = 0;
    for (size_t bytes = USUAL_MASK; failed == EINVAL && bytes <= LARGEST_MASK; bytes *= 2) {
        failed = affinity(bytes, mask);
        count = failed ? 0 : count_bits(mask, bytes / sizeof *mask);
    }
    errno = before;
    return count < 1 ? 1 : count;
}

int dd_processors_allowed(void) {
    return dd_processors_in(system_affinity);
}

static int round_up(double quota) {
    int whole = quota < DD_MOST_THREADS ? (int)quota : DD_MOST_THREADS;
    return whole < quota && whole < DD_MOST_THREADS ? whole + 1 : whole;
}

int dd_processors_quota(void) {
    return round_up(dd_cgroup_quota(""));
}

/* Returns the first number of a list such as "4" or "4,2"; 0 if it does not begin with a number. */
static int first_number(const char *text) {
    char *end = NULL;
    while (*text == ' ' || *text == '\t')
        text++;
    if (*text < '0' || *text > '9')
        return 0;
    long number = strtol(text, &end, 10); /* LONG_MAX if it does not fit */
    while (*end == ' ' || *end == '\t')
        end++;
    return *end != '\0' && *end != ',' ? 0
           : number < DD_MOST_THREADS  ? (int)number
                                       : DD_MOST_THREADS;
}

dd_threads_choice dd_threads_choose(int processors, double quota, const char *environment) {
    dd_threads_choice choice = {.threads =
                                    processors < DD_MOST_THREADS ? processors : DD_MOST_THREADS,
                                .reason = DD_THREADS_PROCESSORS,
                                .processors = processors,
                                .quota = quota};
    int asked = environment ? first_number(environment) : 0;
    if (quota > 0 && round_up(quota) < choice.threads) {
        choice.threads = round_up(quota);
        choice.reason = DD_THREADS_QUOTA;
    }

    if (asked > 0) {
        choice.threads = asked;
        choice.reason = DD_THREADS_ENVIRONMENT;
    }

    if (choice.threads < 1)
        choice.threads = 1;
    return choice;
}

void dd_threads_explain(char *out, size_t size, const dd_threads_choice *choice) {
    const char *plural = choice->processors == 1 ? "" : "s";
    if (choice->reason == DD_THREADS_ENVIRONMENT)
        (void)snprintf(out, size, "OMP_NUM_THREADS; %d processor%s in the affinity mask",
                       choice->processors, plural);
    else if (choice->reason == DD_THREADS_QUOTA) /* integers: the locale has no say in these */
        (void)snprintf(out, size, "a quota of %d.%02d of %d processor%s in the affinity mask",
                       (int)choice->quota, (int)(choice->quota * 100) % 100, choice->processors,
                       plural);
    else
        (void)snprintf(out, size, "%d processor%s in the affinity mask", choice->processors,
                       plural);
}

dd_threads_choice dd_threads_default(void) {
    return dd_threads_choose(dd_processors_allowed(), dd_cgroup_quota(""),
                             getenv("OMP_NUM_THREADS"));
}
