/* The table of keys: names, meanings, bounds, fields, and the order of choices. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include "config/keys.h"

#include "config/key_parse.h"
#include "config/key_print.h"
#include "support/harness.h"

static dd_settings initial(void) {
    dd_settings settings = {0};
    for (size_t i = 0; i < dd_key_count(); i++)
        ck_assert_int_eq(dd_key_set_text(dd_key_at(i), &settings, dd_key_at(i)->initial),
                         DDAEBM_OK);
    return settings;
}

START_TEST(names_are_unique_short_and_have_one_dot) {
    ck_assert_uint_ge(dd_key_count(), 1);
    for (size_t i = 0; i < dd_key_count(); i++) {
        const dd_key *key = dd_key_at(i);
        ck_assert_uint_lt(strlen(key->name), DD_NAME_ROOM);
        ck_assert_ptr_nonnull(strchr(key->name, '.'));
        ck_assert_ptr_eq(strchr(key->name, '.'), strrchr(key->name, '.'));
        ck_assert_ptr_eq(dd_key_find(key->name), key); /* so no earlier key has this name */
        ck_assert(!dd_key_is_group(key->name));
    }
}
END_TEST

START_TEST(every_key_has_a_sentence_and_sane_bounds) {
    for (size_t i = 0; i < dd_key_count(); i++) {
        const dd_key *key = dd_key_at(i);
        size_t length = strlen(key->meaning);
        ck_assert(length > 10 && key->meaning[length - 1] == '.' && key->meaning[0] >= 'A' &&
                  key->meaning[0] <= 'Z');
        ck_assert((key->type == DDAEBM_TYPE_CHOICE) == (key->choices != NULL));
        bool list = key->type == DDAEBM_TYPE_INTEGERS || key->type == DDAEBM_TYPE_REALS;
        ck_assert(list == (key->most_elements > 0));
        ck_assert_uint_le(key->most_elements,
                          key->type == DDAEBM_TYPE_REALS ? DD_MOST_REALS : DD_MOST_INTEGERS);
        ck_assert(isfinite(key->least) && isfinite(key->most));
        ck_assert(key->least <= key->most && fabs(key->least) < 0x1p53 && fabs(key->most) < 0x1p53);
    }
}
END_TEST

START_TEST(fields_do_not_overlap) {
    dd_settings settings = initial();
    const size_t sizes[] = {sizeof(bool),    sizeof(int64_t),     sizeof(double),
                            sizeof(int64_t), sizeof(dd_integers), sizeof(dd_reals)};
    bool taken[sizeof settings] = {false};
    for (size_t i = 0; i < dd_key_count(); i++) {
        const dd_key *key = dd_key_at(i);
        ck_assert_uint_le(key->offset + sizes[key->type], sizeof settings);
        for (size_t byte = 0; byte < sizes[key->type]; byte++) {
            ck_assert_msg(!taken[key->offset + byte], "%s", key->name);
            taken[key->offset + byte] = true;
        }
    }
}
END_TEST

