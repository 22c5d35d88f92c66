/* WAV files: numbers of every encoding, damage and limits; what is written is read. */
#define _GNU_SOURCE
#include "base/context.h"
#include "io/wav.h"
#include "support/counted.h"

#include <ddaebm/series.h>
#include <math.h>

enum { SAMPLES = 100, CHANNELS = 2, ROOM = 1 << 14, HEADER = 44 };

/* A file of integers or floating-point numbers (format 1 or 3), all bytes from a ramp. */
static size_t make_file(unsigned char file[ROOM], unsigned format, unsigned channels, unsigned bits,
                        const void *data, size_t bytes) {
    const unsigned rate = 360, block = channels * bits / 8;
    const uint32_t words[] = {(uint32_t)(HEADER - 8 + bytes), 16, rate, rate * block,
                              (uint32_t)bytes};
    memset(file, 0, ROOM);
    memcpy(file, "RIFF", 4);
    memcpy(file + 4, &words[0], 4);
    memcpy(file + 8, "WAVEfmt ", 8);
    memcpy(file + 16, &words[1], 4);
    file[20] = (unsigned char)format;
    file[22] = (unsigned char)channels;
    memcpy(file + 24, &words[2], 8);
    file[32] = (unsigned char)block;
    file[34] = (unsigned char)bits;
    memcpy(file + 36, "data", 4);
    memcpy(file + 40, &words[4], 4);
    memcpy(file + HEADER, data, bytes);
    return HEADER + bytes;
}

#ifdef DDAEBM_HAVE_WAV

static ddaebm_dataset *open_file(const void *file, size_t size) {
    ddaebm_dataset *dataset = NULL;
    put_file(in_folder("a.wav"), file, size);
    ASSERT_OK(ddaebm_dataset_open(&dataset, context, in_folder("a.wav")));
    return dataset;
}

START_TEST(integers_become_numbers_to_one) {
    static const int16_t shorts[] = {0, 32767, -32768, 1, -1, 16384};
    static const int32_t ints[] = {0, INT32_MAX, INT32_MIN, 1, -1, 1 << 30};
    static const float floats[] = {0, 1.5f, -2, 1e-9f, -1, 0.5f};
    static unsigned char file[ROOM];
    double read[6];
    for (int kind = 0; kind < 3; kind++) {
        size_t size = kind == 0   ? make_file(file, 1, 2, 16, shorts, sizeof shorts)
                      : kind == 1 ? make_file(file, 1, 2, 32, ints, sizeof ints)
                                  : make_file(file, 3, 2, 32, floats, sizeof floats);
        ddaebm_dataset *dataset = open_file(file, size);
        ck_assert_uint_eq(ddaebm_dataset_rows(dataset), 3);
        ck_assert_uint_eq(ddaebm_dataset_width(dataset), 2);
        ck_assert_uint_eq(ddaebm_dataset_sample_rate(dataset), 360);
        ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, 3, read));
        for (size_t i = 0; i < 6; i++)
            ck_assert_double_eq(read[i], kind == 0   ? shorts[i] / 32768.0
                                         : kind == 1 ? ints[i] / 2147483648.0
                                                     : (double)floats[i]);
        ddaebm_dataset_free(dataset);
    }
}
END_TEST

START_TEST(what_is_written_is_read) {
    double series[SAMPLES * CHANNELS], back[SAMPLES * CHANNELS];
    static char first[ROOM], again[ROOM];
    for (size_t i = 0; i < SAMPLES * CHANNELS; i++)
        series[i] = (double)(float)(3 * sin((double)i));
    ASSERT_OK(
        ddaebm_series_write_wav(context, in_folder("a.wav"), series, SAMPLES, CHANNELS, 8000));
    size_t size = get_file(in_folder("a.wav"), first, ROOM);
    ASSERT_OK(
        ddaebm_series_write_wav(context, in_folder("a.wav"), series, SAMPLES, CHANNELS, 8000));
    ck_assert_uint_eq(get_file(in_folder("a.wav"), again, ROOM), size);
    ck_assert_int_eq(memcmp(first, again, size), 0);
    ck_assert_uint_eq(entries_in_folder(), 1);

    ddaebm_dataset *dataset = NULL, *windows = NULL;
    ASSERT_OK(ddaebm_dataset_open(&dataset, context, in_folder("a.wav")));
    ck_assert_uint_eq(ddaebm_dataset_sample_rate(dataset), 8000);
    ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, SAMPLES, back));
    ck_assert_int_eq(memcmp(back, series, sizeof back), 0);
    ASSERT_OK(ddaebm_dataset_create_windows(&windows, dataset, 10, 5));
    ck_assert_uint_eq(ddaebm_dataset_sample_rate(windows), 8000);
    ddaebm_dataset_free(windows);
    ddaebm_dataset_free(dataset);

    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    options.columns = "2";
    ASSERT_OK(ddaebm_dataset_open_with(&dataset, context, in_folder("a.wav"), &options));
    ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, SAMPLES, back));
    ck_assert_double_eq(back[1], series[3]);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(damage_is_refused) {
    static const float nan[] = {0, NAN};
    static unsigned char file[ROOM];
    ddaebm_dataset *dataset = NULL;
    const char *path = in_folder("a.wav");
    size_t size = make_file(file, 3, 1, 32, nan, sizeof nan);
    put_file(path, file, size);
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, context, path), DDAEBM_NOT_FINITE, "row 2");
    put_file(path, file, HEADER - 10);
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, context, path), DDAEBM_FORMAT, "a.wav");
    size = make_file(file, 1, 1, 16, nan, 0);
    put_file(path, file, size);
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, context, path), DDAEBM_FORMAT, "no samples");
    size = make_file(file, 0x55, 1, 16, nan, sizeof nan);
    put_file(path, file, size);
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, context, path), DDAEBM_FORMAT, "a.wav");
    static const char zeros[8000];
    size = make_file(file, 1, 1, 16, zeros, sizeof zeros);
    put_file(path, file, size);
    ASSERT_OK(ddaebm_context_set_limit(context, DDAEBM_LIMIT_FILE_BYTES, 9000));
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, context, path), DDAEBM_OUT_OF_RANGE, "9000 bytes");
    ck_assert_ptr_null(dataset);
}
END_TEST

