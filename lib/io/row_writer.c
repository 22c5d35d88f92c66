#define _POSIX_C_SOURCE 200809L /* uselocale */
#include <ddaebm/row_writer.h>

#include "base/arithmetic.h"
#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "io/gzip_writer.h"
#include "io/npy.h"
#include "io/output.h"

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that are collected before they are written, and the most that a number and its separator
 * have. */
enum { ROOM = 1 << 16, NUMBER_ROOM = 32 };

struct ddaebm_row_writer {
    ddaebm_context *context;
    ddaebm_row_options options; /* not used */
    size_t width, rows, done;   /* numbers per row; rows in all, and so far */
    char *path;                 /* path of the output; NULL for a function */
    dd_output output;
    bool open;            /* the output must be finished or discarded; false after a failure too */
    dd_gzip_writer *gzip; /* NULL if the file is not compressed */
    locale_t plain;       /* the locale "C", whose decimal mark is a point; for CSV */
    char gathered[ROOM];
    size_t used;
};

/* ---- Bytes. ---- */

static ddaebm_status hand_on(ddaebm_row_writer *writer, const void *data, size_t size, bool last) {
    if (writer->gzip)
        return dd_gzip_writer_add(writer->gzip, &writer->output, data, size, last);
    const dd_span span = {data, size};
    return size > 0 ? dd_output_write(&writer->output, &span, 1) : DDAEBM_OK;
}

static ddaebm_status flush(ddaebm_row_writer *writer, bool last) {
    size_t size = writer->used;
    writer->used = 0;
    return hand_on(writer, writer->gathered, size, last);
}

/* Makes room for `size` more bytes. */
static ddaebm_status make_room(ddaebm_row_writer *writer, size_t size) {
    return writer->used + size > ROOM ? flush(writer, false) : DDAEBM_OK;
}

static ddaebm_status put(ddaebm_row_writer *writer, char c) {
    ddaebm_status status = make_room(writer, 1);
    if (status == DDAEBM_OK)
        writer->gathered[writer->used++] = c;
    return status;
}

/* ---- CSV. ---- */

static int format_number(char out[NUMBER_ROOM], bool wide, double value) {
    if (!wide)
        return snprintf(out, NUMBER_ROOM, "%.9g", value);
    int length = snprintf(out, NUMBER_ROOM, "%.15g", value);
    return strtod(out, NULL) == value ? length : snprintf(out, NUMBER_ROOM, "%.17g", value);
}

/* Writes a text as a field: in quotes, with quotes doubled, where a reader would misunderstand it.
 */
static ddaebm_status put_text(ddaebm_row_writer *writer, const char *text) {
    const bool quoted = strpbrk(text, ",;\t\"\r\n") || *text == '#' || *text == ' ' ||
                        (*text && text[strlen(text) - 1] == ' ');
    ddaebm_status status = quoted ? put(writer, '"') : DDAEBM_OK;
    for (const char *c = text; *c && status == DDAEBM_OK; c++) {
        status = *c == '"' ? put(writer, '"') : DDAEBM_OK;
        if (status == DDAEBM_OK)
            status = put(writer, *c);
    }
    return status == DDAEBM_OK && quoted ? put(writer, '"') : status;
}

/* Returns the text that a number of a column stands for; NULL for none. */
static const char *label_of(const ddaebm_row_writer *writer, size_t column, double value) {
    const ddaebm_labels *labels = writer->options.labels ? writer->options.labels + column : NULL;
    if (!labels || !(value >= 0 && value < (double)labels->count))
        return NULL;
    return (double)(size_t)value == value ? labels->texts[(size_t)value] : NULL;
}

static ddaebm_status put_number(ddaebm_row_writer *writer, double value) {
    ddaebm_status status = make_room(writer, NUMBER_ROOM);
    if (status == DDAEBM_OK)
        writer->used += (size_t)format_number(writer->gathered + writer->used,
                                              writer->options.wide != 0, value);
    return status;
}

/* Writes [count, width] numbers, floats or doubles, as lines. */
static ddaebm_status write_lines(ddaebm_row_writer *writer, const float *narrow, const double *wide,
                                 size_t count) {
    ddaebm_status status = DDAEBM_OK;

    for (size_t i = 0; i < count && status == DDAEBM_OK; i++)
        for (size_t j = 0; j < writer->width && status == DDAEBM_OK; j++) {
            size_t at = i * writer->width + j;
            double value = narrow                 ? (double)narrow[at]
                           : writer->options.wide ? wide[at]
                                                  : (double)(float)wide[at];
            const char *label = label_of(writer, j, value);
            status = label ? put_text(writer, label) : put_number(writer, value);
            if (status == DDAEBM_OK)
                status = put(writer, j + 1 < writer->width ? ',' : '\n');
        }
    return status;
}

