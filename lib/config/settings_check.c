#include "config/settings_check.h"

#include "base/error.h"
#include "base/real_text.h"

static ddaebm_status check_data(const dd_settings *settings) {
    long long size = (long long)settings->data.image_size,
              padding = (long long)settings->data.padding;
    if (size > 0 && size <= 2 * padding)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "data.image_size is %lld and data.padding %lld on each side; the first must "
                       "be larger than twice the second",
                       size, padding);
    if (size > 0 && settings->data.transform != DD_TRANSFORM_NONE)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "data.transform is of columns; images, with data.image_size %lld, have none",
                       size);
    if (settings->data.whiten && (size > 0 || settings->data.standardize == DD_STANDARDIZE_NEVER))
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "data.whiten is true; it needs rows (data.image_size 0) that are "
                       "standardised (data.standardize always or files)");
    return DDAEBM_OK;
}

/* Whether a schedule goes from sigma_min to sigma_max. */
static bool reads_sigma(const dd_settings *settings) {
    switch ((dd_schedule_kind)settings->diffusion.schedule) {
    case DD_SCHEDULE_KARRAS:
    case DD_SCHEDULE_COSINE:
    case DD_SCHEDULE_LOG_SNR:
        return true;
    case DD_SCHEDULE_VP:
    case DD_SCHEDULE_GEOMETRIC:
    case DD_SCHEDULE_LEVELS:
        break;
    }
    return false;
}

/* Checks the bounds of the schedule that is chosen, and the number of timesteps. */
static ddaebm_status check_diffusion(const dd_settings *settings) {
    char low[DD_REAL_ROOM], high[DD_REAL_ROOM];

    dd_real_text(settings->diffusion.beta_min, low);
    dd_real_text(settings->diffusion.beta_max, high);
    if (settings->diffusion.beta_min >= settings->diffusion.beta_max)
        return dd_fail(
            DDAEBM_OUT_OF_RANGE,
            "diffusion.beta_min is %s and diffusion.beta_max %s; the first must be smaller", low,
            high);
    if (settings->diffusion.schedule == DD_SCHEDULE_GEOMETRIC && settings->diffusion.beta_max >= 1)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "diffusion.beta_max is %s; with diffusion.schedule geometric it is a "
                       "variance and must be below 1",
                       high);

    dd_real_text(settings->diffusion.sigma_min, low);
    dd_real_text(settings->diffusion.sigma_max, high);
    if (reads_sigma(settings) && settings->diffusion.sigma_min >= settings->diffusion.sigma_max)
        return dd_fail(
            DDAEBM_OUT_OF_RANGE,
            "diffusion.sigma_min is %s and diffusion.sigma_max %s; the first must be smaller", low,
            high);
    if (settings->diffusion.fit && !reads_sigma(settings) &&
        settings->diffusion.schedule != DD_SCHEDULE_LEVELS) /* which began as another */
        return dd_fail(
            DDAEBM_OUT_OF_RANGE,
            "diffusion.fit is true; it sets diffusion.sigma_min, which diffusion.schedule "
            "vp and geometric do not read");

    long long timesteps = (long long)settings->diffusion.timesteps;
    if (settings->diffusion.grid == DD_GRID_LSUN &&
        (timesteps < 2 ||
         timesteps > 501)) /* its stride 1000 / (2T - 2) is an integer, rounded down */
        return dd_fail(
            DDAEBM_OUT_OF_RANGE,
            "diffusion.timesteps is %lld; with diffusion.grid lsun it must be from 2 to 501",
            timesteps);
    return DDAEBM_OK;
}

/* Checks the list of levels, and whether the timesteps can be moved. */
static ddaebm_status check_levels(const dd_settings *settings) {
    const dd_reals *levels = &settings->diffusion.levels;
    const bool listed = settings->diffusion.schedule == DD_SCHEDULE_LEVELS;
    const long long timesteps = (long long)settings->diffusion.timesteps;

    if (listed && levels->count != (size_t)timesteps + 1)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "diffusion.levels has %zu numbers; with diffusion.schedule levels and %lld "
                       "timesteps it must have %lld",
                       levels->count, timesteps, timesteps + 1);
    for (size_t i = 1; listed && i < levels->count; i++)
        if (!(levels->values[i] > levels->values[i - 1] * (1 + 1e-9)))
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "diffusion.levels does not ascend at its number %zu", i + 1);
    if (settings->diffusion.adapt == DD_ADAPT_NONE)
        return DDAEBM_OK;
    if (!listed && !reads_sigma(settings))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "diffusion.adapt needs diffusion.schedule karras, "
                                            "cosine, log_snr or levels");
    if (settings->diffusion.grid == DD_GRID_LSUN || settings->diffusion.beta_limit < 1)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "diffusion.adapt needs diffusion.grid uniform and diffusion.beta_limit 1");
    if (timesteps < 2 || timesteps >= DD_MOST_REALS)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "diffusion.timesteps is %lld; with diffusion.adapt it must be from 2 to %d",
                       timesteps, DD_MOST_REALS - 1);
    return DDAEBM_OK;
}

