#include "io/wav.h"

#include "base/arithmetic.h"
#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "io/file.h"

#include <ddaebm/series.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { MOST_CHANNELS = 1024 };

bool dd_wav_recognise(const void *data, size_t size) {
    const char *bytes = data;
    return size >= 12 && (memcmp(bytes, "RIFF", 4) == 0 || memcmp(bytes, "RF64", 4) == 0) &&
           memcmp(bytes + 8, "WAVE", 4) == 0;
}

#ifdef DDAEBM_HAVE_WAV

#include <sndfile.h>

/* A file in memory, for libsndfile's calls. Writing grows it. */
typedef struct memory_file {
    const unsigned char *given; /* of a file that is read */
    ddaebm_context *context;    /* of one that is written */
    unsigned char *bytes;       /* likewise */
    size_t size, capacity, at;
    bool no_memory;
} memory_file;

static sf_count_t length_of(void *user) {
    const memory_file *file = user;
    return (sf_count_t)file->size;
}

static sf_count_t seek(sf_count_t offset, int whence, void *user) {
    memory_file *file = user;
    sf_count_t from = whence == SEEK_SET   ? 0
                      : whence == SEEK_CUR ? (sf_count_t)file->at
                                           : (sf_count_t)file->size;
    sf_count_t to = 0;
    if (__builtin_add_overflow(from, offset, &to) || to < 0 || to > (sf_count_t)file->size)
        return -1;
    file->at = (size_t)to;
    return to;
}

static sf_count_t give(void *out, sf_count_t count, void *user) {
    memory_file *file = user;
    size_t left = file->size - file->at, given = count < 0              ? 0
                                                 : (size_t)count < left ? (size_t)count
                                                                        : left;
    if (given > 0)
        memcpy(out, file->given + file->at, given);
    file->at += given;
    return (sf_count_t)given;
}

static sf_count_t take(const void *in, sf_count_t count, void *user) {
    memory_file *file = user;
    size_t end = 0;
    unsigned char *grown = NULL;
    if (count > 0 && dd_size_add(&end, file->at, (size_t)count))
        grown = dd_grow(file->context, file->bytes, &file->capacity, end, 1);
    if (!grown) {
        file->no_memory = count > 0;
        return 0;
    }
    file->bytes = grown;
    memcpy(file->bytes + file->at, in, (size_t)count);
    file->at = end;
    file->size = end > file->size ? end : file->size;
    return count;
}

static sf_count_t tell(void *user) {
    const memory_file *file = user;
    return (sf_count_t)file->at;
}

static SF_VIRTUAL_IO calls = {
    .get_filelen = length_of, .seek = seek, .read = give, .write = take, .tell = tell};

/* ---- Reading. ---- */

