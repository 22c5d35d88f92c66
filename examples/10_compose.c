/* Two models multiplied. One has learned rows of points, the other columns; samples of the first
 * are refined with the second as guidance, so that they follow the product of both densities: spots
 * where rows and columns meet. Printed is the total variation between where samples lie and the
 * product of the densities on a grid, without refinement and with it: 10_compose [STEPS] */
#include <ddaebm/ddaebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Leaves the function if a call failed. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != DDAEBM_OK)                                                                   \
            goto cleanup;                                                                          \
    } while (0)

enum { POINTS = 4096, SAMPLES = 10000, REFINE_STEPS = 40 };

/* The grid has CELLS x CELLS cells between -REACH and REACH, each of which is integrated on FINE x
 * FINE points. */
enum { CELLS = 20, FINE = 8, SIDE = CELLS * FINE };
#define REACH 4.0

static double uniform(void) {
    return (rand() + 0.5) / (RAND_MAX + 1.0);
}

static double normal(void) {
    return sqrt(-2 * log(uniform())) * cos(6.28318530717958648 * uniform());
}

/* Points that lie anywhere along one axis and, across it, near -1.5, 0 or 1.5. */
static ddaebm_status make_stripes(ddaebm_dataset **out, int across) {
    static float points[POINTS][2];
    for (int i = 0; i < POINTS; i++) {
        points[i][1 - across] = (float)(1.2 * normal());
        points[i][across] = (float)(1.5 * (i % 3 - 1) + 0.3 * normal());
    }
    return ddaebm_dataset_create_rows(out, NULL, &points[0][0], POINTS, 2);
}

static ddaebm_status learn(ddaebm_model **out, int across, uint64_t steps) {
    ddaebm_config *config = NULL;
    ddaebm_dataset *dataset = NULL;
    ddaebm_status status;

    TRY(make_stripes(&dataset, across));
    TRY(ddaebm_config_create(&config, NULL, "points"));
    TRY(ddaebm_config_set_integer(config, "training.steps", (int64_t)steps));
    TRY(ddaebm_config_set(config, "optimizer.ema_decay", "0.95"));
    TRY(ddaebm_config_set(config, "diffusion.sigma_min", "0.1"));
    TRY(ddaebm_config_set(config, "energy.hidden_layers", "[64, 64]"));
    TRY(ddaebm_config_set(config, "generator.hidden_layers", "[64, 64]"));
    TRY(ddaebm_config_set(config, "encoder.hidden_layers", "[64, 64]"));
    TRY(ddaebm_train(out, NULL, config, dataset, 1, NULL, NULL));

cleanup:
    ddaebm_config_free(config);
    ddaebm_dataset_free(dataset);
    return status;
}

/* The other model, as guidance: log-densities add where densities multiply. */
typedef struct other {
    ddaebm_scorer *scorer;
    float *scores; /* for a batch, which has no more rows than ddaebm_sampler_block */
} other;

static ddaebm_status multiply(void *user, const ddaebm_guidance_batch *batch, double *log_densities,
                              double *gradients) {
    const other *self = user;
    ddaebm_status status;
    TRY(ddaebm_scorer_score_double(self->scorer, DDAEBM_SCORE_ENERGY, batch->rows, batch->count,
                                   batch->timestep, self->scores));
    TRY(ddaebm_scorer_gradient_double(self->scorer, batch->rows, batch->count, batch->timestep,
                                      gradients));
    for (size_t i = 0; i < batch->count; i++)
        log_densities[i] = self->scores[i];
cleanup:
    return status;
}

/* The product of two models' densities: the probability of each cell. */
static ddaebm_status integrate(ddaebm_scorer *const scorers[2], double cells[CELLS][CELLS]) {
    static float points[SIDE][SIDE][2], scores[2][SIDE][SIDE];
    double highest = -INFINITY, sum = 0;
    ddaebm_status status;

    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            points[y][x][0] = (float)(REACH * ((2 * x + 1.0) / SIDE - 1));
            points[y][x][1] = (float)(REACH * ((2 * y + 1.0) / SIDE - 1));
        }

    for (int i = 0; i < 2; i++)
        TRY(ddaebm_scorer_score(scorers[i], DDAEBM_SCORE_ENERGY, &points[0][0][0], SIDE * SIDE, 0,
                                &scores[i][0][0]));

    for (int i = 0; i < SIDE * SIDE; i++)
        highest = fmax(highest, (double)scores[0][i / SIDE][i % SIDE] +
                                    (double)scores[1][i / SIDE][i % SIDE]);

    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            double density = exp((double)scores[0][y][x] + (double)scores[1][y][x] - highest);
            cells[y / FINE][x / FINE] += density;
            sum += density;
        }

    for (int i = 0; i < CELLS * CELLS; i++)
        cells[i / CELLS][i % CELLS] /= sum;

