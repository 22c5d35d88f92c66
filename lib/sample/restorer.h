/* A restorer's fields, for the files that draw from posteriors. */
#ifndef DD_RESTORER_H
#define DD_RESTORER_H

#include "sample/evaluator.h"
#include "sample/filler.h"

#include <ddaebm/restorer.h>

struct ddaebm_restorer {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_noise_schedule schedule;
    dd_evaluator *generator; /* its output rows are draws of x_0 = G(x_{t+1}, t, z) */
    size_t measured;         /* numbers in a row of y: the model's width unless A is the caller's */
    double *noise;           /* [measured]: standard deviations in the units of y */
    dd_filler *filler;       /* NULL until rows are filled (fill.c) */
    ddaebm_progress_function progress;
    void *progress_user;
};

/* A dd_eval_build: x_0 = G(x_{t+1}, t, z) of an input x_{t+1}. */
dd_node dd_restorer_build_x0(dd_builder *builder, const dd_process *process,
                             const dd_node in[DD_EVAL_OUT], const void *user);

#endif
