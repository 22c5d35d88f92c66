/* Copies of the energy before its update, which a step that fails afterwards restores. */
#include "base/context.h"
#include "train/trainer.h"

#include <string.h>

enum { ARRAYS = sizeof((dd_undo){0}.arrays) / sizeof(float *) };

static size_t count_weights(const ddaebm_trainer *trainer) {
    return trainer->model->parameters.totals[DDAEBM_NETWORK_ENERGY][DD_ROLE_WEIGHT];
}

/* The trainer's array that dd_undo.arrays[array] copies; NULL if it has none. */
static float *present(const ddaebm_trainer *trainer, int array) {
    return array == 0 ? trainer->model->weights.values[DDAEBM_NETWORK_ENERGY][DD_ROLE_WEIGHT]
                      : trainer->optimizer.moments[DDAEBM_NETWORK_ENERGY][array - 1];
}

bool dd_undo_allocate(ddaebm_trainer *trainer) {
    dd_undo *undo = &trainer->optimizer.undo;
    ddaebm_context *context = trainer->model->context;
    bool good = true;
    for (int i = 0; i < ARRAYS; i++)
        if (present(trainer, i)) {
            undo->arrays[i] = dd_alloc_zero(context, count_weights(trainer), sizeof(float));
            good = good && undo->arrays[i];
        }
    undo->updates = dd_alloc_zero(context, trainer->model->parameters.count, sizeof *undo->updates);
    return good && undo->updates;
}

void dd_undo_free(ddaebm_trainer *trainer) {
    dd_undo *undo = &trainer->optimizer.undo;
    for (int i = 0; i < ARRAYS; i++)
        dd_free(trainer->model->context, undo->arrays[i]);
    dd_free(trainer->model->context, undo->updates);
}

void dd_undo_keep(ddaebm_trainer *trainer) {
    dd_undo *undo = &trainer->optimizer.undo;
    for (int i = 0; i < ARRAYS; i++)
        if (undo->arrays[i])
            memcpy(undo->arrays[i], present(trainer, i), count_weights(trainer) * sizeof(float));
    for (size_t i = 0; i < trainer->model->parameters.count; i++)
        undo->updates[i] = trainer->optimizer.adam[i].updates;
}

void dd_undo_restore(ddaebm_trainer *trainer) {
    const dd_undo *undo = &trainer->optimizer.undo;
    for (int i = 0; i < ARRAYS; i++)
        if (undo->arrays[i])
            memcpy(present(trainer, i), undo->arrays[i], count_weights(trainer) * sizeof(float));
    for (size_t i = 0; i < trainer->model->parameters.count; i++)
        trainer->optimizer.adam[i].updates = undo->updates[i];
}
