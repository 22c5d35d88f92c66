#include "config/keys.h"

#include <stdio.h>
#include <string.h>

/* ---- How a row of the table is written. A field whose C type is not the key's does not compile.
 * ---- */

#define BELOW_ONE 0x1.fffffffffffffp-1 /* the largest double below 1 */

#define FIELD(path, c_type)                                                                        \
    (offsetof(dd_settings, path) + 0 * sizeof(char[_Generic(((dd_settings *)0)->path, c_type : 1)]))

/* clang-format off */

/* For a key whose name is not its path in dd_settings. */
#define INTEGER_NAMED(name, path, initial, least, most, meaning) \
    {name, initial, meaning, NULL, least, most, 0, FIELD(path, int64_t), DDAEBM_TYPE_INTEGER}
#define CHOICE_NAMED(name, path, initial, choices, meaning) \
    {name, initial, meaning, choices, 0, 0, 0, FIELD(path, int64_t), DDAEBM_TYPE_CHOICE}
#define INTEGERS_NAMED(name, path, initial, least, most, meaning) \
    {name, initial, meaning, NULL, least, most, DD_MOST_INTEGERS, FIELD(path, dd_integers), \
     DDAEBM_TYPE_INTEGERS}
#define REALS(path, initial, least, most, meaning) \
    {#path, initial, meaning, NULL, least, most, DD_MOST_REALS, FIELD(path, dd_reals), \
     DDAEBM_TYPE_REALS}

