/* What a layer needs to be built: a graph, the table of parameters, and what the network is being
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
    bool declaring;         /* the networks are built to fill the table */
    bool never_run;         /* and for nothing else: tables have a shape alone */
    bool training;          /* normalise by the batch, and move the running statistics */
    ddaebm_network network; /* whose parameters are asked for */
    int phase;              /* from which the parameters' values count */
    dd_slot first_slot;     /* parameter i is bound to slot first_slot + i */
    dd_node *moved; /* [parameters], training: each statistic after the calls so far; DD_NONE for as
                       it was */
    int64_t *calls; /* [parameters], training: what is to be added to each counter */
    dd_node dropout_seed; /* training: what dd_mask draws from */
    uint32_t dropouts;    /* training: masks drawn so far, each from a stream of its own */
    bool kernel_layout; /* filters are bound as convolutions read them, [O, KH, KW, C], not as files
                           have them, [O, C, KH, KW] */
} dd_builder;

/* A layer's place among the network's names: "net.layers.0". */
typedef struct dd_scope {
    char text[DD_MOST_NAME];
} dd_scope;

__attribute__((format(printf, 1, 2))) dd_scope dd_scope_of(const char *format, ...);

/* First values of a parameter: uniform on middle +- reach; where `half` is set, the second half of
 * them around 0. */
typedef struct dd_first {
    double middle, reach;
    bool half;
} dd_first;

/* Rules for first weights. */
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

/* The published code's stand-in for a scale of 0. */
#define DD_NEARLY_ZERO 1e-10

/* First weights and biases of a layer in which each output is a sum over `inputs` numbers, each of
 * which enters `outputs` sums. */
dd_first dd_first_weights(dd_scaling scaling, size_t inputs, size_t outputs);
dd_first dd_first_biases(dd_scaling scaling, size_t inputs);

/* The weight or statistic "<scope>.<name>" of the network being built, declared or looked up, as a
 * node of `shape`. Its shape in files has `rank` axes, the last ones of `shape`. */
dd_node dd_parameter_node(dd_builder *builder, const dd_scope *scope, const char *name,
                          dd_role role, dd_shape shape, size_t rank, dd_first first);

/* Only declares it: the published networks own tensors that they never use. */
void dd_parameter_declare(dd_builder *builder, const dd_scope *scope, const char *name,
                          dd_role role, dd_shape shape, size_t rank, dd_first first);

/* A statistic's value before this call, what it is after, and that a counter has counted one more
 * call. For training. */
dd_node dd_statistic_before(dd_builder *builder, const dd_scope *scope, const char *name,
                            dd_shape shape, dd_first first);
void dd_statistic_after(dd_builder *builder, const dd_scope *scope, const char *name,
                        dd_node value);
void dd_counter_advance(dd_builder *builder, const dd_scope *scope, const char *name);

#endif
