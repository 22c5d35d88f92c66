/* The builder that layers take: a graph, the table of parameters, and the purpose that a network is
 * built for. */
#ifndef DD_BUILDER_H
#define DD_BUILDER_H

#include "config/settings.h"
#include "layers/parameters.h"
#include "tensor/graph/operations.h"

typedef struct dd_builder {
    dd_graph *graph;
    const dd_settings *settings;
    dd_parameters *parameters;
    bool declaring;         /* to fill the table of parameters */
    bool never_run;         /* the graph is for shapes alone: constant tables stay empty */
    bool training;          /* normalise by the batch, and update running statistics */
    ddaebm_network network; /* that is being built */
    int phase;              /* phase of the parameters' inputs */
    dd_slot first_slot;     /* parameter i is bound to slot first_slot + i */
    dd_node *moved;       /* [parameters], training: the updated value of each statistic; DD_NONE if
                             unchanged */
    int64_t *calls;       /* [parameters], training: increments of the counters */
    dd_node dropout_seed; /* training: seed of dd_mask */
    uint32_t dropouts;    /* training: number of masks so far, each with its own rng_stream */
    bool kernel_layout;   /* filters are bound in the layout of convolutions, [O, KH, KW, C], not in
                             that of files, [O, C, KH, KW] */
} dd_builder;

/* Prefix of a layer's names, such as "net.layers.0". */
typedef struct dd_scope {
    char text[DD_MOST_NAME];
} dd_scope;

__attribute__((format(printf, 1, 2))) dd_scope dd_scope_of(const char *format, ...);

/* Initialisation of a parameter: uniform on middle +- bound; if `half` is set, the second half of
 * the values is around 0. */
typedef struct dd_initial {
    double middle, bound;
    bool half;
} dd_initial;

/* Rules of initialisation. */
typedef enum dd_fan {
    DD_FAN_DEFAULT, /* PyTorch's for linear layers and convolutions: +- 1 / sqrt(inputs), biases too
                     */
    DD_FAN_AVERAGE, /* +- sqrt(3 scale / fan), fan the mean of inputs and outputs; biases 0 */
    DD_FAN_OUTPUTS  /* likewise with fan = outputs, as the published code computes it */
} dd_fan;

typedef struct dd_scaling {
    dd_fan fan;
    double scale;
} dd_scaling;

/* The scale that the published code takes for 0. */
#define DD_NEARLY_ZERO 1e-10

/* Initialisation of weights and biases of a layer in which each output is a sum over `inputs`
 * numbers, each of which enters `outputs` sums. */
dd_initial dd_initial_weights(dd_scaling scaling, size_t inputs, size_t outputs);
dd_initial dd_initial_biases(dd_scaling scaling, size_t inputs);

/* Returns the weight or statistic "<scope>.<name>" of the network as a node of `shape`; declares it
 * first if the builder declares. In files it has `rank` axes, the last ones of `shape`. */
dd_node dd_parameter_node(dd_builder *builder, const dd_scope *scope, const char *name,
                          dd_role role, dd_shape shape, size_t rank, dd_initial first);

/* Declares a tensor without using it: the published networks have such. */
void dd_parameter_declare(dd_builder *builder, const dd_scope *scope, const char *name,
                          dd_role role, dd_shape shape, size_t rank, dd_initial first);

/* For training: returns a statistic's value before this call, sets its value after it, and
 * increments a counter. */
dd_node dd_statistic_before(dd_builder *builder, const dd_scope *scope, const char *name,
                            dd_shape shape, dd_initial first);
void dd_statistic_after(dd_builder *builder, const dd_scope *scope, const char *name,
                        dd_node value);
void dd_counter_advance(dd_builder *builder, const dd_scope *scope, const char *name);

#endif
