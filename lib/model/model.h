/* The model's fields and functions for the library. */
#ifndef DD_MODEL_H
#define DD_MODEL_H

#include "config/settings.h"
#include "io/columns.h"
#include "layers/parameters.h"

#include <ddaebm/dataset.h>
#include <ddaebm/model.h>

/* Kind of training data: unknown before training, for sets that are no file, and in files of
 * earlier versions. */
typedef enum dd_data_kind { DD_KIND_UNKNOWN, DD_KIND_ROWS, DD_KIND_IMAGES } dd_data_kind;

/* log Z, with Z the integral of exp(f(x, 0) / temperature) over what the networks see, as far as it
 * moves. */
typedef struct dd_normaliser {
    bool known;
    double log_z, error;      /* and its standard error */
    double gap;               /* between the estimates from above and below */
    double effective_samples; /* of the estimate from noise to data */
} dd_normaliser;

struct ddaebm_model {
    ddaebm_context *context;
    ddaebm_config *config;
    dd_parameters parameters;
    dd_weights weights;
    double *mean, *scale;    /* [width]: a row is standardised as (x - mean) / scale, or 0 in a
                                constant column, where scale is 0; images are not standardised */
    double *colour, *whiten; /* [width, width], lower triangular and each other's inverse; NULL:
                                none. A standardised row is colour times what the networks see */
    double *knots;     /* [width + 1, DD_KNOTS]: quantiles of the columns (column_map.h); or NULL */
    dd_data_kind kind; /* of the training data */
    uint64_t
        measured; /* number of rows that mean and scale were computed from; 0: none, or unknown */
    dd_column_names
        columns; /* of the training data; none for images and for data without a header */
    double temperature;
    uint64_t best_step;       /* of the weights, if they were chosen by held-out rows; else 0 */
    double contrast;          /* of the held-out rows at that step (lib/train/held_out.h) */
    dd_normaliser normaliser; /* of f(x, 0) / temperature */
    /* Of typicality, n = dd_model_typicality_width (lib/sample/typicality.h): [n], [n], [n, n].
     * NULL until fitted. One allocation, which begins with the mean. */
    float *typical_mean, *typical_slope, *typical_precision;
};

/* Statistics of a row x at a timestep t (lib/sample/statistics.h), where x_t and x_{t+1} are x
 * diffused with one noise, the same for every row. */
typedef enum dd_statistic {
    DD_STATISTIC_ENERGY,         /* f(x_t, t) */
    DD_STATISTIC_GRADIENT,       /* log mean square of sigma_cum[t] grad f(x_t, t) */
    DD_STATISTIC_RECONSTRUCTION, /* log mean square of x - G(x_{t+1}, t, z), z the same for all */
    DD_PLAIN_STATISTICS,         /* the number of those, which every model has */
    /* Of images whose energy was trained with transform_contrast: log softmax of f/w over the eight
     * symmetries of the square, the log-probability that of them x_t is the data. */
    DD_STATISTIC_ORIENTATION = DD_PLAIN_STATISTICS
} dd_statistic;

/* STATE if the model has no energy: it was trained with objective.kind logistic. */
ddaebm_status dd_model_check_energy(const ddaebm_model *model);

/* Number of a model's statistics. */
size_t dd_model_statistics(const ddaebm_model *model);

/* Numbers of a row that typicality uses: the statistics of all timesteps. */
size_t dd_model_typicality_width(const ddaebm_model *model);

/* Allocates what typicality needs, zeros, unless the model has it. */
ddaebm_status dd_model_make_typicality(ddaebm_model *model);

const dd_settings *dd_model_settings(const ddaebm_model *model);

/* Makes a model with the names and shapes of its tensors but no memory for them: a configuration
 * may ask for any size, so a file is checked against it first. Such a model can only be inspected,
 * given memory, and freed. */
ddaebm_status dd_model_declare(ddaebm_model **out, ddaebm_context *context,
                               const ddaebm_config *config);

/* Allocates the tensors of such a model. On failure it can only be freed. */
ddaebm_status dd_model_make_weights(ddaebm_model *model);

/* Makes a model with the configuration's tensors, all zero, no standardisation, and the temperature
 * that training aims at. */
ddaebm_status dd_model_create_blank(ddaebm_model **out, ddaebm_context *context,
                                    const ddaebm_config *config);

/* Allocates colour and whiten, as identities, if they are NULL. */
ddaebm_status dd_model_make_whitening(ddaebm_model *model);

/* Copies the statistics of the data: kind, mean and scale, names of columns. */
ddaebm_status dd_model_copy_data(ddaebm_model *to, const ddaebm_model *from);

/* Computes mean and standard deviation of each column of a data set (all rows of a finite one, the
 * first 65,536 of an unbounded one). Warns of constant columns, and of those spread so widely that
 * most of their numbers become the same. */
ddaebm_status dd_model_measure(ddaebm_model *model, const ddaebm_dataset *dataset);

