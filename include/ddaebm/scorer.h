/** @file scorer.h
 *  Says how ordinary a row is: f(x, t) / temperature, the log-density at level t up to a constant (higher is more ordinary), and
 *  its gradient.
 *
 *  One thread at a time may use a scorer; any number of scorers may share a model. Rows are float32, [count, width], in the
 *  data's own units. Level 0 is the data itself; level t judges a row as one of the data diffused to level t. */
#ifndef DDAEBM_SCORER_H
#define DDAEBM_SCORER_H

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
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_create(ddaebm_scorer **out, const ddaebm_model *model);

/** Frees a scorer. @param scorer may be NULL. @since 0.1 */
DDAEBM_API void ddaebm_scorer_free(ddaebm_scorer *scorer);

/** Scores rows. No allocation after the first call of a scorer.
 *  @param scorer the scorer
 *  @param rows [count, width], finite
 *  @param count how many
 *  @param level 0 to T-1
 *  @param[out] scores [count]; meaningless on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (no such level), ::DDAEBM_NOT_FINITE (a row that is not
 *          finite: the text names it) or ::DDAEBM_OUT_OF_MEMORY. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_score(ddaebm_scorer *scorer, const float *rows, size_t count, size_t level,
                                                            float *scores);

/** Gradient of the score with respect to the row, in the data's own units.
 *  @param scorer the scorer
 *  @param rows [count, width], finite
 *  @param count how many
 *  @param level 0 to T-1
 *  @param[out] gradients [count, width]; meaningless on failure
 *  @return as ddaebm_scorer_score. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_scorer_gradient(ddaebm_scorer *scorer, const float *rows, size_t count, size_t level,
                                                               float *gradients);

#ifdef __cplusplus
}
#endif

#endif