static ddaebm_status write_names(ddaebm_row_writer *writer, const char *const *names) {
    bool any = false;
    ddaebm_status status = DDAEBM_OK;
    for (size_t j = 0; names && j < writer->width; j++)
        any = any || names[j];
    for (size_t j = 0; any && j < writer->width && status == DDAEBM_OK; j++) {
        status = put_text(writer, names[j] ? names[j] : "");
        if (status == DDAEBM_OK)
            status = put(writer, j + 1 < writer->width ? ',' : '\n');
    }
    return status;
}

/* ---- NPY. ---- */

static ddaebm_status write_header(ddaebm_row_writer *writer, size_t rank, const size_t *shape) {
    char header[DD_NPY_HEADER];
    return hand_on(writer, header,
                   dd_npy_format_header(header, writer->options.wide ? "f8" : "f4", rank, shape),
                   false);
}

/* Writes `count` numbers, converted from floats to doubles or back. */
static ddaebm_status write_converted(ddaebm_row_writer *writer, const float *narrow,
                                     const double *wide, size_t count) {
    ddaebm_status status = DDAEBM_OK;
    for (size_t i = 0; i < count && status == DDAEBM_OK; i++) {
        const double widened = narrow ? (double)narrow[i] : 0;
        const float rounded = wide ? (float)wide[i] : 0;
        const void *number = narrow ? (const void *)&widened : (const void *)&rounded;
        size_t size = narrow ? sizeof widened : sizeof rounded;
        status = make_room(writer, size);
        memcpy(writer->gathered + writer->used, number, size);
        writer->used += size;
    }
    return status;
}

static ddaebm_status write_array(ddaebm_row_writer *writer, const float *narrow, const double *wide,
                                 size_t count) {
    size_t numbers = count * writer->width;
    if (writer->options.wide ? !wide : !narrow)
        return write_converted(writer, narrow, wide, numbers);
    ddaebm_status status = flush(writer, false); /* what was converted before comes first */
    if (status != DDAEBM_OK)
        return status;
    return narrow ? hand_on(writer, narrow, numbers * sizeof *narrow, false)
                  : hand_on(writer, wide, numbers * sizeof *wide, false);
}

/* ---- Opening. ---- */

/* Checks the shape and sets the writer's rows and width. */
static ddaebm_status measure(ddaebm_row_writer *writer, size_t rank, const size_t *shape) {
    size_t elements = 1, bytes = 0;
    if (rank < 1 || rank > DD_NPY_MOST_RANK_WRITTEN)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "rank is %zu; allowed: 1 to %d", rank,
                       DD_NPY_MOST_RANK_WRITTEN);

    writer->rows = shape[0];
    writer->width = 1;
    for (size_t i = 0; i < rank; i++) {
        if (shape[i] == 0)
            return dd_fail(DDAEBM_OUT_OF_RANGE, "shape[%zu] is 0; allowed: at least 1", i);
        if (!dd_size_mul(&elements, elements, shape[i]) ||
            !dd_size_mul(&bytes, elements, sizeof(double)))
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "shape: the product of its sizes exceeds the address space");
        writer->width *= i > 0 ? shape[i] : 1;
    }
    return DDAEBM_OK;
}

static ddaebm_status take_options(ddaebm_row_writer *writer, const ddaebm_row_options *options) {
    writer->options = (ddaebm_row_options)DDAEBM_ROW_OPTIONS_INIT;
    ddaebm_status status =
        dd_struct_in(&writer->options, sizeof writer->options, options, "DDAEBM_ROW_OPTIONS_INIT");
    if (status == DDAEBM_OK && (unsigned)writer->options.format > DDAEBM_ROWS_CSV_GZIP)
        status = dd_fail(DDAEBM_INVALID_ARGUMENT, "format is %d; allowed: a ddaebm_row_format",
                         (int)writer->options.format);
    return status;
}

/* Opens the output; keeps the path for messages. */
static ddaebm_status open_output(ddaebm_row_writer *writer, const ddaebm_writer *to) {
    ddaebm_writer own = DDAEBM_WRITER_INIT;
    ddaebm_status status = dd_struct_in(&own, sizeof own, to, "DDAEBM_WRITER_INIT");
    if (status != DDAEBM_OK)
        return status;
    writer->path = own.path ? dd_copy_text(writer->context, own.path) : NULL;
    if (own.path && !writer->path)
        return DDAEBM_OUT_OF_MEMORY;
    own.path = writer->path;
    status = dd_output_open(&writer->output, writer->context, &own);
    writer->open = status == DDAEBM_OK;
    return status;
}

