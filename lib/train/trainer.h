/* The trainer: a model in training, with the parts of a step. */
#ifndef DD_TRAINER_H
#define DD_TRAINER_H

#include "io/dataset.h"
#include "model/model.h"
#include "train/adapt.h"
#include "train/batch.h"
#include "train/custom_loss.h"
#include "train/gradient_hook.h"
#include "train/held_out.h"
#include "train/holes.h"
#include "train/optimizer.h"
#include "train/planned_step.h"

#include <ddaebm/trainer.h>

/* The stage of a step that is done. */
typedef enum dd_stage {
    DD_STAGE_NONE,
    DD_STAGE_ENERGY_GRADIENTS,
    DD_STAGE_ENERGY_UPDATE,
    DD_STAGE_GENERATOR_GRADIENTS /* the last: after the generator's update there is none */
} dd_stage;

struct ddaebm_trainer {
    ddaebm_model *model; /* its weights are the ones trained */
    uint64_t seed, step; /* step: the number of steps done */
    dd_stage stage;
    dd_batch batch;
    dd_planned_step planned;
    dd_optimizer optimizer;
    dd_gradient_hook gradient_hook;
    dd_custom_loss custom_loss;
    dd_held_out *held_out; /* NULL where no rows are held out */
    dd_adapt_state *adapt; /* NULL where timesteps do not move */
    dd_holes *holes;       /* NULL where no values are missing */
};

static inline const dd_settings *dd_trainer_settings(const ddaebm_trainer *trainer) {
    return dd_model_settings(trainer->model);
}

/* Makes a trainer with the model's weights and statistics as they are. */
ddaebm_status dd_trainer_create(ddaebm_trainer **out, const ddaebm_model *model,
                                const ddaebm_dataset *dataset, uint64_t seed, bool observe);

/* A network's learning rate in the present step, by its schedule. */
double dd_trainer_rate(const ddaebm_trainer *trainer, ddaebm_network network);

/* Largest factor of a learning rate. */
#define DD_MOST_RATE_FACTOR 1e6

#endif
