/* Trains on 25 Gaussians, keeps the model in points.safetensors and prints five samples:
 * 01_train_and_sample [STEPS] */
#include <ddaebm/ddaebm.h>

#include <stdio.h>
#include <stdlib.h>

/* Leaves main's work if a call failed. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        if ((call) != DDAEBM_OK)                                                                   \
            goto failed;                                                                           \
    } while (0)

static int report(void *user, const ddaebm_step_statistics *statistics, uint64_t last) {
    (void)user;
    if (statistics->step % 500 == 0 || statistics->step == last)
        printf("step %llu of %llu: energy loss %.3f, generator loss %.3f\n",
               (unsigned long long)statistics->step, (unsigned long long)last,
               statistics->energy_loss, statistics->generator_loss);
    return 0; /* anything else would cancel */
}

int main(int argc, char **argv) {
    enum { SAMPLES = 5, SEED = 1 };
    const char *steps = argc > 1 ? argv[1] : "3000";
    ddaebm_config *config = NULL;
    ddaebm_dataset *dataset = NULL;
    ddaebm_model *model = NULL;
    ddaebm_sampler *sampler = NULL;
    float samples[SAMPLES][2];
    int code = EXIT_SUCCESS;

    TRY(ddaebm_config_create(&config, NULL, "points"));
    TRY(ddaebm_config_set(config, "training.steps",
                          steps)); /* the learning rate falls until then */
    TRY(ddaebm_dataset_create_named(&dataset, NULL, "25gaussians", SEED));
    TRY(ddaebm_train(&model, NULL, config, dataset, SEED, report, NULL));
    TRY(ddaebm_model_save(model, "points.safetensors"));

    TRY(ddaebm_sampler_create(&sampler, model));
    TRY(ddaebm_sampler_draw(sampler, SEED, 0, SAMPLES, &samples[0][0]));
    for (int i = 0; i < SAMPLES; i++)
        printf("sample %d: %7.3f %7.3f\n", i, (double)samples[i][0], (double)samples[i][1]);
    goto cleanup;

failed:
    fprintf(stderr, "%s\n", ddaebm_error_message());
    code = EXIT_FAILURE;
cleanup:
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
    ddaebm_config_free(config);
    return code;
}
