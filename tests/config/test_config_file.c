/* Configurations from files: what is read and what is refused. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include "config/config.h"

#include "support/config_text.h"
#include "support/harness.h"

static void write_file(const char *text, size_t blanks) {
    FILE *file = fopen(in_folder("config.json"), "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    for (size_t i = 0; i < blanks; i++)
        (void)fputc(' ', file);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(load_reads_a_file) {
    ddaebm_config *config = create("toy");
    write_file("{\"training.batch\": 3}", 0);
    ck_assert_int_eq(ddaebm_config_load(config, in_folder("config.json")), DDAEBM_OK);
    assert_text(config, "training.batch", "3");
    write_file("{\"training.batch\": 5}", (1 << 20) - 21);
    ck_assert_int_eq(ddaebm_config_load(config, in_folder("config.json")), DDAEBM_OK);
    assert_text(config, "training.batch", "5");
    ddaebm_config_free(config);
}
END_TEST

/* As editors of some systems save it. */
START_TEST(load_skips_a_byte_order_mark) {
    ddaebm_config *config = create("toy");
    write_file("\xEF\xBB\xBF{\"training.batch\": 5}", 0);
    ck_assert_int_eq(ddaebm_config_load(config, in_folder("config.json")), DDAEBM_OK);
    assert_text(config, "training.batch", "5");
    write_file("\xEF\xBB\xBF\r\n{\r\n\"training.batch\": 1e1}\r\n", 0);
    ck_assert_int_eq(ddaebm_config_load(config, in_folder("config.json")), DDAEBM_OK);
    assert_text(config, "training.batch", "10");
    static const char *const bad[] = {"\xEF\xBB\xBF", "\xEF\xBB{}", "\xEF\xBB\xBF\xEF\xBB\xBF{}",
                                      "{}\xEF\xBB\xBF", "\xFF\xFE{}"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_file(bad[i], 0);
        ck_assert_int_eq(ddaebm_config_load(config, in_folder("config.json")), DDAEBM_FORMAT);
    }
    ddaebm_config_free(config);
}
END_TEST

START_TEST(load_refuses) {
    ddaebm_config *config = create("toy"), *original = create("toy");
    write_file("{\"training.batch\": 5}", (1 << 20) - 20);
    ck_assert_int_eq(ddaebm_config_load(config, in_folder("config.json")), DDAEBM_OUT_OF_RANGE);
    assert_message("at most 1048576 are allowed");
    write_file("{\"training.batch\": 3,\n\n x", 0);
    ck_assert_int_eq(ddaebm_config_load(config, in_folder("config.json")), DDAEBM_FORMAT);
    assert_message(in_folder("config.json"));
    assert_message("line 3: ");
    write_file("{\"training.batch\": 1}", 0);
    ck_assert_int_eq(ddaebm_config_load(config, in_folder("config.json")), DDAEBM_OUT_OF_RANGE);
    write_file("{\"training.batsh\": 1}", 0);
    ck_assert_int_eq(ddaebm_config_load(config, in_folder("config.json")), DDAEBM_NOT_FOUND);
    write_file("", 0);
    ck_assert_int_eq(ddaebm_config_load(config, in_folder("config.json")), DDAEBM_FORMAT);
    ck_assert_int_eq(ddaebm_config_load(config, "/nonexistent/config.json"), DDAEBM_NOT_FOUND);
    assert_message("cannot open /nonexistent/config.json: ");
    ck_assert_int_eq(ddaebm_config_load(config, "/dev/null/config.json"), DDAEBM_NOT_FOUND);
    char lengthy[5000];
    memset(lengthy, 'n', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    ck_assert_int_eq(ddaebm_config_load(config, lengthy), DDAEBM_IO);
    ck_assert_int_eq(ddaebm_config_load(config, "/"), DDAEBM_IO);
    assert_message("cannot read /: it is a folder");
    ck_assert_int_eq(ddaebm_config_load(NULL, in_folder("config.json")), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_load(config, NULL), DDAEBM_INVALID_ARGUMENT);
    assert_same(config, original);
    ddaebm_config_free(config);
    ddaebm_config_free(original);
}
END_TEST

int main(void) {
    return RUN_TESTS("config/file", load_reads_a_file, load_skips_a_byte_order_mark, load_refuses);
}
