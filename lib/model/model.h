/* The model from inside. */
#ifndef DD_MODEL_H
#define DD_MODEL_H

#include "config/settings.h"
#include "io/columns.h"
#include "layers/parameters.h"

#include <ddaebm/dataset.h>
#include <ddaebm/model.h>

/* What a model was trained on: unknown before that, of sets without a file, and in files of
 * versions that did not say. */
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
    double *mean, *scale; /* [width]: a row is standardised as (x - mean) / scale, or 0 where scale
                             is 0: in a column that was constant; images are not */
    dd_data_kind kind;    /* what it was trained on */
    uint64_t measured;    /* rows that these are of; 0: they were not measured, or by a version that
                             did not say */
    dd_column_names columns; /* of the data; none for images, and for data without a header */
    double temperature;
    uint64_t best_step; /* whose weights these are, if a run chose them by the rows that it held
                           out; else 0 */
    double contrast;    /* of those rows, by them (lib/train/held_out.h) */
    dd_normaliser normaliser;                /* of f(x, 0) / temperature */
    float *typical_mean, *typical_precision; /* [n] and [n, n], n = dd_model_typicality_width; NULL
                                                until they are fitted */
};

/* Statistics of a row at a timestep (lib/sample/statistics.h): three, and for images whose energy
 * was compared with transformed ones a fourth, of orientation. */
size_t dd_model_statistics(const ddaebm_model *model);

/* Numbers of a row that typicality weighs: the three statistics of each timestep, and where there
 * is a fourth, its sum over the timesteps. */
size_t dd_model_typicality_width(const ddaebm_model *model);

/* Makes room for typical_mean and typical_precision, if there is none. */
ddaebm_status dd_model_make_typicality(ddaebm_model *model);

const dd_settings *dd_model_settings(const ddaebm_model *model);

/* A model that knows the names and shapes of its tensors, and has no room for them: a configuration
 * may ask for any size, so a file is held against it first. All that can be done with it is to
 * look, to make the room, and to free it. */
ddaebm_status dd_model_declare(ddaebm_model **out, ddaebm_context *context,
                               const ddaebm_config *config);

/* Makes that room. On failure the model can be freed, and no more. */
ddaebm_status dd_model_make_weights(ddaebm_model *model);

/* A model with the configuration's tensors, all zero, no standardisation, and the temperature that
 * training aims at. */
ddaebm_status dd_model_create_blank(ddaebm_model **out, ddaebm_context *context,
                                    const ddaebm_config *config);

/* Copies what the model knows of its data: statistics and names of columns. */
ddaebm_status dd_model_copy_data(ddaebm_model *to, const ddaebm_model *from);

/* Takes mean and standard deviation of each column from a data set (all rows of a finite one, the
 * first 65,536 of another). Warns of columns that are constant, and of such as are spread so widely
 * that most of their numbers become one. */
ddaebm_status dd_model_measure(ddaebm_model *model, const ddaebm_dataset *dataset);

/* Takes the names of the columns, if the model has none. */
ddaebm_status dd_model_name_columns(ddaebm_model *model, const ddaebm_dataset *dataset);

/* Numbers in a row that the networks see: dd_settings_inner_width. */
size_t dd_model_inner_width(const ddaebm_model *model);

/* Rows on their way to the networks; one of the three is set. */
typedef struct dd_rows_in {
    const float *narrow; /* [count, width], in the data's own units */
    const double *wide;  /* likewise */
    const float *inner;  /* [count, inner width], as the networks see them */
} dd_rows_in;

/* Rows on their way out, [count, width], in the data's own units; one of the two is set. */
typedef struct dd_rows_out {
    float *narrow;
    double *wide;
} dd_rows_out;

/* Rows first .. first+count-1 in the units that the networks see, images with their black border,
 * to [count, inner width]. in.narrow may be the last numbers of out. */
void dd_model_standardize(const ddaebm_model *model, dd_rows_in in, size_t first, size_t count,
                          float *out);

/* The same of rows of a data set, which the model takes. */
ddaebm_status dd_model_read(const ddaebm_model *model, const ddaebm_dataset *dataset,
                            uint64_t first, size_t count, float *out);

/* What the score of a row loses: log(measured + 2) for each column that was constant and is another
 * number here. By Laplace's rule of succession the probability of that is 1 / (measured + 2). The
 * constant in another precision is the same: rounded to 32 bits, or written with 15 digits. */
double dd_model_penalty(const ddaebm_model *model, dd_rows_in in, size_t row);

/* The way back, to row `first` of out and those after it; out.narrow may be in. */
void dd_model_restore(const ddaebm_model *model, const float *in, size_t count, dd_rows_out out,
                      size_t first);

/* Gradients with respect to what the networks see, [count, inner width], become those with respect
 * to rows; otherwise as dd_model_restore. */
void dd_model_restore_gradient(const ddaebm_model *model, const float *in, size_t count,
                               dd_rows_out out, size_t first);

/* And back: gradients with respect to rows, [count, width], become those with respect to what the
 * networks see. in.narrow may be the last count * width numbers of out. in.inner is not used. */
void dd_model_standardize_gradient(const ddaebm_model *model, dd_rows_in in, size_t count,
                                   float *out);

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

/* MISMATCH if the data's rows, or its images, have another size than the model's, if the data are
 * images and the model was trained on rows, and for columns of other names; OUT_OF_RANGE for images
 * with numbers beyond [-1, 1], and for rows that are to be images with numbers more than a tenth
 * beyond. ddaebm_model_check_data takes images of any numbers. */
ddaebm_status dd_model_check_data(const ddaebm_model *model, const ddaebm_dataset *dataset);

/* Reports rows for a model of images that may be of another range than [-1, 1]: none of the first
 * has a negative number. */
void dd_model_note_range(const ddaebm_model *model, const ddaebm_dataset *dataset);

/* Keeps whether the data are rows or images. */
void dd_model_note_kind(ddaebm_model *model, const ddaebm_dataset *dataset);

#endif
