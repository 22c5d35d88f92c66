/* The published training loop written out: the program calls the stages of a step and sets the
 * learning rate itself. Another trainer calls ddaebm_trainer_step; after every step the weights of
 * both are the same, to the bit: 08_published_loop [STEPS] */
#include <ddaebm/ddaebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Leaves the function if a call failed. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != DDAEBM_OK)                                                                   \
            goto cleanup;                                                                          \
    } while (0)

static const double first_rate = 1e-4, final_rate = 1e-5;

/* From first to final, down half a cosine. */
static double rate_at(uint64_t step, uint64_t steps) {
    const double pi = 3.14159265358979323846;
    return final_rate +
           (first_rate - final_rate) * (1 + cos(pi * ((double)step / (double)steps))) / 2;
}

/* One step. Between two of these lines stands whatever a loop of one's own adds. */
static ddaebm_status one_step(ddaebm_trainer *trainer, uint64_t steps,
                              ddaebm_step_statistics *statistics) {
    ddaebm_status status;
    /* the configuration's rates are 1, so the factor is the rate; "" are all weights of all
     * networks */
    TRY(ddaebm_trainer_set_rate_factor(trainer, "", rate_at(ddaebm_trainer_steps(trainer), steps)));
    TRY(ddaebm_trainer_energy_gradients(trainer)); /* a batch; f(G) - f(data) + gradient penalty */
    TRY(ddaebm_trainer_energy_update(trainer));    /* Adam */
    TRY(ddaebm_trainer_generator_gradients(trainer)); /* the same batch, the energy as it is now */
    TRY(ddaebm_trainer_generator_update(trainer, statistics));
cleanup:
    return status;
}

/* 1 if all weights of both are the same bits. */
static int same_weights(ddaebm_trainer *a, ddaebm_trainer *b) {
    for (int network = DDAEBM_NETWORK_ENERGY; network <= DDAEBM_NETWORK_ENCODER; network++) {
        float *of_a = NULL, *of_b = NULL;
        size_t elements = 0;
        if (ddaebm_trainer_weights(a, (ddaebm_network)network, &of_a, &elements) != DDAEBM_OK ||
            ddaebm_trainer_weights(b, (ddaebm_network)network, &of_b, &elements) != DDAEBM_OK ||
            memcmp(of_a, of_b, elements * sizeof *of_a) != 0)
            return 0;
    }
    return 1;
}

/* Both begin at the same weights and see the same data. */
static ddaebm_status make(ddaebm_trainer **out, const ddaebm_dataset *dataset, uint64_t steps,
                          int by_hand) {
    ddaebm_config *config = NULL;
    ddaebm_model *start = NULL;
    ddaebm_status status;

    TRY(ddaebm_config_create(&config, NULL,
                             "toy")); /* the published configuration in two dimensions */
    TRY(ddaebm_config_set_integer(config, "training.steps", (int64_t)steps));
    TRY(ddaebm_config_set(config, "optimizer.rate_schedule", by_hand ? "constant" : "cosine"));
    TRY(ddaebm_config_set_real(config, "optimizer.final_rate", final_rate));
    TRY(ddaebm_config_set_real(config, "optimizer.energy_rate", by_hand ? 1 : first_rate));
    TRY(ddaebm_config_set_real(config, "optimizer.generator_rate", by_hand ? 1 : first_rate));
    TRY(ddaebm_model_create(&start, NULL, config, 1));
    TRY(ddaebm_trainer_create(out, start, dataset, 1));

cleanup:
    ddaebm_model_free(start);
    ddaebm_config_free(config);
    return status;
}

static ddaebm_status train(uint64_t steps, int *same) {
    ddaebm_step_statistics statistics = DDAEBM_STEP_STATISTICS_INIT;
    ddaebm_dataset *dataset = NULL;
    ddaebm_trainer *library = NULL, *own = NULL;
    ddaebm_status status;

    TRY(ddaebm_dataset_create_named(&dataset, NULL, "25gaussians", 1));
    TRY(make(&library, dataset, steps, 0));
    TRY(make(&own, dataset, steps, 1));

    for (*same = 1; *same && ddaebm_trainer_steps(own) < steps;) {
        TRY(ddaebm_trainer_step(library, NULL));
        TRY(one_step(own, steps, &statistics));
        *same = same_weights(library, own);
        if (statistics.step % 100 == 0 || statistics.step == steps || !*same)
            printf("step %llu: energy loss %.3f, generator loss %.3f, weights %s\n",
                   (unsigned long long)statistics.step, statistics.energy_loss,
                   statistics.generator_loss, *same ? "equal to the bit" : "DIFFER");
    }

cleanup:
    ddaebm_trainer_free(own);
    ddaebm_trainer_free(library);
    ddaebm_dataset_free(dataset);
    return status;
}

int main(int argc, char **argv) {
    long steps = argc > 1 ? strtol(argv[1], NULL, 10) : 500;
    int same = 0;
    if (train((uint64_t)(steps > 0 ? steps : 1), &same) == DDAEBM_OK)
        return same ? EXIT_SUCCESS : EXIT_FAILURE;
    fprintf(stderr, "%s\n", ddaebm_error_message());
    return EXIT_FAILURE;
}
