#include "io/gzip_writer.h"

#include "base/context.h"
#include "base/error.h"

#ifdef DDAEBM_HAVE_ZLIB

#define ZLIB_CONST
#include <limits.h>
#include <zlib.h>

enum {
    GZIP_WINDOW = 15 + 16,
    MEMORY_LEVEL = 8,
    ROOM = 1 << 16
}; /* the largest window, behind gzip's header */

struct dd_gzip_writer {
    z_stream stream;
    unsigned char packed[ROOM];
};

static voidpf allocate(voidpf context, uInt count, uInt size) {
    return dd_alloc_zero(context, count, size);
}

static void release(voidpf context, voidpf block) {
    dd_free(context, block);
}

ddaebm_status dd_gzip_writer_create(dd_gzip_writer **out, ddaebm_context *context) {
    dd_gzip_writer *writer = dd_alloc_zero(context, 1, sizeof *writer);
    if (!writer)
        return DDAEBM_OUT_OF_MEMORY;
    writer->stream = (z_stream){.zalloc = allocate, .zfree = release, .opaque = context};
    if (deflateInit2(&writer->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        dd_free(context, writer);
        return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory to write gzip");
    }
    *out = writer;
    return DDAEBM_OK;
}

void dd_gzip_writer_free(dd_gzip_writer *writer, ddaebm_context *context) {
    if (!writer)
        return;
    (void)deflateEnd(&writer->stream);
    dd_free(context, writer);
}

ddaebm_status dd_gzip_writer_add(dd_gzip_writer *writer, dd_output *output, const void *data,
                                 size_t size, bool last) {
    z_stream *stream = &writer->stream;
    const unsigned char *end = (const unsigned char *)data + size;
    ddaebm_status status = DDAEBM_OK;
    bool more = size > 0 || last;
    stream->next_in = data;

    while (more && status == DDAEBM_OK) {
        size_t left = (size_t)(end - stream->next_in);
        stream->avail_in = left < UINT_MAX ? (uInt)left : UINT_MAX;
        stream->next_out = writer->packed;
        stream->avail_out = ROOM;
        (void)deflate(stream, last && left <= UINT_MAX
                                  ? Z_FINISH
                                  : Z_NO_FLUSH); /* fails only for a corrupt state */
        const dd_span ready = {writer->packed, ROOM - stream->avail_out};
        if (ready.size > 0)
            status = dd_output_write(output, &ready, 1);
        more = stream->avail_out == 0 || stream->next_in < end;
    }
    return status;
}

#else

ddaebm_status dd_gzip_writer_create(dd_gzip_writer **out, ddaebm_context *context) {
    (void)out, (void)context;
    return dd_fail(
        DDAEBM_UNSUPPORTED,
        "this build has no zlib, so it writes no gzip; install zlib and build again, or write CSV");
}

void dd_gzip_writer_free(dd_gzip_writer *writer, ddaebm_context *context) {
    (void)writer, (void)context;
}

ddaebm_status dd_gzip_writer_add(dd_gzip_writer *writer, dd_output *output, const void *data,
                                 size_t size, bool last) {
    (void)writer, (void)output, (void)data, (void)size, (void)last;
    return DDAEBM_UNSUPPORTED;
}

#endif