/* Refuses a scale of the noise where formulas hold for normal noise alone. */
static ddaebm_status check_noise(const dd_settings *settings) {
    if (settings->diffusion.noise == DD_NOISE_GAUSSIAN || settings->data.padding == 0 ||
        settings->objective.noise_contrast <= 0)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_OUT_OF_RANGE,
                   "data.padding is %lld; with objective.noise_contrast and diffusion.noise other "
                   "than gaussian it must be 0",
                   (long long)settings->data.padding);
}

/* Checks what the network family allows. */
static ddaebm_status check_networks(const dd_settings *settings) {
    if (settings->network.family == DD_FAMILY_NCSNPP && settings->training.held_out > 0)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "training.held_out is %g; with network.family ncsnpp it must be 0",
                       settings->training.held_out);
    if (settings->network.family == DD_FAMILY_NCSNPP && settings->diffusion.fit)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "diffusion.fit is true; with network.family ncsnpp it must be false");
    if (settings->network.family == DD_FAMILY_NCSNPP && settings->form.energy == DD_FORM_NORMAL &&
        settings->objective.kind == DD_OBJECTIVE_LOGISTIC)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "form.energy is normal; with objective.kind logistic and network.family "
                       "ncsnpp it must be another");
    if (settings->network.family == DD_FAMILY_NCSNPP)
        return dd_settings_check_images(settings);

    if (settings->encoder.mlp.feature_layers.count == 0)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "encoder.feature_layers is empty; with network.family "
                                            "mlp its last number is the width of the encoder's "
                                            "trunk, so there must be at least one");
    return DDAEBM_OK;
}

/* Refuses what the discriminator of the logistic objective cannot do. */
static ddaebm_status check_logistic(const dd_settings *settings) {
    const struct {
        const char *name;
        bool asked;
    } others[] = {{"objective.fake_gamma", settings->objective.fake_gamma > 0},
                  {"objective.noise_contrast", settings->objective.noise_contrast > 0},
                  {"objective.timestep_contrast", settings->objective.timestep_contrast > 0},
                  {"objective.transform_contrast", settings->objective.transform_contrast > 0},
                  {"diffusion.adapt energy_gap", settings->diffusion.adapt == DD_ADAPT_ENERGY_GAP},
                  {"objective.penalty score", settings->objective.penalty == DD_PENALTY_SCORE},
                  {"training.calibrate", settings->training.calibrate},
                  {"training.held_out", settings->training.held_out > 0}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (settings->objective.kind == DD_OBJECTIVE_LOGISTIC && others[i].asked)
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "%s is set; objective.kind logistic has no energy that it could concern",
                           others[i].name);
    return DDAEBM_OK;
}

static ddaebm_status check_objective(const dd_settings *settings) {
    if (settings->objective.kind == DD_OBJECTIVE_ENERGY &&
        settings->objective.divergence == DD_DIVERGENCE_NONE &&
        settings->objective.energy_score <= 0)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "objective.divergence is none and objective.energy_score 0; one of them "
                       "must train the generator");
    if (settings->objective.reconstruction == DD_RECONSTRUCTION_WEIGHTED_GAUSSIAN_NLL &&
        settings->diffusion.timesteps < 2)
        return dd_fail(
            DDAEBM_OUT_OF_RANGE,
            "diffusion.timesteps is %lld; with objective.reconstruction weighted_gaussian_nll it "
            "must be at least 2",
            (long long)settings->diffusion.timesteps);
    return DDAEBM_OK;
}

/* Refuses a cosine schedule that would raise the learning rate. */
static ddaebm_status check_rate(const dd_settings *settings, const char *name, double rate) {
    if (settings->optimizer.rate_schedule != DD_RATE_COSINE ||
        settings->optimizer.final_rate <= rate)
        return DDAEBM_OK;
    char first[DD_REAL_ROOM], last[DD_REAL_ROOM];
    dd_real_text(rate, first);
    dd_real_text(settings->optimizer.final_rate, last);
    return dd_fail(DDAEBM_OUT_OF_RANGE,
                   "optimizer.final_rate is %s and %s %s; with optimizer.rate_schedule cosine the "
                   "first must not be larger",
                   last, name, first);
}

ddaebm_status dd_settings_check(const dd_settings *settings) {
    ddaebm_status status = DDAEBM_OK;
    DD_TRY(check_data(settings));
    DD_TRY(check_diffusion(settings));
    DD_TRY(check_levels(settings));
    DD_TRY(check_noise(settings));
    DD_TRY(check_networks(settings));
    DD_TRY(check_objective(settings));
    DD_TRY(check_logistic(settings));
    DD_TRY(check_rate(settings, "optimizer.energy_rate", settings->optimizer.energy_rate));
    DD_TRY(check_rate(settings, "optimizer.generator_rate", settings->optimizer.generator_rate));
cleanup:
    return status;
}
