#define _GNU_SOURCE
#include "base/context.h"
#include "io/file.h"
#include "support/counted.h"
#include "support/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

static ddaebm_status write_text(const char *path, const char *text) {
    dd_span span = {text, strlen(text)};
    return dd_file_write(context, path, &span, 1);
}

static void assert_content(const char *path, const char *text) {
    char buffer[256] = "";
    size_t size = get_file(path, buffer, sizeof buffer - 1);
    ck_assert_uint_eq(size, strlen(text));
    ck_assert_str_eq(buffer, text);
}

START_TEST(what_is_written_is_read) {
    dd_span spans[] = {{"one", 3}, {NULL, 0}, {" two", 4}};
    void *data = NULL;
    size_t size = 0;
    ASSERT_OK(dd_file_write(context, in_folder("a"), spans, 3));
    ASSERT_OK(dd_file_read(context, in_folder("a"), 7, &data, &size));
    ck_assert_uint_eq(size, 7);
    ck_assert_str_eq(data, "one two");
    dd_free(context, data);
    ck_assert_uint_eq(entries_in_folder(), 1);
}
END_TEST

START_TEST(large_and_empty_files_are_read) {
    size_t size = 5 * 1024 * 1024 + 3, got = 0;
    char *much = malloc(size);
    void *data = NULL;
    for (size_t i = 0; i < size; i++)
        much[i] = (char)(i * 31 >> 3);
    dd_span span = {much, size};
    ASSERT_OK(dd_file_write(context, in_folder("much"), &span, 1));
    ASSERT_OK(dd_file_read(context, in_folder("much"), size, &data, &got));
    ck_assert_uint_eq(got, size);
    ck_assert_int_eq(memcmp(data, much, size), 0);
    dd_free(context, data);
    free(much);
    ASSERT_OK(dd_file_write(context, in_folder("none"), NULL, 0));
    ASSERT_OK(dd_file_read(context, in_folder("none"), 0, &data, &got));
    ck_assert_uint_eq(got, 0);
    dd_free(context, data);
}
END_TEST

/* The kernel says 0 bytes of these; the content decides. */
START_TEST(files_without_a_size_are_read) {
    void *data = NULL;
    size_t size = 0;
    ASSERT_OK(dd_file_read(context, "/proc/self/status", 1 << 20, &data, &size));
    ck_assert_uint_gt(size, 10);
    dd_free(context, data);
    data = NULL;
    ASSERT_FAILS(dd_file_read(context, "/dev/zero", 3 << 20, &data, &size), DDAEBM_OUT_OF_RANGE,
                 "/dev/zero");
    ck_assert_ptr_null(data);
}
END_TEST

START_TEST(unreadable_files_are_refused) {
    void *data = NULL;
    size_t size = 77;
    ASSERT_FAILS(dd_file_read(context, in_folder("absent"), 9, &data, &size), DDAEBM_NOT_FOUND,
                 "absent");
    ASSERT_FAILS(dd_file_read(context, in_folder("absent/file"), 9, &data, &size), DDAEBM_NOT_FOUND,
                 "absent/file");
    ASSERT_FAILS(dd_file_read(context, "", 9, &data, &size), DDAEBM_NOT_FOUND, "No such file");
    ASSERT_FAILS(dd_file_read(context, folder, 9, &data, &size), DDAEBM_IO, "it is a folder");
    ASSERT_FAILS(dd_file_read(context, "/proc/self/mem", 9, &data, &size), DDAEBM_IO,
                 "/proc/self/mem"); /* read gives EIO */
    put_file(in_folder("ten"), "0123456789", 10);
    ASSERT_FAILS(dd_file_read(context, in_folder("ten"), 9, &data, &size), DDAEBM_OUT_OF_RANGE,
                 "10 bytes");
    ASSERT_FAILS(dd_file_read(context, in_folder("ten/x"), 9, &data, &size), DDAEBM_NOT_FOUND,
                 "Not a directory");
    if (geteuid() != 0) {
        ck_assert_int_eq(chmod(in_folder("ten"), 0), 0);
        ASSERT_FAILS(dd_file_read(context, in_folder("ten"), 10, &data, &size), DDAEBM_IO,
                     "may not read");
    }
    ck_assert_ptr_null(data);
    ck_assert_uint_eq(size, 77);
}
END_TEST