static size_t number_of_32_bits(const unsigned char *bytes) {
    return (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 |
           (size_t)bytes[3] << 24;
}

/* Whether a chunk says how the samples are coded, or is them. */
static bool is_wanted(const unsigned char *chunk) {
    static const char names[][5] = {"ds64", "fmt ", "fact", "data"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (memcmp(chunk, names[i], 4) == 0)
            return true;
    return false;
}

/* Copies those chunks of a file into `kept` [size], up to the samples or the first chunk that
 * claims more than there is, and returns their bytes. libsndfile believes what the other chunks
 * say: a list that claims 4 GB keeps it busy for minutes. */
static size_t copy_chunks(unsigned char *kept, const unsigned char *data, size_t size) {
    enum { HEAD = 12, CHUNK_HEAD = 8, TABLE_AT = 24 };
    size_t used = HEAD, at = HEAD;
    memcpy(kept, data, HEAD);

    while (size - at >= CHUNK_HEAD) {
        const unsigned char *chunk = data + at;
        const size_t claimed = number_of_32_bits(chunk + 4), rest = size - at - CHUNK_HEAD;
        const bool samples = memcmp(chunk, "data", 4) == 0;
        if (claimed > rest && !samples)
            break;

        size_t bytes = CHUNK_HEAD + (claimed < rest ? claimed + (claimed & 1) : rest);
        if (is_wanted(chunk)) {
            memcpy(kept + used, chunk, bytes);
            if (memcmp(chunk, "ds64", 4) == 0 && claimed >= TABLE_AT + 4) /* no table follows */
                memset(kept + used + CHUNK_HEAD + TABLE_AT, 0, 4);
            used += bytes;
        }
        if (samples)
            break;
        at += bytes;
    }
    return used;
}

static bool has_64_bits(const SF_INFO *info) {
    int encoding = info->format & SF_FORMAT_SUBMASK;
    return encoding == SF_FORMAT_PCM_32 || encoding == SF_FORMAT_DOUBLE;
}

/* Checks what the header says before there is memory for it. */
static ddaebm_status measure(const SF_INFO *info, size_t size, size_t most, size_t *numbers) {
    enum { MOST_PER_BYTE = 64 }; /* more than any encoding packs */
    size_t bytes = 0, number = has_64_bits(info) ? sizeof(double) : sizeof(float);
    if (info->channels < 1 || info->channels > MOST_CHANNELS)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "it has %d channels; allowed: 1 to %d", info->channels,
                       MOST_CHANNELS);
    if (info->frames < 1)
        return dd_fail(DDAEBM_FORMAT, "it holds no samples");
    if (!dd_size_mul(numbers, (size_t)info->frames, (size_t)info->channels) ||
        *numbers / MOST_PER_BYTE > size)
        return dd_fail(DDAEBM_FORMAT, "it claims more samples than it can hold");
    if (!dd_size_mul(&bytes, *numbers, number) || bytes > most)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "its samples are larger than the %zu bytes allowed" DD_RAISE_LIMIT, most);
    return DDAEBM_OK;
}

static ddaebm_status read_samples(dd_rows *rows, ddaebm_context *context, SNDFILE *state,
                                  const SF_INFO *info, size_t numbers) {
    const bool wide = has_64_bits(info);
    sf_count_t got = 0;
    rows->count = (size_t)info->frames;
    rows->width = (size_t)info->channels;
    if (wide)
        rows->wide = dd_alloc_zero(context, numbers, sizeof *rows->wide);
    else
        rows->values = dd_alloc_zero(context, numbers, sizeof *rows->values);
    if (!rows->wide && !rows->values)
        return DDAEBM_OUT_OF_MEMORY;
    got = wide ? sf_readf_double(state, rows->wide, info->frames)
               : sf_readf_float(state, rows->values, info->frames);
    if (got != info->frames)
        return dd_fail(DDAEBM_FORMAT,
                       "it is damaged or cut off: sample %lld of %lld cannot be read",
                       (long long)got + 1, (long long)info->frames);
    return DDAEBM_OK;
}

ddaebm_status dd_wav_parse(dd_rows *out, size_t *rate, ddaebm_context *context, const void *data,
                           size_t size, size_t most) {
    memory_file file = {.given = NULL};
    SF_INFO info = {0};
    dd_rows rows = {.values = NULL};
    size_t numbers = 0;
    if (!dd_wav_recognise(data, size))
        return dd_fail(DDAEBM_FORMAT, "it is not a WAV file");
    unsigned char *kept = dd_alloc(context, size);
    if (!kept)
        return DDAEBM_OUT_OF_MEMORY;

    file.given = kept;
    file.size = copy_chunks(kept, data, size);
    SNDFILE *state = sf_open_virtual(&calls, SFM_READ, &info, &file);
    if (!state) {
        dd_free(context, kept);
        return dd_fail(DDAEBM_FORMAT,
                       "it is a damaged WAV, or one of an encoding that libsndfile does not read");
    }
    ddaebm_status status = measure(&info, size, most, &numbers);
    if (status == DDAEBM_OK)
        status = read_samples(&rows, context, state, &info, numbers);
    (void)sf_close(state);
    dd_free(context, kept);
    if (status == DDAEBM_OK) {
        *out = rows;
        *rate = info.samplerate > 0 ? (size_t)info.samplerate : 0;
        return DDAEBM_OK;
    }
    dd_free(context, rows.values);
    dd_free(context, rows.wide);
    return status;
}

