/* The presets: each is valid, "toy" is the published configuration, and which combinations of
 * values are refused. */
#include "config/presets.h"

#include "config/config.h"
#include "config/key_parse.h"
#include "config/key_print.h"
#include "config/settings_check.h"
#include "support/runner.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dd_settings preset(const char *name) {
    dd_settings settings;
    ck_assert_msg(dd_preset_settings(&settings, name) == DDAEBM_OK, "%s: %s", name,
                  ddaebm_error_message());
    return settings;
}

static void set(dd_settings *settings, const char *name, const char *text) {
    const dd_key *key = dd_key_find(name);
    ck_assert_msg(key != NULL, "%s", name);
    ck_assert_msg(dd_key_set_text(key, settings, text) == DDAEBM_OK, "%s", ddaebm_error_message());
}

START_TEST(every_preset_is_a_list_of_changes_to_an_earlier_one) {
    for (size_t i = 0; dd_preset_at(i); i++) {
        const dd_preset *one = dd_preset_at(i);
        ck_assert_ptr_eq(dd_preset_find(one->name), one);
        if (one->base)
            ck_assert(dd_preset_find(one->base) && dd_preset_find(one->base) < one);
        dd_settings expected = {0};
        if (one->base)
            expected = preset(one->base);
        else
            for (size_t k = 0; k < dd_key_count(); k++)
                set(&expected, dd_key_at(k)->name, dd_key_at(k)->initial);
        for (size_t c = 0; one->changes[c][0]; c++) {
            for (size_t earlier = 0; earlier < c; earlier++)
                ck_assert_msg(strcmp(one->changes[c][0], one->changes[earlier][0]) != 0,
                              "%s: %s is given twice", one->name, one->changes[c][0]);
            set(&expected, one->changes[c][0], one->changes[c][1]);
        }
        dd_settings settings = preset(one->name);
        for (size_t k = 0; k < dd_key_count(); k++) {
            char have[DD_VALUE_ROOM], want[DD_VALUE_ROOM];
            dd_key_text(dd_key_at(k), &settings, have);
            dd_key_text(dd_key_at(k), &expected, want);
            ck_assert_msg(strcmp(have, want) == 0, "%s: %s is %s, not %s", one->name,
                          dd_key_at(k)->name, have, want);
        }
    }
}
END_TEST

START_TEST(every_preset_fits_together) {
    for (size_t i = 0; dd_preset_at(i); i++) {
        dd_settings settings = preset(dd_preset_at(i)->name);
        ck_assert_msg(dd_settings_check(&settings) == DDAEBM_OK, "%s: %s", dd_preset_at(i)->name,
                      ddaebm_error_message());
    }
}
END_TEST

/* The published two-dimensional experiment. Keys that are missing here do not exist in the
 * publication. */
static const char *const published[][2] = {
    {"data.width", "2"},
    {"data.standardize", "\"files\""},
    {"diffusion.timesteps", "4"},
    {"diffusion.schedule", "\"vp\""},
    {"diffusion.beta_min", "0.01"},
    {"diffusion.beta_max", "0.1"},
    {"diffusion.grid", "\"uniform\""},
    {"diffusion.beta_limit", "1"},
    {"diffusion.variance_floor", "0"},
    {"diffusion.precision", "\"float32\""},
    {"network.family", "\"mlp\""},
    {"network.latent_width", "2"},
    {"network.time_width", "16"},
    {"energy.feature_layers", "[16]"},
    {"energy.hidden_layers", "[300, 300]"},
    {"energy.norm", "\"none\""},
    {"energy.activation", "\"prelu\""},
    {"generator.feature_layers", "[16]"},
    {"generator.hidden_layers", "[300, 300]"},
    {"generator.norm", "\"batch\""},
    {"generator.activation", "\"prelu\""},
    {"encoder.feature_layers", "[16]"},
    {"encoder.hidden_layers", "[300, 300]"},
    {"encoder.norm", "\"batch\""},
    {"encoder.activation", "\"prelu\""},
    {"objective.gamma", "0.02"},
    {"objective.latent_weight", "0.1"},
    {"objective.divergence", "\"jeffrey\""},
    {"objective.reconstruction", "\"gaussian_nll\""},
    {"optimizer.energy_rate", "0.0001"},
    {"optimizer.generator_rate", "0.0001"},
    {"optimizer.rate_schedule", "\"constant\""},
    {"optimizer.beta1", "0"},
    {"optimizer.beta2", "0.9"},
    {"optimizer.epsilon", "1e-8"},
    {"optimizer.ema_decay", "0"},
    {"training.steps", "50000"},
    {"training.batch", "200"},
    {"training.calibrate", "false"},
};

START_TEST(toy_is_the_published_configuration) {
    dd_settings settings = preset("toy");
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const dd_key *key = dd_key_find(published[i][0]);
        ck_assert_msg(key != NULL, "%s", published[i][0]);
        char text[DD_VALUE_ROOM];
        dd_key_text(key, &settings, text);
        ck_assert_msg(strcmp(text, published[i][1]) == 0, "%s is %s, not %s", key->name, text,
                      published[i][1]);
    }
}
END_TEST

