/* Noise whose standard deviation differs from scale to scale: its parts, its density against one
 * that is computed from the covariance, and its draws against that covariance. */
#define _GNU_SOURCE
#include "base/rng.h"
#include "config/config.h"
#include "objective/spectrum.h"
#include "support/counted.h"
#include "support/plain.h"
#include "support/small.h"

#include <math.h>

typedef struct shape {
    int size, padding, channels; /* of images; size 0: rows of three numbers */
    size_t scales;
} shape;

static const shape shapes[] = {{0, 0, 1, 1}, {8, 0, 1, 4},  {8, 1, 1, 3},
                               {8, 0, 2, 4}, {16, 1, 1, 3}, {8, 3, 1, 2}};

static dd_settings settings_of(const shape *s) {
    char changes[160];
    (void)snprintf(changes, sizeof changes,
                   "\"data.image_size\":%d,\"data.padding\":%d,\"data.channels\":%d,\"network."
                   "family\":\"%s\",\"data.width\":3",
                   s->size, s->padding, s->channels, s->size > 0 ? "ncsnpp" : "mlp");
    ddaebm_config *config = small_config(context, changes);
    dd_settings settings = *dd_config_settings(config);
    ddaebm_config_free(config);
    return settings;
}

/* Standard deviations that differ. */
static void choose(const dd_spectrum *spectrum, double *deviations) {
    static const double some[DD_MOST_SCALES] = {0.3, 1.7, 0.9, 5, 0.5, 2, 1, 3};
    memcpy(deviations, some, spectrum->count * sizeof *some);
}

/* P_k x of an image without a margin, in place. */
static void project(const dd_spectrum *s, size_t k, double *x) {
    size_t block = s->block[k], side = s->side, c = s->channels;
    for (size_t corner = 0; side > 0 && corner < s->width; corner++) {
        size_t y = corner / c / side, column = corner / c % side, channel = corner % c;
        if (y % block != 0 || column % block != 0)
            continue;
        double mean = 0;
        for (size_t i = 0; i < block * block; i++)
            mean += x[((y + i / block) * side + column + i % block) * c + channel] /
                    (double)(block * block);
        for (size_t i = 0; i < block * block; i++)
            x[((y + i / block) * side + column + i % block) * c + channel] = mean;
    }
}

/* What stands inside the margin. */
static void cut(const dd_spectrum *s, const float *sample, double *out) {
    size_t whole = s->side + 2 * s->margin;
    for (size_t i = 0; i < s->width; i++) {
        size_t y = s->side > 0 ? i / s->channels / s->side : 0,
               x = s->side > 0 ? i / s->channels % s->side : 0;
        out[i] = s->side > 0
                     ? (double)sample[((y + s->margin) * whole + x + s->margin) * s->channels +
                                      i % s->channels]
                     : (double)sample[i];
    }
}

/* -1/2 sum over the parts of ||part||^2 / v + d log(2 pi v), by the parts themselves. */
static double log_density(const dd_spectrum *s, const double *deviations, const double *x) {
    const double pi = 3.14159265358979323846;
    double *coarse = calloc(s->width, sizeof *coarse), *fine = calloc(s->width, sizeof *fine),
           sum = 0;
    memcpy(fine, x, s->width * sizeof *fine);
    for (size_t k = 0; k < s->count; k++) {
        double squares = 0, variance = deviations[k] * deviations[k],
               blocks = (double)(s->block[k] * s->block[k]);
        double coordinates = (double)s->width / blocks;
        memset(coarse, 0, s->width * sizeof *coarse);
        if (k + 1 < s->count) {
            memcpy(coarse, x, s->width * sizeof *coarse);
            project(s, k + 1, coarse);
            coordinates -= (double)s->width / (double)(s->block[k + 1] * s->block[k + 1]);
        }
        for (size_t i = 0; i < s->width; i++)
            squares += (fine[i] - coarse[i]) * (fine[i] - coarse[i]);
        sum -= 0.5 * (squares / variance + coordinates * log(2 * pi * variance));
        memcpy(fine, coarse, s->width * sizeof *fine);
    }
    free(coarse);
    free(fine);
    return sum;
}

START_TEST(blocks_divide_each_other_up_to_the_side) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        dd_settings settings = settings_of(&shapes[i]);
        dd_spectrum s = dd_spectrum_of(&settings);
        ck_assert_uint_eq(s.count, shapes[i].scales);
        ck_assert_uint_eq(s.block[0], 1);
        for (size_t k = 1; k < s.count; k++)
            ck_assert(s.block[k] > s.block[k - 1] && s.block[k] % s.block[k - 1] == 0);
        ck_assert(s.side == 0 || s.block[s.count - 1] == s.side);
    }
}
END_TEST

/* In the graph, in double, against the parts one by one; what stands on the margin does not count.
 */
