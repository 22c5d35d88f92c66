/* The tensors of a model: names (those of the published state dicts), shapes, offsets and
 * initialisation.
 *
 * The table is filled by building the networks once: each layer declares the tensors that it uses.
 */
#ifndef DD_PARAMETERS_H
#define DD_PARAMETERS_H

#include <ddaebm/context.h>
#include <ddaebm/model.h>
#include <stdbool.h>

enum { DD_NETWORKS = 3, DD_MOST_NAME = 96 };

typedef enum dd_role {
    DD_ROLE_WEIGHT,    /* trained */
    DD_ROLE_STATISTIC, /* updated by training, used by inference */
    DD_ROLE_COUNTER,   /* a whole number, int64 in files */
    DD_ROLES
} dd_role;

typedef struct dd_parameter {
    char name[DD_MOST_NAME]; /* the full name, the network's first */
    ddaebm_network network;
    dd_role role;
    size_t rank, shape[4], elements;
    size_t offset;       /* in elements, among those of its network and role */
    float middle, bound; /* initialisation: uniform on middle +- bound */
    bool half;           /* the second half of the values around 0 */
} dd_parameter;

typedef struct dd_parameters {
    ddaebm_context *context;
    dd_parameter *items;
    size_t count, capacity;
    size_t *buckets; /* hash table by name, open addressing: index + 1, 0 for empty */
    size_t bucket_count;
    size_t totals[DD_NETWORKS][DD_ROLES]; /* elements */
} dd_parameters;

void dd_parameters_free(dd_parameters *parameters);

/* Index by full name; count if there is none. */
size_t dd_parameters_find(const dd_parameters *parameters, const char *name);

/* Adds one (offset is set here); false without memory. */
bool dd_parameters_add(dd_parameters *parameters, dd_parameter parameter);

const char *dd_network_name(ddaebm_network network);

/* Values of all parameters, one flat array for each network and role. */
typedef struct dd_weights {
    ddaebm_context *context;
    float *values[DD_NETWORKS][2]; /* [network][DD_ROLE_WEIGHT or DD_ROLE_STATISTIC] */
    int64_t *counters[DD_NETWORKS];
} dd_weights;

ddaebm_status dd_weights_create(dd_weights *out, ddaebm_context *context,
                                const dd_parameters *parameters);
void dd_weights_free(dd_weights *weights);

/* Makes `out` share the numbers of one network, read-only, and no others. Any number of threads may
 * do so at a time. */
void dd_weights_share(dd_weights *out, const dd_weights *from, ddaebm_network network);

/* Must precede a change of a network's numbers: if others share them (dd_weights_share), they keep
 * them, and `weights` gets a copy. OUT_OF_MEMORY changes nothing. */
ddaebm_status dd_weights_own(dd_weights *weights, const dd_parameters *parameters,
                             ddaebm_network network);

void dd_weights_copy(dd_weights *to, const dd_weights *from, const dd_parameters *parameters);

/* Initialises all values, each fixed by (seed, index of the parameter). */
void dd_weights_draw(dd_weights *weights, const dd_parameters *parameters, uint64_t seed);

/* Copies a parameter; filters go from the layout of files, [O, C, KH, KW], to that of convolutions,
 * [O, KH, KW, C]. */
void dd_weights_to_kernel_layout(float *to, const dd_weights *weights,
                                 const dd_parameter *parameter);

/* Returns a parameter's numbers; not for counters. */
float *dd_weights_at(const dd_weights *weights, const dd_parameter *parameter);

#endif
