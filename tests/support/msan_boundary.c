/* The memory sanitiser knows only of what compiled code with it has written. jansson, libpng, zlib
 * and Check are as the system has them, so here, by the linker's --wrap (CMakeLists.txt), memory is
 * marked where it passes to them and back: malloc gives uninitialised memory to callers that were
 * compiled with the sanitiser, and to no others; what a library has made of it is initialised. */
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)

#include <sanitizer/allocator_interface.h>
#include <sanitizer/msan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sanitiser's own marking of malloc's blocks would reach the libraries'. */
const char *__msan_default_options(void);
const char *__msan_default_options(void) {
    return "poison_in_malloc=0:poison_in_free=0";
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size) {
    void *block = __real_malloc(size);
    if (block)
        __msan_poison(block, size);
    return block;
}

/* Whoever has the block next may be a library. */
void __real_free(void *block);
void __wrap_free(void *block);
void __wrap_free(void *block) {
    if (block)
        __msan_unpoison(block, __sanitizer_get_allocated_size(block));
    __real_free(block);
}

/* Check's own, in an archive, to which the linker's options apply as well. */
void *__real_emalloc(size_t size);
void *__wrap_emalloc(size_t size);
void *__wrap_emalloc(size_t size) {
    void *block = __real_emalloc(size);
    __msan_unpoison(block, size);
    return block;
}

/* Whoever is not instrumented leaves the marks of earlier callers on its part of the stack, and
 * copies them with what it writes there. */
__attribute__((noinline)) static void clear_stack(void) {
    char below[1 << 18];
    __msan_unpoison(below, sizeof below);
}

#include <jansson.h>
#define WRAP_READER(f, parameters, arguments)                                                      \
    json_t *__real_##f parameters;                                                                 \
    json_t *__wrap_##f parameters;                                                                 \
    json_t *__wrap_##f parameters {                                                                \
        clear_stack();                                                                             \
        json_t *value = __real_##f arguments;                                                      \
        __msan_unpoison(error, sizeof *error);                                                     \
        return value;                                                                              \
    }
WRAP_READER(json_loadb, (const char *text, size_t length, size_t flags, json_error_t *error),
            (text, length, flags, error))
WRAP_READER(json_loads, (const char *text, size_t flags, json_error_t *error), (text, flags, error))

/* Where a test gives jansson memory, that is jansson's to fill. */
static json_malloc_t json_take;

static void *json_allocate(size_t size) {
    void *block = json_take(size);
    if (block)
        __msan_unpoison(block, size);
    return block;
}

void __real_json_set_alloc_funcs(json_malloc_t take, json_free_t give);
void __wrap_json_set_alloc_funcs(json_malloc_t take, json_free_t give);
void __wrap_json_set_alloc_funcs(json_malloc_t take, json_free_t give) {
    json_take = take;
    __real_json_set_alloc_funcs(json_allocate, give);
}

#ifdef DDAEBM_HAVE_ZLIB
#include <zlib.h>

int __real_inflate(z_stream *stream, int flush);
int __wrap_inflate(z_stream *stream, int flush);
int __wrap_inflate(z_stream *stream, int flush) {
    unsigned char *out = stream->next_out;
    int result = __real_inflate(stream, flush);
    __msan_unpoison(stream, sizeof *stream);
    __msan_unpoison(out, (size_t)(stream->next_out - out));
    if (stream->msg)
        __msan_unpoison_string(stream->msg);
    return result;
}
#endif

#ifdef DDAEBM_HAVE_PNG
#include <png.h>

/* What the library's functions for libpng are, while trampolines stand in their place. One image at
 * a time. */
static struct {
    png_error_ptr fail;
    png_malloc_ptr allocate;
    png_rw_ptr write;
} png;

static void fail(png_structp file, png_const_charp text) {
    __msan_unpoison_string(text);
    png.fail(file, text);
}

static png_voidp allocate(png_structp file, png_alloc_size_t size) {
    void *block = png.allocate(file, size);
    if (block)
        __msan_unpoison(block, size);
    return block;
}

