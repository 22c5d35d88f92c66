/** @file scorer.h
 *  Scores rows: how likely a row is under a model, for density estimation, out-of-distribution
 *  (OOD) and anomaly detection.
 *
 *  The score of kind ::DDAEBM_SCORE_ENERGY is f(x, t) / temperature, a log-density up to a
 *  constant. ::ddaebm_score lists the other kinds; in all of them a higher score means a more
 *  likely row. Timestep 0 scores a row as data; timestep t scores it as data diffused to timestep
 *  t.
 *
 *  Scores do not depend on units: data that is multiplied by a factor and shifted has the same
 *  scores. A column that was constant in the n rows of training data is not seen by the networks. A
 *  row with another number there loses log(n + 2) from every score, at every timestep, for each
 *  such column: by Laplace's rule of succession its probability was 1 / (n + 2).
 *
 *  With data.transform the score at timestep 0 and its gradient are those of a density of the
 *  data's own numbers: the logarithms of the slopes of the columns' maps are added. A row with a
 *  number that has no logarithm is refused with ::DDAEBM_OUT_OF_RANGE where the map is that.
 *
 *  One thread at a time may use a scorer; any number of scorers may share a model. Rows are
 *  float32; the functions that end in _double take float64, which a column of 1e9 + 1, 1e9 + 2, ...
 *  needs. Scores are float32 in both.
 */
#ifndef DDAEBM_SCORER_H
#define DDAEBM_SCORER_H

#include <ddaebm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A scorer; opaque. */
typedef struct ddaebm_scorer ddaebm_scorer;

/** Kinds of score. The noise and latents that they use are the same for every row and program. */
typedef enum ddaebm_score {
    /** f(x, t) / temperature. */
    DDAEBM_SCORE_ENERGY = 0,
    /** Minus the logarithm of the mean square of sigma grad f(x_t, t), where x_t is the row
     *  diffused to timestep t and sigma the standard deviation of its noise. In-distribution rows
     *  lie where f is flat.
     */
    DDAEBM_SCORE_GRADIENT = 1,
    /** Minus the logarithm of the mean square of x - G(x_{t+1}, t, z), the generator's error when
     *  it denoises the row from timestep t+1. It reconstructs in-distribution rows alone.
     */
    DDAEBM_SCORE_RECONSTRUCTION = 2,
    /** Minus half the squared Mahalanobis distance of energy, gradient and reconstruction at all
     *  timesteps together from those of the training data: a row of too high a density is
     *  out-of-distribution as well. For images whose energy was trained with
     *  objective.transform_contrast, plus a term that falls for an image which is more likely
     *  rotated or mirrored than as it is.
     */
    DDAEBM_SCORE_TYPICALITY = 3
} ddaebm_score;

/** Name of a kind of score: "energy", "gradient", "reconstruction" or "typicality".
 *  @param index from 0, in the order of ::ddaebm_score
 *  @return a constant string, or NULL past the last.
 */
DDAEBM_API const char *ddaebm_score_name(size_t index);

/** Makes a scorer with the model's present weights.
 *  @param[out] out the new scorer, to be freed with ddaebm_scorer_free
 *  @param model must outlive the scorer
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_create(ddaebm_scorer **out,
                                                             const ddaebm_model *model);

/** Frees a scorer.
 *  @param scorer may be NULL
 */
DDAEBM_API void ddaebm_scorer_free(ddaebm_scorer *scorer);

