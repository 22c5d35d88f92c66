/* A host's program: it trains for some steps, draws and scores, and prints the numbers bit for bit.
 * scripts/check-guest compares those of hosts that compile with other options. host.cpp does the
 * same. */
#include <ddaebm/ddaebm.h>

#include <stdio.h>
#include <string.h>

#define ROWS 32

static void print_bits(const float *numbers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, numbers + i, sizeof bits);
        printf("%08x\n", (unsigned)bits);
    }
}

/* Whether what is no number is found out, whatever the host's compiler takes for granted. */
static int finds_nan(ddaebm_scorer *scorer) {
    const uint32_t bits[2] = {0x7fc00000u, 0};
    float row[2], score;
    memcpy(row, bits, sizeof row);
    return ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, row, 1, 0, &score) == DDAEBM_NOT_FINITE;
}

int main(void) {
    ddaebm_config *config = NULL;
    ddaebm_dataset *dataset = NULL;
    ddaebm_model *start = NULL, *model = NULL;
    ddaebm_trainer *trainer = NULL;
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    float rows[2 * ROWS], scores[ROWS];

    int good = ddaebm_config_create(&config, NULL, "points") == DDAEBM_OK &&
               ddaebm_config_set_integer(config, "training.batch", 64) == DDAEBM_OK &&
               ddaebm_dataset_create_named(&dataset, NULL, "8gaussians", 1) == DDAEBM_OK &&
               ddaebm_model_create(&start, NULL, config, 1) == DDAEBM_OK &&
               ddaebm_trainer_create(&trainer, start, dataset, 1) == DDAEBM_OK &&
               ddaebm_trainer_run_until(trainer, 3, NULL, NULL) == DDAEBM_OK &&
               ddaebm_trainer_snapshot(&model, trainer) == DDAEBM_OK &&
               ddaebm_sampler_create(&sampler, model) == DDAEBM_OK &&
               ddaebm_scorer_create(&scorer, model) == DDAEBM_OK &&
               ddaebm_sampler_draw(sampler, 1, 0, ROWS, rows) == DDAEBM_OK &&
               ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, rows, ROWS, 0, scores) == DDAEBM_OK;
    if (!good) {
        fprintf(stderr, "%s\n", ddaebm_error_message());
    } else {
        print_bits(rows, 2 * ROWS);
        print_bits(scores, ROWS);
        good = finds_nan(scorer);
    }

    ddaebm_scorer_free(scorer);
    ddaebm_sampler_free(sampler);
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_model_free(start);
    ddaebm_dataset_free(dataset);
    ddaebm_config_free(config);
    return good ? 0 : 1;
}
