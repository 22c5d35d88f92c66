/* Statistics of the data's columns that a model has before training: mean, standard deviation, and
 * names. */
#include "base/context.h"
#include "base/error.h"
#include "base/order.h"
#include "base/rng.h"
#include "io/dataset.h"
#include "model/column_map.h"
#include "model/model.h"

#include <ddaebm/scorer.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Mean and standard deviation. ---- */

/* Sums over one column: of the differences from its first number, so that no mean cancels, in units
 * of 2^exponent, so that no square overflows or underflows. A column that is multiplied by a power
 * of two has the same sums. */
typedef struct column_sums {
    double constant; /* its first number, before the column's map */
    uint64_t count;  /* numbers that are not missing */
    double first, sum, squares;
    double unit; /* 2^-exponent; differences times unit are below 1 in size */
    int exponent;
} column_sums;

/* Smallest exponent; below it 2^-exponent would overflow. Smaller differences are multiples of
 * 2^-1074, whose sums are exact all the same. */
static const int least_exponent = -1000;

static void take_number(column_sums *c, double number) {
    double difference = number - c->first;
    if (!(fabs(difference) * c->unit < 1)) {
        int exponent = 0;
        (void)frexp(difference, &exponent);
        c->sum = ldexp(c->sum, c->exponent - exponent);
        c->squares = ldexp(c->squares, 2 * (c->exponent - exponent));
        c->exponent = exponent;
        c->unit = ldexp(1, -exponent);
    }
    difference *= c->unit;
    c->sum += difference;
    c->squares += difference * difference;
}

static ddaebm_status no_logarithm(const ddaebm_model *model, size_t j, double x) {
    const char *name = dd_column_name(&model->columns, j);
    return dd_fail(DDAEBM_OUT_OF_RANGE,
                   "column %zu (from 1)%s%.60s of the data holds %g; with data.transform log all "
                   "its numbers must be above 0",
                   j + 1, name ? ", " : "", name ? name : "", x);
}

/* Takes in the numbers of a block that are not missing, after the maps of their columns. A column
 * of one number alone need not have a logarithm. */
static ddaebm_status take_block(column_sums *columns, const double *block, size_t count,
                                const ddaebm_model *model, bool missing) {
    size_t width = ddaebm_model_width(model);
    bool logarithms = dd_model_settings(model)->data.transform == DD_TRANSFORM_LOG;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++) {
            column_sums *c = &columns[j];
            double number = block[i * width + j];
            if (missing && isnan(number))
                continue;
            if (c->count++ == 0) {
                c->constant = number;
                c->first = dd_column_map_in(model, j, number);
            }

            double least = number < c->constant ? number : c->constant;
            if (!logarithms || least > 0)
                take_number(c, dd_column_map_in(model, j, number));
            else if (number != c->constant)
                return no_logarithm(model, j, least);
        }
    return DDAEBM_OK;
}

/* Sums the columns of a data set, block by block. */
static ddaebm_status sum_columns(column_sums *columns, double *block, size_t room,
                                 const ddaebm_model *model, const ddaebm_dataset *dataset,
                                 uint64_t rows) {
    size_t width = ddaebm_dataset_width(dataset);
    for (uint64_t first = 0; first < rows; first += room) {
        size_t count = rows - first < room ? (size_t)(rows - first) : room;
        ddaebm_status status = ddaebm_dataset_read_double(dataset, first, count, block);
        if (status != DDAEBM_OK)
            return status;
        for (size_t j = 0; j < width && first == 0; j++)
            columns[j] =
                (column_sums){.unit = ldexp(1, -least_exponent), .exponent = least_exponent};
        status = take_block(columns, block, count, model, ddaebm_dataset_missing(dataset) > 0);
        if (status != DDAEBM_OK)
            return status;
    }

    return DDAEBM_OK;
}

