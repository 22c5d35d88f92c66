/* The default number of threads: affinity masks of any size, quotas of control groups of both
 * versions, and OMP_NUM_THREADS. */
#define _GNU_SOURCE /* mkdtemp, sched_setaffinity, setenv */
#include "base/cgroup.h"
#include "base/processors.h"
#include "support/runner.h"

#include <check.h>
#include <ddaebm/context.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- Masks. --- */

static size_t kernel_bytes; /* the shortest mask that the kernel takes */
static size_t kernel_processors;
static int kernel_fails;

static int give_mask(size_t bytes, unsigned long *mask) {
    const size_t bits = 8 * sizeof *mask;
    if (kernel_fails)
        return kernel_fails;
    if (bytes < kernel_bytes)
        return EINVAL;
    for (size_t i = 0; i < kernel_processors; i++) { /* at the far end */
        size_t at = 8 * kernel_bytes - 1 - i;
        mask[at / bits] |= 1UL << at % bits;
    }
    return 0;
}

START_TEST(masks_of_any_size_are_counted) {
    static const size_t bytes[] = {8, 128, 136, 256, 1024, 8192, 16384};
    static const size_t processors[] = {1, 2, 3, 63};
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
        for (size_t j = 0; j < sizeof processors / sizeof *processors; j++) {
            kernel_bytes = bytes[i];
            kernel_processors = processors[j];
            ck_assert_int_eq(dd_processors_in(give_mask), (int)processors[j]);
        }
    kernel_bytes = 512;
    kernel_processors = 4096;
    ck_assert_int_eq(dd_processors_in(give_mask), 4096);
}
END_TEST

START_TEST(a_mask_that_cannot_be_had_is_one_processor) {
    kernel_bytes = 1 << 20;
    kernel_processors = 4;
    ck_assert_int_eq(dd_processors_in(give_mask), 1);
    kernel_fails = ENOSYS;
    ck_assert_int_eq(dd_processors_in(give_mask), 1);
    kernel_fails = 0;
}
END_TEST

