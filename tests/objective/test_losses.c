/* The terms of the losses on a few numbers: each against its formula in double, within EXACT; and
 * where the contrast with noise and the score penalty are least. */
#define _GNU_SOURCE
#include "config/settings.h"
#include "objective/losses.h"
#include "support/counted.h"
#include "support/plain.h"
#include "support/small.h"

#include <math.h>

#define EXACT 1e-12

static void assert_close(double value, double expected, double scale) {
    ck_assert_msg(fabs(value - expected) <= EXACT * scale, "%.15g, not %.15g", value, expected);
}

/* --- A graph of a term: timesteps and two tensors in. --- */

enum { SLOT_LEVEL, SLOT_A, SLOT_B };

typedef struct term {
    dd_graph *graph;
    dd_noise_schedule schedule;
    dd_process process;
    dd_node a, b;
    dd_settings settings;
} term;

static void open_term(term *t, size_t samples, size_t width) {
    ddaebm_config *config = small_config(context, "\"diffusion.beta_max\":20");
    t->settings = *dd_config_settings(config);
    ddaebm_config_free(config);
    ASSERT_OK(dd_noise_schedule_make(&t->schedule, context, &t->settings));
    ASSERT_OK(dd_graph_create(&t->graph, context));
    dd_node timestep = dd_input(t->graph, SLOT_LEVEL, dd_shape_rows(samples, 1), 0);
    t->process = (dd_process){.graph = t->graph, .schedule = &t->schedule, .timestep = timestep};
    t->a = dd_input(t->graph, SLOT_A, dd_shape_rows(samples, width), 0);
    t->b = dd_input(t->graph, SLOT_B, dd_shape_rows(samples, width), 0);
}

static void close_term(term *t) {
    dd_graph_free(t->graph);
    dd_noise_schedule_free(&t->schedule);
}

/* The numbers of a node, with the inputs given. */
static void values_of(const term *t, dd_node node, const double *timesteps, const double *a,
                      const double *b, double *out) {
    const test_plain_input inputs[] = {
        {SLOT_LEVEL, -1, timesteps}, {SLOT_A, -1, a}, {SLOT_B, -1, b}};
    ASSERT_OK(dd_graph_status(t->graph));
    test_plain *twin = test_plain_create(t->graph);
    test_plain_run(twin, inputs, 3);
    memcpy(out, test_plain_value(twin, node),
           dd_shape_elements(dd_graph_shape(t->graph, node)) * sizeof *out);
    test_plain_free(twin);
}

static double value_of(const term *t, dd_node node, const double *timesteps, const double *a,
                       const double *b) {
    double value = NAN;
    ck_assert_uint_eq(dd_shape_elements(dd_graph_shape(t->graph, node)), 1);
    values_of(t, node, timesteps, a, b, &value);
    return value;
}

static const double few_levels[3] = {0, 3, 1};
static const double few_a[6] = {0.5, -1.25, 2, 0.125, -3, 0.75},
                    few_b[6] = {-0.25, 1.5, 0.5, -2, 1, 0.0625};

START_TEST(contrasts_are_their_formulas) {
    static const double margins[] = {0, 0.5, 40}, weights[] = {1, 0.25, 0};
    for (int softplus = 0; softplus < 2; softplus++)
        for (int i = 0; i < 3; i++) {
            term t;
            double expected = 0;
            open_term(&t, 3, 1);
            t.settings.objective.contrast = softplus ? DD_CONTRAST_SOFTPLUS : DD_CONTRAST_LINEAR;
            t.settings.objective.margin = margins[i];
            t.settings.objective.contrast_weight = weights[i];
            for (int k = 0; k < 3; k++) {
                double difference = few_b[k] - few_a[k];
                expected += weights[i] *
                            (softplus ? log(1 + exp(difference + margins[i])) : difference) / 3;
            }
            dd_node loss = dd_contrast_loss(t.graph, &t.settings, t.a, t.b);
            assert_close(value_of(&t, loss, few_levels, few_a, few_b), expected,
                         1 + fabs(expected));
            close_term(&t);
        }
}
END_TEST

START_TEST(penalties_are_their_formulas) {
    const double weight = 0.3, gamma = 0.7;
    term t;
    open_term(&t, 3, 2);
    double score = 0, fake = 0, zero = 0;
    for (int k = 0; k < 6; k++) {
        double sigma = (double)(float)t.schedule.sigma_cum[(size_t)few_levels[k / 2]],
               from_score = sigma * few_a[k] + weight * few_b[k];
        double scale =
            (double)(float)sqrt(pow(t.schedule.sigma_cum[(size_t)few_levels[k / 2]], 2) + 0.01);
        score += gamma / 2 * from_score * from_score / 3;
        fake += gamma / 2 * pow(scale * few_a[k], 2) / 3;
        zero += gamma / 2 * few_a[k] * few_a[k] / 3;
    }
    dd_node nodes[] = {dd_score_penalty(&t.process, t.a, t.b, weight, gamma),
                       dd_fake_penalty(&t.process, t.a, gamma),
                       dd_gradient_penalty(t.graph, t.a, gamma)};
    const double expected[] = {score, fake, zero};
    for (int i = 0; i < 3; i++)
        assert_close(value_of(&t, nodes[i], few_levels, few_a, few_b), expected[i], expected[i]);
    close_term(&t);
}
END_TEST