/* A sparse file of 8 GiB: refused before any of it is read. */
START_TEST(a_huge_file_costs_nothing) {
    void *data = NULL;
    size_t size = 0, calls = counted.calls;
    put_file(in_folder("huge"), "", 0);
    ck_assert_int_eq(truncate(in_folder("huge"), (off_t)8 << 30), 0);
    ASSERT_FAILS(dd_file_read(context, in_folder("huge"), (size_t)4 << 30, &data, &size),
                 DDAEBM_OUT_OF_RANGE, "8589934592");
    ck_assert_uint_eq(counted.calls, calls);
}
END_TEST

static void grow_file(void) {
    int file = open(in_folder("ten"), O_WRONLY | O_APPEND);
    ck_assert_int_eq(write(file, "x", 1), 1);
    ck_assert_int_eq(close(file), 0);
}

START_TEST(a_file_that_grows_is_refused) {
    void *data = NULL;
    size_t size = 77;
    put_file(in_folder("ten"), "0123456789", 10);
    faults_begin(FAULT_ERROR, 0, 0, FAULT_ONCE);
    faults_meanwhile("read", grow_file);
    ASSERT_FAILS(dd_file_read(context, in_folder("ten"), 100, &data, &size), DDAEBM_IO,
                 "it grew while it was read");
    (void)faults_end();
    ck_assert_ptr_null(data);
    ck_assert_uint_eq(size, 77);
}
END_TEST

/* What the system says is what the user reads, in words where there are any. */
START_TEST(the_systems_reasons_are_told) {
    static const struct {
        int error;
        ddaebm_status status;
        const char *why;
    } rows[] = {{ENOENT, DDAEBM_NOT_FOUND, "check the path"},
                {ENOTDIR, DDAEBM_NOT_FOUND, "check the path"},
                {EACCES, DDAEBM_IO, "this user may not read"},
                {EPERM, DDAEBM_IO, "this user may not read"},
                {EMFILE, DDAEBM_IO, "close some files"},
                {ENFILE, DDAEBM_IO, "close some files"},
                {ELOOP, DDAEBM_IO, "Too many levels"},
                {99999, DDAEBM_IO, "cannot read "},
                {99999, DDAEBM_IO, "unknown error"}};
    put_file(in_folder("ten"), "0123456789", 10);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *data = NULL;
        size_t size = 0;
        faults_begin(FAULT_ERROR, rows[i].error, 1, FAULT_ONCE);
        ASSERT_FAILS(dd_file_read(context, in_folder("ten"), 100, &data, &size), rows[i].status,
                     rows[i].why);
        (void)faults_end();
    }
}
END_TEST

START_TEST(memory_may_run_out) {
    void *data = NULL;
    size_t size = 0;
    put_file(in_folder("a"), "abc", 3);
    SWEEP_ALLOCATIONS(counted, data, dd_file_read(context, in_folder("a"), 10, &data, &size));
    dd_free(context, data);
    void *none = NULL;
    SWEEP_ALLOCATIONS(counted, none, write_text(in_folder("a"), "new"));
    assert_content(in_folder("a"), "new");
    ck_assert_int_eq(symlink("a", in_folder("link")), 0);
    SWEEP_ALLOCATIONS(counted, none, write_text(in_folder("link"), "newer"));
    assert_content(in_folder("a"), "newer");
    put_file(in_folder("a"), "", 0);
    data = NULL;
    SWEEP_ALLOCATIONS(counted, data, dd_file_read(context, in_folder("a"), 0, &data, &size));
    dd_free(context, data);
}
END_TEST

START_TEST(the_old_file_stays_until_the_new_is_whole) {
    ASSERT_OK(write_text(in_folder("a"), "old"));
    struct rlimit limit = {100000, 100000};
    char *much = calloc(1, 300000);
    dd_span span = {much, 300000};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit),
                     0); /* a full disk, as far as this process can tell */
    faults_begin(FAULT_ERROR, EINTR, 1,
                 FAULT_ONCE); /* nor does a signal leave the temporary file behind */
    faults_only("unlinkat");
    ASSERT_FAILS(dd_file_write(context, in_folder("a"), &span, 1), DDAEBM_IO, "cannot write");
    ck_assert_uint_eq(faults_end(), 2);
    free(much);
    assert_content(in_folder("a"), "old");
    ck_assert_uint_eq(entries_in_folder(), 1);
    ASSERT_OK(write_text(in_folder("a"), "new"));
    assert_content(in_folder("a"), "new");
    ck_assert_uint_eq(entries_in_folder(), 1);
}
END_TEST