START_TEST(the_mask_of_this_thread_counts) {
    cpu_set_t before, one;
    ck_assert_int_eq(sched_getaffinity(0, sizeof before, &before), 0);
    ck_assert_int_eq(dd_processors_allowed(), CPU_COUNT(&before));
    int first = 0;
    while (!CPU_ISSET((size_t)first, &before))
        first++;
    CPU_ZERO(&one);
    CPU_SET((size_t)first, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    ck_assert_int_eq(dd_processors_allowed(), 1);
    ck_assert_int_eq(sched_setaffinity(0, sizeof before, &before), 0);
}
END_TEST

/* --- Quotas, under a root of our own. --- */

static char root[] = "/tmp/ddaebm-cgroup-XXXXXX";

static void make_root(void) {
    strcpy(root + sizeof root - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void remove_root(void) {
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", root, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

/* A file and the folders above it. */
static void put(const char *path, const char *text) {
    char whole[512];
    (void)snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *at = strchr(whole + strlen(root) + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(whole, 0755);
        *at = '/';
    }
    FILE *file = fopen(whole, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void expect_quota(double expected) {
    ck_assert_double_eq_tol(dd_cgroup_quota(root), expected, 1e-9);
}

#define MOUNT_V2 "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
#define MOUNT_V1                                                                                   \
    "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup "    \
    "cgroup rw,cpu,cpuacct\n"

START_TEST(without_groups_there_is_no_quota) {
    expect_quota(0);
    put("/proc/self/cgroup", "0::/a\n");
    expect_quota(0);
    put("/proc/self/mountinfo", "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
    expect_quota(0);
    put("/proc/self/mountinfo", MOUNT_V2);
    expect_quota(0);
    put("/sys/fs/cgroup/a/cpu.max", "");
    expect_quota(0);
    put("/sys/fs/cgroup/a/cpu.max", "nonsense\n");
    expect_quota(0);
}
END_TEST

START_TEST(quotas_of_version_2) {
    put("/proc/self/cgroup", "0::/user.slice/job.scope\n");
    put("/proc/self/mountinfo", MOUNT_V2);
    put("/sys/fs/cgroup/user.slice/job.scope/cpu.max", "max 100000\n");
    expect_quota(0);
    put("/sys/fs/cgroup/user.slice/job.scope/cpu.max", "150000 100000\n");
    expect_quota(1.5);
    put("/sys/fs/cgroup/user.slice/cpu.max", "max 100000\n");
    expect_quota(1.5);
    put("/sys/fs/cgroup/user.slice/cpu.max", "50000 100000\n"); /* a group above allows less */
    expect_quota(0.5);
    put("/sys/fs/cgroup/cpu.max", "20000 100000\n");
    expect_quota(0.2);
}
END_TEST

START_TEST(quotas_of_version_1) {
    put("/proc/self/cgroup",
        "9:name=systemd:/x\n5:cpuset:/other\n4:cpu,cpuacct:/docker/abc\n0::/x\n");
    put("/proc/self/mountinfo", MOUNT_V1);
    put("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n");
    expect_quota(0);
    put("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "250000\n");
    expect_quota(2.5);
    put("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "0\n");
    expect_quota(0);
    put("/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "100000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "50000\n");
    expect_quota(2);
}
END_TEST

/* The process's group as a container sees it: at the top of the mount, by a name that is not below
 * it, or from above. */
START_TEST(groups_in_containers) {
    put("/proc/self/mountinfo", "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup ro\n");
    put("/sys/fs/cgroup/cpu.max", "300000 100000\n");
    put("/proc/self/cgroup", "0::/docker/abc\n");
    expect_quota(3);
    put("/proc/self/cgroup", "0::/docker/abcdef\n");
    expect_quota(3);
    put("/proc/self/cgroup", "0::/\n");
    expect_quota(3);
    put("/proc/self/cgroup", "0::/../../elsewhere\n");
    expect_quota(3);
    put("/proc/self/cgroup", "0::/docker/abc/inner\n");
    put("/sys/fs/cgroup/inner/cpu.max", "100000 100000\n");
    expect_quota(1);
}
END_TEST

/* Both hierarchies mounted: the smaller one counts. Names with blanks; lines longer than any that
 * matter. */
START_TEST(mixed_and_odd_mounts) {
    char text[20000];
    memset(text, 'x', sizeof text);
    strcpy(text + 12000, "\n40 31 0:30 / /my\\040groups/cpu rw - cgroup cgroup rw,cpu\n41 31 0:31 "
                         "/ /unified rw shared:2 master:1 - cgroup2 c rw\n");
    put("/proc/self/mountinfo", text);
    put("/proc/self/cgroup", "1:cpu:/a\n0::/b\n");
    put("/my groups/cpu/a/cpu.cfs_quota_us", "400000\n");
    put("/my groups/cpu/a/cpu.cfs_period_us", "100000\n");
    expect_quota(4);
    put("/unified/b/cpu.max", "200000 100000\n");
    expect_quota(2);
}
END_TEST

/* --- The choice. --- */

static int threads_for(int processors, double quota, const char *environment) {
    dd_threads_choice choice = dd_threads_choose(processors, quota, environment);
    return choice.threads;
}

START_TEST(quotas_are_rounded_up) {
    ck_assert_int_eq(threads_for(8, 0, NULL), 8);
    ck_assert_int_eq(threads_for(8, 0.1, NULL), 1);
    ck_assert_int_eq(threads_for(8, 1, NULL), 1);
    ck_assert_int_eq(threads_for(8, 1.01, NULL), 2);
    ck_assert_int_eq(threads_for(8, 2.5, NULL), 3);
    ck_assert_int_eq(threads_for(8, 12, NULL), 8);
    ck_assert_int_eq(threads_for(1000, 0, NULL), 256);
    ck_assert_int_eq(threads_for(1000, 1e9, NULL), 256);
    ck_assert_int_eq(threads_for(0, 0, NULL), 1);
}
END_TEST

START_TEST(the_first_number_of_omp_num_threads_counts) {
    static const struct {
        const char *text;
        int threads;
    } cases[] = {{"4", 4},
                 {"4,2", 4},
                 {" 4 ", 4},
                 {"4 , 2", 4},
                 {"1", 1},
                 {"003", 3},
                 {"99999999999999999999", 256},
                 {"300", 256},
                 {"", 8},
                 {" ", 8},
                 {"0", 8},
                 {"-2", 8},
                 {"four", 8},
                 {"4x", 8},
                 {"4.5", 8},
                 {",4", 8},
                 {"+4", 8},
                 {"0x4", 8},
                 {"true", 8},
                 {"4;2", 8},
                 {"4 2", 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_int_eq(threads_for(8, 0, cases[i].text), cases[i].threads);
    ck_assert_int_eq(threads_for(8, 1, "4"), 4);
}
END_TEST

START_TEST(reasons_are_given) {
    const struct {
        dd_threads_choice choice;
        const char *text;
    } cases[] = {
        {dd_threads_choose(2, 0, NULL), "2 processors in the affinity mask"},
        {dd_threads_choose(1, 4, "x"), "1 processor in the affinity mask"},
        {dd_threads_choose(4, 1.5, NULL), "a quota of 1.50 of 4 processors in the affinity mask"},
        {dd_threads_choose(4, 1.5, "3,1"), "OMP_NUM_THREADS; 4 processors in the affinity mask"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        dd_threads_explain(text, sizeof text, &cases[i].choice);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(contexts_begin_with_the_default) {
    char reason[128], shorter[4];
    ddaebm_context *context = NULL;
    ck_assert_int_eq(setenv("OMP_NUM_THREADS", "3", 1), 0);
    ck_assert_int_eq(ddaebm_default_threads(reason, sizeof reason), 3);
    ck_assert_ptr_nonnull(strstr(reason, "OMP_NUM_THREADS"));
    ck_assert_int_eq(ddaebm_default_threads(shorter, sizeof shorter), 3);
    ck_assert_str_eq(shorter, "OMP");
    ck_assert_int_eq(ddaebm_default_threads(NULL, 5), 3);
    ck_assert_int_eq(ddaebm_context_threads(NULL), 3);
    ck_assert_int_eq(ddaebm_context_create(&context, NULL), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_context_threads(context), 3);
    ddaebm_context_free(context);
    ck_assert_int_eq(unsetenv("OMP_NUM_THREADS"), 0);
    ck_assert_int_ge(ddaebm_default_threads(reason, sizeof reason), 1);
    ck_assert_ptr_nonnull(strstr(reason, "affinity mask"));
}
END_TEST

static TCase *quota_tests(void) {
    TCase *quotas = tcase_create("quotas");
    tcase_add_checked_fixture(quotas, make_root, remove_root);
    tcase_add_test(quotas, without_groups_there_is_no_quota);
    tcase_add_test(quotas, quotas_of_version_2);
    tcase_add_test(quotas, quotas_of_version_1);
    tcase_add_test(quotas, groups_in_containers);
    tcase_add_test(quotas, mixed_and_odd_mounts);
    return quotas;
}

int main(void) {
    Suite *suite = suite_create("processors");
    TCase *tests = tcase_create("processors");
    tcase_add_test(tests, masks_of_any_size_are_counted);
    tcase_add_test(tests, a_mask_that_cannot_be_had_is_one_processor);
    tcase_add_test(tests, the_mask_of_this_thread_counts);
    tcase_add_test(tests, quotas_are_rounded_up);
    tcase_add_test(tests, the_first_number_of_omp_num_threads_counts);
    tcase_add_test(tests, reasons_are_given);
    tcase_add_test(tests, contexts_begin_with_the_default);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, quota_tests());
    return run_suite(suite);
}