/* --- The contrast with noise. --- */

static double log_normal(double squares, double width, double deviation) {
    const double pi = 3.14159265358979323846;
    return -0.5 * squares / (deviation * deviation) - width * (log(deviation) + 0.5 * log(2 * pi));
}

#define NOISE 1.25 /* its standard deviation */

/* Rows of SLOT_A and SLOT_B are samples with their f in the last column. */
static dd_node noise_contrast(const term *t, size_t width) {
    dd_node x[2], f[2], in[2] = {t->a, t->b};
    for (int i = 0; i < 2; i++) {
        x[i] = dd_slice(t->graph, in[i], 3, 0, width);
        f[i] = dd_slice(t->graph, in[i], 3, width, 1);
    }
    dd_node ratio[2];
    for (int i = 0; i < 2; i++) {
        dd_node log_noise = dd_gaussian_log_density(t->graph, x[i], dd_scalar(t->graph, 0),
                                                    dd_scalar(t->graph, 2 * log(NOISE)));
        ratio[i] = dd_subtract(t->graph, dd_log_density(t->graph, &t->settings, f[i]), log_noise);
    }
    return dd_ratio_contrast_loss(t->graph, ratio[0], ratio[1]);
}

START_TEST(the_contrast_with_noise_is_its_formula) {
    static const double weights[] = {0.4, 1, 0}; /* without a weight, f is the log-density itself */
    for (int k = 0; k < 3; k++) {
        term t;
        double expected = 0, weight = weights[k] > 0 ? weights[k] : 1;
        open_term(&t, 2, 3);
        t.settings.objective.latent_weight = weights[k];
        for (int i = 0; i < 6; i += 3) {
            double of_x = few_a[i + 2] / weight -
                          log_normal(pow(few_a[i], 2) + pow(few_a[i + 1], 2), 2, NOISE);
            double of_y = few_b[i + 2] / weight -
                          log_normal(pow(few_b[i], 2) + pow(few_b[i + 1], 2), 2, NOISE);
            expected += (log1p(exp(-of_x)) + log1p(exp(of_y))) / 2;
        }
        assert_close(value_of(&t, noise_contrast(&t, 2), few_levels, few_a, few_b), expected,
                     expected);
        close_term(&t);
    }
}
END_TEST

/* At the same point x, the loss's slope in f(x) is that of data, as often as data comes there, and
 * that of noise, as often as noise does: at f/w = log p they cancel, whatever p is; above, the sum
 * is positive, and below, negative. */
START_TEST(the_contrast_with_noise_is_least_at_the_log_density) {
    enum { PLACES = 41 };
    term t;
    dd_node gradients[2];
    double timesteps[PLACES] = {0}, in[2 * PLACES], slopes[2][2 * PLACES];
    open_term(&t, PLACES, 2);
    t.settings.objective.latent_weight = 0.3;
    dd_gradient(t.graph, noise_contrast(&t, 1), DD_NONE, (dd_node[]){t.a, t.b}, 2, gradients);
    for (int off = -1; off <= 1; off++) {
        for (int i = 0; i < PLACES; i++) {
            double x = in[2 * i] = 0.15 * (i - PLACES / 2);
            double density = 0.3 * exp(log_normal(pow(x - 1, 2), 1, 0.4)) +
                             0.7 * exp(log_normal(pow(x + 1, 2), 1, 0.3));
            in[2 * i + 1] = 0.3 * (log(density) + 0.5 * off);
        }
        for (int k = 0; k < 2; k++)
            values_of(&t, gradients[k], timesteps, in, in, slopes[k]);
        for (int i = 0; i < PLACES; i++) {
            double density = exp(in[2 * i + 1] / 0.3 - 0.5 * off),
                   noise = exp(log_normal(pow(in[2 * i], 2), 1, NOISE));
            double of_data = density * slopes[0][2 * i + 1],
                   of_noise = noise * slopes[1][2 * i + 1];
            ck_assert(of_data < 0 && of_noise > 0);
            if (off == 0)
                assert_close(of_data + of_noise, 0, of_noise);
            else
                ck_assert_double_gt(off * (of_data + of_noise), 0);
        }
    }
    close_term(&t);
}
END_TEST

