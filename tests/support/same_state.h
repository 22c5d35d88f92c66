/* Whether two runs are at the same place. */
#ifndef TEST_SAME_STATE_H
#define TEST_SAME_STATE_H

#include "support/small.h"
#include "train/trainer.h"

/* Whether two trainers with the same seed will do the same from here on. */
static inline bool same_state(const ddaebm_trainer *a, const ddaebm_trainer *b) {
    bool same =
        a->step == b->step && same_models(a->model, b->model) && a->averaging == b->averaging;
    for (int n = 0; n < DD_NETWORKS; n++) {
        size_t weights = a->model->parameters.totals[n][DD_ROLE_WEIGHT] * sizeof(float);
        size_t statistics = a->model->parameters.totals[n][DD_ROLE_STATISTIC] * sizeof(float);
        for (int k = 0; k < 2; k++)
            if (a->moments[n][k] && b->moments[n][k])
                same = same && memcmp(a->moments[n][k], b->moments[n][k], weights) == 0;
            else
                same = same && a->moments[n][k] == b->moments[n][k]; /* beta1 is 0 */
        if (same && a->averaging)
            same = memcmp(a->average.values[n][0], b->average.values[n][0], weights) == 0 &&
                   memcmp(a->average.values[n][1], b->average.values[n][1], statistics) == 0;
    }
    for (size_t i = 0; i < a->model->parameters.count; i++)
        same = same && a->adam[i].updates == b->adam[i].updates;
    return same;
}

#endif