/* Describes one column: "column 3 ('petal')". */
static const char *describe_one(char out[DD_COLUMNS_ROOM], const ddaebm_model *model, size_t j) {
    const char *name = dd_column_name(&model->columns, j);
    (void)snprintf(out, DD_COLUMNS_ROOM, name ? "column %zu ('%.80s')" : "column %zu", j + 1, name);
    return out;
}

/* Sets mean and standard deviation of a column; the latter is 0 if and only if all its numbers are
 * equal. */
static ddaebm_status finish(ddaebm_model *model, size_t j, const column_sums *c) {
    char name[DD_COLUMNS_ROOM];
    const double rows = (double)c->count;
    if (c->count == 0)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "%s of the data has no value: all are missing; --drop leaves it out",
                       describe_one(name, model, j));
    double mean = c->sum / rows, variance = c->squares / rows - mean * mean;
    if (!isfinite(variance))
        return dd_fail(DDAEBM_NOT_FINITE,
                       "column %zu (from 1) of the data has no finite mean and standard deviation",
                       j + 1);
    model->mean[j] = c->squares > 0 ? c->first + ldexp(mean, c->exponent) : c->constant;
    model->scale[j] =
        c->squares > 0 ? fmax(ldexp(sqrt(fmax(variance, 0)), c->exponent), DBL_TRUE_MIN) : 0;
    if (!isfinite(model->mean[j]) || !isfinite(model->scale[j]))
        return dd_fail(DDAEBM_NOT_FINITE,
                       "column %zu (from 1) of the data is spread beyond what a double holds",
                       j + 1);
    return DDAEBM_OK;
}

/* ---- Warnings. ---- */

static void warn(const ddaebm_model *model, const bool *member, const char *what) {
    char text[DD_COLUMNS_ROOM];
    size_t width = ddaebm_model_width(model), count = 0;
    for (size_t j = 0; j < width; j++)
        count += member[j];
    if (count > 0)
        dd_report(model->context, DDAEBM_LOG_WARNING, "%s of the data %s %s",
                  dd_columns_describe(text, member, width, &model->columns),
                  count > 1 ? "are" : "is", what);
}

/* Whether integers of a column may have lost digits: beyond 2^53 not all are doubles. */
static bool any_is_rounded(const ddaebm_model *model, const bool *member) {
    for (size_t j = 0; j < ddaebm_model_width(model); j++)
        if (member[j] && fabs(model->mean[j]) >= 0x1p53)
            return true;
    return false;
}

/* Whether a column's standard deviation is more than ten times that of the normal distribution that
 * has its quartiles. */
static bool is_spread(double *column, size_t count, double deviation) {
    const double quartiles_of_normal = 1.349; /* apart, in standard deviations */
    qsort(column, count, sizeof *column, dd_ascending);
    double apart = column[count - 1 - count / 4] - column[count / 4];
    return apart > 0 && deviation > 10 * apart / quartiles_of_normal;
}

/* Finds widely spread columns by a sample of the rows. */
static ddaebm_status find_spread(bool *member, const ddaebm_model *model,
                                 const ddaebm_dataset *dataset, uint64_t rows) {
    enum { FEWEST = 20, MOST = 1000, MOST_NUMBERS = 1 << 22 };
    size_t width = ddaebm_model_width(model),
           count = MOST_NUMBERS / width < MOST ? MOST_NUMBERS / width : MOST;
    count = rows < count ? (size_t)rows : count;
    if (count < FEWEST)
        return DDAEBM_OK;

    double *sample = dd_alloc(model->context, count * width * sizeof *sample);
    double *column = dd_alloc(model->context, count * sizeof *column);
    ddaebm_status status = sample && column ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; i < count && status == DDAEBM_OK; i++)
        status = ddaebm_dataset_read_double(dataset, dd_rng_permute(i, rows, 0, 0), 1,
                                            sample + i * width);
    for (size_t j = 0; j < width && status == DDAEBM_OK; j++) {
        size_t known = 0;
        for (size_t i = 0; i < count; i++)
            if (!isnan(sample[i * width + j]))
                column[known++] = sample[i * width + j];
        member[j] = known >= FEWEST && is_spread(column, known, model->scale[j]);
    }
    dd_free(model->context, sample);
    dd_free(model->context, column);
    return status;
}