START_TEST(impossible_targets_are_refused) {
    ASSERT_FAILS(write_text(in_folder("no/such/file"), "x"), DDAEBM_IO, "create it first");
    put_file(in_folder("plain"), "y", 1);
    ASSERT_FAILS(write_text(in_folder("plain/file"), "x"), DDAEBM_IO, "there is no folder");
    ASSERT_FAILS(write_text(folder, "x"), DDAEBM_IO, "irectory");
    ASSERT_FAILS(write_text(in_folder("new/"), "x"), DDAEBM_IO, "give the name of a file");
    ASSERT_FAILS(write_text("", "x"), DDAEBM_INVALID_ARGUMENT, "empty");
    ASSERT_FAILS(write_text("/dev/full", "x"), DDAEBM_IO, "free some space");
    char lengthy[400];
    memset(lengthy, 'n', 300);
    strcpy(lengthy + 300, "");
    ASSERT_FAILS(write_text(in_folder(lengthy), "x"), DDAEBM_IO, "too long");
    ck_assert_uint_eq(entries_in_folder(), 1);
    if (geteuid() != 0) {
        ck_assert_int_eq(chmod(folder, 0500), 0);
        ASSERT_FAILS(write_text(in_folder("plain"), "x"), DDAEBM_IO, "may write to");
        ck_assert_int_eq(chmod(folder, 0700), 0);
    }
    assert_content(in_folder("plain"), "y");
}
END_TEST

START_TEST(permissions_follow_the_umask) {
    struct stat about;
    umask(027);
    ASSERT_OK(write_text(in_folder("a"), "x"));
    ck_assert_int_eq(stat(in_folder("a"), &about), 0);
    ck_assert_int_eq(about.st_mode & 0777, 0640);
    ck_assert_int_eq(chmod(in_folder("a"), 0604),
                     0); /* who might read the old file may read the new one, and nobody else */
    ASSERT_OK(write_text(in_folder("a"), "y"));
    ck_assert_int_eq(stat(in_folder("a"), &about), 0);
    ck_assert_int_eq(about.st_mode & 0777, 0604);
    assert_content(in_folder("a"), "y");
}
END_TEST

/* Not every name below /proc is a descriptor's: a file behind one is replaced as any other. */
START_TEST(a_file_may_be_named_through_proc) {
    static const char *const ways[] = {"/proc/self/root", "/proc/thread-self/root"};
    ck_assert_int_eq(mkdir(in_folder("fd"), 0700), 0);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char path[300];
        (void)snprintf(path, sizeof path, "%s%s", ways[i], in_folder("fd/1"));
        ASSERT_OK(write_text(path, "old"));
        ASSERT_OK(write_text(path, "new"));
        assert_content(in_folder("fd/1"), "new");
    }
    ck_assert_int_eq(unlink(in_folder("fd/1")), 0);
    int file = open(in_folder("a"), O_WRONLY | O_CREAT, 0600);
    static const char *const folders[] = {"/dev", "/proc/self", "/proc/thread-self",
                                          "/proc/self/task/"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[100], thread[20] = "";
        if (i == 3)
            (void)snprintf(thread, sizeof thread, "%d", (int)getpid());
        (void)snprintf(path, sizeof path, "%s%s/fd/%d", folders[i], thread, file);
        ASSERT_OK(write_text(path, "+"));
    }
    close(file);
    assert_content(in_folder("a"), "++++");
    ASSERT_FAILS(write_text("/proc/self/fd/0/a", "x"), DDAEBM_IO,
                 "there is no folder /proc/self/fd/0");
}
END_TEST

START_TEST(a_link_is_followed) {
    struct stat about;
    ASSERT_OK(write_text(in_folder("real"), "old"));
    ck_assert_int_eq(symlink("real", in_folder("link")), 0);
    ASSERT_OK(write_text(in_folder("link"), "new"));
    ck_assert_int_eq(lstat(in_folder("link"), &about), 0);
    ck_assert(S_ISLNK(about.st_mode));
    assert_content(in_folder("real"), "new");
    ck_assert_int_eq(symlink("nowhere", in_folder("broken")), 0);
    ASSERT_FAILS(write_text(in_folder("broken"), "x"), DDAEBM_IO, "symbolic link");
    ck_assert_int_eq(symlink("loop", in_folder("loop")), 0);
    ASSERT_FAILS(write_text(in_folder("loop"), "x"), DDAEBM_IO,
                 "symbolic link that cannot be followed: Too many levels");
    ck_assert_uint_eq(entries_in_folder(), 4);
}
END_TEST

START_TEST(names_without_a_folder_work) {
    ck_assert_int_eq(chdir(folder), 0);
    ASSERT_OK(write_text("here", "x"));
    assert_content(in_folder("here"), "x");
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_uint_eq(entries_in_folder(), 1);
}
END_TEST

