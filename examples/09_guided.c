/* A loss that the library does not ship: the generator is charged for points on the wrong side of a
 * line. Trained without and with it on the same data; how many samples lie on the right side is
 * printed: 09_guided [STEPS] */
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

/* The right side of the line: normal[0] x + normal[1] y > 0. */
typedef struct guide {
    float normal[2];
    float weight; /* of the loss */
} guide;

/* L = weight / count * sum of softplus(-s), s being the signed distance of a sample; dL/ds =
 * -weight / count * sigmoid(-s). */
static ddaebm_status keep_to_one_side(void *user, const ddaebm_generated_batch *batch,
                                      float *gradients) {
    const guide *g = user;
    for (size_t i = 0; i < batch->count; i++) {
        const float *sample = batch->samples + i * batch->width;
        float distance = g->normal[0] * sample[0] + g->normal[1] * sample[1];
        float slope = -g->weight / (float)batch->count / (1 + expf(distance));
        gradients[i * batch->width] = slope * g->normal[0];
        gradients[i * batch->width + 1] = slope * g->normal[1];
    }
    return DDAEBM_OK; /* anything else would stop the step */
}

/* Trains, and draws samples of what came out. */
static ddaebm_status run(const guide *g, uint64_t steps, float *samples, size_t count) {
    ddaebm_config *config = NULL;
    ddaebm_dataset *dataset = NULL;
    ddaebm_model *start = NULL, *model = NULL;
    ddaebm_trainer *trainer = NULL;
    ddaebm_sampler *sampler = NULL;
    ddaebm_status status;

    TRY(ddaebm_config_create(&config, NULL, "points"));
    TRY(ddaebm_config_set_integer(config, "training.steps", (int64_t)steps));
    TRY(ddaebm_config_set(config, "training.calibrate", "false")); /* no scores are wanted here */
    TRY(ddaebm_config_set(config, "optimizer.ema_decay", "0.95"));
    TRY(ddaebm_config_set(config, "energy.hidden_layers", "[64, 64]"));
    TRY(ddaebm_config_set(config, "generator.hidden_layers", "[64, 64]"));
    TRY(ddaebm_config_set(config, "encoder.hidden_layers", "[64, 64]"));
    TRY(ddaebm_dataset_create_named(&dataset, NULL, "8gaussians", 1));
    TRY(ddaebm_model_create(&start, NULL, config, 1));
    TRY(ddaebm_trainer_create(&trainer, start, dataset, 1));
    if (g->weight > 0)
        TRY(ddaebm_trainer_set_sample_hook(trainer, keep_to_one_side, (void *)g));
    TRY(ddaebm_trainer_run(trainer, NULL, NULL));
    TRY(ddaebm_trainer_snapshot(&model, trainer));
    TRY(ddaebm_sampler_create(&sampler, model));
    TRY(ddaebm_sampler_draw(sampler, 1, 0, count, samples));

cleanup:
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(start);
    ddaebm_dataset_free(dataset);
    ddaebm_config_free(config);
    return status;
}

static double share_on_the_right_side(const guide *g, const float *samples, size_t count) {
    size_t right = 0;
    for (size_t i = 0; i < count; i++)
        right += g->normal[0] * samples[2 * i] + g->normal[1] * samples[2 * i + 1] > 0;
    return (double)right / (double)count;
}

int main(int argc, char **argv) {
    enum { SAMPLES = 2000 };
    static float samples[SAMPLES][2];
    const float weights[] = {0, 1, 10};
    long steps = argc > 1 ? strtol(argv[1], NULL, 10) : 2000;
    double shares[3];

    for (int i = 0; i < 3; i++) {
        guide g = {.normal = {0.8f, 0.6f}, .weight = weights[i]};
        if (run(&g, (uint64_t)(steps > 0 ? steps : 1), &samples[0][0], SAMPLES) != DDAEBM_OK) {
            fprintf(stderr, "%s\n", ddaebm_error_message());
            return EXIT_FAILURE;
        }
        shares[i] = share_on_the_right_side(&g, &samples[0][0], SAMPLES);
        printf("weight %4.1f: %5.1f%% of the samples lie where 0.8 x + 0.6 y > 0\n",
               (double)weights[i], 100 * shares[i]);
    }

    return shares[2] > shares[0] ? EXIT_SUCCESS : EXIT_FAILURE;
}