START_TEST(points_and_vector_end_in_noise) {
    dd_settings points = preset("points"), vector = preset("vector");
    ck_assert_int_eq(points.data.width, 2);
    ck_assert_int_eq(vector.data.width, 30);
    ck_assert_int_eq(points.diffusion.schedule, DD_SCHEDULE_KARRAS);
    ck_assert_double_ge(points.diffusion.sigma_max,
                        10); /* alpha-bar at the end is 1 / (1 + sigma^2) */
    ck_assert_int_eq(vector.diffusion.schedule, DD_SCHEDULE_KARRAS);
    ck_assert_double_ge(vector.diffusion.sigma_max, 10);
}
END_TEST

START_TEST(an_unknown_preset_lists_those_there_are) {
    dd_settings settings = preset("toy");
    settings.data.width = 77;
    ck_assert_int_eq(dd_preset_settings(&settings, "cifar\n11"), DDAEBM_NOT_FOUND);
    ck_assert_str_eq(ddaebm_error_message(),
                     "no preset \"cifar?11\"; there are: toy, points, vector, impute, "
                     "cifar10, celeba64, "
                     "lsun128, fashion, fashion-small");
    ck_assert_int_eq(settings.data.width, 77);
    ck_assert_ptr_null(dd_preset_find(""));
}
END_TEST

/* Combinations that are refused: changes to "toy" and two texts of the message; NULL for those that
 * are valid. */
