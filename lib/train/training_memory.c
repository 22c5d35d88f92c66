/* The memory that training takes, from the configuration alone. */
#include "base/arithmetic.h"
#include "base/error.h"
#include "train/trainer.h"

/* Weights and statistics of the model. */
static size_t model_memory(const dd_parameters *parameters) {
    size_t numbers = 0;
    for (int n = 0; n < DD_NETWORKS; n++)
        numbers += parameters->totals[n][DD_ROLE_WEIGHT] + parameters->totals[n][DD_ROLE_STATISTIC];
    return numbers * sizeof(float);
}

ddaebm_status ddaebm_config_training_memory(const ddaebm_config *config, ddaebm_context *context,
                                            size_t *bytes) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(config);
    DD_REQUIRE(bytes);
    ddaebm_model *model = NULL;
    size_t step = 0;
    ddaebm_status status = dd_model_create_blank(&model, context, config);
    if (status != DDAEBM_OK)
        return status;

    const dd_settings *settings = dd_model_settings(model);
    DD_TRY(dd_planned_step_memory(&step, model));
    *bytes = step + dd_batch_memory(settings) + model_memory(&model->parameters) +
             dd_optimizer_memory(settings, &model->parameters);
cleanup:
    ddaebm_model_free(model);
    return status;
}
