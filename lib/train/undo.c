/* The energy as it was before its update: what a step that then fails goes back to. */
#include "train/trainer.h"

#include "base/context.h"

#include <string.h>

enum { ARRAYS = sizeof((dd_energy_before){0}.arrays) / sizeof(float *) };

static size_t count_weights(const ddaebm_trainer *trainer) {
    return trainer->model->parameters.totals[DDAEBM_NETWORK_ENERGY][DD_ROLE_WEIGHT];
}

/* The trainer's own; NULL where it has none. */
static float *present(const ddaebm_trainer *trainer, int array) {
    return array == 0 ? trainer->model->weights.values[DDAEBM_NETWORK_ENERGY][DD_ROLE_WEIGHT]
                      : trainer->moments[DDAEBM_NETWORK_ENERGY][array - 1];
}

bool dd_trainer_make_undo(ddaebm_trainer *trainer) {
    ddaebm_context *context = trainer->model->context;
    bool good = true;
    for (int i = 0; i < ARRAYS; i++)
        if (present(trainer, i)) {
            trainer->before.arrays[i] =
                dd_alloc_zero(context, count_weights(trainer), sizeof(float));
            good = good && trainer->before.arrays[i];
        }
    trainer->before.updates =
        dd_alloc_zero(context, trainer->model->parameters.count, sizeof *trainer->before.updates);
    return good && trainer->before.updates;
}

void dd_trainer_free_undo(ddaebm_trainer *trainer) {
    for (int i = 0; i < ARRAYS; i++)
        dd_free(trainer->model->context, trainer->before.arrays[i]);
    dd_free(trainer->model->context, trainer->before.updates);
}

void dd_trainer_keep_energy(ddaebm_trainer *trainer) {
    for (int i = 0; i < ARRAYS; i++)
        if (trainer->before.arrays[i])
            memcpy(trainer->before.arrays[i], present(trainer, i),
                   count_weights(trainer) * sizeof(float));
    for (size_t i = 0; i < trainer->model->parameters.count; i++)
        trainer->before.updates[i] = trainer->adam[i].updates;
}

void dd_trainer_restore_energy(ddaebm_trainer *trainer) {
    for (int i = 0; i < ARRAYS; i++)
        if (trainer->before.arrays[i])
            memcpy(present(trainer, i), trainer->before.arrays[i],
                   count_weights(trainer) * sizeof(float));
    for (size_t i = 0; i < trainer->model->parameters.count; i++)
        trainer->adam[i].updates = trainer->before.updates[i];
}