/* --- The contrast with transformed data. --- */

START_TEST(the_contrast_with_transformed_data_is_its_formula) {
    static const double weights[] = {0.4, 1, 0};
    for (int k = 0; k < 3; k++) {
        term t;
        double expected = 0, weight = weights[k] > 0 ? weights[k] : 1;
        open_term(&t, 3, 1);
        t.settings.objective.latent_weight = weights[k];
        for (int i = 0; i < 3; i++)
            expected += log1p(exp((few_b[i] - few_a[i]) / weight)) / 3;
        dd_node loss = dd_transform_contrast_loss(t.graph, &t.settings, t.a, t.b);
        assert_close(value_of(&t, loss, few_levels, few_a, few_b), expected, expected);
        close_term(&t);
    }
}
END_TEST

/* Data stands at four places with densities p, and what swaps two places at random is drawn as
 * often as its inverse. Over all pairs the slope of the loss in f at each place is 0 at f = w log p
 * + c, whatever c is, and not where one place is off. */
START_TEST(the_contrast_with_transformed_data_is_least_at_the_log_density) {
    enum { PLACES = 4, PAIRS = PLACES * PLACES };
    static const double density[PLACES] = {0.1, 0.25, 0.05, 0.6};
    const double weight = 0.3;
    double timesteps[PAIRS] = {0}, at_x[PAIRS], at_y[PAIRS], slopes[2][PAIRS];
    for (int off = -1; off <= 1; off++) {
        term t;
        dd_node gradients[2];
        double sums[PLACES] = {0};
        open_term(&t, PAIRS, 1);
        t.settings.objective.latent_weight = weight;
        dd_node loss = dd_transform_contrast_loss(t.graph, &t.settings, t.a, t.b);
        dd_gradient(t.graph, loss, DD_NONE, (dd_node[]){t.a, t.b}, 2, gradients);
        for (int i = 0; i < PAIRS; i++) {
            at_x[i] = weight * (log(density[i / PLACES]) + 7 + (i / PLACES == 2 ? off : 0));
            at_y[i] = weight * (log(density[i % PLACES]) + 7 + (i % PLACES == 2 ? off : 0));
        }
        for (int k = 0; k < 2; k++)
            values_of(&t, gradients[k], timesteps, at_x, at_y, slopes[k]);
        for (int i = 0; i < PAIRS; i++) {
            sums[i / PLACES] += density[i / PLACES] * slopes[0][i];
            sums[i % PLACES] += density[i / PLACES] * slopes[1][i];
        }
        for (int i = 0; i < PLACES && off == 0; i++)
            assert_close(sums[i], 0, 1);
        if (off != 0)
            ck_assert_double_gt(off * sums[2], 1e-3);
        close_term(&t);
    }
}
END_TEST

/* --- The energy score. --- */

/* Rows of SLOT_A are an x and two draws. */
static dd_node energy_score(const term *t, size_t width) {
    dd_node parts[3];
    for (size_t i = 0; i < 3; i++)
        parts[i] = dd_slice(t->graph, t->a, 3, i * width, width);
    return dd_energy_score(t->graph, parts[0], parts[1], parts[2]);
}

/* The distance in the plane, as it is made smooth at 0. */
static double smoothed(const double *a, const double *b) {
    return sqrt(pow(a[0] - b[0], 2) + pow(a[1] - b[1], 2) + 1e-6);
}

START_TEST(the_energy_score_is_its_formula) {
    static const double in[] = {0.5, -1, 2, 0, 1, 1, -0.25, 3, 0.5, 0.5, 4, -2},
                        timesteps[] = {0, 2};
    term t;
    double expected = 0;
    open_term(&t, 2, 6);
    for (int i = 0; i < 2; i++) {
        const double *x = in + 6 * i, *a = x + 2, *b = x + 4;
        expected += (smoothed(x, a) + smoothed(x, b) - smoothed(a, b)) / 4;
    }
    assert_close(value_of(&t, energy_score(&t, 2), timesteps, in, in), expected, expected);
    close_term(&t);
}
END_TEST

/* x is 1 in one of four cases; draws are 1 in `ones` of four: over all cases the score is least
 * where they are alike. */
START_TEST(the_energy_score_is_least_at_the_distribution) {
    enum { CASES = 64 };
    double scores[5];
    for (int ones = 0; ones <= 4; ones++) {
        term t;
        double in[3 * CASES], timesteps[CASES] = {0};
        open_term(&t, CASES, 3);
        for (int i = 0; i < CASES; i++) {
            in[3 * i] = i / 16 < 1;
            in[3 * i + 1] = i / 4 % 4 < ones;
            in[3 * i + 2] = i % 4 < ones;
        }
        scores[ones] = value_of(&t, energy_score(&t, 1), timesteps, in, in);
        close_term(&t);
    }
    for (int ones = 0; ones <= 4; ones++)
        ck_assert(ones == 1 || scores[ones] > scores[1]);
}
END_TEST

