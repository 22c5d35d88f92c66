/* Tables of the forward process and of its posterior q(x_t | x_{t+1}, x_0) (Ho et al., NeurIPS
 * 2020; timesteps as in Geng et al., ICML 2024).
 *
 * Timesteps run from 0 to T; x_t = a_cum[t] x_0 + sigma_cum[t] noise, x_{t+1} = a[t+1] x_t +
 * sigma[t+1] noise. */
#ifndef DD_NOISE_SCHEDULE_H
#define DD_NOISE_SCHEDULE_H

#include "base/ieee.h"
#include "config/settings.h"

#include <ddaebm/context.h>

enum { DD_MOST_TIMESTEPS = 1000 };

typedef struct dd_noise_schedule {
    size_t steps;             /* T */
    double *t, *var, *weight; /* [T+1]: time, noise variance, weight of a weighted reconstruction */
    double *betas, *a, *sigma, *a_cum, *sigma_cum, *abar;           /* [T+1] */
    double *post_coef_x0, *post_coef_next, *post_var, *post_logvar; /* [T] */
    ddaebm_context *context;
} dd_noise_schedule;

/* The published trainers evaluate time and variance in double, round the betas to float and go on
 * in float; precision float32 does the same, bit for bit. float64 gives the exact tables. */
ddaebm_status dd_noise_schedule_make(dd_noise_schedule *out, ddaebm_context *context,
                                     const dd_settings *settings);

/* Frees the tables; one that is all zero has none. */
void dd_noise_schedule_free(dd_noise_schedule *schedule);

#endif