START_TEST(the_density_is_that_of_the_parts) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        dd_settings settings = settings_of(&shapes[i]);
        dd_spectrum s = dd_spectrum_of(&settings);
        size_t inner = dd_settings_inner_width(&settings), numbers = dd_spectrum_numbers(&s),
               side = (size_t)settings.data.image_size;
        enum { SAMPLES = 2, MOST = 512 };
        double deviations[DD_MOST_SCALES], wide[SAMPLES * MOST], inside[MOST],
            density[SAMPLES * (DD_MOST_SCALES + 1)];
        float sample[MOST], described[DD_MOST_SCALES + 1];
        choose(&s, deviations);
        ck_assert_uint_le(inner, MOST);

        dd_graph *graph = NULL;
        ASSERT_OK(dd_graph_create(&graph, context));
        dd_shape samples = s.side > 0 ? (dd_shape){{SAMPLES, side, side, s.channels}}
                                      : dd_shape_rows(SAMPLES, inner);
        dd_node x = dd_input(graph, 0, samples, 0),
                numbers_in = dd_input(graph, 1, dd_shape_rows(SAMPLES, numbers), 0);
        dd_node out = dd_spectrum_log_density(graph, &s, x, numbers_in);
        ASSERT_OK(dd_graph_status(graph));

        for (size_t n = 0; n < SAMPLES; n++) {
            dd_rng_normals(sample, 3, n, 0, inner);
            dd_spectrum_colour(&s, deviations, sample, described);
            dd_rng_normals(sample, 5, n, 0, inner); /* any x */
            for (size_t j = 0; j < inner; j++)
                wide[n * inner + j] = (double)sample[j];
            for (size_t j = 0; j < numbers; j++)
                density[n * numbers + j] = (double)described[j];
        }
        test_plain *twin = test_plain_create(graph);
        test_plain_run(twin, (test_plain_input[]){{0, -1, wide}, {1, -1, density}}, 2);
        for (size_t n = 0; n < SAMPLES; n++) {
            dd_rng_normals(sample, 5, n, 0, inner);
            cut(&s, sample, inside);
            double expected = log_density(&s, deviations, inside),
                   found = test_plain_value(twin, out)[n];
            ck_assert_msg(fabs(found - expected) < 1e-5 * fabs(expected), "%zu: %.9g, not %.9g", i,
                          found, expected);
        }
        test_plain_free(twin);
        dd_graph_free(graph);
    }
}
END_TEST

/* The mean square of each part over many draws is its number of coordinates times its variance,
 * within five standard errors; the margin is zero. */
START_TEST(draws_have_the_deviations_asked_for) {
    enum { DRAWS = 2000, MOST = 512 };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        dd_settings settings = settings_of(&shapes[i]);
        dd_spectrum s = dd_spectrum_of(&settings);
        size_t inner = dd_settings_inner_width(&settings);
        double deviations[DD_MOST_SCALES], squares[DD_MOST_SCALES] = {0}, inside[MOST],
                                           coarse[MOST];
        float sample[MOST], described[DD_MOST_SCALES + 1];
        choose(&s, deviations);
        for (uint64_t n = 0; n < DRAWS; n++) {
            double all = 0, within = 0;
            dd_rng_normals(sample, 7, n, 0, inner);
            dd_spectrum_colour(&s, deviations, sample, described);
            cut(&s, sample, inside);
            for (size_t j = 0; j < inner; j++)
                all += (double)sample[j] * (double)sample[j];
            for (size_t j = 0; j < s.width; j++)
                within += inside[j] * inside[j];
            ck_assert(fabs(all - within) < 1e-9 * within); /* nothing on the margin */
            for (size_t k = 0; k < s.count; k++) {
                double below = within;
                within = 0;
                memcpy(coarse, inside, s.width * sizeof *inside);
                if (k + 1 < s.count)
                    project(&s, k + 1, coarse);
                for (size_t j = 0; k + 1 < s.count && j < s.width; j++)
                    within += coarse[j] * coarse[j];
                squares[k] += (below - within) / DRAWS;
            }
        }
        for (size_t k = 0; k < s.count; k++) {
            double coordinates = (double)s.width / (double)(s.block[k] * s.block[k]);
            if (k + 1 < s.count)
                coordinates -= (double)s.width / (double)(s.block[k + 1] * s.block[k + 1]);
            double expected = coordinates * deviations[k] * deviations[k];
            ck_assert_msg(fabs(squares[k] / expected - 1) < 5 * sqrt(2 / (coordinates * DRAWS)),
                          "%zu, part %zu: %g, not %g", i, k, squares[k], expected);
        }
    }
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("spectrum", blocks_divide_each_other_up_to_the_side,
                     the_density_is_that_of_the_parts, draws_have_the_deviations_asked_for);
}