/** Sets the progress callback.
 *  @param scorer the scorer
 *  @param function receives the number of rows done and their total, which is the call's rows, for
 *         typicality times the timesteps; NULL for none
 *  @param user passed to @p function
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_scorer_set_progress(ddaebm_scorer *scorer, ddaebm_progress_function function, void *user);

/** Scores rows.
 *
 *  The first call for a kind other than ::DDAEBM_SCORE_ENERGY prepares the others, with the model's
 *  weights of that moment. Later calls allocate only if they have more rows than any before.
 *  @param scorer the scorer
 *  @param kind of score
 *  @param rows [count, width] float32, finite
 *  @param count number of rows
 *  @param timestep 0 to T-1; typicality ignores it
 *  @param[out] scores [count] float32, finite; -FLT_MAX for a row so far away that its score
 *         overflows; undefined on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (no such timestep),
 *          ::DDAEBM_NOT_FINITE (a NaN or an infinity: the text names the row), ::DDAEBM_STATE
 *          (typicality without ddaebm_model_fit_typicality), ::DDAEBM_CANCELLED or
 *          ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_score(ddaebm_scorer *scorer,
                                                            ddaebm_score kind, const float *rows,
                                                            size_t count, size_t timestep,
                                                            float *scores);

/** Scores float64 rows, as ddaebm_scorer_score does.
 *  @param scorer the scorer
 *  @param kind of score
 *  @param rows [count, width] float64, finite
 *  @param count number of rows
 *  @param timestep 0 to T-1; typicality ignores it
 *  @param[out] scores [count] float32, finite; -FLT_MAX for a row so far away that its score
 *         overflows; undefined on failure
 *  @return as ddaebm_scorer_score.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_score_double(ddaebm_scorer *scorer,
                                                                   ddaebm_score kind,
                                                                   const double *rows, size_t count,
                                                                   size_t timestep, float *scores);

/** Computes the gradient of the ::DDAEBM_SCORE_ENERGY score with respect to the row, in the units
 *  of the data. It is 0 in columns that were constant.
 *  @param scorer the scorer
 *  @param rows [count, width] float32, finite
 *  @param count number of rows
 *  @param timestep 0 to T-1
 *  @param[out] gradients [count, width] float32; undefined on failure
 *  @return as ddaebm_scorer_score, and ::DDAEBM_OUT_OF_RANGE for a gradient beyond float32.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_gradient(ddaebm_scorer *scorer,
                                                               const float *rows, size_t count,
                                                               size_t timestep, float *gradients);

/** Computes the gradient of the score of float64 rows, as ddaebm_scorer_gradient does.
 *  @param scorer the scorer
 *  @param rows [count, width] float64, finite
 *  @param count number of rows
 *  @param timestep 0 to T-1
 *  @param[out] gradients [count, width] float64; undefined on failure
 *  @return as ddaebm_scorer_score.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_gradient_double(ddaebm_scorer *scorer,
                                                                      const double *rows,
                                                                      size_t count, size_t timestep,
                                                                      double *gradients);

/** Explains scores: names the columns that lower the ::DDAEBM_SCORE_ENERGY score of each row most.
 *
 *  The contribution of a column is what the score gains when that column alone is given the number,
 *  up to 27 standard deviations from the mean, that raises it most: its most likely value given the
 *  rest of the row. The column that gains most is the first reason. The next are found with those
 *  before them restored, so that a column which only depends on a wrong one is not blamed, and the
 *  contributions add up to what the score gains by all of them. A column that was constant in the
 *  training data contributes what another number there costs.
 *
 *  A reason takes about 33 scores a column. The first call allocates. Results do not depend on
 *  how rows are divided into calls. Progress is the number of rows done.
 *  @param scorer the scorer
 *  @param rows [count, width] float32, finite
 *  @param count number of rows
 *  @param timestep 0 to T-1
 *  @param most reasons for each row, 1 to width
 *  @param[out] columns [count, most] columns from 0, each at most once in a row; undefined on
 *         failure
 *  @param[out] contributions [count, most] float32, at least 0; infinite where the row's own score
 *         is not finite; undefined on failure
 *  @param[out] values [count, most] float32: the numbers that restore the columns, in the units of
 *         the data, the row's own where nothing is gained; undefined on failure; may be NULL
 *  @return as ddaebm_scorer_score; ::DDAEBM_OUT_OF_RANGE for @p most, too, and for a number beyond
 *          float32 in standard deviations; ::DDAEBM_UNSUPPORTED for a model of images.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_explain(ddaebm_scorer *scorer,
                                                              const float *rows, size_t count,
                                                              size_t timestep, size_t most,
                                                              size_t *columns, float *contributions,
                                                              float *values);

/** Explains the scores of float64 rows, as ddaebm_scorer_explain does.
 *  @param scorer the scorer
 *  @param rows [count, width] float64, finite
 *  @param count number of rows
 *  @param timestep 0 to T-1
 *  @param most reasons for each row, 1 to width
 *  @param[out] columns [count, most] columns from 0; undefined on failure
 *  @param[out] contributions [count, most] float32; undefined on failure
 *  @param[out] values [count, most] float64; undefined on failure; may be NULL
 *  @return as ddaebm_scorer_explain.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_explain_double(
    ddaebm_scorer *scorer, const double *rows, size_t count, size_t timestep, size_t most,
    size_t *columns, float *contributions, double *values);

/** Returns the number of rows at whose multiples many rows can be divided into calls without
 *  changing a bit, as ddaebm_sampler_block says.
 *  @param scorer not NULL
 *  @return at least 1.
 */
DDAEBM_API size_t ddaebm_scorer_block(const ddaebm_scorer *scorer);

#ifdef __cplusplus
}
#endif

#endif
