/* Structs of other versions: fields that are missing have their defaults, unknown ones must be
 * zero, and nothing is written beyond the end. */
#define _GNU_SOURCE
#include "base/struct_size.h"

#include "support/harness.h"

/* A struct as three versions of its header had it. */
typedef struct first {
    size_t struct_size;
    int one, two;
} first;

typedef struct second {
    size_t struct_size;
    int one, two;
    double three;
} second;

typedef struct third {
    size_t struct_size;
    int one, two;
    double three;
    void *four;
} third;

START_TEST(an_older_caller_gets_defaults) {
    const first theirs = {sizeof theirs, 1, 2};
    second ours = {sizeof ours, 10, 20, 30};
    ASSERT_OK(dd_struct_in(&ours, sizeof ours, &theirs, "INIT"));
    ck_assert(ours.struct_size == sizeof ours && ours.one == 1 && ours.two == 2);
    ck_assert_double_eq(ours.three, 30);
    const size_t nothing = sizeof nothing;
    ours = (second){sizeof ours, 10, 20, 30};
    ASSERT_OK(dd_struct_in(&ours, sizeof ours, &nothing, "INIT"));
    ck_assert(ours.one == 10 && ours.two == 20);
}
END_TEST

START_TEST(a_newer_caller_may_not_ask_for_what_is_unknown) {
    int something;
    third theirs = {sizeof theirs, 1, 2, 3, NULL};
    second ours = {sizeof ours, 10, 20, 30};
    ASSERT_OK(dd_struct_in(&ours, sizeof ours, &theirs, "INIT"));
    ck_assert(ours.struct_size == sizeof ours && ours.one == 1 && ours.two == 2);
    ck_assert_double_eq(ours.three, 3);
    theirs.four = &something;
    ours.one = 10;
    ASSERT_FAILS(dd_struct_in(&ours, sizeof ours, &theirs, "INIT"), DDAEBM_UNSUPPORTED,
                 "does not know");
    ck_assert_int_eq(ours.one, 10);
}
END_TEST

START_TEST(sizes_of_no_version_are_refused) {
    static const size_t bad[] = {0, 1, 4, 7, 9, 12, 20, 4104, SIZE_MAX, SIZE_MAX - 7};
    third theirs = {0, 1, 2, 3, NULL};
    second ours = {sizeof ours, 10, 20, 30};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        theirs.struct_size = bad[i];
        ASSERT_FAILS(dd_struct_in(&ours, sizeof ours, &theirs, "THE_INIT"), DDAEBM_INVALID_ARGUMENT,
                     "THE_INIT");
        ASSERT_FAILS(dd_struct_check(&theirs, "THE_INIT"), DDAEBM_INVALID_ARGUMENT,
                     "struct_size is");
        ck_assert_int_eq(ours.one, 10);
    }
}
END_TEST

START_TEST(only_what_fits_is_written) {
    const second ours = {sizeof ours, 1, 2, 3};
    struct {
        first theirs;
        double after;
    } old = {{sizeof(first), 10, 20}, 30};
    int something;
    third new = {sizeof new, 10, 20, 30, &something};
    dd_struct_out(&old.theirs, &ours, sizeof ours);
    ck_assert(old.theirs.struct_size == sizeof(first) && old.theirs.one == 1 &&
              old.theirs.two == 2);
    ck_assert_double_eq(old.after, 30);
    dd_struct_out(&new, &ours, sizeof ours);
    ck_assert(new.struct_size == sizeof new &&new.one == 1 && new.two == 2 &&
              new.four == &something);
    ck_assert_double_eq(new.three, 3);
}
END_TEST

/* --- Each public struct, through the function that takes it. --- */

static ddaebm_status give_zeros(void *user, uint64_t row, size_t count, float *out) {
    (void)user;
    (void)row;
    memset(out, 0, count * 2 * sizeof *out);
    return DDAEBM_OK;
}

/* Offsets of fields that older callers rely on; those of allocators are in test_context.c. */
START_TEST(fields_stay_where_they_are) {
    enum { WORD = sizeof(size_t) };
    ck_assert_uint_eq(offsetof(ddaebm_reader, struct_size), 0);
    ck_assert_uint_eq(offsetof(ddaebm_reader, path), WORD);
    ck_assert_uint_eq(offsetof(ddaebm_reader, read), 2 * WORD);
    ck_assert_uint_eq(offsetof(ddaebm_reader, user), 3 * WORD);
    ck_assert_uint_eq(offsetof(ddaebm_reader, size), 4 * WORD);
    ck_assert_uint_eq(offsetof(ddaebm_reader, progress), 5 * WORD);
    ck_assert_uint_eq(offsetof(ddaebm_reader, progress_user), 6 * WORD);
    ck_assert_uint_eq(offsetof(ddaebm_writer, struct_size), 0);
    ck_assert_uint_eq(offsetof(ddaebm_writer, path), WORD);
    ck_assert_uint_eq(offsetof(ddaebm_writer, write), 2 * WORD);
    ck_assert_uint_eq(offsetof(ddaebm_writer, user), 3 * WORD);
    ck_assert_uint_eq(offsetof(ddaebm_source, struct_size), 0);
    ck_assert_uint_eq(offsetof(ddaebm_source, width), WORD);
    ck_assert_uint_eq(offsetof(ddaebm_source, rows), 2 * WORD);
    ck_assert_uint_eq(offsetof(ddaebm_source, read), 3 * WORD);
    ck_assert_uint_eq(offsetof(ddaebm_source, user), 4 * WORD);
    ck_assert_uint_eq(offsetof(ddaebm_row_options, struct_size), 0);
    ck_assert_uint_eq(offsetof(ddaebm_row_options, format), WORD);
    ck_assert_uint_eq(offsetof(ddaebm_row_options, wide), WORD + sizeof(int));
    ck_assert_uint_eq(offsetof(ddaebm_row_options, names), 2 * WORD);
    ck_assert_uint_eq(offsetof(ddaebm_row_options, labels), 3 * WORD);
    ddaebm_reader reader = DDAEBM_READER_INIT;
    ddaebm_writer writer = DDAEBM_WRITER_INIT;
    ck_assert(reader.struct_size == sizeof reader && !reader.path && !reader.read &&
              !reader.progress && reader.size == 0);
    ck_assert(writer.struct_size == sizeof writer && !writer.path && !writer.write);
}
END_TEST