START_TEST(devices_and_descriptors_are_written_directly) {
    struct stat before, after;
    ASSERT_OK(write_text("/dev/null", "x"));
    put_file(in_folder("out"), "", 0);
    int saved = dup(1), file = open(in_folder("out"), O_WRONLY);
    ck_assert_int_ge(dup2(file, 1), 0);
    ck_assert_int_eq(lstat("/dev/stdout", &before), 0);
    ddaebm_status status = write_text("/dev/stdout", "hello");
    dup2(saved, 1);
    ASSERT_OK(status);
    ck_assert_int_eq(lstat("/dev/stdout", &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    assert_content(in_folder("out"), "hello");
    close(saved);
    static const char *const names[] = {"/dev/fd/%d", "/proc/self/fd/%d"};
    for (size_t i = 0; i < 2; i++) {
        char path[64];
        snprintf(path, sizeof path, names[i], file);
        ASSERT_OK(write_text(path, i == 0 ? " you" : " two"));
    }
    saved = dup(2);
    ck_assert_int_ge(dup2(file, 2), 0);
    status = write_text("/dev/stderr", "!");
    dup2(saved, 2);
    ASSERT_OK(status);
    assert_content(in_folder("out"), "hello you two!");
    close(file);
    close(saved);
}
END_TEST

/* Written and read where it stands, not anew from the beginning. */
START_TEST(a_descriptor_is_used_as_it_is) {
    char path[64];
    void *data = NULL;
    size_t size = 0;
    put_file(in_folder("out"), "0123456789", 10);
    int file = open(in_folder("out"), O_RDWR);
    static const char *const names[] = {"/dev/fd/%d", "/proc/self/fd/%d",
                                        "/proc/thread-self/fd/%d"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, names[i], file);
        ASSERT_OK(write_text(path, "ab"));
    }
    assert_content(in_folder("out"), "ababab6789");
    ASSERT_OK(dd_file_read(context, path, 4, &data, &size));
    ck_assert_str_eq(data, "6789");
    dd_free(context, data);
    ASSERT_OK(dd_file_read(context, path, 4, &data, &size));
    ck_assert_uint_eq(size, 0);
    dd_free(context, data);
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getpid(), file);
    ASSERT_OK(write_text(path, "!"));
    assert_content(in_folder("out"), "ababab6789!");
    close(file);
    ASSERT_FAILS(write_text(path, "x"), DDAEBM_IO, "Bad file descriptor");
    ASSERT_FAILS(write_text("/dev/fd/x", "x"), DDAEBM_IO, "/dev/fd/x");
}
END_TEST

/* A socket cannot be opened by name at all, and a descriptor may have been set not to wait. */
START_TEST(a_socket_is_written_and_read) {
    enum { MUCH = 1 << 20 };
    int ends[2], status = 0;
    static char much[MUCH];
    char path[64];
    memset(much, 'x', MUCH);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    pid_t reader = fork();
    if (reader == 0) {
        void *data = NULL;
        size_t size = 0;
        close(ends[0]);
        snprintf(path, sizeof path, "/dev/fd/%d", ends[1]);
        bool good = dd_file_read(context, path, MUCH, &data, &size) == DDAEBM_OK && size == MUCH &&
                    memcmp(data, much, MUCH) == 0;
        _exit(!good);
    }
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    dd_span span = {much, MUCH};
    ASSERT_OK(dd_file_write(context, path, &span, 1));
    close(ends[0]);
    ck_assert_int_eq(waitpid(reader, &status, 0), reader);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

/* Writes more to a pipe than its reader, another process, waits for. */
static void write_to_broken_pipe(void) {
    const char *path = in_folder("pipe");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    pid_t reader = fork();
    if (reader == 0) {
        char buffer[16];
        int file = open(path, O_RDONLY | O_CLOEXEC);
        _exit(read(file, buffer, sizeof buffer) > 0 ? 0 : 1);
    }
    char *much = calloc(1, 4 << 20);
    dd_span span = {much, 4 << 20};
    ASSERT_FAILS(dd_file_write(context, path, &span, 1), DDAEBM_IO, "Broken pipe");
    free(much);
    ck_assert_int_eq(waitpid(reader, NULL, 0), reader);
    ck_assert_int_eq(unlink(path), 0);
}

static bool is_pending(int number) {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, number) == 1;
}

/* Of two errors the first is told; and where there is a broken pipe's error without its signal,
 * nothing is waited for. */