/* ---- The whole. ---- */

ddaebm_status dd_model_measure(ddaebm_model *model, const ddaebm_dataset *dataset) {
    enum { UNBOUNDED_ROWS = 65536, BLOCK = 256 };
    size_t width = ddaebm_model_width(model);
    uint64_t rows = ddaebm_dataset_rows(dataset) ? ddaebm_dataset_rows(dataset) : UNBOUNDED_ROWS;
    column_sums *columns = dd_alloc_zero(model->context, width, sizeof *columns);
    double *block = dd_alloc_zero(model->context, BLOCK * width, sizeof *block);
    bool *member = dd_alloc_zero(model->context, width, sizeof *member);
    ddaebm_status status = columns && block && member ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;

    if (status == DDAEBM_OK)
        status = dd_column_map_fit(model, dataset);
    if (status == DDAEBM_OK)
        status = sum_columns(columns, block, BLOCK, model, dataset, rows);
    for (size_t j = 0; j < width && status == DDAEBM_OK; j++) {
        status = finish(model, j, &columns[j]);
        member[j] = model->scale[j] == 0;
    }
    if (status == DDAEBM_OK) {
        model->measured = rows;
        warn(model, member,
             any_is_rounded(model, member) ? "constant (equal in double precision)" : "constant");
        memset(member, 0, width * sizeof *member);
        if (!dd_has_column_map(model))
            status = find_spread(member, model, dataset, rows);
    }
    if (status == DDAEBM_OK)
        warn(model, member,
             "spread so widely that most of its numbers are nearly the same to the networks: train "
             "on logarithms (docs/tables.md)");

    dd_free(model->context, columns);
    dd_free(model->context, block);
    dd_free(model->context, member);
    return status;
}

/* ---- Names. ---- */

ddaebm_status dd_model_name_columns(ddaebm_model *model, const ddaebm_dataset *dataset) {
    return model->columns.count > 0
               ? DDAEBM_OK
               : dd_column_names_copy(&model->columns, model->context, dd_dataset_columns(dataset));
}

/* Whether the data has each of the model's columns, by name. */
static bool has_all(const dd_column_names *names, const dd_column_names *wanted) {
    for (size_t j = 0; j < wanted->count; j++) {
        bool found = false;
        for (size_t i = 0; i < names->count && wanted->items[j] && !found; i++)
            found = names->items[i] && strcmp(names->items[i], wanted->items[j]) == 0;
        if (!found)
            return false;
    }
    return true;
}

static ddaebm_status other_name(const ddaebm_model *model, size_t j, const dd_column_names *names) {
    char list[DD_COLUMNS_ROOM];
    const char *name = names->items[j], *wanted = model->columns.items[j];
    if (has_all(names, &model->columns) && dd_column_names_list(list, &model->columns))
        return dd_fail(DDAEBM_MISMATCH,
                       "column %zu of the data is '%.80s', the model's is '%.80s': the columns "
                       "have another order; --columns %s puts "
                       "them in the model's",
                       j + 1, name, wanted, list);
    return dd_fail(DDAEBM_MISMATCH, "column %zu of the data is '%.80s', the model's is '%.80s'",
                   j + 1, name, wanted);
}

ddaebm_status ddaebm_model_check_columns(const ddaebm_model *model, const ddaebm_dataset *dataset) {
    DD_REQUIRE(model);
    DD_REQUIRE(dataset);
    const dd_column_names *names = dd_dataset_columns(dataset);
    for (size_t j = 0; j < model->columns.count && j < names->count; j++) {
        const char *name = names->items[j], *wanted = model->columns.items[j];
        if (name && wanted && strcmp(name, wanted) != 0)
            return other_name(model, j, names);
    }
    return DDAEBM_OK;
}
