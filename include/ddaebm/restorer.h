/** @file restorer.h
 *  Restores rows of which only y = A x + noise is known: noisy rows and images, rows with missing
 *  numbers, or both, and what a linear map of the caller gave.
 *
 *  A restorer draws from the posterior p(x | y) with the model's generator and energy. The mean of
 *  the draws is the estimate with the least expected squared error; their standard deviation says
 *  how far each number is known.
 *
 *  Draw k of row i depends on (model, settings, seed, i, k) and that row's y alone, up to rounding.
 *  One thread at a time may use a restorer; any number of restorers may share a model. A column
 *  that was constant in the training data has that constant in every draw.
 */
#ifndef DDAEBM_RESTORER_H
#define DDAEBM_RESTORER_H

#include <ddaebm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A restorer; opaque. */
typedef struct ddaebm_restorer ddaebm_restorer;

/** Makes a restorer with the model's present weights. At first there is no noise, and A is the
 *  identity.
 *  @param[out] out the new restorer, to be freed with ddaebm_restorer_free
 *  @param model must outlive the restorer
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_restorer_create(ddaebm_restorer **out,
                                                               const ddaebm_model *model);

/** Frees a restorer.
 *  @param restorer may be NULL
 */
DDAEBM_API void ddaebm_restorer_free(ddaebm_restorer *restorer);

/** Sets the progress callback.
 *  @param restorer the restorer
 *  @param function receives the number of passes done and their total; NULL for none. Not 0 cancels
 *  @param user passed to @p function
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_restorer_set_progress(
    ddaebm_restorer *restorer, ddaebm_progress_function function, void *user);

/** Sets the standard deviation of the noise in y, which is normal and independent from number to
 *  number.
 *  @param restorer the restorer
 *  @param deviations [count], in the units of y, finite and not negative; 0 for numbers that are
 *         known exactly. Images go from -1 (black) to 1 (white), so noise of 25 of 255 is 50 / 255
 *  @param count 1 for all numbers alike, or as many as a row of y has
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_MISMATCH (another count) or
 *          ::DDAEBM_OUT_OF_RANGE (a deviation that is not finite, or negative).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_restorer_set_noise(ddaebm_restorer *restorer,
                                                                  const double *deviations,
                                                                  size_t count);

#ifdef __cplusplus
}
#endif

#endif
