/** @file scorer.h
 *  Says how ordinary a row is: f(x, t) / temperature, the log-density at timestep t up to a
 * constant (higher is more ordinary), and its gradient.
 *
 *  One thread at a time may use a scorer; any number of scorers may share a model. Rows are
 * float32, [count, width], in the data's own units; the functions that end in _double take float64,
 * which a column of 1e9 + 1, 1e9 + 2, ... needs. Timestep 0 is the data itself; timestep t judges a
 * row as one of the data diffused to timestep t.
 *
 *  Units do not matter: the data multiplied by a factor and shifted has the same scores. A column
 * that was constant in the n rows that the model was trained on teaches its networks nothing, and
 * they never see it. A row that has another number there loses log(n + 2) of every score, at every
 * timestep, for each such column: by Laplace's rule of succession its chance was 1 / (n + 2). */
#ifndef DDAEBM_SCORER_H
#define DDAEBM_SCORER_H

#include <ddaebm/dataset.h>
#include <ddaebm/sampler.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A scorer; opaque. */
typedef struct ddaebm_scorer ddaebm_scorer;

/** Makes a scorer with the model's present weights.
 *  @param[out] out the new scorer, to be freed with ddaebm_scorer_free; untouched on failure
 *  @param model must outlive the scorer
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_MEMORY. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_create(ddaebm_scorer **out,
                                                             const ddaebm_model *model);

/** Frees a scorer. @param scorer may be NULL. @since 0.1 */
DDAEBM_API void ddaebm_scorer_free(ddaebm_scorer *scorer);

/** Sets who hears of progress. @param scorer the scorer @param function NULL for nobody; the rows
 * that it hears of are those of the call, times the timesteps for typicality @param user handed to
 * @p function
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_scorer_set_progress(ddaebm_scorer *scorer, ddaebm_progress_function function, void *user);

/** Scores rows. No allocation after the first call of a scorer.
 *  @param scorer the scorer
 *  @param rows [count, width], finite
 *  @param count how many
 *  @param timestep 0 to T-1
 *  @param[out] scores [count]; meaningless on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (no such timestep),
 * ::DDAEBM_NOT_FINITE (a row that is not finite: the text names it), ::DDAEBM_CANCELLED or
 * ::DDAEBM_OUT_OF_MEMORY. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_score(ddaebm_scorer *scorer,
                                                            const float *rows, size_t count,
                                                            size_t timestep, float *scores);

/** Rows at which many may be cut into calls without another bit, as ddaebm_sampler_block says.
 *  @param scorer not NULL @return at least 1. @since 0.1 */
DDAEBM_API size_t ddaebm_scorer_block(const ddaebm_scorer *scorer);

/** Gradient of the score with respect to the row, in the data's own units; 0 in columns that were
 * constant.
 *  @param scorer the scorer
 *  @param rows [count, width], finite
 *  @param count how many
 *  @param timestep 0 to T-1
 *  @param[out] gradients [count, width]; meaningless on failure
 *  @return as ddaebm_scorer_score; ::DDAEBM_OUT_OF_RANGE for a gradient beyond float32, too. @since
 * 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_gradient(ddaebm_scorer *scorer,
                                                               const float *rows, size_t count,
                                                               size_t timestep, float *gradients);

/** ddaebm_scorer_gradient of 64 bits.
 *  @param scorer the scorer
 *  @param rows [count, width] float64, finite
 *  @param count how many
 *  @param timestep 0 to T-1
 *  @param[out] gradients [count, width] float64; meaningless on failure
 *  @return as ddaebm_scorer_score. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_gradient_double(ddaebm_scorer *scorer,
                                                                      const double *rows,
                                                                      size_t count, size_t timestep,
                                                                      double *gradients);

/** Ways of saying how ordinary a row is; in all of them higher is more ordinary. The noise and
 * latents that they use are the same for every row and program. @since 0.1 */
