/* The trainer from inside: what checkpoints and tests see. */
#ifndef DD_TRAINER_H
#define DD_TRAINER_H

#include "io/dataset.h"
#include "io/fingerprint.h"
#include "model/model.h"
#include "objective/objective.h"
#include "tensor/plan.h"
#include "train/held_out.h"
#include "train/optimizer.h"

#include <ddaebm/trainer.h>

/* What a step may do next. */
typedef enum dd_stage {
    DD_STAGE_BEGIN,
    DD_STAGE_ENERGY_KNOWN,
    DD_STAGE_ENERGY_UPDATED,
    DD_STAGE_GENERATOR_KNOWN
} dd_stage;

/* A loss of the caller's own on generated samples; all NULL without its hook. */
typedef struct dd_custom_loss {
    ddaebm_sample_hook hook;
    void *user;
    float *drawn;          /* [batch, inner width]: by the step */
    float *samples, *data; /* [batch, width]: as the hook is shown them */
    size_t *timesteps;     /* [batch] */
    float *gradients;      /* [batch, inner width] */
} dd_custom_loss;

/* The energy before its update, for as long as the rest of the step may fail. */
typedef struct dd_energy_before {
    float *arrays[3];  /* weights, m, v; as long as the trainer's own */
    uint64_t *updates; /* [parameters] */
} dd_energy_before;

struct ddaebm_trainer {
    ddaebm_model *model; /* its weights are the ones trained */
    const ddaebm_dataset *dataset;
    dd_fingerprint data; /* of the data set */
    uint64_t seed, step;
    size_t shard, shards; /* which part of a batch it draws, and of how many */
    dd_stage stage;
    dd_step_graph graph;
    dd_step_slots slots;
    dd_plan *plan;
    dd_workspace *workspace;
    size_t batch;
    float *inputs[DD_SLOT_INPUTS];
    float losses[DD_LOSSES];
    float *gradients[DD_NETWORKS];  /* the energy's where the generator's are */
    float *statistics[DD_NETWORKS]; /* what they are to become */
    dd_adam_state *adam;            /* [parameters] */
    float *moments[DD_NETWORKS][2]; /* flat: m and v; no m (NULL) if beta1 is 0 */
    dd_energy_before before;
    dd_weights average; /* of all, where the configuration averages */
    bool averaging;
    float **observed; /* [graph.observed_count], for tests */
    ddaebm_gradient_hook hook;
    void *hook_user;
    dd_custom_loss custom_loss;
    dd_held_out *held_out; /* NULL where no rows are kept aside */
};

static inline const dd_settings *dd_trainer_settings(const ddaebm_trainer *trainer) {
    return dd_model_settings(trainer->model);
}

/* Makes a trainer with the model's weights and statistics as they are. */
ddaebm_status dd_trainer_create(ddaebm_trainer **out, const ddaebm_model *model,
                                const ddaebm_dataset *dataset, uint64_t seed, bool observe);

/* Plans the step anew and binds what there is to bind; as it was on failure. */
ddaebm_status dd_trainer_plan(ddaebm_trainer *trainer, dd_step_extras extras);

/* Numbers that an input slot takes. */
size_t dd_trainer_input_size(const dd_settings *settings, int slot);

/* Fills the inputs of the present step, from (seed, step) and the data set. */
ddaebm_status dd_trainer_draw(ddaebm_trainer *trainer);

/* The halves of a step on whatever stands in the inputs. */
void dd_trainer_compute(ddaebm_trainer *trainer, int phase);

/* undo.c: a step that fails after the energy's update takes that back. */
bool dd_trainer_make_undo(ddaebm_trainer *trainer);
void dd_trainer_free_undo(ddaebm_trainer *trainer);
void dd_trainer_keep_energy(ddaebm_trainer *trainer);
void dd_trainer_restore_energy(ddaebm_trainer *trainer);

/* A network's learning rate in the present step, by its schedule. */
double dd_trainer_rate(const ddaebm_trainer *trainer, ddaebm_network network);

/* Bounds of what a rate is multiplied by. */
#define DD_MOST_RATE_FACTOR 1e6

/* custom_loss.c: shows the hook what phase 0 drew, and takes its gradients. */
ddaebm_status dd_trainer_call_sample_hook(ddaebm_trainer *trainer);
void dd_trainer_free_custom_loss(ddaebm_trainer *trainer);

#endif