/* The words in keys.c are in the order of the enumerators in settings.h. */
START_TEST(choices_stand_in_the_order_of_their_enumerations) {
    const struct {
        const char *key, *word;
        int64_t value;
    } rows[] = {
        {"data.standardize", "always", DD_STANDARDIZE_ALWAYS},
        {"data.standardize", "files", DD_STANDARDIZE_FILES},
        {"data.standardize", "never", DD_STANDARDIZE_NEVER},
        {"diffusion.schedule", "vp", DD_SCHEDULE_VP},
        {"diffusion.schedule", "geometric", DD_SCHEDULE_GEOMETRIC},
        {"diffusion.grid", "uniform", DD_GRID_UNIFORM},
        {"diffusion.grid", "lsun", DD_GRID_LSUN},
        {"diffusion.precision", "float32", DD_PRECISION_FLOAT32},
        {"diffusion.precision", "float64", DD_PRECISION_FLOAT64},
        {"network.family", "mlp", DD_FAMILY_MLP},
        {"energy.norm", "none", DD_NORM_NONE},
        {"generator.norm", "batch", DD_NORM_BATCH},
        {"encoder.activation", "prelu", DD_ACTIVATION_PRELU},
        {"energy.activation", "silu", DD_ACTIVATION_SILU},
        {"objective.divergence", "jeffrey", DD_DIVERGENCE_JEFFREY},
        {"objective.divergence", "reverse_kl", DD_DIVERGENCE_REVERSE_KL},
        {"objective.divergence", "forward_kl", DD_DIVERGENCE_FORWARD_KL},
        {"objective.divergence", "none", DD_DIVERGENCE_NONE},
        {"objective.kind", "energy", DD_OBJECTIVE_ENERGY},
        {"objective.kind", "logistic", DD_OBJECTIVE_LOGISTIC},
        {"diffusion.schedule", "log_snr", DD_SCHEDULE_LOG_SNR},
        {"diffusion.schedule", "levels", DD_SCHEDULE_LEVELS},
        {"diffusion.adapt", "divergence", DD_ADAPT_DIVERGENCE},
        {"diffusion.adapt", "reconstruction", DD_ADAPT_RECONSTRUCTION},
        {"diffusion.adapt", "energy_gap", DD_ADAPT_ENERGY_GAP},
        {"objective.reconstruction", "gaussian_nll", DD_RECONSTRUCTION_GAUSSIAN_NLL},
        {"objective.reconstruction", "weighted_gaussian_nll",
         DD_RECONSTRUCTION_WEIGHTED_GAUSSIAN_NLL},
        {"objective.reconstruction", "mse_prior", DD_RECONSTRUCTION_MSE_PRIOR},
        {"objective.reconstruction", "mse_posterior", DD_RECONSTRUCTION_MSE_POSTERIOR},
        {"optimizer.rate_schedule", "constant", DD_RATE_CONSTANT},
        {"optimizer.rate_schedule", "cosine", DD_RATE_COSINE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dd_settings settings = initial();
        const dd_key *key = dd_key_find(rows[i].key);
        ck_assert_ptr_nonnull(key);
        ck_assert_int_eq(dd_key_set_text(key, &settings, rows[i].word), DDAEBM_OK);
        ck_assert_msg(dd_key_integer(key, &settings) == rows[i].value, "%s = %s", rows[i].key,
                      rows[i].word);
    }
}
END_TEST

/* The dictionary of the fuzzer has every key, as "\"NAME\":", and every word, as "\"WORD\"". */
START_TEST(the_fuzzers_dictionary_is_complete) {
    enum { MOST = 1 << 16 };
    char *dictionary = calloc(1, MOST), entry[128];
    (void)get_file(TEST_DATA "/../fuzz/config.dict", dictionary, MOST - 1);
    for (size_t i = 0; i < dd_key_count(); i++) {
        const dd_key *key = dd_key_at(i);
        (void)snprintf(entry, sizeof entry, "\"\\\"%s\\\":\"\n", key->name);
        ck_assert_msg(strstr(dictionary, entry) != NULL, "no %s", key->name);
        for (const char *word = key->choices; word; word = strchr(word, '|')) {
            word += *word == '|';
            (void)snprintf(entry, sizeof entry, "\"\\\"%.*s\\\"\"\n", (int)strcspn(word, "|"),
                           word);
            ck_assert_msg(strstr(dictionary, entry) != NULL, "no %s", entry);
        }
    }
    free(dictionary);
}
END_TEST

int main(void) {
    return RUN_TESTS("config/keys", names_are_unique_short_and_have_one_dot,
                     every_key_has_a_sentence_and_sane_bounds, fields_do_not_overlap,
                     choices_stand_in_the_order_of_their_enumerations,
                     the_fuzzers_dictionary_is_complete);
}