/* A chunk of texts between format and samples, of 4 bytes, which claims `claimed`. */
static size_t with_list(unsigned char *file, size_t claimed) {
    static const char samples[8];
    enum { DATA_AT = 36, LIST = 12 };
    size_t size = make_file(file, 1, 1, 16, samples, sizeof samples);
    memmove(file + DATA_AT + LIST, file + DATA_AT, size - DATA_AT);
    memcpy(file + DATA_AT, "LIST", 4);
    for (size_t i = 0; i < 4; i++)
        file[DATA_AT + 4 + i] = (unsigned char)(claimed >> 8 * i);
    memcpy(file + DATA_AT + 8, "INFO", 4);
    return size + LIST;
}

/* libsndfile reads a list for minutes that claims 4 GB. */
START_TEST(other_chunks_are_passed_over) {
    static unsigned char file[ROOM];
    ddaebm_dataset *dataset = NULL;
    const char *path = in_folder("a.wav");
    put_file(path, file, with_list(file, 4));
    ASSERT_OK(ddaebm_dataset_open(&dataset, context, path));
    ck_assert_uint_eq(ddaebm_dataset_rows(dataset), 4);
    ddaebm_dataset_free(dataset);
    dataset = NULL;
    put_file(path, file, with_list(file, 0xFFFF5654));
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, context, path), DDAEBM_FORMAT, "a.wav");
    ck_assert_ptr_null(dataset);
}
END_TEST

START_TEST(options_that_do_not_apply_are_refused) {
    static const float data[] = {0, 1};
    static unsigned char file[ROOM];
    ddaebm_dataset *dataset = NULL;
    put_file(in_folder("a.wav"), file, make_file(file, 3, 1, 32, data, sizeof data));
    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    options.resize = 4;
    ASSERT_FAILS(ddaebm_dataset_open_with(&dataset, context, in_folder("a.wav"), &options),
                 DDAEBM_INVALID_ARGUMENT, "resize");
    options = (ddaebm_read_options)DDAEBM_READ_OPTIONS_INIT;
    options.layout = DDAEBM_LAYOUT_NHWC;
    ASSERT_FAILS(ddaebm_dataset_open_with(&dataset, context, in_folder("a.wav"), &options),
                 DDAEBM_INVALID_ARGUMENT, "layout");
    options = (ddaebm_read_options)DDAEBM_READ_OPTIONS_INIT;
    options.header = DDAEBM_HEADER_YES;
    ASSERT_FAILS(ddaebm_dataset_open_with(&dataset, context, in_folder("a.wav"), &options),
                 DDAEBM_INVALID_ARGUMENT, "header");
    ck_assert_ptr_null(dataset);
}
END_TEST

START_TEST(bad_series_are_not_written) {
    const double good[] = {0, 1}, bad[] = {0, NAN};
    const char *path = in_folder("a.wav");
    ASSERT_FAILS(ddaebm_series_write_wav(context, path, good, 0, 1, 360), DDAEBM_OUT_OF_RANGE,
                 "samples");
    ASSERT_FAILS(ddaebm_series_write_wav(context, path, good, 1, 1025, 360), DDAEBM_OUT_OF_RANGE,
                 "1024");
    ASSERT_FAILS(ddaebm_series_write_wav(context, path, good, 2, 1, 0), DDAEBM_OUT_OF_RANGE,
                 "rate");
    ASSERT_FAILS(ddaebm_series_write_wav(context, path, bad, 2, 1, 360), DDAEBM_NOT_FINITE,
                 "sample 1");
    ck_assert_uint_eq(entries_in_folder(), 0);
}
END_TEST

START_TEST(no_memory_is_reported) {
    static unsigned char file[ROOM];
    static const float data[] = {0, 1};
    dd_rows rows = {.values = NULL};
    size_t rate = 0, size = make_file(file, 3, 1, 32, data, sizeof data);
    SWEEP_ALLOCATIONS(counted, rows.values, dd_wav_parse(&rows, &rate, context, file, size, ROOM));
    dd_free(context, rows.values);
    const double series[] = {0, 1};
    void *none = NULL;
    SWEEP_ALLOCATIONS(counted, none,
                      ddaebm_series_write_wav(context, in_folder("a.wav"), series, 2, 1, 360));
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("wav", integers_become_numbers_to_one, what_is_written_is_read,
                     damage_is_refused, other_chunks_are_passed_over,
                     options_that_do_not_apply_are_refused, bad_series_are_not_written,
                     no_memory_is_reported);
}

#else

START_TEST(a_build_without_libsndfile_says_so) {
    static unsigned char file[ROOM];
    static const float data[] = {0, 1};
    dd_rows rows = {.values = NULL};
    const double series[] = {0, 1};
    size_t rate = 0, size = make_file(file, 3, 1, 32, data, sizeof data);
    ASSERT_FAILS(dd_wav_parse(&rows, &rate, context, file, size, ROOM), DDAEBM_UNSUPPORTED,
                 "libsndfile");
    ASSERT_FAILS(ddaebm_series_write_wav(context, in_folder("a.wav"), series, 2, 1, 360),
                 DDAEBM_UNSUPPORTED, "libsndfile");
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("wav", a_build_without_libsndfile_says_so);
}

#endif
