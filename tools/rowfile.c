#include "rowfile.h"

#include "console.h"
#include "inputs.h"
#include "signals.h"

#include <stdlib.h>

enum { NUMBERS_AT_ONCE = 1 << 20 };

size_t rows_at_once(size_t width, size_t block) {
    size_t blocks = NUMBERS_AT_ONCE / width / block;
    return (blocks > 0 ? blocks : 1) * block;
}

/* Allocates room for rows of the file. */
static int make_block(void **block, uint64_t rows, const row_file *file) {
    float *narrow = NULL;
    double *wide = NULL;
    int code =
        file->wide ? make_doubles(&wide, rows, file->width) : make_room(&narrow, rows, file->width);
    *block = file->wide ? (void *)wide : (void *)narrow;
    return code;
}

/* Lists the names of all columns, borrowed, in a list to be freed with free; NULL if there are
 * none. */
static int list_names(const char ***names, const row_file *file) {
    *names = NULL;
    if (!file->name)
        return 0;
    const char **list = malloc(file->width * sizeof *list);
    if (!list)
        return fail("no memory for the names of %zu columns", file->width);
    for (size_t j = 0; j < file->width; j++)
        list[j] = file->name(file->owner, j);
    *names = list;
    return 0;
}

/* Opens the writer of the file. */
static int open_rows(ddaebm_row_writer **out, ddaebm_context *context, const row_file *file) {
    static const ddaebm_row_format formats[] = {[FORMAT_NPY] = DDAEBM_ROWS_NPY,
                                                [FORMAT_CSV] = DDAEBM_ROWS_CSV,
                                                [FORMAT_CSV_GZIP] = DDAEBM_ROWS_CSV_GZIP};
    const image_shape *image = &file->images;
    const size_t count = (size_t)file->count,
                 images[] = {count, image->height, image->width, image->channels};
    const size_t rows[] = {count, file->width}, rank = image->height                   ? 4
                                                       : file->width > 1 || file->wide ? 2
                                                                                       : 1;
    ddaebm_row_options options = DDAEBM_ROW_OPTIONS_INIT;
    ddaebm_writer writer = DDAEBM_WRITER_INIT;
    const char **names = NULL;
    int code = list_names(&names, file);
    if (code != 0)
        return code;

    writer.path = file->to.path;
    options.format = formats[file->to.format];
    options.wide = file->wide;
    options.names = names;
    options.labels = file->labels;
    code = checked(ddaebm_row_writer_create(out, context, &writer, &options, rank,
                                            image->height ? images : rows));
    free(names);
    return code;
}

static int append_block(ddaebm_row_writer *rows, const row_file *file, const void *block,
                        size_t count) {
    return checked(file->wide ? ddaebm_row_writer_append_double(rows, block, count)
                              : ddaebm_row_writer_append(rows, block, count));
}

/* Writes block by block. The last two blocks are one, because the library computes a short block
 * with other rounding. */
static int stream_rows(ddaebm_context *context, const row_file *file, size_t at_once,
                       row_source source, void *user) {
    ddaebm_row_writer *rows = NULL;
    void *block = NULL;
    uint64_t done = 0;
    int code = 0;
    TRY(make_block(&block,
                   file->count < 2 * (uint64_t)at_once ? file->count : 2 * (uint64_t)at_once - 1,
                   file));
    TRY(open_rows(&rows, context, file));
    while (done < file->count) {
        uint64_t left = file->count - done, count = left < 2 * (uint64_t)at_once ? left : at_once;
        TRY(source(user, done, (size_t)count, block));
        TRY(append_block(rows, file, block, (size_t)count));
        TRY(check_signals(file->to.path));
        done += count;
    }

    TRY(checked(ddaebm_row_writer_finish(rows)));
cleanup:
    ddaebm_row_writer_free(rows);
    free(block);
    return code;
}

/* Writes a PNG of all rows. */
static int draw_rows(ddaebm_context *context, const row_file *file, row_source source, void *user) {
    void *block = NULL;
    int code = 0;
    TRY(check_grid(file->to.path, file->count, grid_columns(file->count), file->images));
    TRY(make_block(&block, file->count, file));
    TRY(source(user, 0, (size_t)file->count, block));
    TRY(write_grid_png(context, file->to.path, block, (size_t)file->count,
                       grid_columns(file->count), file->images));
cleanup:
    free(block);
    return code;
}

int write_row_file(ddaebm_context *context, const row_file *file, size_t at_once, row_source source,
                   void *user) {
    if (file->to.format == FORMAT_PNG)
        return draw_rows(context, file, source, user);
    catch_signals();
    return stream_rows(context, file, at_once, source, user);
}
