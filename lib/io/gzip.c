#include "io/gzip.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"

#include <limits.h>

bool dd_gzip_recognise(const void *data, size_t size) {
    const unsigned char *bytes = data;
    return size >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
}

#ifdef DDAEBM_HAVE_ZLIB

#define ZLIB_CONST
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, STEP = 1 << 16 }; /* the largest window, behind gzip's header */

static voidpf allocate(voidpf context, uInt count, uInt size) {
    return dd_alloc_zero(context, count, size);
}

static void release(voidpf context, voidpf block) {
    dd_free(context, block);
}

typedef struct output {
    unsigned char *bytes;
    size_t used, capacity;
} output;

/* Makes room for the next piece. In all there may be `most` bytes, and one more to notice that
 * there are too many. */
static ddaebm_status make_room(ddaebm_context *context, output *out, size_t most) {
    size_t needed = out->used + 2; /* one byte, and the NUL after the last */
    if (needed <= out->capacity)
        return DDAEBM_OK;
    if (needed < STEP)
        needed = STEP < most + 2 ? STEP : most + 2;
    unsigned char *grown = dd_grow_within(context, out->bytes, &out->capacity, needed, 1, most + 2);
    if (!grown)
        return DDAEBM_OUT_OF_MEMORY;
    out->bytes = grown;
    return DDAEBM_OK;
}

static uInt piece(size_t size) {
    return size < UINT_MAX ? (uInt)size : UINT_MAX;
}

/* Returns whether another member follows, and prepares the stream for it. As gzip does, passes over
 * padding with zeros silently, and over other bytes with a warning. */
static bool begin_member(z_stream *stream, ddaebm_context *context, const unsigned char *data_end) {
    const unsigned char *at = stream->next_in;
    const size_t left = (size_t)(data_end - at);
    if (dd_gzip_recognise(at, left))
        return inflateReset(stream) == Z_OK;
    while (at < data_end && *at == 0)
        at++;
    if (at < data_end)
        dd_report(context, DDAEBM_LOG_WARNING,
                  "%zu bytes follow its gzip data that are none; they are passed over", left);
    return false;
}

/* Calls inflate once; sets *end at the end of a member. */
static ddaebm_status unpack_some(z_stream *stream, output *out, const unsigned char *data_end,
                                 bool *end) {
    stream->avail_in = piece((size_t)(data_end - stream->next_in));
    stream->next_out = out->bytes + out->used;
    stream->avail_out = piece(out->capacity - out->used - 1);
    int result = inflate(stream, Z_NO_FLUSH);
    out->used = (size_t)(stream->next_out - out->bytes);
    if (result == Z_MEM_ERROR)
        return DDAEBM_OUT_OF_MEMORY;
    if (result == Z_BUF_ERROR)
        return dd_fail(DDAEBM_FORMAT, "its gzip data is cut off");
    if (result != Z_OK && result != Z_STREAM_END)
        return dd_fail(DDAEBM_FORMAT, "its gzip data is damaged: %s",
                       stream->msg ? stream->msg : "no known form");

    *end = result == Z_STREAM_END;
    return DDAEBM_OK;
}

ddaebm_status dd_gzip_unpack(void **out, size_t *out_size, ddaebm_context *context,
                             const void *data, size_t size, size_t most_bytes) {
    z_stream stream = {.zalloc = allocate, .zfree = release, .opaque = context, .next_in = data};
    output unpacked = {NULL, 0, 0};
    ddaebm_status status = DDAEBM_OK;
    bool end = false;
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
        return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory to unpack gzip");

    const unsigned char *data_end = (const unsigned char *)data + size;
    while (!end || begin_member(&stream, context, data_end)) {
        DD_TRY(make_room(context, &unpacked, most_bytes));
        DD_TRY(unpack_some(&stream, &unpacked, data_end, &end));
        if (unpacked.used > most_bytes)
            DD_TRY(dd_fail(DDAEBM_OUT_OF_RANGE,
                           "unpacked, it is larger than the %zu bytes allowed" DD_RAISE_LIMIT,
                           most_bytes));
    }

    unpacked.bytes[unpacked.used] = 0;
    *out = unpacked.bytes;
    *out_size = unpacked.used;
    unpacked.bytes = NULL;
cleanup:
    (void)inflateEnd(&stream);
    dd_free(context, unpacked.bytes);
    return status;
}

#else

ddaebm_status dd_gzip_unpack(void **out, size_t *out_size, ddaebm_context *context,
                             const void *data, size_t size, size_t most_bytes) {
    (void)out, (void)out_size, (void)context, (void)data, (void)size, (void)most_bytes;
    return dd_fail(
        DDAEBM_UNSUPPORTED,
        "it is compressed, and this build has no zlib; unpack it with gunzip, or install zlib and "
        "build again");
}

#endif
