/** @file normaliser.h
 *  Normalises a model's energy: finds Z, the integral of exp(f(x, 0) / temperature), so that scores
 *  at timestep 0 become log-densities in nats.
 *
 *  Method: annealed importance sampling (Neal, Statistics and Computing 2001) from N(0, I) through
 *  the timesteps to the energy, and back from samples of the energy. A Metropolis-adjusted Langevin
 *  step is made at each of the densities between. The number of densities is found by a first run.
 *
 *  A model that is normalised keeps Z in its file. From then on ddaebm_scorer_score at timestep 0
 *  gives log p(x) of the row in the data's own units: the volume that standardisation changes is
 *  included. Columns that were constant have no volume. Scores at other timesteps stay
 * log-densities up to a constant. Setting the temperature or a parameter forgets Z. */
#ifndef DDAEBM_NORMALISER_H
#define DDAEBM_NORMALISER_H

#include <ddaebm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How much work is done for Z. */
typedef struct ddaebm_normaliser_options {
    size_t struct_size; /**< sizeof(ddaebm_normaliser_options) */
    size_t samples;     /**< chains in each direction, up to 1,000,000; 0: 8,192 for rows, 128 for
                             images */
    size_t steps;  /**< densities between noise and energy, at most, up to 1,000,000; 0: as many
                        as make the variance of log weights about 0.1 */
    uint64_t seed; /**< of the chains */
} ddaebm_normaliser_options;

/** Defaults of ::ddaebm_normaliser_options. */
#define DDAEBM_NORMALISER_OPTIONS_INIT                                                             \
    { sizeof(ddaebm_normaliser_options), 0, 0, 0 }

/** What is known of Z. */
typedef struct ddaebm_normaliser {
    size_t struct_size;       /**< sizeof(ddaebm_normaliser) */
    double log_z;             /**< log of the integral of exp(f(x, 0) / temperature) over x as the
                                   networks see it, constant columns left out */
    double standard_error;    /**< of log_z */
    double gap;               /**< log_z by the way back less log_z: near 0 where both directions
                                   agree; above 0 by what the chains from noise may have missed */
    double effective_samples; /**< of the chains from noise: the square of the weights' sum over the
                                   sum of their squares */
} ddaebm_normaliser;

/** Defaults of ::ddaebm_normaliser. */
#define DDAEBM_NORMALISER_INIT                                                                     \
    { sizeof(ddaebm_normaliser), 0, 0, 0, 0 }

/** Finds Z and keeps it in the model.
 *  @param model changed on success alone
 *  @param options NULL for the defaults
 *  @param progress called after each step with steps done and wanted, 0 of 1 while their number is
 *  being found; NULL for none. Not 0 cancels
 *  @param user handed to @p progress
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (an option, or an energy
 *  that no bridge of 20,000 densities reaches), ::DDAEBM_NOT_FINITE (the energy is no number where
 *  the chains come, or has no finite integral), ::DDAEBM_CANCELLED or ::DDAEBM_OUT_OF_MEMORY. */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_model_fit_normaliser(ddaebm_model *model, const ddaebm_normaliser_options *options,
                            ddaebm_progress_function progress, void *user);

/** Tells what is known of Z.
 *  @param model the model
 *  @param[in,out] info its struct_size set by the caller; untouched on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, or ::DDAEBM_NOT_FOUND for a model that is not
 *  normalised. */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_normaliser(const ddaebm_model *model,
                                                                ddaebm_normaliser *info);

#ifdef __cplusplus
}
#endif

#endif