cleanup:
    return status;
}

/* Half the sum of the differences of each cell's fraction of the samples from its probability. */
static double total_variation(float samples[SAMPLES][2], double cells[CELLS][CELLS]) {
    double found[CELLS][CELLS] = {{0}}, sum = 0, outside = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double x = (samples[i][0] / REACH + 1) / 2 * CELLS,
               y = (samples[i][1] / REACH + 1) / 2 * CELLS;
        if (x >= 0 && x < CELLS && y >= 0 && y < CELLS)
            found[(int)y][(int)x] += 1.0 / SAMPLES;
        else
            outside += 1.0 / SAMPLES;
    }
    for (int i = 0; i < CELLS * CELLS; i++)
        sum += fabs(found[i / CELLS][i % CELLS] - cells[i / CELLS][i % CELLS]);
    return (sum + outside) / 2;
}

/* What it would be on average if the samples were independent draws of the product: a fraction of n
 * draws with probability p differs from p by sqrt(2 p (1 - p) / pi n). */
static double least_variation(double cells[CELLS][CELLS]) {
    double sum = 0;
    for (int i = 0; i < CELLS * CELLS; i++) {
        double p = cells[i / CELLS][i % CELLS];
        sum += sqrt(2 * p * (1 - p) / (3.14159265358979324 * SAMPLES));
    }
    return sum / 2;
}

/* What is printed: total variations, and the acceptance rate. */
typedef struct figures {
    double plain, refined, least, acceptance;
} figures;

/* Draws without refinement and with it. */
static ddaebm_status compose(ddaebm_model *const models[2], figures *out) {
    static float samples[SAMPLES][2];
    static double cells[CELLS][CELLS];
    ddaebm_scorer *scorers[2] = {NULL, NULL};
    ddaebm_sampler *sampler = NULL;
    other second = {NULL, NULL};
    ddaebm_status status;
    TRY(ddaebm_scorer_create(&scorers[0], models[0]));
    TRY(ddaebm_scorer_create(&scorers[1], models[1]));
    TRY(integrate(scorers, cells));

    TRY(ddaebm_sampler_create(&sampler, models[0]));
    TRY(ddaebm_sampler_draw(sampler, 1, 0, SAMPLES, &samples[0][0]));
    out->plain = total_variation(samples, cells);

    second.scorer = scorers[1];
    second.scores = malloc(ddaebm_sampler_block(sampler) * sizeof *second.scores);
    TRY(second.scores ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY);
    TRY(ddaebm_sampler_set_guidance(sampler, multiply, &second));
    TRY(ddaebm_sampler_set_refinement(sampler, REFINE_STEPS, ddaebm_model_timesteps(models[0])));
    TRY(ddaebm_sampler_draw(sampler, 1, 0, SAMPLES, &samples[0][0]));
    TRY(ddaebm_sampler_acceptance(sampler, &out->acceptance));
    out->refined = total_variation(samples, cells);
    out->least = least_variation(cells);
cleanup:
    free(second.scores);
    ddaebm_sampler_free(sampler);
    ddaebm_scorer_free(scorers[0]);
    ddaebm_scorer_free(scorers[1]);
    return status;
}

int main(int argc, char **argv) {
    long steps = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
    uint64_t asked = (uint64_t)(steps > 0 ? steps : 1);
    ddaebm_model *models[2] = {NULL, NULL};
    figures found = {1, 1, 1, 0};
    ddaebm_status status;

    srand(1);
    TRY(learn(&models[0], 1, asked));
    TRY(learn(&models[1], 0, asked));
    TRY(compose(models, &found));
    printf("total variation to the product of both: %.3f as drawn, %.3f refined (%.0f%% of the "
           "proposals accepted), %.3f at best\n",
           found.plain, found.refined, 100 * found.acceptance, found.least);

cleanup:
    ddaebm_model_free(models[0]);
    ddaebm_model_free(models[1]);
    if (status != DDAEBM_OK)
        fprintf(stderr, "%s\n", ddaebm_error_message());
    return status == DDAEBM_OK && found.refined < 2 * found.least && found.refined < found.plain
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
