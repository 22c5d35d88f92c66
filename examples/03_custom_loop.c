/* A custom training loop: step by step, with gradients clipped before each update, on data
 * that the program makes (08 goes on to the stages of a step): 03_custom_loop [STEPS] */
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

/* Scales a network's gradient down to the norm that user points to. */
static ddaebm_status clip(void *user, ddaebm_network network, float *gradients, size_t elements) {
    const double *most = user;
    double sum = 0;
    (void)network; /* the same for all three */
    for (size_t i = 0; i < elements; i++)
        sum += (double)gradients[i] * (double)gradients[i];
    double norm = sqrt(sum);
    if (norm > *most)
        for (size_t i = 0; i < elements; i++)
            gradients[i] = (float)(gradients[i] * (*most / norm));
    return DDAEBM_OK; /* anything else would stop the step before its update */
}

/* A ring with ripples, without end: row i is a function of i alone, so a run can be repeated and
 * resumed. */
static ddaebm_status read_ring(void *user, uint64_t first, size_t count, float *out) {
    (void)user;
    for (size_t i = 0; i < count; i++) {
        double turn = fmod((double)(first + i) * 0.6180339887498949, 1.0) * 6.283185307179586;
        double radius = 1 + 0.1 * sin(8 * turn);
        out[2 * i] = (float)(radius * cos(turn));
        out[2 * i + 1] = (float)(radius * sin(turn));
    }
    return DDAEBM_OK;
}

static ddaebm_status train(uint64_t steps) {
    ddaebm_source ring = DDAEBM_SOURCE_INIT;
    ring.width = 2;
    ring.read = read_ring;
    ddaebm_step_statistics statistics = DDAEBM_STEP_STATISTICS_INIT;
    double most_norm = 10;
    ddaebm_config *config = NULL;
    ddaebm_dataset *dataset = NULL;
    ddaebm_model *start = NULL, *model = NULL;
    ddaebm_trainer *trainer = NULL;
    ddaebm_status status;
    TRY(ddaebm_config_create(&config, NULL, "points"));
    TRY(ddaebm_config_set_integer(config, "training.steps", (int64_t)steps));
    TRY(ddaebm_config_set(config, "energy.hidden_layers", "[128, 128]"));
    TRY(ddaebm_dataset_create_source(&dataset, NULL, &ring));
    TRY(ddaebm_model_create(&start, NULL, config, 1));
    TRY(ddaebm_trainer_create(&trainer, start, dataset, 1));
    TRY(ddaebm_trainer_set_gradient_hook(trainer, clip, &most_norm));

    while (ddaebm_trainer_steps(trainer) < steps) {
        TRY(ddaebm_trainer_step(trainer, &statistics));
        if (statistics.step % 100 == 0 || statistics.step == steps)
            printf("step %llu: learning rate %.2e, energy loss %.3f, penalty %.3f, generator loss "
                   "%.3f\n",
                   (unsigned long long)statistics.step, statistics.learning_rate,
                   statistics.energy_loss, statistics.penalty, statistics.generator_loss);
    }

    TRY(ddaebm_trainer_snapshot(&model, trainer));
    TRY(ddaebm_model_save(model, "ring.safetensors"));

cleanup:
    ddaebm_model_free(model);
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(start);
    ddaebm_dataset_free(dataset);
    ddaebm_config_free(config);
    return status;
}

int main(int argc, char **argv) {
    long steps = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
    if (train((uint64_t)(steps > 0 ? steps : 1)) == DDAEBM_OK)
        return EXIT_SUCCESS;
    fprintf(stderr, "%s\n", ddaebm_error_message());
    return EXIT_FAILURE;
}