/* Copies the names of the columns, if the model has none. */
ddaebm_status dd_model_name_columns(ddaebm_model *model, const ddaebm_dataset *dataset);

/* Numbers in a row as the networks see it: dd_settings_inner_width. */
size_t dd_model_inner_width(const ddaebm_model *model);

/* Input rows; one of the three is set. */
typedef struct dd_rows_in {
    const float *narrow; /* [count, width], in the units of the data */
    const double *wide;  /* likewise */
    const float *inner;  /* [count, inner width], as the networks see them */
} dd_rows_in;

/* Output rows [count, width], in the units of the data; one of the two is set. */
typedef struct dd_rows_out {
    float *narrow;
    double *wide;
} dd_rows_out;

/* Number `at` of rows in the units of the data: read, and written. */
static inline double dd_rows_number(dd_rows_in rows, size_t at) {
    return rows.wide ? rows.wide[at] : (double)rows.narrow[at];
}

static inline void dd_rows_put(dd_rows_out rows, size_t at, double number) {
    if (rows.wide)
        rows.wide[at] = number;
    else
        rows.narrow[at] = (float)number;
}

/* Converts rows first .. first+count-1 to what the networks see, [count, inner width]:
 * standardised, or images with their black border. in.narrow may be the last numbers of out. */
void dd_model_standardize(const ddaebm_model *model, dd_rows_in in, size_t first, size_t count,
                          float *out);

/* dd_model_standardize of rows of a data set that fits the model. */
ddaebm_status dd_model_read(const ddaebm_model *model, const ddaebm_dataset *dataset,
                            uint64_t first, size_t count, float *out);

/* Penalty on the score of a row: log(measured + 2) for each constant column that has another number
 * here, whose probability by Laplace's rule of succession is 1 / (measured + 2). A constant that
 * was rounded to float32 or to 15 digits counts as the same. */
double dd_model_penalty(const ddaebm_model *model, dd_rows_in in, size_t row);

/* The part of it that is a column's, of rows that are not images; 0 unless it was constant. */
double dd_model_column_penalty(const ddaebm_model *model, dd_rows_in in, size_t row, size_t column);

/* Converts back, to row `first` of out and those after it; out.narrow may be in. */
void dd_model_restore(const ddaebm_model *model, const float *in, size_t count, dd_rows_out out,
                      size_t first);

/* Converts gradients with respect to what the networks see, [count, inner width], to those with
 * respect to `rows`, of which the first is row `first`; otherwise as dd_model_restore. With
 * `density` they are those of a density, to which the slopes of column maps belong. */
void dd_model_restore_gradient(const ddaebm_model *model, const float *in, size_t count,
                               dd_rows_in rows, bool density, dd_rows_out out, size_t first);

/* Converts standard deviations of what the networks see, [count, inner width], to those of rows;
 * otherwise as dd_model_restore. */
void dd_model_restore_spread(const ddaebm_model *model, const float *in, size_t count,
                             dd_rows_out out, size_t first);

/* Converts gradients with respect to `rows`, [count, width], to those with respect to what the
 * networks see. in.narrow may be the last count * width numbers of out. in.inner is not used. */
void dd_model_standardize_gradient(const ddaebm_model *model, dd_rows_in in, dd_rows_in rows,
                                   size_t count, float *out);

/* Logarithm of the factor by which a row's density is larger in the data's own numbers than after
 * the maps of its columns; 0 for rows as the networks see them. */
double dd_model_log_slope(const ddaebm_model *model, dd_rows_in in, size_t row);

/* Numbers that are the same in every row of the data, as the networks see them: `fixed` [inner
 * width], and `moves` [inner width], 1 for the others and 0 for these. Constant columns, and the
 * border of images. Both are freed by the caller, on failure too. */
ddaebm_status dd_model_find_fixed(const ddaebm_model *model, float **fixed, float **moves);

/* Logarithm of the volume that the unit cube of what the networks see has in the data's own units,
 * over the columns that move. */
double dd_model_log_volume(const ddaebm_model *model);

/* What f(x, t) / temperature is above log p(x) in the data's own units: 0 unless the model is
 * normalised and t is 0. */
double dd_model_score_offset(const ddaebm_model *model, size_t timestep);

/* Checks data for training. MISMATCH if rows or images have another size than the model's, for
 * images if the model was trained on rows, and for other names of columns. OUT_OF_RANGE for images
 * with numbers outside [-1, 1], and for rows of a model of images more than 0.1 outside.
 * ddaebm_model_check_data accepts images of any numbers. */
ddaebm_status dd_model_check_data(const ddaebm_model *model, const ddaebm_dataset *dataset);

/* Reports rows for a model of images whose range may not be [-1, 1]: none of the first has a
 * negative number. */
void dd_model_note_range(const ddaebm_model *model, const ddaebm_dataset *dataset);

/* Sets the kind of the training data. */
void dd_model_note_kind(ddaebm_model *model, const ddaebm_dataset *dataset);

#endif
