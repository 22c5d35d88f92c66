/* Learning rates: that of a network by its schedule, times a factor for each weight. */
#include "train/trainer.h"

#include "base/arithmetic.h"
#include "base/error.h"

#include <string.h>

double dd_trainer_rate(const ddaebm_trainer *trainer, ddaebm_network network) {
    const dd_settings *settings = dd_trainer_settings(trainer);
    bool energy = network == DDAEBM_NETWORK_ENERGY;
    return dd_learning_rate(
        settings, energy ? settings->optimizer.energy_rate : settings->optimizer.generator_rate,
        trainer->step, (uint64_t)settings->training.steps);
}

ddaebm_status ddaebm_trainer_set_last_step(ddaebm_trainer *trainer, uint64_t steps) {
    DD_REQUIRE(trainer);
    return ddaebm_config_set_integer(trainer->model->config, "training.steps",
                                     steps > INT64_MAX ? INT64_MAX : (int64_t)steps);
}

ddaebm_status ddaebm_trainer_set_rate_factor(ddaebm_trainer *trainer, const char *prefix,
                                             double factor) {
    DD_REQUIRE(trainer);
    DD_REQUIRE(prefix);
    if (!(factor >= 0 && factor <= DD_MOST_RATE_FACTOR))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "factor is %g; allowed: 0 (frozen) to %g", factor,
                       DD_MOST_RATE_FACTOR);
    const dd_parameters *parameters = &trainer->model->parameters;
    size_t length = strlen(prefix), found = 0;

    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        if (p->role != DD_ROLE_WEIGHT || strncmp(p->name, prefix, length) != 0)
            continue;
        trainer->optimizer.adam[i].rate_factor = factor;
        found++;
    }

    return found ? DDAEBM_OK
                 : dd_fail(DDAEBM_NOT_FOUND, "the name of no trained weight begins with \"%.100s\"",
                           prefix);
}

ddaebm_status ddaebm_trainer_rate(const ddaebm_trainer *trainer, const char *name, double *rate) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(trainer);
    DD_REQUIRE(name);
    DD_REQUIRE(rate);
    const dd_parameters *parameters = &trainer->model->parameters;
    size_t i = dd_parameters_find(parameters, name);
    if (i == parameters->count || parameters->items[i].role != DD_ROLE_WEIGHT)
        return dd_fail(DDAEBM_NOT_FOUND, "no trained weight is named \"%.100s\"", name);
    *rate = dd_trainer_rate(trainer, parameters->items[i].network) *
            trainer->optimizer.adam[i].rate_factor;
    return DDAEBM_OK;
}
