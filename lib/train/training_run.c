/* Whole runs: to a step, to the end, and from a configuration to a trained model. */
#include "base/error.h"
#include "train/trainer.h"

ddaebm_status ddaebm_trainer_run_until(ddaebm_trainer *trainer, uint64_t last,
                                       ddaebm_step_function progress, void *user) {
    DD_REQUIRE(trainer);
    ddaebm_step_statistics statistics = DDAEBM_STEP_STATISTICS_INIT;
    while (trainer->step < last) {
        ddaebm_status status = ddaebm_trainer_step(trainer, &statistics);
        if (status != DDAEBM_OK)
            return status;
        if (progress && progress(user, &statistics, last) != 0)
            return dd_fail(DDAEBM_CANCELLED, "training was cancelled after step %llu",
                           (unsigned long long)trainer->step);
    }
    return DDAEBM_OK;
}

ddaebm_status ddaebm_trainer_run(ddaebm_trainer *trainer, ddaebm_step_function progress,
                                 void *user) {
    DD_REQUIRE(trainer);
    uint64_t last = (uint64_t)dd_trainer_settings(trainer)->training.steps;
    return ddaebm_trainer_run_until(trainer, last, progress, user);
}

ddaebm_status ddaebm_train(ddaebm_model **out, ddaebm_context *context, const ddaebm_config *config,
                           const ddaebm_dataset *dataset, uint64_t seed,
                           ddaebm_step_function progress, void *user) {
    DD_REQUIRE(out);
    ddaebm_model *start = NULL;
    ddaebm_trainer *trainer = NULL;
    ddaebm_status status;
    DD_TRY(ddaebm_model_create(&start, context, config, seed));
    DD_TRY(ddaebm_trainer_create(&trainer, start, dataset, seed));
    DD_TRY(ddaebm_trainer_run(trainer, progress, user));
    DD_TRY(ddaebm_trainer_snapshot(out, trainer));

cleanup:
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(start);
    return status;
}
