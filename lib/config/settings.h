/* Every hyperparameter as a plain value, as the rooms above read it. keys.c has the names that
 * users see, the bounds and the meanings. */
#ifndef DD_SETTINGS_H
#define DD_SETTINGS_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DD_MOST_INTEGERS = 16, DD_MOST_REALS = 33, DD_MOST_BLOCKS = 16 };

/* A short list, for instance of layer widths. */
typedef struct dd_integers {
    size_t count;
    int64_t values[DD_MOST_INTEGERS];
} dd_integers;

/* A short list of numbers. */
typedef struct dd_reals {
    size_t count;
    double values[DD_MOST_REALS];
} dd_reals;

/* The enumerators of each type below are in the order of the words in the table of keys.c. */
typedef enum dd_standardize {
    DD_STANDARDIZE_ALWAYS,
    DD_STANDARDIZE_FILES,
    DD_STANDARDIZE_NEVER
} dd_standardize;
typedef enum dd_transform_kind {
    DD_TRANSFORM_NONE,
    DD_TRANSFORM_LOG,
    DD_TRANSFORM_QUANTILE
} dd_transform_kind;
typedef enum dd_schedule_kind {
    DD_SCHEDULE_VP,
    DD_SCHEDULE_GEOMETRIC,
    DD_SCHEDULE_KARRAS,
    DD_SCHEDULE_COSINE,
    DD_SCHEDULE_LOG_SNR,
    DD_SCHEDULE_LEVELS
} dd_schedule_kind;
typedef enum dd_adapt {
    DD_ADAPT_NONE,
    DD_ADAPT_DIVERGENCE,
    DD_ADAPT_RECONSTRUCTION,
    DD_ADAPT_ENERGY_GAP
} dd_adapt;
typedef enum dd_noise { DD_NOISE_GAUSSIAN, DD_NOISE_STUDENT, DD_NOISE_MIXTURE } dd_noise;
typedef enum dd_grid { DD_GRID_UNIFORM, DD_GRID_LSUN } dd_grid;
typedef enum dd_precision { DD_PRECISION_FLOAT32, DD_PRECISION_FLOAT64 } dd_precision;
typedef enum dd_family { DD_FAMILY_MLP, DD_FAMILY_NCSNPP } dd_family;
typedef enum dd_norm { DD_NORM_NONE, DD_NORM_BATCH } dd_norm;
typedef enum dd_activation { DD_ACTIVATION_PRELU, DD_ACTIVATION_SILU } dd_activation;
typedef enum dd_progressive { DD_PROGRESSIVE_NONE, DD_PROGRESSIVE_RESIDUAL } dd_progressive;
typedef enum dd_encoder { DD_ENCODER_CONVOLUTIONAL, DD_ENCODER_LARGE } dd_encoder;
typedef enum dd_form { DD_FORM_SCALAR, DD_FORM_DISTANCE, DD_FORM_DENSITY, DD_FORM_NORMAL } dd_form;
typedef enum dd_contrast { DD_CONTRAST_LINEAR, DD_CONTRAST_SOFTPLUS } dd_contrast;
typedef enum dd_penalty { DD_PENALTY_ZERO, DD_PENALTY_SCORE } dd_penalty;
typedef enum dd_objective { DD_OBJECTIVE_ENERGY, DD_OBJECTIVE_LOGISTIC } dd_objective;
typedef enum dd_divergence {
    DD_DIVERGENCE_JEFFREY,
    DD_DIVERGENCE_REVERSE_KL,
    DD_DIVERGENCE_FORWARD_KL,
    DD_DIVERGENCE_NONE
} dd_divergence;
typedef enum dd_reconstruction {
    DD_RECONSTRUCTION_GAUSSIAN_NLL,
    DD_RECONSTRUCTION_WEIGHTED_GAUSSIAN_NLL,
    DD_RECONSTRUCTION_MSE_PRIOR,
    DD_RECONSTRUCTION_MSE_POSTERIOR
} dd_reconstruction;
typedef enum dd_rate_schedule { DD_RATE_CONSTANT, DD_RATE_COSINE } dd_rate_schedule;

/* A multi-layer perceptron on rows (DD_FAMILY_MLP). */
typedef struct dd_mlp_settings {
    dd_integers feature_layers; /* hidden widths of the branches that embed row and timestep */
    dd_integers hidden_layers;  /* hidden widths of the trunk */
    int64_t norm;               /* dd_norm */
    int64_t activation;         /* dd_activation */
    int64_t frequencies;        /* of the Fourier features of each coordinate; 0 for none */
} dd_mlp_settings;

/* A U-Net on images (DD_FAMILY_NCSNPP). */
typedef struct dd_u_net_settings {
    int64_t channels;        /* at full resolution */
    dd_integers multipliers; /* of the channels, one per resolution, each half the one before */
    int64_t blocks;          /* residual blocks per resolution */
    dd_integers attention;   /* resolutions with self-attention, beside the lowest */
} dd_u_net_settings;

/* The energy or the generator; the keys are named <network>.feature_layers and so on. */
typedef struct dd_network_settings {
    dd_mlp_settings mlp;
    dd_u_net_settings u_net;
} dd_network_settings;

/* The encoder; its network on images is no U-Net. */
typedef struct dd_encoder_settings {
    dd_mlp_settings mlp;
    int64_t channels; /* at full resolution (DD_FAMILY_NCSNPP) */
    int64_t kind;     /* dd_encoder (DD_FAMILY_NCSNPP) */
} dd_encoder_settings;