/* --- The score penalty is least at the score. --- */

/* Data and noise stand on a grid of normal weight; beyond it is less than 1e-8 of either. */
enum { ACROSS = 48, POINTS = ACROSS * ACROSS };
static const double reach = 6;

typedef struct design {
    double timesteps[POINTS], x[POINTS], noise[POINTS],
        root[POINTS];       /* root: of the point's weight times POINTS */
    double sigma, variance; /* of the noise's deviation, and of x */
} design;

/* x_0 from N(0, s^2) diffused to a timestep. */
static void fill_design(design *d, const dd_noise_schedule *schedule, size_t timestep, double s) {
    double a = schedule->a_cum[timestep], total = 0;
    d->sigma = (double)(float)schedule->sigma_cum[timestep];
    d->variance = a * a * s * s + d->sigma * d->sigma;
    for (int i = 0; i < POINTS; i++) {
        double u = -reach + 2 * reach * (i / ACROSS) / (ACROSS - 1),
               n = -reach + 2 * reach * (i % ACROSS) / (ACROSS - 1);
        d->timesteps[i] = (double)timestep;
        d->noise[i] = n;
        d->x[i] = a * s * u + d->sigma * n;
        d->root[i] = exp(-(u * u + n * n) / 4);
        total += d->root[i] * d->root[i] / POINTS;
    }
    for (int i = 0; i < POINTS; i++)
        d->root[i] /= sqrt(total);
}

static double direction(int kind, double x) {
    return kind == 0 ? 1 : kind == 1 ? x : kind == 2 ? sin(x) : x * exp(-x * x);
}

/* The penalty where the energy's gradient is `factor` times weight times the score, plus part times
 * the direction. A term of the mean is a square, so that a point counts by its weight if both of
 * its numbers are scaled by the weight's root. */
static double penalty_at(const term *t, dd_node penalty, const design *d, double weight,
                         double factor, double part, int kind) {
    double slopes[POINTS], noise[POINTS];
    for (int i = 0; i < POINTS; i++) {
        slopes[i] = d->root[i] *
                    (-factor * weight * d->x[i] / d->variance + part * direction(kind, d->x[i]));
        noise[i] = d->root[i] * d->noise[i];
    }
    return value_of(t, penalty, d->timesteps, slopes, noise);
}

/* What the penalty falls by at most along a direction, as a part of what it is at zero. */
static double gain(const term *t, dd_node penalty, const design *d, double weight, double factor,
                   int kind) {
    double below = penalty_at(t, penalty, d, weight, factor, -1, kind),
           at = penalty_at(t, penalty, d, weight, factor, 0, kind);
    double above = penalty_at(t, penalty, d, weight, factor, 1, kind), slope = (above - below) / 2,
           bend = above + below - 2 * at;
    ck_assert_double_gt(
        bend, 0); /* a parabola: its lowest point is -slope / bend away, slope^2 / (2 bend) deep */
    return slope * slope / (2 * bend) / penalty_at(t, penalty, d, weight, 0, 0, kind);
}

START_TEST(the_score_penalty_is_least_at_the_score) {
    const double deviation = 1.7, weight = 0.4;
    static design d;
    term t;
    open_term(&t, POINTS, 1);
    dd_node penalty = dd_score_penalty(&t.process, t.a, t.b, weight, 1);
    for (size_t timestep = 0; timestep < t.schedule.steps; timestep++) {
        fill_design(&d, &t.schedule, timestep, deviation);
        double unit = d.sigma * d.sigma / d.variance; /* what the score explains of the noise */
        for (int kind = 0; kind < 4; kind++) {
            double found = gain(&t, penalty, &d, weight, 1, kind),
                   away = gain(&t, penalty, &d, weight, 1.3, kind);
            ck_assert_msg(found < 1e-12 * unit,
                          "timestep %zu, direction %d: falls by %g from the score", timestep, kind,
                          found);
            if (kind > 0)
                ck_assert_msg(away > 1e-4 * unit,
                              "timestep %zu, direction %d: falls by %g away from it", timestep,
                              kind, away);
        }
    }
    close_term(&t);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("losses", contrasts_are_their_formulas, penalties_are_their_formulas,
                     the_energy_score_is_its_formula, the_energy_score_is_least_at_the_distribution,
                     the_contrast_with_noise_is_its_formula,
                     the_contrast_with_noise_is_least_at_the_log_density,
                     the_contrast_with_transformed_data_is_its_formula,
                     the_contrast_with_transformed_data_is_least_at_the_log_density,
                     the_score_penalty_is_least_at_the_score);
}
