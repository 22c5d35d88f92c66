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

/** A linear map A from rows to what is measured. Both functions are called from the calling thread
 *  with a few rows at a time, and may use other handles, but not the restorer. Initialise with
 *  DDAEBM_OPERATOR_INIT, then fill in.
 */
typedef struct ddaebm_operator {
    size_t struct_size; /**< sizeof(ddaebm_operator) */
    size_t measured;    /**< numbers in a row of y, at least 1 */
    /** Writes A x of each row: x is [count, width] in the units of the data, y [count, measured]. A
     *  return other than ::DDAEBM_OK stops the call and is its result. */
    ddaebm_status (*apply)(void *user, size_t count, const double *x, double *y);
    /** Writes the transpose of A times y of each row: y is [count, measured], x [count, width]. */
    ddaebm_status (*apply_transpose)(void *user, size_t count, const double *y, double *x);
    void *user; /**< passed to both */
} ddaebm_operator;

/** Initialiser of a ddaebm_operator. */
#define DDAEBM_OPERATOR_INIT                                                                       \
    { sizeof(ddaebm_operator), 0, NULL, NULL, NULL }

/** Makes a restorer with the model's present weights. At first there is no noise, and A is the
 *  identity.
 *  @param[out] out the new restorer, to be freed with ddaebm_restorer_free
 *  @param model must outlive the restorer
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_UNSUPPORTED (data.transform, or noise
 * other than normal: diffusion.noise) or ::DDAEBM_OUT_OF_MEMORY.
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

/** Sets A to a map of the caller, and the noise to 0.
 *  @param restorer the restorer
 *  @param map copied; NULL for the identity
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (nothing measured) or
 *          ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_restorer_set_operator(ddaebm_restorer *restorer,
                                                                     const ddaebm_operator *map);

/** Draws from p(x | y) for each row of y.
 *
 *  Numbers that are known exactly come back as they are. Images stay within [-1, 1]. A row of which
 *  nothing is known gives samples of the model. Only a restorer's first call allocates.
 *  @param restorer the restorer
 *  @param seed of the draws
 *  @param first number of the first row, which fixes its random numbers
 *  @param count number of rows
 *  @param y [count, width] float32, or [count, measured] with a map of the caller; NaN is missing
 *  @param draws number of draws of each row, 1 to 65,536
 *  @param[out] samples [draws, count, width] float32; undefined on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (the number of draws),
 *          ::DDAEBM_NOT_FINITE (an infinite number in y, or a draw of weights that have run away),
 *          ::DDAEBM_CANCELLED, ::DDAEBM_OUT_OF_MEMORY, or what the caller's map returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_restorer_draw(ddaebm_restorer *restorer,
                                                             uint64_t seed, uint64_t first,
                                                             size_t count, const float *y,
                                                             size_t draws, float *samples);

/** Draws as ddaebm_restorer_draw does, from and to float64.
 *  @param restorer the restorer
 *  @param seed of the draws
 *  @param first number of the first row
 *  @param count number of rows
 *  @param y [count, width or measured] float64; NaN is missing
 *  @param draws number of draws of each row, 1 to 65,536
 *  @param[out] samples [draws, count, width] float64; undefined on failure
 *  @return as ddaebm_restorer_draw.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_restorer_draw_double(ddaebm_restorer *restorer,
                                                                    uint64_t seed, uint64_t first,
                                                                    size_t count, const double *y,
                                                                    size_t draws, double *samples);

/** Estimates x: the mean of the draws of ddaebm_restorer_draw, and their standard deviation.
 *
 *  With K draws the squared error of the mean is about 1 + 1/K times the least possible; 16 are
 *  good, 64 better. Allocates room for draws when there are more of them than before.
 *  @param restorer the restorer
 *  @param seed of the draws
 *  @param first number of the first row
 *  @param count number of rows
 *  @param y as for ddaebm_restorer_draw
 *  @param draws number of draws of each row, 1 to 65,536
 *  @param[out] mean [count, width] float32; undefined on failure
 *  @param[out] deviation [count, width] float32, 0 for one draw; undefined on failure; may be NULL
 *  @return as ddaebm_restorer_draw.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_restorer_mean(ddaebm_restorer *restorer,
                                                             uint64_t seed, uint64_t first,
                                                             size_t count, const float *y,
                                                             size_t draws, float *mean,
                                                             float *deviation);

/** Estimates x as ddaebm_restorer_mean does, from and to float64.
 *  @param restorer the restorer
 *  @param seed of the draws
 *  @param first number of the first row
 *  @param count number of rows
 *  @param y as for ddaebm_restorer_draw_double
 *  @param draws number of draws of each row, 1 to 65,536
 *  @param[out] mean [count, width] float64; undefined on failure
 *  @param[out] deviation [count, width] float64; may be NULL
 *  @return as ddaebm_restorer_draw.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_restorer_mean_double(ddaebm_restorer *restorer,
                                                                    uint64_t seed, uint64_t first,
                                                                    size_t count, const double *y,
                                                                    size_t draws, double *mean,
                                                                    double *deviation);

/** Estimates the standard deviation of the noise in y, the same for all its numbers, and sets it as
 *  ddaebm_restorer_set_noise does.
 *
 *  By expectation maximisation: in turn, draws of x with the noise supposed so far, and the mean
 *  square of y - A x. Up to 64 rows are looked at.
 *  @param restorer the restorer
 *  @param seed of the draws
 *  @param count number of rows, at least 1
 *  @param y [count, width or measured] float64; NaN is missing
 *  @param[out] deviation in the units of y
 *  @return as ddaebm_restorer_draw, ::DDAEBM_OUT_OF_RANGE for no rows, or ::DDAEBM_NOT_FINITE if
 *          every number is missing.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_restorer_fit_noise(ddaebm_restorer *restorer,
                                                                  uint64_t seed, size_t count,
                                                                  const double *y,
                                                                  double *deviation);

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
