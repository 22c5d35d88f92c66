/* Every hyperparameter as a plain value: what the rooms above read. The names that users see, the
 * bounds and the meanings stand in keys.c. */
#ifndef DD_SETTINGS_H
#define DD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DD_MOST_INTEGERS = 16, DD_MOST_BLOCKS = 16 };

/* A short list, for instance of layer widths. */
typedef struct dd_integers {
    size_t count;
    int64_t values[DD_MOST_INTEGERS];
} dd_integers;

/* The order of the words below is the order of the `choices` texts in keys.c. */
typedef enum dd_standardize {
    DD_STANDARDIZE_ALWAYS,
    DD_STANDARDIZE_FILES,
    DD_STANDARDIZE_NEVER
} dd_standardize;
typedef enum dd_schedule_kind {
    DD_SCHEDULE_VP,
    DD_SCHEDULE_GEOMETRIC,
    DD_SCHEDULE_KARRAS,
    DD_SCHEDULE_COSINE
} dd_schedule_kind;
typedef enum dd_grid { DD_GRID_UNIFORM, DD_GRID_LSUN } dd_grid;
typedef enum dd_precision { DD_PRECISION_FLOAT32, DD_PRECISION_FLOAT64 } dd_precision;
typedef enum dd_family { DD_FAMILY_MLP, DD_FAMILY_NCSNPP } dd_family;
typedef enum dd_norm { DD_NORM_NONE, DD_NORM_BATCH } dd_norm;
typedef enum dd_activation { DD_ACTIVATION_PRELU, DD_ACTIVATION_SILU } dd_activation;
typedef enum dd_progressive { DD_PROGRESSIVE_NONE, DD_PROGRESSIVE_RESIDUAL } dd_progressive;
typedef enum dd_encoder { DD_ENCODER_CONVOLUTIONAL, DD_ENCODER_LARGE } dd_encoder;
typedef enum dd_form { DD_FORM_SCALAR, DD_FORM_DISTANCE, DD_FORM_DENSITY } dd_form;
typedef enum dd_contrast { DD_CONTRAST_LINEAR, DD_CONTRAST_SOFTPLUS } dd_contrast;
typedef enum dd_penalty { DD_PENALTY_ZERO, DD_PENALTY_SCORE } dd_penalty;
typedef enum dd_divergence { DD_DIVERGENCE_JEFFREY, DD_DIVERGENCE_REVERSE_KL } dd_divergence;
typedef enum dd_reconstruction {
    DD_RECONSTRUCTION_GAUSSIAN_NLL,
    DD_RECONSTRUCTION_WEIGHTED_GAUSSIAN_NLL,
    DD_RECONSTRUCTION_MSE_PRIOR,
    DD_RECONSTRUCTION_MSE_POSTERIOR
} dd_reconstruction;
typedef enum dd_rate_schedule { DD_RATE_CONSTANT, DD_RATE_COSINE } dd_rate_schedule;

/* One network; the keys are <network>.feature_layers and so on. */
typedef struct dd_network_settings {
    /* multi-layer perceptrons */
    dd_integers feature_layers; /* hidden widths of the branches that read x and t */
    dd_integers hidden_layers;  /* hidden widths of the trunk */
    int64_t norm;               /* dd_norm */
    int64_t activation;         /* dd_activation */
    int64_t frequencies; /* of the sines and cosines of each coordinate that the network is shown; 0
                            for none */
    /* images */
    int64_t channels;        /* at full size */
    dd_integers multipliers; /* of the channels, one a resolution, halving the image in between; no
                                key for the encoder, nor for the next two */
    int64_t blocks;          /* residual blocks a resolution */
    dd_integers attention;   /* sizes of the images that attend */
    int64_t kind;            /* dd_encoder: a key of the encoder alone */
} dd_network_settings;

