#include "layers/builder.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

dd_scope dd_scope_of(const char *format, ...) {
    dd_scope scope;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(scope.text, sizeof scope.text, format, arguments);
    va_end(arguments);
    return scope;
}

dd_initial dd_initial_weights(dd_scaling scaling, size_t inputs, size_t outputs) {
    double in = (double)inputs, out = (double)outputs;
    if (inputs == 0 || outputs == 0) /* of a failed graph */
        return (dd_initial){.bound = 0};
    if (scaling.fan == DD_FAN_DEFAULT)
        return (dd_initial){.bound = 1 / sqrt(in)};
    double fan = scaling.fan == DD_FAN_AVERAGE ? (in + out) / 2 : out;
    return (dd_initial){.bound = sqrt(3 * scaling.scale / fan)};
}

dd_initial dd_initial_biases(dd_scaling scaling, size_t inputs) {
    bool spread = scaling.fan == DD_FAN_DEFAULT && inputs > 0;
    return (dd_initial){.bound = spread ? 1 / sqrt((double)inputs) : 0};
}

/* Returns the parameter's index and declares it first if the builder declares; the table's count on
 * failure. */
static size_t find_or_declare(dd_builder *builder, const dd_scope *scope, const char *name,
                              dd_role role, dd_shape shape, size_t rank, dd_initial first) {
    dd_parameter parameter = {.network = builder->network,
                              .role = role,
                              .rank = rank,
                              .elements = dd_shape_elements(shape),
                              .middle = (float)first.middle,
                              .bound = (float)first.bound,
                              .half = first.half};
    (void)snprintf(parameter.name, sizeof parameter.name, "%s.%.60s.%.24s",
                   dd_network_name(builder->network), scope->text, name);
    size_t index = dd_parameters_find(builder->parameters, parameter.name);
    if (index < builder->parameters->count)
        return index;

    for (size_t i = 0; i < rank; i++)
        parameter.shape[i] = shape.size[DD_AXES - rank + i];
    if (!builder->declaring)
        (void)dd_graph_fail(builder->graph, DDAEBM_INTERNAL, "a parameter that was not declared");
    else if (!dd_parameters_add(builder->parameters, parameter))
        (void)dd_graph_fail(builder->graph, DDAEBM_OUT_OF_MEMORY, NULL);
    return index;
}

void dd_parameter_declare(dd_builder *builder, const dd_scope *scope, const char *name,
                          dd_role role, dd_shape shape, size_t rank, dd_initial first) {
    (void)find_or_declare(builder, scope, name, role, shape, rank, first);
}

dd_node dd_parameter_node(dd_builder *builder, const dd_scope *scope, const char *name,
                          dd_role role, dd_shape shape, size_t rank, dd_initial first) {
    size_t index = find_or_declare(builder, scope, name, role, shape, rank, first);
    return dd_input(builder->graph, builder->first_slot + (dd_slot)index, shape, builder->phase);
}

dd_node dd_statistic_before(dd_builder *builder, const dd_scope *scope, const char *name,
                            dd_shape shape, dd_initial first) {
    size_t index = find_or_declare(builder, scope, name, DD_ROLE_STATISTIC, shape, 1, first);
    if (!builder->declaring && index < builder->parameters->count &&
        builder->moved[index] != DD_NONE)
        return builder->moved[index];
    return dd_input(builder->graph, builder->first_slot + (dd_slot)index, shape, builder->phase);
}

static size_t find_known(const dd_builder *builder, const dd_scope *scope, const char *name) {
    char text[DD_MOST_NAME];
    (void)snprintf(text, sizeof text, "%s.%.60s.%.24s", dd_network_name(builder->network),
                   scope->text, name);
    return dd_parameters_find(builder->parameters, text);
}

void dd_statistic_after(dd_builder *builder, const dd_scope *scope, const char *name,
                        dd_node value) {
    size_t index = find_known(builder, scope, name);
    if (!builder->declaring && index < builder->parameters->count)
        builder->moved[index] = value;
}

void dd_counter_advance(dd_builder *builder, const dd_scope *scope, const char *name) {
    size_t index = find_known(builder, scope, name);
    if (!builder->declaring && index < builder->parameters->count)
        builder->calls[index]++;
}