static const struct {
    const char *changes[4][2];
    const char *names[2];
} combinations[] = {
    {{{"diffusion.beta_min", "0.1"}}, {"diffusion.beta_min is 0.1", "diffusion.beta_max"}},
    {{{"diffusion.beta_min", "0.2"}}, {"diffusion.beta_min is 0.2", "diffusion.beta_max"}},
    {{{"diffusion.beta_min", "0.0999"}}, {NULL, NULL}},
    {{{"diffusion.schedule", "geometric"}, {"diffusion.beta_max", "1"}},
     {"diffusion.schedule", "diffusion.beta_max is 1;"}},
    {{{"diffusion.schedule", "geometric"}, {"diffusion.beta_max", "0.999"}}, {NULL, NULL}},
    {{{"diffusion.grid", "lsun"}, {"diffusion.timesteps", "1"}},
     {"diffusion.grid", "diffusion.timesteps is 1;"}},
    {{{"diffusion.grid", "lsun"}, {"diffusion.timesteps", "2"}}, {NULL, NULL}},
    {{{"diffusion.grid", "lsun"}, {"diffusion.timesteps", "501"}}, {NULL, NULL}},
    {{{"diffusion.grid", "lsun"}, {"diffusion.timesteps", "502"}},
     {"diffusion.grid", "diffusion.timesteps is 502;"}},
    {{{"diffusion.timesteps", "1"}}, {NULL, NULL}},
    {{{"objective.reconstruction", "weighted_gaussian_nll"}, {"diffusion.timesteps", "1"}},
     {"objective.reconstruction", "diffusion.timesteps is 1;"}},
    {{{"objective.reconstruction", "weighted_gaussian_nll"}, {"diffusion.timesteps", "2"}},
     {NULL, NULL}},
    {{{"network.family", "ncsnpp"}}, {"data.image_size is 0", "8, 16, 32, 64 or 128"}},
    {{{"network.family", "ncsnpp"}, {"data.image_size", "48"}},
     {"data.image_size is 48", "8, 16, 32, 64 or 128"}},
    {{{"network.family", "ncsnpp"}, {"data.image_size", "4"}},
     {"data.image_size is 4", "8, 16, 32, 64 or 128"}},
    {{{"network.family", "ncsnpp"}, {"data.image_size", "8"}}, {NULL, NULL}},
    {{{"network.family", "ncsnpp"}, {"data.image_size", "8"}, {"image.patch", "3"}},
     {"image.patch is 3", "1, 2 or 4"}},
    {{{"network.family", "ncsnpp"},
      {"data.image_size", "8"},
      {"image.fir_kernel", "[1, 1, 1, 1, 1, 1, 1, 1, 1]"}},
     {"image.fir_kernel has 9 taps", "2 to 8"}},
    {{{"data.image_size", "8"}, {"data.padding", "4"}},
     {"data.image_size is 8 and data.padding 4", "twice the second"}},
    {{{"diffusion.schedule", "karras"},
      {"diffusion.sigma_min", "0.5"},
      {"diffusion.sigma_max", "0.5"}},
     {"diffusion.sigma_min is 0.5", "the first must be smaller"}},
    {{{"diffusion.schedule", "levels"},
      {"diffusion.timesteps", "1"},
      {"diffusion.levels", "[0.1, 1]"},
      {"diffusion.sigma_max", "0.001"}},
     {NULL, NULL}},
    {{{"diffusion.fit", "true"}}, {"diffusion.fit is true", "diffusion.schedule vp"}},
    {{{"diffusion.fit", "true"}, {"diffusion.schedule", "geometric"}},
     {"diffusion.fit is true", "geometric do not read"}},
    {{{"diffusion.fit", "true"}, {"diffusion.schedule", "log_snr"}}, {NULL, NULL}},
    {{{"diffusion.adapt", "divergence"}}, {"diffusion.adapt needs diffusion.schedule", "levels"}},
    {{{"network.family", "ncsnpp"}, {"data.image_size", "128"}, {"encoder.feature_layers", "[]"}},
     {NULL, NULL}},
    {{{"network.family", "ncsnpp"},
      {"data.image_size", "8"},
      {"energy.multipliers", "[1, 1, 1, 1, 1]"}},
     {"energy.multipliers has 5 resolutions", "from 1 to 4"}},
    {{{"network.family", "ncsnpp"},
      {"data.image_size", "8"},
      {"generator.multipliers", "[1, 1, 1, 1]"}},
     {NULL, NULL}},
    {{{"network.family", "ncsnpp"}, {"data.image_size", "8"}, {"generator.multipliers", "[]"}},
     {"generator.multipliers has 0 resolutions", "from 1 to 4"}},
    {{{"network.family", "ncsnpp"}, {"data.image_size", "8"}, {"generator.channels", "18"}},
     {"generator.channels is 18", "layers of 18 channels"}},
    {{{"network.family", "ncsnpp"}, {"data.image_size", "8"}, {"energy.channels", "100"}},
     {"energy.channels is 100", "layers of 200 channels"}},
    {{{"network.family", "ncsnpp"}, {"data.image_size", "8"}, {"energy.channels", "6"}},
     {"energy.channels is 6", "layers of 18"}},
    {{{"network.family", "ncsnpp"}, {"data.image_size", "8"}, {"image.fir_kernel", "[1]"}},
     {"image.fir_kernel has 1 taps", "2 to 8"}},
    {{{"network.family", "ncsnpp"}, {"data.image_size", "8"}, {"image.fir_kernel", "[0, 0]"}},
     {"sum to 0", "2 to 8"}},
    {{{"network.family", "ncsnpp"}, {"data.image_size", "8"}, {"image.fir_kernel", "[0, 1, 0]"}},
     {NULL, NULL}},
    {{{"encoder.kind", "large"}, {"training.batch", "6"}}, {NULL, NULL}},
    {{{"network.family", "ncsnpp"},
      {"data.image_size", "8"},
      {"encoder.kind", "large"},
      {"training.batch", "6"}},
     {"training.batch is 6", "encoder.kind large"}},
    {{{"network.family", "ncsnpp"},
      {"data.image_size", "8"},
      {"encoder.kind", "large"},
      {"training.batch", "3"}},
     {NULL, NULL}},
    {{{"encoder.feature_layers", "[]"}}, {"encoder.feature_layers", "network.family"}},
    {{{"energy.feature_layers", "[]"}, {"generator.hidden_layers", "[]"}}, {NULL, NULL}},
    {{{"optimizer.rate_schedule", "cosine"}, {"optimizer.energy_rate", "1e-6"}},
     {"optimizer.final_rate", "optimizer.energy_rate"}},
    {{{"optimizer.rate_schedule", "cosine"}, {"optimizer.generator_rate", "1e-6"}},
     {"optimizer.final_rate", "optimizer.generator_rate"}},
    {{{"optimizer.rate_schedule", "cosine"}, {"optimizer.final_rate", "1e-4"}}, {NULL, NULL}},
    {{{"optimizer.rate_schedule", "constant"}, {"optimizer.energy_rate", "1e-6"}}, {NULL, NULL}},
};

START_TEST(values_must_fit_together) {
    dd_settings settings = preset("toy");
    for (size_t c = 0; c < 4 && combinations[_i].changes[c][0]; c++)
        set(&settings, combinations[_i].changes[c][0], combinations[_i].changes[c][1]);
    ddaebm_status status = dd_settings_check(&settings);
    if (!combinations[_i].names[0]) {
        ck_assert_msg(status == DDAEBM_OK, "%s", ddaebm_error_message());
        return;
    }
    ck_assert_int_eq(status, DDAEBM_OUT_OF_RANGE);
    for (size_t n = 0; n < 2; n++)
        ck_assert_msg(strstr(ddaebm_error_message(), combinations[_i].names[n]) != NULL, "%s",
                      ddaebm_error_message());
}
END_TEST

int main(void) {
    Suite *suite = suite_create("config/presets");
    TCase *tests = tcase_create("presets");
    tcase_add_test(tests, every_preset_is_a_list_of_changes_to_an_earlier_one);
    tcase_add_test(tests, every_preset_fits_together);
    tcase_add_test(tests, toy_is_the_published_configuration);
    tcase_add_test(tests, points_and_vector_end_in_noise);
    tcase_add_test(tests, an_unknown_preset_lists_those_there_are);
    tcase_add_loop_test(tests, values_must_fit_together, 0,
                        (int)(sizeof combinations / sizeof *combinations));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
