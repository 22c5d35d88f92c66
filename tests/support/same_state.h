/* Whether two runs are at the same place. */
#ifndef TEST_SAME_STATE_H
#define TEST_SAME_STATE_H

#include "support/small.h"
#include "train/trainer.h"

/* Whether two trainers with the same seed will do the same from here on. */
static inline bool same_state(const ddaebm_trainer *a, const ddaebm_trainer *b) {
    bool same = a->step == b->step && same_models(a->model, b->model) &&
                a->optimizer.averaging == b->optimizer.averaging;
    for (int n = 0; n < DD_NETWORKS; n++) {
        size_t weights = a->model->parameters.totals[n][DD_ROLE_WEIGHT] * sizeof(float);
        size_t statistics = a->model->parameters.totals[n][DD_ROLE_STATISTIC] * sizeof(float);
        for (int k = 0; k < 2; k++)
            if (a->optimizer.moments[n][k] && b->optimizer.moments[n][k])
                same = same &&
                       memcmp(a->optimizer.moments[n][k], b->optimizer.moments[n][k], weights) == 0;
            else
                same = same &&
                       a->optimizer.moments[n][k] == b->optimizer.moments[n][k]; /* beta1 is 0 */
        if (same && a->optimizer.averaging)
            same = memcmp(a->optimizer.average.values[n][0], b->optimizer.average.values[n][0],
                          weights) == 0 &&
                   memcmp(a->optimizer.average.values[n][1], b->optimizer.average.values[n][1],
                          statistics) == 0;
    }
    for (size_t i = 0; i < a->model->parameters.count; i++)
        same = same && a->optimizer.adam[i].updates == b->optimizer.adam[i].updates;
    return same;
}

#endif