/* ---- Writing. ---- */

static ddaebm_status write_samples(memory_file *file, const double *series, size_t samples,
                                   size_t channels, size_t rate) {
    SF_INFO info = {.samplerate = (int)rate,
                    .channels = (int)channels,
                    .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *state = sf_open_virtual(&calls, SFM_WRITE, &info, file);
    if (!state)
        return file->no_memory ? DDAEBM_OUT_OF_MEMORY
                               : dd_fail(DDAEBM_INTERNAL, "libsndfile does not write such a WAV");
    /* The chunk of the largest number has the time in it: files of equal samples would differ. */
    (void)sf_command(state, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
    sf_count_t done = sf_writef_double(state, series, (sf_count_t)samples);
    int closed = sf_close(state);
    if (file->no_memory)
        return DDAEBM_OUT_OF_MEMORY;
    return done == (sf_count_t)samples && closed == 0
               ? DDAEBM_OK
               : dd_fail(DDAEBM_INTERNAL, "libsndfile wrote %lld of %zu samples", (long long)done,
                         samples);
}

static ddaebm_status write_wav(ddaebm_context *context, const char *path, const double *series,
                               size_t samples, size_t channels, size_t rate) {
    memory_file file = {.context = context};
    ddaebm_status status = write_samples(&file, series, samples, channels, rate);
    const dd_span span = {file.bytes, file.size};
    if (status == DDAEBM_OK)
        status = dd_file_write(context, path, &span, 1);
    dd_free(context, file.bytes);
    return status;
}

#else

ddaebm_status dd_wav_parse(dd_rows *out, size_t *rate, ddaebm_context *context, const void *data,
                           size_t size, size_t most) {
    (void)out, (void)rate, (void)context, (void)data, (void)size, (void)most;
    return dd_fail(
        DDAEBM_UNSUPPORTED,
        "this build has no libsndfile; install it and build again, or convert the WAV to NPY");
}

static ddaebm_status write_wav(ddaebm_context *context, const char *path, const double *series,
                               size_t samples, size_t channels, size_t rate) {
    (void)context, (void)series, (void)samples, (void)channels, (void)rate;
    return dd_fail(DDAEBM_UNSUPPORTED,
                   "cannot write %.250s: this build has no libsndfile; install it and build again, "
                   "or write NPY",
                   path);
}

#endif

ddaebm_status ddaebm_series_write_wav(ddaebm_context *context, const char *path,
                                      const double *series, size_t samples, size_t channels,
                                      size_t rate) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(path);
    DD_REQUIRE(series);
    size_t numbers = 0;
    if (samples < 1 || channels < 1 || channels > MOST_CHANNELS ||
        !dd_size_mul(&numbers, samples, channels))
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "%zu samples of %zu channels; allowed: at least 1 of 1 to %d", samples,
                       channels, MOST_CHANNELS);
    if (rate < 1 || rate > INT_MAX)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "the rate is %zu; allowed: 1 to %d", rate, INT_MAX);
    for (size_t i = 0; i < numbers; i++)
        if (!isfinite((float)series[i]))
            return dd_fail(DDAEBM_NOT_FINITE, "sample %zu (from 0) is no finite 32-bit number",
                           i / channels);

    ddaebm_context *held = NULL;
    ddaebm_status status = dd_context_hold(&held, context);
    if (status == DDAEBM_OK)
        status = write_wav(held, path, series, samples, channels, rate);
    ddaebm_context_free(held);
    return status;
}