/* keys.c has the bounds and the meanings. */
typedef struct dd_settings {
    struct {
        int64_t width;       /* columns of a row; images have image_size and channels instead */
        int64_t image_size;  /* pixels on a side of the images that the networks see; 0 for rows */
        int64_t channels;    /* of an image */
        int64_t padding;     /* pixels of image_size on each side that the data's images lack */
        bool flip;           /* mirrors images at random in training */
        int64_t standardize; /* dd_standardize */
        int64_t transform;   /* dd_transform_kind: of columns, before they are standardised */
        bool whiten;         /* decorrelates standardised rows */
    } data;
    struct {
        int64_t timesteps;           /* T */
        int64_t schedule;            /* dd_schedule_kind */
        double beta_min, beta_max;   /* DD_SCHEDULE_VP, DD_SCHEDULE_GEOMETRIC */
        bool fit;                    /* sets sigma_min from the data before training */
        double sigma_min, sigma_max; /* karras, cosine and log_snr */
        double rho;                  /* DD_SCHEDULE_KARRAS */
        dd_reals levels;             /* DD_SCHEDULE_LEVELS: noise-to-signal ratios, [T+1] */
        int64_t adapt;               /* dd_adapt */
        int64_t noise;               /* dd_noise */
        double freedom;              /* degrees of freedom of DD_NOISE_STUDENT */
        double mixture_share;        /* of the wide component of DD_NOISE_MIXTURE */
        double mixture_ratio;        /* of the deviations of its components */
        int64_t grid;                /* dd_grid */
        double beta_limit;           /* upper bound of the betas; 1 for none */
        double variance_floor;       /* lower bound of the posterior's variance; 0 for none */
        int64_t precision;           /* dd_precision: of the schedule's tables */
    } diffusion;
    struct {
        int64_t family;           /* dd_family */
        bool latent;              /* the generator sees z */
        int64_t latent_width;     /* dimension of z, latent_maps not counted */
        int64_t latent_maps;      /* channels of latent noise at the input's resolution */
        int64_t time_width;       /* dimension of the timestep embedding */
        int64_t latent_embedding; /* width of the mapping network from z to styles */
        int64_t mapping_layers;   /* its layers after the first */
    } network;
    dd_network_settings energy, generator;
    dd_encoder_settings encoder;
    struct {
        int64_t patch;             /* pixels on a side of a patch that is folded into channels */
        double dropout;            /* probability */
        bool fir;                  /* resamples with fir_kernel */
        dd_integers fir_kernel;    /* taps of the separable filter */
        bool skip_rescale;         /* divides sums of two branches by sqrt(2) */
        int64_t progressive_input; /* dd_progressive */
        bool centered;             /* data is in [-1, 1]; else in [0, 1] */
        bool tanh;                 /* ends the generator in tanh */
        double tanh_gain;          /* factor on tanh, before clipping to [-1, 1] */
    } image;                       /* DD_FAMILY_NCSNPP */
    struct {
        int64_t energy; /* dd_form */
        bool residual;  /* adds the generator's output to a linear estimate of x_0 */
        bool proposal;  /* shows the generator a draw of x_0 in place of x_{t+1} */
    } form;
    struct {
        int64_t kind;              /* dd_objective */
        double gamma;              /* weight of the gradient penalty */
        int64_t penalty;           /* dd_penalty: target of the gradient */
        double fake_gamma;         /* weight of the penalty at generated samples */
        int64_t contrast;          /* dd_contrast */
        double contrast_weight;    /* of the contrast of generated samples and data */
        double margin;             /* inside DD_CONTRAST_SOFTPLUS */
        double noise_contrast;     /* weight of the contrast with noise of known density */
        double timestep_contrast;  /* weight of the contrast of neighbouring timesteps */
        double transform_contrast; /* weight of the contrast with transformed data */
        double energy_score;       /* weight of the energy score of generated x_0 */
        double temperature;        /* divides f in the generator's loss */
        double latent_weight;      /* w */
        double reverse_weight;     /* of the reverse KL relative to the forward KL */
        int64_t divergence;        /* dd_divergence */
        int64_t reconstruction;    /* dd_reconstruction */
    } objective;
    struct {
        double energy_rate, generator_rate;
        int64_t rate_schedule; /* dd_rate_schedule, over training.steps */
        double final_rate;     /* of DD_RATE_COSINE */
        double beta1, beta2, epsilon;
        double ema_decay; /* 0 for no averaging */
    } optimizer;
    struct {
        int64_t steps, batch;
        double first_timestep; /* probability of timestep 0; 0 for all alike */
        bool calibrate;        /* fits the temperature after training */
        double held_out;       /* fraction of the rows held out, to choose the weights by */
    } training;
} dd_settings;

/* Returns the numbers per sample as callers see it. */
size_t dd_settings_width(const dd_settings *settings);

/* Returns the numbers per sample as the networks see it: images with their padding. */
size_t dd_settings_inner_width(const dd_settings *settings);

/* Returns the dimension of z, latent_maps included. */
size_t dd_settings_latent_width(const dd_settings *settings);

/* Returns the weight w by which f/w is a log-density: objective.latent_weight, or 1 where that is
 * 0.
 */
double dd_settings_density_weight(const dd_settings *settings);

/* Returns the pixels on a side of the images that callers see; 0 for rows. */
size_t dd_settings_outer_side(const dd_settings *settings);

/* Returns the values of a configuration, which owns them. */
struct ddaebm_config;
const dd_settings *dd_config_settings(const struct ddaebm_config *config);

#endif