static ddaebm_status never(void *user, void *buffer, size_t capacity, size_t *got) {
    (void)user;
    (void)buffer;
    (void)capacity;
    *got = 0;
    return DDAEBM_INTERNAL;
}

/* Nothing beyond the caller's size is read. */
START_TEST(readers_of_other_versions) {
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL, *back = NULL;
    ddaebm_reader reader = DDAEBM_READER_INIT;
    ASSERT_OK(ddaebm_config_create(&config, NULL, "toy"));
    ASSERT_OK(ddaebm_model_create(&model, NULL, config, 1));
    ASSERT_OK(ddaebm_model_save(model, in_folder("m")));
    reader.struct_size = offsetof(ddaebm_reader, read);
    reader.path = in_folder("m");
    reader.read = never;
    ASSERT_OK(ddaebm_model_load_stream(&back, NULL, &reader));
    ddaebm_model_free(back);
    ddaebm_model_free(model);
    ddaebm_config_free(config);
}
END_TEST

START_TEST(allocators_of_other_versions) {
    fussy counted = {0};
    struct {
        ddaebm_allocator known;
        size_t unknown[2];
    } newer = {DDAEBM_ALLOCATOR_INIT, {0, 0}};
    ddaebm_context *context = NULL;
    newer.known = (ddaebm_allocator){sizeof newer, fussy_allocate, fussy_release, &counted};
    ASSERT_OK(ddaebm_context_create(&context, &newer.known));
    ck_assert_uint_gt(counted.live, 0);
    ddaebm_context_free(context);
    ck_assert_uint_eq(counted.live, 0);
    newer.unknown[1] = 1;
    context = NULL;
    ASSERT_FAILS(ddaebm_context_create(&context, &newer.known), DDAEBM_UNSUPPORTED,
                 "DDAEBM_ALLOCATOR_INIT");
    ck_assert_ptr_null(context);
}
END_TEST

START_TEST(sources_of_other_versions) {
    struct {
        ddaebm_source known;
        size_t unknown;
    } newer = {DDAEBM_SOURCE_INIT, 0};
    ddaebm_dataset *dataset = NULL;
    newer.known.struct_size = sizeof newer;
    newer.known.width = 2;
    newer.known.read = give_zeros;
    ASSERT_OK(ddaebm_dataset_create_source(&dataset, NULL, &newer.known));
    ck_assert_uint_eq(ddaebm_dataset_rows(dataset), 0);
    ddaebm_dataset_free(dataset);
    dataset = NULL;
    newer.unknown = 1;
    ASSERT_FAILS(ddaebm_dataset_create_source(&dataset, NULL, &newer.known), DDAEBM_UNSUPPORTED,
                 "DDAEBM_SOURCE_INIT");
    newer.known.struct_size =
        offsetof(ddaebm_source, user); /* older, before it had a user pointer */
    newer.known.user = &newer;
    ASSERT_OK(ddaebm_dataset_create_source(&dataset, NULL, &newer.known));
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(outputs_of_other_versions) {
    ddaebm_key_info key = DDAEBM_KEY_INFO_INIT;
    key.struct_size = offsetof(ddaebm_key_info, type);
    key.most = 77;
    ASSERT_OK(ddaebm_config_key_info(0, &key));
    ck_assert(key.name && key.meaning && key.struct_size == offsetof(ddaebm_key_info, type));
    ck_assert_double_eq(key.most, 77);
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_config_create(&config, NULL, "toy"));
    ASSERT_OK(ddaebm_model_create(&model, NULL, config, 1));
    struct {
        ddaebm_parameter_info known;
        size_t unknown;
    } newer = {DDAEBM_PARAMETER_INFO_INIT, 55};
    newer.known.struct_size = sizeof newer;
    ASSERT_OK(ddaebm_model_parameter_info(model, 0, &newer.known));
    ck_assert(newer.known.name && newer.known.elements > 0 &&
              newer.known.struct_size == sizeof newer && newer.unknown == 55);
    ddaebm_model_free(model);
    ddaebm_config_free(config);
}
END_TEST

int main(void) {
    return RUN_TESTS(
        "struct_size", an_older_caller_gets_defaults,
        a_newer_caller_may_not_ask_for_what_is_unknown, sizes_of_no_version_are_refused,
        only_what_fits_is_written, fields_stay_where_they_are, readers_of_other_versions,
        allocators_of_other_versions, sources_of_other_versions, outputs_of_other_versions);
}