#define BOOLEAN(path, initial, meaning) \
    {#path, initial, meaning, NULL, 0, 0, 0, FIELD(path, bool), DDAEBM_TYPE_BOOLEAN}
#define INTEGER(path, initial, least, most, meaning) \
    INTEGER_NAMED(#path, path, initial, least, most, meaning)
#define REAL(path, initial, least, most, meaning) \
    {#path, initial, meaning, NULL, least, most, 0, FIELD(path, double), DDAEBM_TYPE_REAL}
#define CHOICE(path, initial, choices, meaning) \
    CHOICE_NAMED(#path, path, initial, choices, meaning)
#define INTEGERS(path, initial, least, most, meaning) \
    INTEGERS_NAMED(#path, path, initial, least, most, meaning)

/* ---- The table. A meaning that ends in a network family, (mlp) or (ncsnpp), belongs to a key that
 * the other family ignores. ---- */

/* Keys of the multi-layer perceptron `network`; `more` ends the meaning of its feature layers. */
#define MLP(network, norm_initial, more) \
    INTEGERS_NAMED(#network ".feature_layers", network.mlp.feature_layers, "[16]", 1, 65536, \
        "Hidden widths of the two branches of the " #network " that embed the row and the " \
        "timestep" more " (mlp)."), \
    INTEGERS_NAMED(#network ".hidden_layers", network.mlp.hidden_layers, "[300, 300]", 1, 65536, \
        "Hidden widths of the " #network "'s trunk, which joins the two branches (mlp)."), \
    CHOICE_NAMED(#network ".norm", network.mlp.norm, norm_initial, "none|batch", \
        "Normalisation between the layers of the " #network " (mlp)."), \
    CHOICE_NAMED(#network ".activation", network.mlp.activation, "prelu", "prelu|silu", \
        "Activation function between the layers of the " #network " (mlp)."), \
    INTEGER_NAMED(#network ".frequencies", network.mlp.frequencies, "0", 0, 64, \
        "Number of Fourier features (sine and cosine, at frequencies from pi/2 to 8 pi) of each " \
        "coordinate in the input of the " #network "; 0 for none (mlp).")

/* Keys of the U-Net `network`. */
#define U_NET(network) \
    INTEGER_NAMED(#network ".channels", network.u_net.channels, "128", 4, 4096, \
        "Base number of channels of the " #network ", at full resolution (ncsnpp)."), \
    INTEGERS_NAMED(#network ".multipliers", network.u_net.multipliers, "[1, 2, 2, 2]", 1, 64, \
        "Channel multipliers of the " #network ", one per resolution, each half the one before " \
        "(ncsnpp)."), \
    INTEGER_NAMED(#network ".blocks", network.u_net.blocks, "2", 0, DD_MOST_BLOCKS, \
        "Residual blocks of the " #network " per resolution (ncsnpp)."), \
    INTEGERS_NAMED(#network ".attention", network.u_net.attention, "[16]", 1, 128, \
        "Resolutions at which the " #network " has self-attention; the lowest always has it " \
        "(ncsnpp).")

static const dd_key keys[] = {
    INTEGER(data.width, "2", 1, 1048576,
        "Number of columns of the data; ignored for images."),
    INTEGER(data.image_size, "0", 0, 128,
        "Height and width, in pixels, of the images that the networks see; 0 for rows."),
    INTEGER(data.channels, "1", 1, 4,
        "Channels of an image, 1 for grey and 3 for RGB."),
    INTEGER(data.padding, "0", 0, 32,
        "Black pixels added on each side of the data's images to reach image_size, and cropped "
        "from samples."),
    BOOLEAN(data.flip, "false",
        "Whether training mirrors each image left to right with probability 1/2."),
    CHOICE(data.standardize, "files", "always|files|never",
        "Which rows are standardised, column by column, to mean 0 and standard deviation 1: all, "
        "those that come from files, or none."),
    CHOICE(data.transform, "none", "none|log|quantile",
        "Map of each column before it is standardised, as it then always is: none, the logarithm, "
        "or normal scores by the data's quantiles; scores are densities of the data's own numbers "
        "(mlp)."),
    BOOLEAN(data.whiten, "false",
        "Whether rows that are standardised are decorrelated as well, by the Cholesky factor of "
        "their covariance, so that the networks see N(0, I) where the data is normal."),

    INTEGER(diffusion.timesteps, "4", 1, 1000,
        "Number of diffusion timesteps, T."),
    CHOICE(diffusion.schedule, "vp", "vp|geometric|karras|cosine|log_snr|levels",
        "Noise schedule: variance-preserving, a geometric sequence of variances, noise-to-signal "
        "ratios as in Karras et al. (2022), cosine (Nichol and Dhariwal, 2021), evenly spaced "
        "logarithms of the signal-to-noise ratio, or diffusion.levels."),
    /* Betas above 500 would let 1 - var(u) fall out of the normal doubles before u = 1. */
    REAL(diffusion.beta_min, "0.01", 1e-8, 500,
        "Noise rate (vp) or noise variance (geometric) at time 0."),
    REAL(diffusion.beta_max, "0.1", 1e-8, 500,
        "Noise rate (vp) or noise variance (geometric) at time 1."),
    REAL(diffusion.sigma_min, "0.01", 1e-6, 1,
        "Noise-to-signal ratio at time 0 (karras, cosine, log_snr)."),
    BOOLEAN(diffusion.fit, "false",
        "Whether sigma_min is set before training to half the median nearest-neighbour distance, a "
        "root mean square over columns, within 0.03 and 0.5 (mlp)."),
    REAL(diffusion.sigma_max, "10", 1e-3, 1e4,
        "Noise-to-signal ratio at time 1 (karras, cosine, log_snr)."),
    REAL(diffusion.rho, "3.5", 1, 100,
        "Exponent rho of the schedule: sigma^(1/rho) grows linearly in time (karras)."),
    REALS(diffusion.levels, "[]", 1e-6, 1e4,
        "Noise-to-signal ratios of the timesteps from 0 to T, ascending (levels)."),
    CHOICE(diffusion.adapt, "none", "none|divergence|reconstruction|energy_gap",
        "Whether training moves the timesteps between the first and the last so that each reverse "
        "step is equally hard: by its KL divergence, its squared error or its energy gap."),
    CHOICE(diffusion.noise, "gaussian", "gaussian|student|mixture",
        "Distribution of the noise, of variance 1: normal, Student's with a scale for each sample, "
        "or a mixture of two normal ones that each sample belongs to one of."),
    REAL(diffusion.freedom, "4", 2.1, 1000,
        "Degrees of freedom of the noise (student)."),
    REAL(diffusion.mixture_share, "0.1", 0.001, 0.999,
        "Share of samples with the wider noise (mixture)."),
    REAL(diffusion.mixture_ratio, "5", 1, 100,
        "Standard deviation of the wider noise over that of the narrower (mixture)."),
    CHOICE(diffusion.grid, "uniform", "uniform|lsun",
        "Times of the timesteps: evenly spaced, or as published for LSUN, where all but the last "
        "lie in the first half."),
    REAL(diffusion.beta_limit, "1", 1e-3, 1,
        "Upper bound of beta at every timestep; 1 for none."),
    REAL(diffusion.variance_floor, "0", 0, 1,
        "Lower bound of the variance with which q(x_t | x_{t+1}, x_0) is sampled; 0 for none."),
    CHOICE(diffusion.precision, "float32", "float32|float64",
        "Floating-point precision of the noise schedule's tables; the published code has float32."),

    CHOICE(network.family, "mlp", "mlp|ncsnpp",
        "Architecture of the networks: multi-layer perceptrons on rows, or NCSN++ U-Nets and a "
        "convolutional encoder on images."),
    BOOLEAN(network.latent, "true",
        "Whether the generator sees the latent vector z; if not, it sees zeros, and the terms of "
        "the divergence that train the encoder are left out."),
    INTEGER(network.latent_width, "2", 1, 65536,
        "Dimension of the generator's latent vector z, latent_maps not counted."),
    INTEGER(network.latent_maps, "0", 0, 64,
        "Channels of latent noise that the generator sees beside x_{t+1}, at its resolution; they "
        "are part of z (ncsnpp)."),
    INTEGER(network.time_width, "16", 4, 65536,
        "Dimension of the sinusoidal timestep embedding; for ncsnpp, of the encoder's."),
    INTEGER(network.latent_embedding, "256", 1, 65536,
        "Width of the mapping network, which turns z into the generator's style vector (ncsnpp)."),
    INTEGER(network.mapping_layers, "4", 0, 64,
        "Number of layers of the mapping network after its first (ncsnpp)."),

    MLP(energy, "none", ""),
    U_NET(energy),
    MLP(generator, "batch", ""),
    U_NET(generator),
    MLP(encoder, "batch", ", and the last widths of its trunk"),
    INTEGER(encoder.channels, "64", 1, 4096,
        "Base number of channels of the encoder, at full resolution (ncsnpp)."),
    CHOICE(encoder.kind, "convolutional", "convolutional|large",
        "Architecture of the encoder: plain convolutions, or residual blocks with a minibatch "
        "standard deviation (ncsnpp)."),

    INTEGER(image.patch, "1", 1, 4,
        "Patch size: energy and generator fold patches of 1, 2 or 4 pixels on a side into channels "
        "(ncsnpp)."),
    REAL(image.dropout, "0.1", 0, BELOW_ONE,
        "Dropout probability in residual blocks (ncsnpp)."),
    BOOLEAN(image.fir, "true",
        "Whether energy and generator resample with the filter fir_kernel, rather than by "
        "nearest-neighbour upsampling and average pooling (ncsnpp)."),
    INTEGERS(image.fir_kernel, "[1, 3, 3, 1]", 0, 1000,
        "Taps of the separable resampling filter, before they are normalised to sum 1 (ncsnpp)."),
    BOOLEAN(image.skip_rescale, "true",
        "Whether sums of a skip connection and a residual branch are divided by sqrt(2) (ncsnpp)."),
    CHOICE(image.progressive_input, "residual", "none|residual",
        "Whether energy and generator add the downsampled input to their features at each "
        "resolution (ncsnpp)."),
    BOOLEAN(image.centered, "true",
        "Whether images are in [-1, 1]; if not, energy and generator map them there from [0, 1] "
        "(ncsnpp)."),
    BOOLEAN(image.tanh, "true",
        "Whether the generator ends in tanh (ncsnpp)."),
    REAL(image.tanh_gain, "1", 1, 10,
        "Factor on that tanh before it is clipped to [-1, 1]; above 1, black and white are reached "
        "exactly (ncsnpp)."),

    CHOICE(form.energy, "scalar", "scalar|distance|density|normal",
        "Form of the energy f; scalar: the network's output (mlp), or minus half its squared "
        "distance to the image (ncsnpp); distance: minus half the squared distance of the input to "
        "the output, in units of the timestep's noise, plus a scalar (mlp); density: the same, "
        "with the scalar for ncsnpp too and a linear function of the input added to the output; "
        "normal: minus half the squared distance of the input (ncsnpp: whitened) to the output, "
        "plus a scalar, so that an output of zero is a normal distribution at every timestep: "
        "N(0, I) (mlp), or that of the mean image and the variances of its frequencies (ncsnpp)."),
    BOOLEAN(form.residual, "false",
        "Whether the generator's output is added to a linear estimate of x_0 from x_{t+1}, rather "
        "than used as x_0."),
    BOOLEAN(form.proposal, "false",
        "Whether the generator sees, in place of x_{t+1}, the x_0 that z would give if the data "
        "were standard normal; with form.residual it is also what the output is added to (mlp)."),

    CHOICE(objective.kind, "energy", "energy|logistic",
        "Objective: that of an energy-based model, or that of Denoising Diffusion GANs (Xiao et "
        "al., 2022), where the energy's network is a discriminator of pairs (x_t, x_{t+1}) with "
        "the logistic loss, and gives no density."),
    REAL(objective.gamma, "0.02", 0, 1e6,
        "Weight of the gradient penalty in the energy's loss; for logistic, of R1."),
    CHOICE(objective.penalty, "zero", "zero|score",
        "Target of the gradient penalty: zero, or the score of the diffused data (denoising score "
        "matching)."),
    REAL(objective.fake_gamma, "0", 0, 1e6,
        "Weight of a penalty on the energy's gradient at generated samples, in units of the "
        "timestep's noise."),
    CHOICE(objective.contrast, "linear", "linear|softplus",
        "Contrast of generated samples and data in the energy's loss: f(generated) - f(data), or "
        "the softplus of it."),
    REAL(objective.contrast_weight, "1", 0, 1e6,
        "Weight of that contrast."),
    REAL(objective.margin, "0", 0, 1e6,
        "Margin added to the difference inside the softplus contrast."),
    REAL(objective.noise_contrast, "0", 0, 1e6,
        "Weight of noise-contrastive estimation against noise of known density at every timestep: "
        "for rows of standard deviation 1.25, for images of random smoothness."),
    REAL(objective.timestep_contrast, "0", 0, 1e6,
        "Weight of a contrast between neighbouring timesteps, which makes the energy a normalised "
        "log-density."),
    REAL(objective.transform_contrast, "0", 0, 1e6,
        "Weight of conditional noise-contrastive estimation against random transformations of the "
        "data: images turned, mirrored, inverted, shifted or with blocks exchanged, rows with "
        "signs flipped."),
    REAL(objective.energy_score, "0", 0, 1e6,
        "Weight of the energy score, a proper scoring rule, of the generator's draws of x_0."),
    REAL(objective.temperature, "1", 1e-6, 1e6,
        "Temperature that divides the energy in the generator's adversarial loss."),
    REAL(objective.latent_weight, "0.1", 0, 1e6,
        "Weight w of the latent term, which stands for the generator's entropy; at the optimum f/w "
        "is a log-density."),
    REAL(objective.reverse_weight, "1", 0, 1e6,
        "Weight of the reverse KL divergence (adversarial and latent terms) relative to the "
        "forward one."),
    CHOICE(objective.divergence, "jeffrey", "jeffrey|reverse_kl|forward_kl|none",
        "Divergence that generator and encoder minimise: forward plus reverse KL, one of them "
        "alone, or none, which leaves the energy score."),
    CHOICE(objective.reconstruction, "gaussian_nll",
        "gaussian_nll|weighted_gaussian_nll|mse_prior|mse_posterior",
        "Reconstruction term of the forward KL divergence: a Gaussian negative log-likelihood of "
        "x_t, the same weighted by timestep, or the squared error with z from the prior or from "
        "the encoder."),

    REAL(optimizer.energy_rate, "1e-4", 0, 1,
        "Learning rate of the energy (Adam)."),
    REAL(optimizer.generator_rate, "1e-4", 0, 1,
        "Learning rate of generator and encoder (Adam)."),
    CHOICE(optimizer.rate_schedule, "constant", "constant|cosine",
        "Schedule of the learning rates over training.steps."),
    REAL(optimizer.final_rate, "1e-5", 0, 1,
        "Learning rate at the end of the cosine schedule; constant ignores it."),
    REAL(optimizer.beta1, "0", 0, BELOW_ONE,
        "Adam's decay rate of the first moment."),
    REAL(optimizer.beta2, "0.9", 0, BELOW_ONE,
        "Adam's decay rate of the second moment."),
    REAL(optimizer.epsilon, "1e-8", 1e-30, 1,
        "Adam's constant added to the square root of the second moment."),
    REAL(optimizer.ema_decay, "0", 0, BELOW_ONE,
        "Decay rate of the exponential moving average of the weights, after n steps at most "
        "n / (n + 9); 0 for no averaging."),

    INTEGER(training.steps, "50000", 1, 1000000000,
        "Number of training steps."),
    INTEGER(training.batch, "200", 2, 65536,
        "Batch size."),
    REAL(training.first_timestep, "0", 0, BELOW_ONE,
        "Probability of timestep 0 in training, the other timesteps being equally likely; 0 makes "
        "all timesteps equally likely."),
    BOOLEAN(training.calibrate, "false",
        "Whether the temperature is fitted to the data after training."),
    REAL(training.held_out, "0", 0, 0.5,
        "Fraction of a finite data set that is held out, to keep the weights whose energy best "
        "separates those rows from rows whose columns are shuffled independently (mlp)."),
};
/* clang-format on */

enum { KEY_COUNT = sizeof keys / sizeof *keys };
_Static_assert((size_t)KEY_COUNT <= (size_t)DD_MOST_KEYS, "raise DD_MOST_KEYS");

size_t dd_key_count(void) {
    return KEY_COUNT;
}

const dd_key *dd_key_at(size_t index) {
    return &keys[index];
}

/* ---- Names. ---- */

/* Names in files of earlier versions, and what they are called now. One that ends in a dot is a
 * group. */
static const char *const renamed[][2] = {
    {"picture.", "image."},
    {"training.first_level", "training.first_timestep"},
};

/* Returns the present name of a key or group that was renamed, in `room`; else `name` itself. */
static const char *present_name(const char *name, char room[DD_NAME_ROOM]) {
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++) {
        const char *before = renamed[i][0];
        size_t length = strlen(before);
        bool group = before[length - 1] == '.';

        if (strncmp(name, before, length) != 0 || (!group && name[length]))
            continue;
        int written = snprintf(room, DD_NAME_ROOM, "%s%s", renamed[i][1], name + length);
        return written < DD_NAME_ROOM ? room : name;
    }
    return name;
}

const dd_key *dd_key_find(const char *name) {
    char room[DD_NAME_ROOM];
    name = present_name(name, room);

    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

bool dd_key_is_group(const char *name) {
    char dotted[DD_NAME_ROOM], room[DD_NAME_ROOM];
    if (snprintf(dotted, sizeof dotted, "%s.", name) >= (int)sizeof dotted)
        return false;

    const char *group = present_name(dotted, room);
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strncmp(keys[i].name, group, strlen(group)) == 0)
            return true;
    return false;
}