START_TEST(errors_of_devices_are_told) {
    faults_begin(FAULT_ERROR, EIO, 3, FAULT_FROM_THERE_ON); /* write, then close */
    ASSERT_FAILS(write_text("/dev/null", "x"), DDAEBM_IO, strerror(EIO));
    ck_assert_uint_eq(faults_end(), 4);
    faults_begin(FAULT_ERROR, EPIPE, 1, FAULT_ONCE);
    faults_only("write");
    ASSERT_FAILS(write_text("/dev/null", "x"), DDAEBM_IO, strerror(EPIPE));
    (void)faults_end();
}
END_TEST

/* The reader of a pipe goes before all is written: an error, no signal, though another comes while
 * that is taken away. */
START_TEST(a_broken_pipe_is_an_error) {
    write_to_broken_pipe();
    ck_assert(!is_pending(SIGPIPE));
    faults_begin(FAULT_ERROR, EINTR, 1, FAULT_ONCE);
    faults_only("sigtimedwait");
    write_to_broken_pipe();
    (void)faults_end();
    ck_assert_str_eq(faults_first(), "sigtimedwait");
    ck_assert(!is_pending(SIGPIPE));
}
END_TEST

/* One that waited before is the program's. */
START_TEST(a_signal_of_the_program_stays) {
    sigset_t broken;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, &broken, NULL), 0);
    ck_assert_int_eq(raise(SIGPIPE), 0);
    write_to_broken_pipe();
    ck_assert(is_pending(SIGPIPE));
    (void)sigwaitinfo(&broken, NULL);
    ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, &broken, NULL), 0);
}
END_TEST

/* More than one call of write may be asked for. None of the memory is ever touched. */
START_TEST(a_vast_span_is_written_in_pieces) {
    const size_t vast = (size_t)INT_MAX + 10;
    void *mapped = mmap(NULL, vast, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(mapped, MAP_FAILED);
    const dd_span span = {mapped, vast};
    faults_begin(FAULT_ERROR, 0, 0, FAULT_ONCE);
    faults_only("write");
    ASSERT_OK(dd_file_write(context, "/dev/null", &span, 1));
    ck_assert_uint_eq(faults_end(), 2);
    ck_assert_int_eq(munmap(mapped, vast), 0);
}
END_TEST

START_TEST(a_write_of_nothing_is_an_error) {
    faults_begin(FAULT_NOTHING, 0, 1, FAULT_FROM_THERE_ON);
    faults_only("write");
    ASSERT_FAILS(write_text(in_folder("a"), "x"), DDAEBM_IO, strerror(EIO));
    ck_assert_uint_eq(faults_end(), 1);
    ck_assert_uint_eq(entries_in_folder(), 0);
}
END_TEST

START_TEST(names_of_temporary_files_may_all_be_taken) {
    faults_begin(FAULT_ERROR, EEXIST, 1, FAULT_FROM_THERE_ON);
    faults_only("openat");
    ASSERT_FAILS(write_text(in_folder("a"), "x"), DDAEBM_IO, strerror(EEXIST));
    ck_assert_uint_eq(faults_end(), 100);
}
END_TEST

START_TEST(a_folder_need_not_be_flushed) {
    static const int errors[] = {EINVAL, ENOTSUP, ENOSYS};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        faults_begin(FAULT_ERROR, errors[i], 2, FAULT_ONCE);
        faults_only("fsync");
        ASSERT_OK(write_text(in_folder("a"), "x"));
        ck_assert_uint_eq(faults_end(), 2);
    }
    assert_content(in_folder("a"), "x");
}
END_TEST

/* Nothing is written there: the folder does not open. */
START_TEST(the_root_is_a_folder) {
    faults_begin(FAULT_ERROR, ENOENT, 1, FAULT_FROM_THERE_ON);
    ASSERT_FAILS(write_text("/ddaebm-test", "x"), DDAEBM_IO,
                 "there is no folder /; create it first");
    (void)faults_end();
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS(
        "file", what_is_written_is_read, large_and_empty_files_are_read,
        files_without_a_size_are_read, unreadable_files_are_refused, a_huge_file_costs_nothing,
        a_file_that_grows_is_refused, the_systems_reasons_are_told, memory_may_run_out,
        the_old_file_stays_until_the_new_is_whole, impossible_targets_are_refused,
        permissions_follow_the_umask, a_file_may_be_named_through_proc, a_link_is_followed,
        names_without_a_folder_work, devices_and_descriptors_are_written_directly,
        errors_of_devices_are_told, a_descriptor_is_used_as_it_is, a_socket_is_written_and_read,
        a_broken_pipe_is_an_error, a_signal_of_the_program_stays, a_vast_span_is_written_in_pieces,
        a_write_of_nothing_is_an_error, names_of_temporary_files_may_all_be_taken,
        a_folder_need_not_be_flushed, the_root_is_a_folder);
}
