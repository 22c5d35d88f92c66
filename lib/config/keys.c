#include "config/keys.h"

#include "base/edit_distance.h"
#include "base/error.h"
#include "base/utf8.h"
#include "io/json.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The table. A key is one line; its name is its path in dd_settings, and a field of another C
 * type does not compile. ---- */

#define BELOW_ONE 0x1.fffffffffffffp-1 /* the largest double below 1 */
#define FIELD(path, c_type)                                                                        \
    (offsetof(dd_settings, path) + 0 * sizeof(char[_Generic(((dd_settings *)0)->path, c_type : 1)]))
#define BOOLEAN(path, initial, meaning)                                                            \
    { #path, initial, meaning, NULL, 0, 0, 0, FIELD(path, bool), DDAEBM_TYPE_BOOLEAN }
#define INTEGER(path, initial, least, most, meaning)                                               \
    { #path, initial, meaning, NULL, least, most, 0, FIELD(path, int64_t), DDAEBM_TYPE_INTEGER }
#define REAL(path, initial, least, most, meaning)                                                  \
    { #path, initial, meaning, NULL, least, most, 0, FIELD(path, double), DDAEBM_TYPE_REAL }
#define CHOICE(path, initial, choices, meaning)                                                    \
    { #path, initial, meaning, choices, 0, 0, 0, FIELD(path, int64_t), DDAEBM_TYPE_CHOICE }
#define INTEGERS(path, initial, least, most, meaning)                                              \
    {                                                                                              \
#path, initial, meaning, NULL, least, most, DD_MOST_INTEGERS, FIELD(path, dd_integers),    \
            DDAEBM_TYPE_INTEGERS                                                                   \
    }

/* Betas above 500 would let 1 - var(u) fall out of the normal doubles before u = 1. */
#define MOST_BETA 500

/* Keys that say a family in brackets are ignored by the others. */
/* clang-format off */
#define NETWORK(network, norm_initial) \
    INTEGERS(network.feature_layers, "[16]", 1, 65536, "Hidden widths of the " #network "'s branches that read the row and the timestep (mlp)."), \
    INTEGERS(network.hidden_layers, "[300, 300]", 1, 65536, "Hidden widths of the " #network "'s trunk (mlp)."), \
    CHOICE(network.norm, norm_initial, "none|batch", "Normalisation between the layers of the " #network " (mlp)."), \
    CHOICE(network.activation, "prelu", "prelu|silu", "Activation between the layers of the " #network " (mlp)."), \
    INTEGER(network.frequencies, "0", 0, 64, "Sines and cosines of each coordinate that the " #network " is shown, at frequencies from pi/2 to 8 pi; 0 for none (mlp).")
#define U_NET(network) \
    INTEGER(network.channels, "128", 4, 4096, "Channels of the " #network " at full size (ncsnpp)."), \
    INTEGERS(network.multipliers, "[1, 2, 2, 2]", 1, 64, "Factors of the " #network "'s channels, one a resolution; each resolution is half of the one before (ncsnpp)."), \
    INTEGER(network.blocks, "2", 0, DD_MOST_BLOCKS, "Residual blocks of the " #network " at each resolution (ncsnpp)."), \
    INTEGERS(network.attention, "[16]", 1, 128, "Sizes of the images at which the " #network " attends; it always does at the lowest resolution (ncsnpp).")

static const dd_key keys[] = {
    INTEGER(data.width, "2", 1, 1048576, "Numbers in a row of data."),
    INTEGER(data.image_size, "0", 0, 128, "Pixels on a side of the images that the networks see; 0 where data is rows."),
    INTEGER(data.channels, "1", 1, 4, "Numbers in a pixel."),
    INTEGER(data.padding, "0", 0, 32, "Black pixels added on each side of the data's images to make image_size, and cut from samples."),
    BOOLEAN(data.flip, "false", "Whether half the images are mirrored left to right in training."),
    CHOICE(data.standardize, "files", "always|files|never", "Which data is shifted and scaled to mean 0 and deviation 1 before training: all, what comes from files, or none."),
    INTEGER(diffusion.timesteps, "4", 1, 1000, "T, the number of diffusion steps."),
    CHOICE(diffusion.schedule, "vp", "vp|geometric|karras|cosine", "How the noise grows with time: variance-preserving, as a geometric sequence of variances, in its ratio to the signal as Karras et al. (2022), or with the signal as a cosine of time (Nichol and Dhariwal 2021)."),
    REAL(diffusion.beta_min, "0.01", 1e-8, MOST_BETA, "The schedule's rate (vp) or variance (geometric) at time 0."),
    REAL(diffusion.beta_max, "0.1", 1e-8, MOST_BETA, "The schedule's rate (vp) or variance (geometric) at time 1."),
    REAL(diffusion.sigma_min, "0.01", 1e-6, 1, "Ratio of noise to signal at time 0 (karras, cosine)."),
    BOOLEAN(diffusion.fit, "false", "Whether sigma_min is set when a run begins, to half the distance between neighbouring rows, from 0.03 to 0.5 (mlp)."),
    REAL(diffusion.sigma_max, "10", 1e-3, 1e4, "Ratio of noise to signal at time 1 (karras, cosine)."),
    REAL(diffusion.rho, "3.5", 1, 100, "Power in which the ratio grows evenly (karras)."),
    CHOICE(diffusion.grid, "uniform", "uniform|lsun", "Where the timesteps stand in time: evenly, or as published for LSUN, with a last step of its own."),
    REAL(diffusion.beta_limit, "1", 1e-3, 1, "The betas are cut there; 1 cuts nothing."),
    REAL(diffusion.variance_floor, "0", 0, 1, "Least variance of the posterior when it draws; 0 for no floor."),
    CHOICE(diffusion.precision, "float32", "float32|float64", "Precision that the schedule's tables are computed in; the published ones are float32."),
    CHOICE(network.family, "mlp", "mlp|ncsnpp", "Kind of the three networks: perceptrons on rows, or U-Nets and a convolutional encoder on images."),
    INTEGER(network.latent_width, "2", 1, 65536, "Numbers in the generator's latent input z, those of latent_maps not counted."),
    INTEGER(network.latent_maps, "0", 0, 64, "Images of noise of the generator's own size, shown to it beside x_{t+1}: further numbers of z (ncsnpp)."),
    INTEGER(network.time_width, "16", 4, 65536, "Numbers in the sinusoidal embedding of the timestep; with ncsnpp, in that of the encoder."),
    INTEGER(network.latent_embedding, "256", 1, 65536, "Width of the layers that turn z into the generator's styles (ncsnpp)."),
    INTEGER(network.mapping_layers, "4", 0, 64, "How many of those layers follow the first (ncsnpp)."),
    NETWORK(energy, "none"),
    U_NET(energy),
    NETWORK(generator, "batch"),
    U_NET(generator),
    NETWORK(encoder, "batch"),
    INTEGER(encoder.channels, "64", 1, 4096, "Channels of the encoder at full size (ncsnpp)."),
    CHOICE(encoder.kind, "convolutional", "convolutional|large", "Convolutions alone, or residual blocks that also see the spread of the batch (ncsnpp)."),
    INTEGER(image.patch, "1", 1, 4, "Side of the squares of pixels that energy and generator take as one pixel of more channels: 1, 2 or 4 (ncsnpp)."),
    REAL(image.dropout, "0.1", 0, BELOW_ONE, "Share of numbers that residual blocks drop in training (ncsnpp)."),
    BOOLEAN(image.fir, "true", "Whether energy and generator resample images by a filter, rather than repeat and average pixels (ncsnpp)."),
    INTEGERS(image.fir_kernel, "[1, 3, 3, 1]", 0, 1000, "That filter's taps on each axis, before they are divided by their sum (ncsnpp)."),
    BOOLEAN(image.skip_rescale, "true", "Whether sums of two branches are divided by the square root of 2 (ncsnpp)."),
    CHOICE(image.progressive_input, "residual", "none|residual", "How energy and generator are shown the input at its smaller sizes (ncsnpp)."),
    BOOLEAN(image.centered, "true", "Whether images are in [-1, 1]; else energy and generator take them to be in [0, 1] (ncsnpp)."),
    BOOLEAN(image.tanh, "true", "Whether the generator ends in tanh (ncsnpp)."),
    REAL(image.tanh_gain, "1", 1, 10, "That tanh is multiplied by this and cut to [-1, 1], so that above 1 black and white are within reach (ncsnpp)."),
    CHOICE(form.energy, "scalar", "scalar|distance|density", "The energy's last layer. scalar: one number (mlp), or less half the squared distance to an image (ncsnpp). distance: less half the squared distance to a point or image, in units of the timestep's noise, plus a number (mlp). density: the same plus a number, the point or image with a linear part of the input: for log-densities."),
    BOOLEAN(form.residual, "false", "Whether the generator adds to its noisy input, rather than predict from nothing."),
    BOOLEAN(form.proposal, "false", "Whether the generator is shown, and with form.residual adds to, what z would make of its noisy input if the data were normal, rather than that input (mlp)."),
    REAL(objective.gamma, "0.02", 0, 1e6, "Weight of the penalty on the energy's gradient."),
    CHOICE(objective.penalty, "zero", "zero|score", "What the penalty pulls the gradient to: zero, or the score of the diffused data."),
    REAL(objective.fake_gamma, "0", 0, 1e6, "Weight of a penalty on the energy's gradient at generated samples, in units of the timestep's noise."),
    CHOICE(objective.contrast, "linear", "linear|softplus", "How the energy of a generated sample is held against that of data: their difference, or its softplus."),
    REAL(objective.contrast_weight, "1", 0, 1e6, "Weight of that contrast."),
    REAL(objective.margin, "0", 0, 1e6, "Difference that the softplus contrast asks for."),
    REAL(objective.noise_contrast, "0", 0, 1e6, "Weight of a contrast of data, at every timestep, with noise whose density is known: rows of standard deviation 1.25, images smooth or rough by chance."),
    REAL(objective.timestep_contrast, "0", 0, 1e6, "Weight of a contrast of neighbouring timesteps: it makes the energy a normalised log-density."),
    REAL(objective.transform_contrast, "0", 0, 1e6, "Weight of a contrast of data with the same data transformed at random: images turned, mirrored, inverted or their blocks exchanged, rows reflected."),
    REAL(objective.energy_score, "0", 0, 1e6, "Weight of the energy score of the generator's draws of x_0, a proper scoring rule."),
    REAL(objective.temperature, "1", 1e-6, 1e6, "The generator sees the energy divided by this."),
    REAL(objective.latent_weight, "0.1", 0, 1e6, "Weight w of the latent term, which is the generator's entropy."),
    REAL(objective.reverse_weight, "1", 0, 1e6, "Weight of the reverse divergence (adversarial and latent terms) beside the forward one."),
    CHOICE(objective.divergence, "jeffrey", "jeffrey|reverse_kl", "What generator and encoder minimise: both directions of the divergence, or the reverse one alone."),
    CHOICE(objective.reconstruction, "gaussian_nll", "gaussian_nll|weighted_gaussian_nll|mse_prior|mse_posterior", "Reconstruction term of the forward divergence."),
    REAL(optimizer.energy_rate, "1e-4", 0, 1, "Adam's learning rate for the energy."),
    REAL(optimizer.generator_rate, "1e-4", 0, 1, "Adam's learning rate for generator and encoder."),
    CHOICE(optimizer.rate_schedule, "constant", "constant|cosine", "How the learning rates change over training.steps."),
    REAL(optimizer.final_rate, "1e-5", 0, 1, "Where a cosine schedule ends; a constant one ignores it."),
    REAL(optimizer.beta1, "0", 0, BELOW_ONE, "Adam's decay of the first moment."),
    REAL(optimizer.beta2, "0.9", 0, BELOW_ONE, "Adam's decay of the second moment."),
    REAL(optimizer.epsilon, "1e-8", 1e-30, 1, "Adam's addition to the root of the second moment."),
    REAL(optimizer.ema_decay, "0", 0, BELOW_ONE, "Decay of the average of the weights over steps; 0 for no averaging."),
    INTEGER(training.steps, "50000", 1, 1000000000, "Step at which a run ends."),
    INTEGER(training.batch, "200", 2, 65536, "Rows in the batch of a step."),
    REAL(training.first_timestep, "0", 0, BELOW_ONE, "Share of samples at timestep 0, the others evenly above; 0 for all timesteps alike."),
    BOOLEAN(training.calibrate, "false", "Whether the temperature is fitted on the data after training."),
    REAL(training.held_out, "0", 0, 0.5, "Share of the rows of a finite set that training keeps aside; the weights at which the energy tells them best from rows of columns shuffled each on its own are the model's (mlp)."),
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

/* Names that keys had in earlier files, which stay readable. One that ends in a dot stands for a
 * group. */
static const char *const renamed[][2] = {
    {"picture.", "image."},
    {"training.first_level", "training.first_timestep"},
};

/* The present name of what `name` may have been; `name` itself if it was never renamed. */
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

/* ---- Unknown names. ---- */

const char *dd_shown(char shown[DD_SHOWN_ROOM], const char *text) {
    static const char more[] = "...";
    size_t room = DD_SHOWN_ROOM - sizeof more, length = strlen(text);
    bool cut = length > room;
    if (cut)
        length = dd_utf8_cut(text, room);
    memcpy(shown, text, length);
    memcpy(shown + length, cut ? more : "", cut ? sizeof more : 1);
    return shown;
}

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

/* The key whose whole name, or whose part after the group, is nearest; NULL if none is near. */
static const dd_key *nearest(const char *name) {
    size_t length = strlen(name);
    if (length > DD_MOST_SPELLED)
        return NULL;
    const dd_key *best = NULL;
    size_t best_distance = 2 + length / 4; /* beyond that, a suggestion is noise */
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const char *last = strchr(keys[i].name, '.') + 1;
        size_t distance = least_of(dd_edit_distance(name, length, keys[i].name),
                                   1 + dd_edit_distance(name, length, last));
        if (distance < best_distance) {
            best = &keys[i];
            best_distance = distance;
        }
    }
    return best;
}

ddaebm_status dd_key_unknown(const char *name) {
    char shown[DD_SHOWN_ROOM];
    dd_shown(shown, name);
    if (dd_key_is_group(name))
        return dd_fail(DDAEBM_NOT_FOUND, "\"%s\" is a group of keys, not a key", shown);
    const dd_key *near = nearest(name);
    if (near)
        return dd_fail(DDAEBM_NOT_FOUND, "no key \"%s\"; the nearest is \"%s\"", shown, near->name);
    return dd_fail(DDAEBM_NOT_FOUND, "no key \"%s\", and none has a name like it", shown);
}

/* ---- Numbers as text. ---- */

/* Puts a point where the locale's mark stands: what is not part of a C number is that mark, of one
 * byte or more. */
static void use_point(char *text) {
    char *out = text;
    bool marked = false;
    for (const char *in = text; *in; in++) {
        if (strchr("0123456789+-e", *in)) {
            *out++ = *in;
        } else if (!marked) {
            *out++ = '.';
            marked = true;
        }
    }
    *out = '\0';
}

size_t dd_real_text(double value, char text[DD_REAL_ROOM]) {
    int digits = 1; /* after the first; printf and strtod see the same locale here */
    do
        (void)snprintf(text, DD_REAL_ROOM, "%.*e", digits - 1, value);
    while (strtod(text, NULL) != value && ++digits <= 17);
    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent >= -5 && exponent < 16) { /* as people write it */
        int decimals = digits - 1 - exponent;
        (void)snprintf(text, DD_REAL_ROOM, "%.*f", decimals > 0 ? decimals : 0, value);
    } else { /* 1e-08 to 1e-8 */
        char *tail = strchr(text, 'e') + 1;
        (void)snprintf(tail, DD_REAL_ROOM - (size_t)(tail - text), "%d", exponent);
    }
    use_point(text);
    return strlen(text);
}

/* "an integer from 1 to 1000" and the like. */
static void allowed_text(const dd_key *key, char *text, size_t capacity) {
    char least[DD_REAL_ROOM], most[DD_REAL_ROOM];
    dd_real_text(key->least, least);
    dd_real_text(key->most, most);
    switch (key->type) {
    case DDAEBM_TYPE_BOOLEAN:
        (void)snprintf(text, capacity, "true or false");
        return;
    case DDAEBM_TYPE_INTEGER:
        (void)snprintf(text, capacity, "an integer from %s to %s", least, most);
        return;
    case DDAEBM_TYPE_REAL:
        (void)snprintf(text, capacity, "a number from %s to %s", least, most);
        return;
    case DDAEBM_TYPE_CHOICE:
        (void)snprintf(text, capacity, "%s", key->choices);
        return;
    case DDAEBM_TYPE_INTEGERS:
        (void)snprintf(text, capacity, "a list of at most %zu integers from %s to %s",
                       key->most_elements, least, most);
        return;
    }
}

static ddaebm_status refuse(ddaebm_status status, const dd_key *key, const char *value) {
    char allowed[256], shown[DD_SHOWN_ROOM];
    allowed_text(key, allowed, sizeof allowed);
    return dd_fail(status, "%s is %s; allowed: %s", key->name, dd_shown(shown, value), allowed);
}

/* ---- Values in. ---- */

static void *field(const dd_key *key, dd_settings *settings) {
    return (char *)settings + key->offset;
}

static const void *const_field(const dd_key *key, const dd_settings *settings) {
    return (const char *)settings + key->offset;
}

static bool within(const dd_key *key, int64_t value) {
    return value >= (int64_t)key->least && value <= (int64_t)key->most;
}

ddaebm_status dd_key_set_integer(const dd_key *key, dd_settings *settings, int64_t value) {
    if (!within(key, value)) {
        char text[DD_REAL_ROOM];
        (void)snprintf(text, sizeof text, "%lld", (long long)value);
        return refuse(DDAEBM_OUT_OF_RANGE, key, text);
    }
    *(int64_t *)field(key, settings) = value;
    return DDAEBM_OK;
}

ddaebm_status dd_key_set_real(const dd_key *key, dd_settings *settings, double value) {
    if (!isfinite(value))
        return refuse(DDAEBM_OUT_OF_RANGE, key,
                      isnan(value) ? "not a number"
                      : value > 0  ? "infinity"
                                   : "-infinity");
    if (value < key->least || value > key->most) {
        char text[DD_REAL_ROOM];
        dd_real_text(value, text);
        return refuse(DDAEBM_OUT_OF_RANGE, key, text);
    }
    *(double *)field(key, settings) =
        value == 0 ? 0 : value; /* -0 would not survive a round trip through text */
    return DDAEBM_OK;
}

static ddaebm_status set_choice(const dd_key *key, dd_settings *settings, const char *word) {
    size_t length = strlen(word);
    int64_t index = 0;
    for (const char *choice = key->choices; length > 0; index++) {
        size_t span = strcspn(choice, "|");
        if (span == length && memcmp(choice, word, length) == 0) {
            *(int64_t *)field(key, settings) = index;
            return DDAEBM_OK;
        }
        if (!choice[span])
            break;
        choice += span + 1;
    }
    char quoted[DD_SHOWN_ROOM + 2];
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", word);
    return refuse(DDAEBM_OUT_OF_RANGE, key, quoted);
}

/* A text's beginning, as much of it as has room. json_dumpb would leave out each piece that does
 * not fit whole, and its bytes as they were. */
typedef struct beginning {
    char text[2 * DD_SHOWN_ROOM];
    size_t length;
} beginning;

static int add_piece(const char *piece, size_t size, void *user) {
    beginning *self = user;
    size_t kept = least_of(size, sizeof self->text - 1 - self->length);
    memcpy(self->text + self->length, piece, kept);
    self->length += kept;
    return 0;
}

/* A JSON value as an error message shows it. */
static ddaebm_status refuse_json(ddaebm_status status, const dd_key *key, const json_t *value) {
    beginning shown = {.length = 0};
    if (json_is_real(value))
        (void)dd_real_text(json_real_value(value), shown.text);
    else
        (void)json_dump_callback(value, add_piece, &shown, JSON_ENCODE_ANY | JSON_COMPACT);
    return refuse(status, key, shown.text);
}

/* An integer, or a real that is one, as 1e2 and 100.0 are. */
static bool whole_number(const json_t *value, int64_t *out) {
    const double real = json_is_real(value) ? json_real_value(value) : 0;
    if (!json_is_number(value) || real != floor(real) || fabs(real) > 0x1p53)
        return false;
    *out = json_is_integer(value) ? json_integer_value(value) : (int64_t)real;
    return true;
}

static ddaebm_status set_integers(const dd_key *key, dd_settings *settings, const json_t *value) {
    dd_integers read = {0};
    size_t index = 0;
    json_t *element = NULL;
    json_array_foreach(value, index, element) {
        int64_t number = 0;
        if (!whole_number(element, &number))
            return refuse_json(DDAEBM_FORMAT, key, value);
        if (index >= key->most_elements || !within(key, number))
            return refuse_json(DDAEBM_OUT_OF_RANGE, key, value);
        read.values[read.count++] = number;
    }
    *(dd_integers *)field(key, settings) = read;
    return DDAEBM_OK;
}

ddaebm_status dd_key_set_json(const dd_key *key, dd_settings *settings, const json_t *value) {
    int64_t number = 0;
    switch (key->type) {
    case DDAEBM_TYPE_BOOLEAN:
        if (!json_is_boolean(value))
            break;
        *(bool *)field(key, settings) = json_is_true(value);
        return DDAEBM_OK;
    case DDAEBM_TYPE_INTEGER:
        if (!whole_number(value, &number))
            break;
        return dd_key_set_integer(key, settings, number);
    case DDAEBM_TYPE_REAL:
        if (!json_is_number(value))
            break;
        return dd_key_set_real(key, settings, json_number_value(value));
    case DDAEBM_TYPE_CHOICE:
        if (!json_is_string(value))
            break;
        return set_choice(key, settings, json_string_value(value));
    case DDAEBM_TYPE_INTEGERS:
        if (!json_is_array(value))
            break;
        return set_integers(key, settings, value);
    }
    return refuse_json(DDAEBM_FORMAT, key, value);
}

/* Sets a choice from a word without quotes, with blanks around it or not; a word too long for any
 * choice is cut, and still fits none. */
static ddaebm_status set_bare_word(const dd_key *key, dd_settings *settings, const char *text) {
    static const char blanks[] = " \t\r\n";
    char word[DD_SHOWN_ROOM];
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    (void)snprintf(word, sizeof word, "%.*s", (int)least_of(length, sizeof word - 1), text);
    return set_choice(key, settings, word);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* A number as people type it, made JSON: +3, .5, -.5 and 1. become 3, 0.5, -0.5 and 1.0. A text
 * that is none comes out as none. */
static void complete_number(char out[DD_SHOWN_ROOM], const char *text) {
    const size_t room = DD_SHOWN_ROOM - 3; /* two digits may be put in, and the end */
    size_t used = 0;
    text += strspn(text, " \t\r\n");
    text += *text == '+' && (text[1] == '.' || is_digit(text[1]));
    for (; *text && used < room; text++) {
        bool digit_before = used > 0 && is_digit(out[used - 1]), digit_after = is_digit(text[1]);
        if (*text == '.' && !digit_before && digit_after)
            out[used++] = '0';
        out[used++] = *text;
        if (*text == '.' && digit_before && !digit_after)
            out[used++] = '0';
    }
    out[*text ? 0 : used] = '\0'; /* what does not fit is no such number */
}

ddaebm_status dd_key_set_text(const dd_key *key, dd_settings *settings, const char *text) {
    if (key->type == DDAEBM_TYPE_CHOICE && !strchr(text, '"'))
        return set_bare_word(key, settings, text);
    enum { MOST_VALUES = 64 }; /* more than a list may have */
    char number[DD_SHOWN_ROOM] = "";
    if (key->type == DDAEBM_TYPE_INTEGER || key->type == DDAEBM_TYPE_REAL)
        complete_number(number, text);

    const char *json = *number ? number : text;
    dd_json_error error;
    json_t *value = dd_json_read(json, strlen(json), MOST_VALUES, &error);
    if (!value && error.status == DDAEBM_OUT_OF_MEMORY)
        return dd_fail(error.status, "no memory to read %s", key->name);
    if (!value)
        return refuse(error.status, key, *text ? text : "empty");
    ddaebm_status status = dd_key_set_json(key, settings, value);
    json_decref(value);
    return status;
}

/* ---- Values out. ---- */

int64_t dd_key_integer(const dd_key *key, const dd_settings *settings) {
    const void *from = const_field(key, settings);
    return key->type == DDAEBM_TYPE_BOOLEAN ? (int64_t) * (const bool *)from
                                            : *(const int64_t *)from;
}

double dd_key_real(const dd_key *key, const dd_settings *settings) {
    return *(const double *)const_field(key, settings);
}

static size_t choice_text(const dd_key *key, int64_t index, char text[DD_VALUE_ROOM]) {
    const char *word = key->choices;
    for (; index > 0; index--)
        word += strcspn(word, "|") + 1;
    return (size_t)snprintf(text, DD_VALUE_ROOM, "\"%.*s\"", (int)strcspn(word, "|"), word);
}

static size_t integers_text(const dd_integers *list, char text[DD_VALUE_ROOM]) {
    size_t used = (size_t)snprintf(text, DD_VALUE_ROOM, "[");
    for (size_t i = 0; i < list->count; i++)
        used += (size_t)snprintf(text + used, DD_VALUE_ROOM - used, "%s%lld", i ? ", " : "",
                                 (long long)list->values[i]);
    return used + (size_t)snprintf(text + used, DD_VALUE_ROOM - used, "]");
}

size_t dd_key_text(const dd_key *key, const dd_settings *settings, char text[DD_VALUE_ROOM]) {
    switch (key->type) {
    case DDAEBM_TYPE_BOOLEAN:
        return (size_t)snprintf(text, DD_VALUE_ROOM, "%s",
                                dd_key_integer(key, settings) ? "true" : "false");
    case DDAEBM_TYPE_REAL:
        return dd_real_text(dd_key_real(key, settings), text);
    case DDAEBM_TYPE_CHOICE:
        return choice_text(key, dd_key_integer(key, settings), text);
    case DDAEBM_TYPE_INTEGERS:
        return integers_text(const_field(key, settings), text);
    case DDAEBM_TYPE_INTEGER:
        break;
    }
    return (size_t)snprintf(text, DD_VALUE_ROOM, "%lld", (long long)dd_key_integer(key, settings));
}
