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

/** How rows are filled. Initialise with DDAEBM_FILL_OPTIONS_INIT, then change. */
typedef struct ddaebm_fill_options {
    size_t struct_size; /**< sizeof(ddaebm_fill_options) */
    size_t draws;       /**< of each row, up to 1,000,000; 0: 20 */
    size_t steps;       /**< of the chain that makes a draw, up to 100,000; 0: 24 */
    uint64_t seed;      /**< of the draws */
    uint64_t first;     /**< index of the first row: a row's draws depend on seed and index */
} ddaebm_fill_options;

/** Defaults of ::ddaebm_fill_options. */
#define DDAEBM_FILL_OPTIONS_INIT                                                                   \
    { sizeof(ddaebm_fill_options), 0, 0, 0, 0 }

/** Fills in what is missing in rows of numbers, exactly given what is known: draws from the
 * energy's density at timestep 0. Noise and a linear map play no part.
 *
 *  A draw is the end of a chain of Metropolis-adjusted Langevin steps over the missing numbers. It
 *  begins in the normal distribution that the model's whitening knows (data.whiten), or without one
 *  goes through all timesteps. Known numbers are in every draw as they are. A column that was
 *  constant in the training data is filled with that constant.
 *  @param restorer of a model of rows
 *  @param rows [count, width] float64, in the units of the data; NaN is a missing number
 *  @param count number of rows
 *  @param options not NULL
 *  @param[out] means [count, width]: the rows with the mean of their draws, of which the chain's
 *         steps are averaged as well; NULL if not wanted; undefined on failure
 *  @param[out] draws [draws, count, width]: all draws; NULL if not wanted; undefined on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (an option),
 *          ::DDAEBM_NOT_FINITE (an infinite number, or weights that have run away),
 *          ::DDAEBM_UNSUPPORTED (a model of images), ::DDAEBM_CANCELLED or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_restorer_fill(ddaebm_restorer *restorer,
                                                             const double *rows, size_t count,
                                                             const ddaebm_fill_options *options,
                                                             double *means, double *draws);

#ifdef __cplusplus
}
#endif

#endif
