#include "tensor/exec/loop.h"

#include <string.h>

/* Rows and columns of the loop that are computed together, DD_TILE numbers at most. */
typedef struct tile {
    size_t row, rows, column, columns;
} tile;

/* A part of a loop under way. */
typedef struct loop_run {
    const dd_workspace *workspace;
    const dd_loop *loop;
    float *scratch;
    const float *source[DD_MOST_VALUES]; /* where each value that is not scratch begins in memory */
    float *at[DD_MOST_VALUES];           /* where each value is for the present tile */
    const float *held[DD_MOST_VALUES]; /* gathered: the row that fills the tile, NULL for several */
} loop_run;

static void fill(float *out, float value, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = value;
}

/* Sets what stays the same for all tiles. */
static void begin_loop(loop_run *run) {
    const dd_loop *loop = run->loop;
    for (int v = 0; v < loop->values; v++) {
        const dd_value *value = &loop->value[v];
        run->at[v] = value->scratch >= 0 ? run->scratch + (size_t)value->scratch * DD_TILE : NULL;
        run->source[v] =
            value->kind == DD_VALUE_SCRATCH ? NULL : dd_storage_read(run->workspace, value->node);
        if (value->kind == DD_VALUE_SPLAT)
            fill(run->at[v], run->source[v][0], DD_TILE);
    }
}

/* Returns where a row of a gathered value begins. */
static const float *row_at(const dd_loop *loop, const dd_value *value, const float *source,
                           size_t row) {
    const size_t *size = loop->shape.size;
    return source + row % size[2] * value->row_stride[2] +
           row / size[2] % size[1] * value->row_stride[1] +
           row / size[2] / size[1] * value->row_stride[0];
}

/* Copies one row again and again. */
static void repeat(float *out, const float *row, size_t rows, size_t columns) {
    memcpy(out, row, columns * sizeof *out);
    for (size_t done = 1; done < rows;) {
        size_t more = done < rows - done ? done : rows - done;
        memcpy(out + done * columns, out, more * columns * sizeof *out);
        done += more;
    }
}

/* Copies rows that follow each other in memory, or fills each with its one number. */
static void follow(float *out, const float *from, const dd_value *value, size_t rows,
                   size_t columns) {
    if (!value->one_a_row)
        memcpy(out, from, rows * columns * sizeof *out);
    else if (columns == 1)
        memcpy(out, from, rows * sizeof *out);
    else
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                out[i * columns + j] = from[i * value->run_stride];
}

/* Copies a gathered value's rows into its tile, run by run. A tile that one row fills may hold it
 * already. */
static void gather(loop_run *run, int v, tile t) {
    const dd_value *value = &run->loop->value[v];
    float *out = run->at[v];
    for (size_t row = t.row, end = t.row + t.rows; row < end;) {
        const float *from =
            row_at(run->loop, value, run->source[v], row) + (value->one_a_row ? 0 : t.column);
        size_t left = value->run - row % value->run, rows = left < end - row ? left : end - row;
        bool fills = rows == t.rows && value->run_stride == 0;
        if (fills && run->held[v] == from)
            return;

        run->held[v] = fills ? from : NULL;
        if (value->run_stride != 0)
            follow(out, from, value, rows, t.columns);
        else if (value->one_a_row) /* what is held must do for larger tiles, too */
            fill(out, *from, fills ? DD_TILE : rows * t.columns);
        else
            repeat(out, from, fills ? run->loop->rows_per_tile : rows, t.columns);
        out += rows * t.columns;
        row += rows;
    }
}

/* Brings each value to its place for a tile, then runs all instructions on it. */
static void run_tile(loop_run *run, tile t) {
    const dd_loop *loop = run->loop;
    const dd_kernels *kernels = run->workspace->plan->kernels.vector;
    size_t count = t.rows * t.columns;
    for (int v = 0; v < loop->values; v++) {
        const dd_value *value = &loop->value[v];
        if (value->kind == DD_VALUE_WHOLE)
            run->at[v] = (float *)run->source[v] + t.row * loop->width + t.column;
        else if (value->kind == DD_VALUE_GATHERED && value->scratch < 0)
            run->at[v] = (float *)row_at(loop, value, run->source[v], t.row) + t.column;
        else if (value->kind == DD_VALUE_GATHERED)
            gather(run, v, t);
    }

    for (int i = 0; i < loop->instructions; i++) {
        const dd_instruction *now = &loop->instruction[i];
        kernels->elementwise[now->kernel](run->at[now->out], run->at[now->a],
                                          now->b >= 0 ? run->at[now->b] : NULL, count, now->factor,
                                          now->shift);
    }
}

void dd_loop_run(const dd_workspace *workspace, const dd_loop *loop, size_t first, size_t part,
                 size_t parts) {
    bool flat = loop->rows == 1;
    size_t rows = first && !flat ? first : loop->rows,
           width = first && flat ? first * loop->shape.size[3] : loop->width;
    loop_run run = {.workspace = workspace,
                    .loop = loop,
                    .scratch = workspace->scratch + part * workspace->plan->scratch};
    begin_loop(&run);

    size_t across = (width + DD_TILE - 1) / DD_TILE,
           down = (rows + loop->rows_per_tile - 1) / loop->rows_per_tile;
    dd_range mine = dd_share(across * down, part, parts);
    for (size_t i = mine.first; i < mine.last; i++) {
        tile t = {.row = i / across * loop->rows_per_tile,
                  .rows = loop->rows_per_tile,
                  .column = i % across * DD_TILE};
        if (t.rows > rows - t.row)
            t.rows = rows - t.row;
        t.columns = width - t.column < DD_TILE ? width - t.column : DD_TILE;
        run_tile(&run, t);
    }
}
