/* A restorer's fields, for the files that draw from posteriors. */
#ifndef DD_RESTORER_H
#define DD_RESTORER_H

#include "sample/evaluator.h"
#include "sample/filler.h"
#include "sample/measurement.h"

#include <ddaebm/restorer.h>

typedef struct dd_restore_lane dd_restore_lane;

struct ddaebm_restorer {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_noise_schedule schedule;
    dd_evaluator *generator; /* its output rows are draws of x_0 = G(x_{t+1}, t, z) */
    dd_evaluator *pull;      /* beside it: gradients of a product with x_0 in x_{t+1} */
    dd_restore_lane *lanes;  /* [lanes of the evaluators] */
    dd_measurement *measurement;
    float *fixed, *moves; /* [inner width]: of dd_model_find_fixed */
    float *draws;         /* room for the draws of a mean, [room] */
    size_t room;
    dd_filler *filler; /* NULL until rows are filled (fill.c) */
    ddaebm_progress_function progress;
    void *progress_user;
};

/* A call: rows of y, and where draws go. */
typedef struct dd_restore_call {
    ddaebm_restorer *restorer;
    uint64_t seed, first;
    size_t count, draws;
    dd_rows_in y;             /* [count, measured] */
    dd_rows_out samples;      /* [draws, count, width], or not set */
    float *inner;             /* the same as the networks see it, or NULL */
    uint64_t before, total;   /* rows times draws of the whole: done before this call, and in all */
    ddaebm_status map_status; /* of the caller's map; written on the calling thread alone */
} dd_restore_call;

/* A dd_eval_build: x_0 = G(x_{t+1}, t, z) of an input x_{t+1}. */
dd_node dd_restorer_build_x0(dd_builder *builder, const dd_process *process,
                             const dd_node in[DD_EVAL_OUT], const void *user);

/* Makes and frees what chains need. */
ddaebm_status dd_restore_open(ddaebm_restorer *restorer);
void dd_restore_close(ddaebm_restorer *restorer);

/* Computes the draws of a call. */
ddaebm_status dd_restore_run(dd_restore_call *call);

#endif
