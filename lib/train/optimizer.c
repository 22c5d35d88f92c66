#include "train/optimizer.h"

#include "base/context.h"
#include "train/trainer.h"

#include <string.h>

/* Without a decay, the first moment is the gradient and needs no memory. */
static int first_moment(const dd_settings *settings) {
    return settings->optimizer.beta1 > 0 ? 0 : 1;
}

static bool allocate_moments(ddaebm_trainer *trainer) {
    dd_optimizer *optimizer = &trainer->optimizer;
    const dd_parameters *parameters = &trainer->model->parameters;
    bool good = true;
    for (int n = 0; n < DD_NETWORKS; n++)
        for (int k = first_moment(dd_trainer_settings(trainer)); k < 2; k++) {
            optimizer->moments[n][k] = dd_alloc_zero(
                trainer->model->context, parameters->totals[n][DD_ROLE_WEIGHT], sizeof(float));
            good = good && optimizer->moments[n][k];
        }
    return good;
}

/* Points Adam's state of each weight into the flat moments. */
static void divide_moments(dd_optimizer *optimizer, const dd_parameters *parameters) {
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        optimizer->adam[i].rate_factor = 1;
        if (p->role != DD_ROLE_WEIGHT)
            continue;
        float *const *moments = optimizer->moments[p->network];
        optimizer->adam[i].m = moments[0] ? moments[0] + p->offset : NULL;
        optimizer->adam[i].v = moments[1] + p->offset;
    }
}

ddaebm_status dd_optimizer_allocate(ddaebm_trainer *trainer) {
    dd_optimizer *optimizer = &trainer->optimizer;
    ddaebm_context *context = trainer->model->context;
    const dd_parameters *parameters = &trainer->model->parameters;
    optimizer->adam = dd_alloc_zero(context, parameters->count, sizeof *optimizer->adam);
    if (!allocate_moments(trainer) || !optimizer->adam || !dd_undo_allocate(trainer))
        return DDAEBM_OUT_OF_MEMORY;
    divide_moments(optimizer, parameters);

    optimizer->averaging = dd_trainer_settings(trainer)->optimizer.ema_decay > 0;
    if (!optimizer->averaging)
        return DDAEBM_OK;
    ddaebm_status status = dd_weights_create(&optimizer->average, context, parameters);
    if (status == DDAEBM_OK)
        dd_weights_copy(&optimizer->average, &trainer->model->weights, parameters);
    return status;
}

void dd_optimizer_free(ddaebm_trainer *trainer) {
    dd_optimizer *optimizer = &trainer->optimizer;
    ddaebm_context *context = trainer->model->context;
    for (int n = 0; n < DD_NETWORKS; n++) {
        dd_free(context, optimizer->moments[n][0]);
        dd_free(context, optimizer->moments[n][1]);
    }
    dd_free(context, optimizer->adam);
    dd_undo_free(trainer);
    dd_weights_free(&optimizer->average);
}

size_t dd_optimizer_memory(const dd_settings *settings, const dd_parameters *parameters) {
    size_t moments = (size_t)(2 - first_moment(settings)),
           averages = settings->optimizer.ema_decay > 0 ? 1 : 0,
           numbers = parameters->totals[DDAEBM_NETWORK_ENERGY][DD_ROLE_WEIGHT] *
                     (1 + moments); /* dd_undo */
    for (int n = 0; n < DD_NETWORKS; n++)
        numbers += parameters->totals[n][DD_ROLE_WEIGHT] * (moments + averages) +
                   parameters->totals[n][DD_ROLE_STATISTIC] * averages;
    return numbers * sizeof(float);
}

/* ---- Updates. ---- */

static bool is_updated(const ddaebm_trainer *trainer, size_t index) {
    return trainer->planned.graph.used[index] && trainer->optimizer.adam[index].rate_factor > 0;
}

/* Counts an update of weight *index and of those after it that have as many updates, the same rate
 * and neighbouring memory. Returns how many numbers they have; *index is then the next parameter.
 */
static size_t take_neighbours(ddaebm_trainer *trainer, size_t *index) {
    const dd_parameters *parameters = &trainer->model->parameters;
    dd_adam_state *adam = trainer->optimizer.adam;
    const dd_adam_state first = adam[*index];
    const ddaebm_network network = parameters->items[*index].network;
    size_t count = 0, i = *index;

    for (; i < parameters->count && parameters->items[i].network == network; i++) {
        if (parameters->items[i].role != DD_ROLE_WEIGHT)
            continue; /* statistics lie elsewhere */
        if (!is_updated(trainer, i) || adam[i].updates != first.updates ||
            adam[i].rate_factor != first.rate_factor)
            break;
        count += parameters->items[i].elements;
        adam[i].updates++;
    }
    *index = i;
    return count;
}

/* Neighbours are updated in one pass. */
void dd_optimizer_update(ddaebm_trainer *trainer, ddaebm_network network) {
    const dd_parameters *parameters = &trainer->model->parameters;
    double rate = dd_trainer_rate(trainer, network);
    for (size_t i = 0; i < parameters->count;) {
        const dd_parameter *p = &parameters->items[i];
        if (p->network != network || p->role != DD_ROLE_WEIGHT || !is_updated(trainer, i)) {
            i++;
            continue;
        }

        dd_adam_state state = trainer->optimizer.adam[i];
        size_t count = take_neighbours(trainer, &i);
        dd_adam_update(&state, dd_weights_at(&trainer->model->weights, p),
                       trainer->planned.gradients[network] + p->offset, count,
                       rate * state.rate_factor, dd_trainer_settings(trainer),
                       dd_context_pool(trainer->model->context));
    }
}

/* Returns the decay of the average over `before` earlier steps: of few steps it is an average over
 * about the last ninth, so that it forgets the initial weights however short a run is. */
static double decay_after(uint64_t before, double decay) {
    double early = (double)before / ((double)before + 9);
    return early < decay ? early : decay;
}

/* Averages begin as the weights after the first step. Statistics of batch norms are averaged with
 * the weights that they belong to. */
void dd_optimizer_average(ddaebm_trainer *trainer) {
    dd_weights *average = &trainer->optimizer.average;
    const dd_weights *weights = &trainer->model->weights;
    const dd_parameters *parameters = &trainer->model->parameters;
    if (!trainer->optimizer.averaging)
        return;

    double decay =
        decay_after(trainer->step - 1, dd_trainer_settings(trainer)->optimizer.ema_decay);
    for (int n = 0; n < DD_NETWORKS; n++) {
        for (int role = 0; role < 2; role++)
            dd_average_update(average->values[n][role], weights->values[n][role],
                              parameters->totals[n][role], decay,
                              dd_context_pool(trainer->model->context));
        memcpy(average->counters[n], weights->counters[n],
               parameters->totals[n][DD_ROLE_COUNTER] * sizeof(int64_t));
    }
}

const dd_weights *dd_optimizer_weights(const ddaebm_trainer *trainer) {
    return trainer->optimizer.averaging ? &trainer->optimizer.average : &trainer->model->weights;
}