static void write_some(png_structp file, png_bytep data, png_size_t size) {
    __msan_unpoison(data, size);
    png.write(file, data, size);
}

#define WRAP_CREATE(f)                                                                             \
    png_structp __real_##f(png_const_charp version, png_voidp errors, png_error_ptr error,         \
                           png_error_ptr warn, png_voidp memory, png_malloc_ptr take,              \
                           png_free_ptr give);                                                     \
    png_structp __wrap_##f(png_const_charp version, png_voidp errors, png_error_ptr error,         \
                           png_error_ptr warn, png_voidp memory, png_malloc_ptr take,              \
                           png_free_ptr give);                                                     \
    png_structp __wrap_##f(png_const_charp version, png_voidp errors, png_error_ptr error,         \
                           png_error_ptr warn, png_voidp memory, png_malloc_ptr take,              \
                           png_free_ptr give) {                                                    \
        png.fail = error;                                                                          \
        png.allocate = take;                                                                       \
        return __real_##f(version, errors, fail, warn, memory, allocate, give);                    \
    }

WRAP_CREATE(png_create_read_struct_2)
WRAP_CREATE(png_create_write_struct_2)

void __real_png_set_write_fn(png_structp file, png_voidp user, png_rw_ptr write,
                             png_flush_ptr flush);
void __wrap_png_set_write_fn(png_structp file, png_voidp user, png_rw_ptr write,
                             png_flush_ptr flush);
void __wrap_png_set_write_fn(png_structp file, png_voidp user, png_rw_ptr write,
                             png_flush_ptr flush) {
    png.write = write;
    __real_png_set_write_fn(file, user, write_some, flush);
}

static void write_to_file(png_structp file, png_bytep data, png_size_t size) {
    __msan_unpoison(data, size);
    if (fwrite(data, 1, size, png_get_io_ptr(file)) != size)
        png_error(file, "it cannot be written");
}

void __wrap_png_init_io(png_structp file, png_FILE_p out);
void __wrap_png_init_io(png_structp file, png_FILE_p out) {
    __real_png_set_write_fn(file, out, write_to_file, NULL);
}
#endif

#ifdef DDAEBM_HAVE_WAV
#include <sndfile.h>

/* What the library's calls for libsndfile are, while `hear` stands in the place of one. One file at
 * a time. */
static struct {
    sf_vio_write write;
    int channels;
} wav;

static sf_count_t hear(const void *in, sf_count_t count, void *user) {
    __msan_unpoison(in, (size_t)count);
    return wav.write(in, count, user);
}

SNDFILE *__real_sf_open_virtual(SF_VIRTUAL_IO *calls, int mode, SF_INFO *info, void *user);
SNDFILE *__wrap_sf_open_virtual(SF_VIRTUAL_IO *calls, int mode, SF_INFO *info, void *user);
SNDFILE *__wrap_sf_open_virtual(SF_VIRTUAL_IO *calls, int mode, SF_INFO *info, void *user) {
    SF_VIRTUAL_IO through = *calls;
    wav.write = calls->write;
    through.write = hear;
    clear_stack();
    SNDFILE *state = __real_sf_open_virtual(&through, mode, info, user);
    __msan_unpoison(info, sizeof *info);
    wav.channels = info->channels;
    return state;
}

#define WRAP_READF(type)                                                                           \
    sf_count_t __real_sf_readf_##type(SNDFILE *state, type *out, sf_count_t frames);               \
    sf_count_t __wrap_sf_readf_##type(SNDFILE *state, type *out, sf_count_t frames);               \
    sf_count_t __wrap_sf_readf_##type(SNDFILE *state, type *out, sf_count_t frames) {              \
        clear_stack();                                                                             \
        sf_count_t got = __real_sf_readf_##type(state, out, frames);                               \
        if (got > 0)                                                                               \
            __msan_unpoison(out, (size_t)got *(size_t)wav.channels * sizeof *out);                 \
        return got;                                                                                \
    }
WRAP_READF(double)
WRAP_READF(float)
#endif

#endif
#endif