static ddaebm_status begin_text(ddaebm_row_writer *writer) {
    const char *const *names = writer->options.names;
    writer->options.names = NULL;
    writer->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (writer->plain == (locale_t)0)
        return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory to write numbers as text");
    ddaebm_status status = DDAEBM_OK;
    if (writer->options.format == DDAEBM_ROWS_CSV_GZIP)
        status = dd_gzip_writer_create(&writer->gzip, writer->context);
    return status == DDAEBM_OK ? write_names(writer, names) : status;
}

ddaebm_status ddaebm_row_writer_create(ddaebm_row_writer **out, ddaebm_context *context,
                                       const ddaebm_writer *to, const ddaebm_row_options *options,
                                       size_t rank, const size_t *shape) {
    DD_REQUIRE(out);
    DD_REQUIRE(to);
    DD_REQUIRE(options);
    DD_REQUIRE(shape);
    ddaebm_context *held = NULL;
    ddaebm_status status = dd_context_hold(&held, context);
    if (status != DDAEBM_OK)
        return status;
    ddaebm_row_writer *writer = dd_alloc_zero(held, 1, sizeof *writer);
    if (!writer) {
        ddaebm_context_free(held);
        return DDAEBM_OUT_OF_MEMORY;
    }

    writer->context = held;
    DD_TRY(take_options(writer, options));
    DD_TRY(measure(writer, rank, shape));
    DD_TRY(open_output(writer, to));
    DD_TRY(writer->options.format == DDAEBM_ROWS_NPY ? write_header(writer, rank, shape)
                                                     : begin_text(writer));
    *out = writer;
cleanup:
    if (status != DDAEBM_OK)
        ddaebm_row_writer_free(writer);
    return status;
}

/* ---- Rows. ---- */

/* Removes what there is of a file that failed. */
static void give_up(ddaebm_row_writer *writer) {
    if (writer->open)
        dd_output_discard(&writer->output);
    writer->open = false;
}

static ddaebm_status write_text(ddaebm_row_writer *writer, const float *narrow, const double *wide,
                                size_t count) {
    locale_t before = uselocale(writer->plain); /* affects this thread only */
    ddaebm_status status = write_lines(writer, narrow, wide, count);
    (void)uselocale(before);
    return status;
}

/* Writes rows in the writer's format; a failure ends the file. */
static ddaebm_status append(ddaebm_row_writer *writer, const float *narrow, const double *wide,
                            size_t count) {
    if (!writer->open)
        return dd_fail(DDAEBM_STATE,
                       "this file of rows is finished, or has failed; make another writer");

    if (count > writer->rows - writer->done)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "count is %zu; %zu rows of the %zu are left to be written", count,
                       writer->rows - writer->done, writer->rows);

    bool array = writer->options.format == DDAEBM_ROWS_NPY;
    ddaebm_status status = (array ? write_array : write_text)(writer, narrow, wide, count);
    if (status != DDAEBM_OK)
        give_up(writer);
    writer->done += count;
    return status;
}

ddaebm_status ddaebm_row_writer_append(ddaebm_row_writer *writer, const float *rows, size_t count) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(writer);
    if (count > 0)
        DD_REQUIRE(rows);
    return append(writer, rows, NULL, count);
}

ddaebm_status ddaebm_row_writer_append_double(ddaebm_row_writer *writer, const double *rows,
                                              size_t count) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(writer);
    if (count > 0)
        DD_REQUIRE(rows);
    return append(writer, NULL, rows, count);
}

ddaebm_status ddaebm_row_writer_finish(ddaebm_row_writer *writer) {
    DD_REQUIRE(writer);
    if (!writer->open)
        return dd_fail(DDAEBM_STATE,
                       "this file of rows is finished, or has failed; make another writer");

    if (writer->done < writer->rows)
        return dd_fail(DDAEBM_STATE, "%zu of the %zu rows are missing; append them first",
                       writer->rows - writer->done, writer->rows);
    ddaebm_status status = flush(writer, true);
    if (status != DDAEBM_OK) {
        give_up(writer);
        return status;
    }

    writer->open = false;
    return dd_output_finish(&writer->output);
}

void ddaebm_row_writer_free(ddaebm_row_writer *writer) {
    if (!writer)
        return;
    ddaebm_context *context = writer->context;
    give_up(writer);
    dd_gzip_writer_free(writer->gzip, context);
    if (writer->plain != (locale_t)0)
        freelocale(writer->plain);
    dd_free(context, writer->path);
    dd_free(context, writer);
    ddaebm_context_free(context);
}
