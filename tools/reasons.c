#include "reasons.h"

#include "console.h"
#include "inputs.h"
#include "rowfile.h"
#include "signals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BEFORE = 2, EACH = 4, NAME_ROOM = 32, AT_ONCE = 64 };
static const char *const before[BEFORE] = {"row", "score"};
static const char *const each[EACH] = {"column", "value", "expected", "contribution"};

/* A row of the data with its score; NaN is the lowest. */
typedef struct scored {
    float score;
    uint64_t row;
} scored;

typedef struct run {
    const explanation *asked;
    scored *order;        /* [rows written] */
    uint64_t rows;        /* number of them */
    size_t width;         /* of the data */
    double *row;          /* [width] */
    size_t *columns;      /* [reasons] */
    float *contributions; /* [reasons] */
    double *values;       /* [reasons] */
    char (*names)[NAME_ROOM];
    const char **texts;    /* [width + 1]: names of columns, which count from 1 */
    ddaebm_labels *labels; /* [numbers in a line] */
} run;

static size_t numbers_in_line(const run *self) {
    return BEFORE + EACH * self->asked->reasons;
}

/* ---- Which rows. ---- */

static int ascending_scores(const void *a, const void *b) {
    const scored *first = a, *second = b;
    const bool first_nan = isnan(first->score), second_nan = isnan(second->score);
    if (first_nan != second_nan)
        return first_nan ? -1 : 1;
    if (first->score < second->score)
        return -1;
    if (first->score > second->score)
        return 1;
    return first->row < second->row ? -1 : first->row > second->row;
}

static int choose_rows(run *self) {
    const explanation *asked = self->asked;
    self->order = asked->count <= SIZE_MAX / sizeof *self->order
                      ? malloc((size_t)asked->count * sizeof *self->order)
                      : NULL;
    if (!self->order)
        return fail("no memory to rank %llu rows", (unsigned long long)asked->count);
    for (uint64_t i = 0; i < asked->count; i++)
        self->order[i] = (scored){asked->scores[i], i};
    self->rows = asked->count;
    if (asked->lowest == 0)
        return 0;
    qsort(self->order, (size_t)asked->count, sizeof *self->order, ascending_scores);
    if (asked->lowest < self->rows)
        self->rows = asked->lowest;
    return 0;
}

/* ---- Lines. ---- */

static int explain_row(const run *self, const scored *of, double *line) {
    const explanation *asked = self->asked;
    line[0] = (double)of->row + 1;
    line[1] = (double)of->score;
    if (asked->reasons == 0)
        return 0;
    int code = checked(ddaebm_dataset_read_double(asked->dataset, of->row, 1, self->row));
    if (code != 0)
        return code;
    ddaebm_status status =
        ddaebm_scorer_explain_double(asked->scorer, self->row, 1, asked->timestep, asked->reasons,
                                     self->columns, self->contributions, self->values);
    if (status != DDAEBM_OK)
        return status == DDAEBM_CANCELLED ? checked_or_stopped(status, asked->to.path)
                                          : checked_option(status, asked->command, "--explain");
    for (size_t k = 0; k < asked->reasons; k++) {
        double *reason = line + BEFORE + EACH * k;
        reason[0] = (double)self->columns[k] + 1;
        reason[1] = self->row[self->columns[k]];
        reason[2] = self->values[k];
        reason[3] = (double)self->contributions[k];
    }
    return 0;
}

/* A row_source. */
static int explain_rows(void *user, uint64_t first, size_t count, void *block) {
    const run *self = user;
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        code =
            explain_row(self, &self->order[first + i], (double *)block + i * numbers_in_line(self));
        if (code == 0)
            code = check_signals(self->asked->to.path);
    }
    return code;
}

static const char *name_of(const void *owner, size_t j) {
    const run *self = owner;
    return self->names[j];
}

/* Names the columns of the file, and notes the names of the data's, for those that name them. */
static void name_columns(run *self) {
    bool named = false;
    for (size_t j = 0; j < self->width; j++) {
        self->texts[j + 1] = ddaebm_dataset_column_name(self->asked->dataset, j);
        named = named || self->texts[j + 1];
    }
    for (size_t j = 0; j < numbers_in_line(self); j++) {
        size_t k = j < BEFORE ? 0 : j - BEFORE;
        if (j < BEFORE)
            (void)snprintf(self->names[j], NAME_ROOM, "%s", before[j]);
        else
            (void)snprintf(self->names[j], NAME_ROOM, "%s_%zu", each[k % EACH], k / EACH + 1);
        if (named && j >= BEFORE && k % EACH == 0)
            self->labels[j] = (ddaebm_labels){self->texts, self->width + 1};
    }
}

/* ---- The whole. ---- */

static int make_rooms(run *self) {
    size_t reasons = self->asked->reasons > 0 ? self->asked->reasons : 1;
    self->row = malloc(self->width * sizeof *self->row);
    self->columns = malloc(reasons * sizeof *self->columns);
    self->contributions = malloc(reasons * sizeof *self->contributions);
    self->values = malloc(reasons * sizeof *self->values);
    self->names = malloc(numbers_in_line(self) * sizeof *self->names);
    self->texts = calloc(self->width + 1, sizeof *self->texts);
    self->labels = calloc(numbers_in_line(self), sizeof *self->labels);
    bool all = self->row && self->columns && self->contributions && self->values && self->names &&
               self->texts && self->labels;
    return all ? 0 : fail("no memory to explain scores");
}

int write_explained(ddaebm_context *context, const explanation *asked) {
    run self = {.asked = asked, .width = ddaebm_dataset_width(asked->dataset)};
    int code = 0;
    if (asked->reasons > self.width)
        return misuse(asked->command,
                      "--explain is %zu; allowed: 1 to %zu, the columns of the data",
                      asked->reasons, self.width);
    TRY(make_rooms(&self));
    TRY(choose_rows(&self));
    name_columns(&self);
    const row_file file = {.to = asked->to,
                           .count = self.rows,
                           .width = numbers_in_line(&self),
                           .wide = true,
                           .name = name_of,
                           .labels = self.labels,
                           .owner = &self};
    TRY(write_row_file(context, &file, AT_ONCE, explain_rows, &self));
cleanup:
    free(self.order);
    free(self.row);
    free(self.columns);
    free(self.contributions);
    free(self.values);
    free(self.names);
    free(self.texts);
    free(self.labels);
    return code;
}