typedef struct dd_settings {
    struct {
        int64_t width;      /* numbers in a row; images have a size instead */
        int64_t image_size; /* pixels on a side of the square images that the networks see; 0 for
                               rows */
        int64_t channels;   /* of a pixel */
        int64_t padding; /* of those pixels, how many on each side are added to the data's and taken
                            from the samples */
        bool flip;       /* half the images are mirrored, left to right, in training */
        int64_t standardize; /* dd_standardize */
    } data;
    struct {
        int64_t timesteps; /* T */
        int64_t schedule;  /* dd_schedule_kind */
        double beta_min, beta_max;
        bool fit; /* sigma_min is taken from the data */
        double sigma_min, sigma_max,
            rho;               /* of DD_SCHEDULE_KARRAS; the first two of DD_SCHEDULE_COSINE too */
        int64_t grid;          /* dd_grid */
        double beta_limit;     /* betas are cut there; 1 cuts nothing */
        double variance_floor; /* of the posterior's log variance; 0 for none */
        int64_t precision;     /* dd_precision: of the tables */
    } diffusion;
    struct {
        int64_t family;       /* dd_family */
        int64_t latent_width; /* of z, without its maps */
        int64_t latent_maps;
        int64_t time_width;       /* of the timestep's sinusoidal embedding */
        int64_t latent_embedding; /* widths of the network that maps z to styles */
        int64_t mapping_layers;   /* its layers, beside the first */
    } network;
    dd_network_settings energy, generator, encoder;
    struct {
        int64_t patch; /* side of the squares of pixels that energy and generator take as one */
        double dropout;
        bool fir;                  /* resample by a filter */
        dd_integers fir_kernel;    /* its taps on an axis */
        bool skip_rescale;         /* sums of two branches are divided by sqrt 2 */
        int64_t progressive_input; /* dd_progressive */
        bool centered;             /* data is in [-1, 1]; else in [0, 1] */
        bool tanh;                 /* ends the generator */
        double tanh_gain;
    } image;
    struct {
        int64_t energy; /* dd_form */
        bool residual;  /* the generator predicts what the noise changed */
        bool proposal;  /* the generator is shown a draw of x_0 in place of x_{t+1} */
    } form;
    struct {
        double gamma;      /* weight of the gradient penalty */
        int64_t penalty;   /* dd_penalty: what the gradient is pulled to */
        double fake_gamma; /* weight of the same on generated samples */
        int64_t contrast;  /* dd_contrast */
        double contrast_weight, margin;
        double noise_contrast;    /* weight of the contrast of data with noise of a known density */
        double timestep_contrast; /* of neighbouring timesteps */
        double transform_contrast; /* of data with the same data transformed */
        double energy_score;       /* weight of the energy score of the generator's draws */
        double temperature;        /* the generator sees f / temperature */
        double latent_weight;      /* w */
        double reverse_weight;     /* of the reverse divergence beside the forward one */
        int64_t divergence;        /* dd_divergence */
        int64_t reconstruction;    /* dd_reconstruction */
    } objective;
    struct {
        double energy_rate, generator_rate;
        int64_t rate_schedule; /* dd_rate_schedule, over training.steps */
        double final_rate;
        double beta1, beta2, epsilon;
        double ema_decay; /* 0 for no averaging */
    } optimizer;
    struct {
        int64_t steps, batch;
        double first_timestep; /* share of samples at timestep 0; 0 for as many as at any other */
        bool calibrate;        /* fit the temperature after training */
        double held_out;       /* share of the rows kept aside, to choose the weights by */
    } training;
} dd_settings;

/* Numbers in a row as callers see it, and as the networks do: images are padded in between. */
size_t dd_settings_width(const dd_settings *settings);
size_t dd_settings_inner_width(const dd_settings *settings);

/* Numbers of z, those that are images (network.latent_maps) included. */
size_t dd_settings_latent_width(const dd_settings *settings);

/* Weight w of the latent term, by which f/w is a log-density: objective.latent_weight, and 1 where
 * that is 0. */
double dd_settings_density_weight(const dd_settings *settings);

/* Pixels on a side of the images that callers see; 0 for rows. */
size_t dd_settings_outer_side(const dd_settings *settings);

/* The values inside a configuration. */
struct ddaebm_config;
const dd_settings *dd_config_settings(const struct ddaebm_config *config);

#endif
