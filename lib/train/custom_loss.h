/* A custom loss on generated samples. The hook sees rows in the units of the data; the step's graph
 * has what the networks see. */
#ifndef DD_CUSTOM_LOSS_H
#define DD_CUSTOM_LOSS_H

#include <ddaebm/trainer.h>

/* All NULL without a hook. */
typedef struct dd_custom_loss {
    ddaebm_sample_hook hook;
    void *user;
    float *drawn;      /* [batch, inner width]: samples, written by phase 0 of the step */
    float *samples;    /* [batch, width]: those, for the hook */
    float *data;       /* [batch, width]: rows of the data set, for the hook */
    size_t *timesteps; /* [batch] */
    float *gradients;  /* [batch, inner width]: read by phase 1 of the step */
} dd_custom_loss;

/* Calls the hook, if there is one, and takes its gradients. */
ddaebm_status dd_custom_loss_call(ddaebm_trainer *trainer);
void dd_custom_loss_free(ddaebm_trainer *trainer);

#endif