typedef enum ddaebm_score {
    DDAEBM_SCORE_ENERGY = 0, /**< f(x, t) / temperature: ddaebm_scorer_score */
    DDAEBM_SCORE_GRADIENT =
        1, /**< minus the logarithm of the mean square of the gradient of f at the row diffused to
              timestep t, times the deviation of its noise: ordinary rows lie where f is flat */
    DDAEBM_SCORE_RECONSTRUCTION =
        2, /**< minus the logarithm of the mean square of what the generator misses when it denoises
              the row from timestep t+1: it knows how to draw ordinary rows alone */
    DDAEBM_SCORE_TYPICALITY =
        3 /**< minus half the squared Mahalanobis distance of energy, gradient and reconstruction at
             all timesteps, together, from those of the training data: what is too plain is as
             foreign as what is too wild. For images whose energy was trained with
             objective.transform_contrast, plus a term that falls for an image that would rather
             stand turned or mirrored */
} ddaebm_score;

/** Name of a score, "energy" and so on. @param index from 0, in the order of ::ddaebm_score @return
 * a constant string, or NULL past the last. @since 0.1 */
DDAEBM_API const char *ddaebm_score_name(size_t index);

/** Scores rows by any of the ways. The first call for another than the energy prepares the others,
 * with the model's weights of that time; calls after it allocate only if they have more rows than
 * any before.
 *  @param scorer the scorer
 *  @param score which
 *  @param rows [count, width], finite
 *  @param count how many
 *  @param timestep 0 to T-1; typicality ignores it
 *  @param[out] scores [count]; meaningless on failure
 *  @return as ddaebm_scorer_score; ::DDAEBM_STATE for the typicality of a model that
 * ddaebm_model_fit_typicality never saw. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_measure(ddaebm_scorer *scorer,
                                                              ddaebm_score score, const float *rows,
                                                              size_t count, size_t timestep,
                                                              float *scores);

/** ddaebm_scorer_measure of rows of 64 bits.
 *  @param scorer the scorer
 *  @param score which
 *  @param rows [count, width] float64, finite
 *  @param count how many
 *  @param timestep 0 to T-1; typicality ignores it
 *  @param[out] scores [count]; meaningless on failure
 *  @return as ddaebm_scorer_measure. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_measure_double(ddaebm_scorer *scorer,
                                                                     ddaebm_score score,
                                                                     const double *rows,
                                                                     size_t count, size_t timestep,
                                                                     float *scores);

/** Whether the columns of a set are those that the model was trained on, in their order, as far as
 * both have names. Trainers ask it of their data; ask it of rows that are to be scored.
 *  @param model the model
 *  @param dataset any
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_MISMATCH (the text names the first
 * column that differs). @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_check_columns(const ddaebm_model *model,
                                                                   const ddaebm_dataset *dataset);

/** Whether a set is such as the model was trained on: rows of its width, images of its shape,
 * columns of its names, and numbers of its range. Images are refused by a model of rows. A model of
 * images takes rows in memory whose numbers are within [-16, 16], as noise is; one line of the
 * context's log says so if some are more than 0.1 beyond [-1, 1], or if none of the first is
 * negative. Ask it of rows that are to be scored. Trainers are stricter: rows at most 0.1 beyond
 * [-1, 1], images not at all.
 *  @param model the model
 *  @param dataset any
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_MISMATCH (kind, width, shape or names)
 * or ::DDAEBM_OUT_OF_RANGE (the text names the first number that no image has). @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_check_data(const ddaebm_model *model,
                                                                const ddaebm_dataset *dataset);

/** Measures what is typical of the data: mean and covariance of the statistics that
 * ::DDAEBM_SCORE_TYPICALITY weighs, over at most 2048 rows spread over the set. They travel in the
 * model's file.
 *  @param model changed on success alone
 *  @param dataset the training data, or data like it
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_MISMATCH (widths),
 * ::DDAEBM_OUT_OF_RANGE (too few rows), ::DDAEBM_NOT_FINITE,
 *          ::DDAEBM_OUT_OF_MEMORY, or what the data set returned. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_fit_typicality(ddaebm_model *model,
                                                                    const ddaebm_dataset *dataset);

#ifdef __cplusplus
}
#endif

#endif
