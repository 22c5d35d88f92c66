#include "layers/parameters.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/rng.h"

#include <stdatomic.h>
#include <string.h>

const char *dd_network_name(ddaebm_network network) {
    static const char *const names[DD_NETWORKS] = {"energy", "generator", "encoder"};
    return names[network];
}

void dd_parameters_free(dd_parameters *parameters) {
    if (parameters->context) {
        dd_free(parameters->context, parameters->items);
        dd_free(parameters->context, parameters->buckets);
    }
    *parameters = (dd_parameters){0};
}

/* FNV-1a. */
static uint64_t hash_of(const char *name) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001B3u;
    return hash;
}

/* Returns the bucket of a name, or the empty one where it belongs; at least one is empty. */
static size_t bucket_of(const dd_parameters *parameters, const char *name) {
    size_t mask = parameters->bucket_count - 1, i = (size_t)hash_of(name) & mask;
    while (parameters->buckets[i] != 0 &&
           strcmp(parameters->items[parameters->buckets[i] - 1].name, name) != 0)
        i = (i + 1) & mask;
    return i;
}

size_t dd_parameters_find(const dd_parameters *parameters, const char *name) {
    size_t found = parameters->count > 0 ? parameters->buckets[bucket_of(parameters, name)] : 0;
    return found ? found - 1 : parameters->count;
}

/* Makes room for one more name; at most half of the buckets are used. */
static bool grow_buckets(dd_parameters *parameters) {
    enum { LEAST = 64 };
    size_t wanted = parameters->bucket_count ? parameters->bucket_count : LEAST;
    while (wanted < 2 * (parameters->count + 1))
        wanted *= 2;
    if (wanted == parameters->bucket_count)
        return true;
    size_t *buckets = dd_alloc_zero(parameters->context, wanted, sizeof *buckets);
    if (!buckets)
        return false;

    dd_free(parameters->context, parameters->buckets);
    parameters->buckets = buckets;
    parameters->bucket_count = wanted;
    for (size_t i = 0; i < parameters->count; i++)
        buckets[bucket_of(parameters, parameters->items[i].name)] = i + 1;
    return true;
}

bool dd_parameters_add(dd_parameters *parameters, dd_parameter parameter) {
    dd_parameter *items = dd_grow(parameters->context, parameters->items, &parameters->capacity,
                                  parameters->count + 1, sizeof *items);
    if (!items)
        return false;
    parameters->items = items;
    if (!grow_buckets(parameters))
        return false;

    size_t *total = &parameters->totals[parameter.network][parameter.role];
    parameter.offset = *total;
    *total += parameter.elements;
    items[parameters->count++] = parameter;
    parameters->buckets[bucket_of(parameters, parameter.name)] = parameters->count;
    return true;
}

/* Header of shared values: the number of owners. A cache line long, so that the values are aligned
 * to one. */
typedef union holders {
    atomic_size_t count;
    char line[64];
} holders;

static float *make_values(ddaebm_context *context, size_t elements) {
    size_t bytes;
    if (!dd_size_mul(&bytes, elements, sizeof(float)) || bytes > SIZE_MAX - sizeof(holders))
        return NULL;
    holders *block = dd_alloc_zero(context, 1, sizeof *block + bytes);
    if (!block)
        return NULL;
    atomic_init(&block->count, 1);
    return (float *)(block + 1);
}

static holders *holders_of(float *values) {
    return (holders *)(void *)values - 1;
}

static void drop_values(ddaebm_context *context, float *values) {
    if (values && atomic_fetch_sub(&holders_of(values)->count, 1) == 1)
        dd_free(context, holders_of(values));
}

ddaebm_status dd_weights_create(dd_weights *out, ddaebm_context *context,
                                const dd_parameters *parameters) {
    dd_weights weights = {.context = context};
    bool good = true;

    for (int n = 0; n < DD_NETWORKS; n++) {
        for (int role = 0; role < 2; role++) {
            weights.values[n][role] = make_values(context, parameters->totals[n][role]);
            good = good && weights.values[n][role];
        }
        weights.counters[n] =
            dd_alloc_zero(context, parameters->totals[n][DD_ROLE_COUNTER], sizeof(int64_t));
        good = good && weights.counters[n];
    }

    if (!good) {
        dd_weights_free(&weights);
        return DDAEBM_OUT_OF_MEMORY;
    }
    *out = weights;
    return DDAEBM_OK;
}

void dd_weights_free(dd_weights *weights) {
    for (int n = 0; n < DD_NETWORKS && weights->context; n++) {
        for (int role = 0; role < 2; role++)
            drop_values(weights->context, weights->values[n][role]);
        dd_free(weights->context, weights->counters[n]);
    }
    *weights = (dd_weights){0};
}

void dd_weights_share(dd_weights *out, const dd_weights *from, ddaebm_network network) {
    *out = (dd_weights){.context = from->context};
    for (int role = 0; role < 2; role++) {
        out->values[network][role] = from->values[network][role];
        atomic_fetch_add(&holders_of(from->values[network][role])->count, 1);
    }
}

ddaebm_status dd_weights_own(dd_weights *weights, const dd_parameters *parameters,
                             ddaebm_network network) {
    for (int role = 0; role < 2; role++) {
        float *shared = weights->values[network][role];
        if (atomic_load(&holders_of(shared)->count) == 1)
            continue;
        float *own = make_values(weights->context, parameters->totals[network][role]);
        if (!own)
            return DDAEBM_OUT_OF_MEMORY;
        memcpy(own, shared, parameters->totals[network][role] * sizeof *own);
        weights->values[network][role] = own;
        drop_values(weights->context, shared);
    }
    return DDAEBM_OK;
}

void dd_weights_copy(dd_weights *to, const dd_weights *from, const dd_parameters *parameters) {
    for (int n = 0; n < DD_NETWORKS; n++) {
        for (int role = 0; role < 2; role++)
            memcpy(to->values[n][role], from->values[n][role],
                   parameters->totals[n][role] * sizeof(float));
        memcpy(to->counters[n], from->counters[n],
               parameters->totals[n][DD_ROLE_COUNTER] * sizeof(int64_t));
    }
}

void dd_weights_draw(dd_weights *weights, const dd_parameters *parameters, uint64_t seed) {
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *parameter = &parameters->items[i];
        if (parameter->role == DD_ROLE_COUNTER)
            continue;
        float *values = dd_weights_at(weights, parameter);
        dd_rng_uniforms(values, seed, dd_stream(DD_STREAM_WEIGHTS, i), 0, parameter->elements);
        for (size_t j = 0; j < parameter->elements; j++) {
            float middle = parameter->half && j >= parameter->elements / 2 ? 0 : parameter->middle;
            values[j] = middle + parameter->bound * (2.0f * values[j] - 1.0f);
        }
    }
}

void dd_weights_to_kernel_layout(float *to, const dd_weights *weights,
                                 const dd_parameter *parameter) {
    const float *from = dd_weights_at(weights, parameter);
    if (parameter->rank != 4) {
        memcpy(to, from, parameter->elements * sizeof *to);
        return;
    }
    size_t channels = parameter->shape[1], places = parameter->shape[2] * parameter->shape[3];
    for (size_t o = 0; o < parameter->shape[0];
         o++, to += channels * places, from += channels * places)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < places; p++)
                to[p * channels + c] = from[c * places + p];
}

float *dd_weights_at(const dd_weights *weights, const dd_parameter *parameter) {
    return weights->values[parameter->network][parameter->role] + parameter->offset;
}
