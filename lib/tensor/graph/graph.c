#include "tensor/graph/graph.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "tensor/graph/node.h"

#include <string.h>

struct dd_graph {
    ddaebm_context *context;
    ddaebm_status status;
    dd_node_data *nodes;
    size_t count, capacity;
    struct constant {
        float *values;
        dd_shape shape;
    } * constants;
    size_t constant_count, constant_capacity;
    dd_node *buckets; /* open addressing; node + 1, 0 for empty */
    size_t bucket_count;
};

size_t dd_shape_elements(dd_shape shape) {
    return shape.size[0] * shape.size[1] * shape.size[2] * shape.size[3];
}

bool dd_shape_equal(dd_shape a, dd_shape b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

ddaebm_status dd_graph_create(dd_graph **out, ddaebm_context *context) {
    dd_graph *graph = dd_alloc_zero(context, 1, sizeof *graph);
    if (!graph)
        return DDAEBM_OUT_OF_MEMORY;
    graph->context = context;
    *out = graph;
    return DDAEBM_OK;
}

void dd_graph_free(dd_graph *graph) {
    if (!graph)
        return;
    for (size_t i = 0; i < graph->constant_count; i++)
        dd_free(graph->context, graph->constants[i].values);
    dd_free(graph->context, graph->constants);
    dd_free(graph->context, graph->nodes);
    dd_free(graph->context, graph->buckets);
    dd_free(graph->context, graph);
}

ddaebm_status dd_graph_status(const dd_graph *graph) {
    return graph->status;
}

dd_node dd_graph_fail(dd_graph *graph, ddaebm_status status, const char *text) {
    if (graph->status == DDAEBM_OK)
        graph->status = text ? dd_fail(status, "building a graph: %s", text) : status;
    return DD_NONE;
}

const dd_op_info *dd_graph_op(const dd_graph *graph, dd_node node) {
    return dd_op_describe(graph->nodes[node].op);
}

dd_node dd_graph_base(const dd_graph *graph, dd_node node) {
    while (dd_graph_op(graph, node)->renames)
        node = graph->nodes[node].inputs[0];
    return node;
}

size_t dd_graph_nodes(const dd_graph *graph) {
    return graph->count;
}

const dd_node_data *dd_graph_node(const dd_graph *graph, dd_node node) {
    return &graph->nodes[node];
}

const float *dd_graph_constant(const dd_graph *graph, int32_t index) {
    return graph->constants[index].values;
}

ddaebm_context *dd_graph_context(const dd_graph *graph) {
    return graph->context;
}

size_t dd_graph_memory(const dd_graph *graph) {
    size_t bytes = sizeof *graph + graph->capacity * sizeof *graph->nodes +
                   graph->bucket_count * sizeof *graph->buckets;
    for (size_t i = 0; i < graph->constant_count; i++)
        bytes +=
            sizeof *graph->constants + dd_shape_elements(graph->constants[i].shape) * sizeof(float);
    return bytes;
}

dd_shape dd_graph_shape(const dd_graph *graph, dd_node node) {
    return node == DD_NONE ? (dd_shape){{0}} : graph->nodes[node].shape;
}

/* --- Equal nodes are made once. --- */

#define NO_PADDING(member, sum)                                                                    \
    _Static_assert(DD_SIZE_OF(member) == (sum),                                                    \
                   "nodes are compared by the bytes of their constants")

NO_PADDING(affine, 2 * sizeof(double));
NO_PADDING(matmul, 2 * sizeof(bool));
NO_PADDING(slice, 2 * sizeof(size_t));
NO_PADDING(mask, sizeof(double) + sizeof(uint64_t));
NO_PADDING(window, 4 * sizeof(int16_t));
NO_PADDING(normalize, sizeof(double) + sizeof(uint64_t));

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash ^= value + 0x9E3779B97F4A7C15u + (hash << 6) + (hash >> 2);
    return hash * 0xFF51AFD7ED558CCDu;
}

static uint64_t mix_bytes(uint64_t hash, const void *bytes, size_t count) {
    for (size_t i = 0; i < count; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, (const char *)bytes + i, count - i < sizeof word ? count - i : sizeof word);
        hash = mix(hash, word);
    }
    return hash;
}

/* A hash of all that `same` compares. */
static uint64_t hash_of(const dd_node_data *data) {
    uint64_t hash = (uint64_t)data->op;
    for (int i = 0; i < DD_MOST_INPUTS; i++)
        hash = mix(hash, (uint64_t)data->inputs[i]);
    for (int i = 0; i < DD_AXES; i++)
        hash = mix(hash, data->shape.size[i]);
    hash = mix_bytes(hash, &data->constants, dd_op_describe(data->op)->constants);
    return mix(hash, (uint64_t)data->phase << 32 | (uint32_t)data->copy) ^ hash >> 31;
}

static bool same(const dd_node_data *a, const dd_node_data *b) {
    return a->op == b->op && memcmp(a->inputs, b->inputs, sizeof a->inputs) == 0 &&
           dd_shape_equal(a->shape, b->shape) && a->phase == b->phase && a->copy == b->copy &&
           memcmp(&a->constants, &b->constants, dd_op_describe(a->op)->constants) == 0;
}

/* Where the node stands, or where it would. */
static size_t bucket_of(const dd_graph *graph, const dd_node_data *data) {
    size_t mask = graph->bucket_count - 1, i = (size_t)hash_of(data) & mask;
    while (graph->buckets[i] != 0 && !same(&graph->nodes[graph->buckets[i] - 1], data))
        i = (i + 1) & mask;
    return i;
}

/* Makes room for one more node, in the list and in the hash table. */
static bool grow(dd_graph *graph) {
    dd_node_data *nodes =
        dd_grow(graph->context, graph->nodes, &graph->capacity, graph->count + 1, sizeof *nodes);
    if (!nodes)
        return false;
    graph->nodes = nodes;

    if (graph->bucket_count >= graph->capacity * 2)
        return true;
    size_t wanted = 16;
    while (wanted < graph->capacity * 2)
        wanted *= 2;
    dd_node *buckets = dd_alloc_zero(graph->context, wanted, sizeof *buckets);
    if (!buckets)
        return false;

    dd_free(graph->context, graph->buckets);
    graph->buckets = buckets;
    graph->bucket_count = wanted;
    for (size_t i = 0; i < graph->count; i++)
        graph->buckets[bucket_of(graph, &graph->nodes[i])] = (dd_node)i + 1;
    return true;
}

dd_node dd_graph_make(dd_graph *graph, dd_node_data data) {
    if (graph->status != DDAEBM_OK)
        return DD_NONE;

    int arity = dd_op_describe(data.op)->arity;
    for (int i = arity; i < DD_MOST_INPUTS; i++)
        data.inputs[i] = DD_NONE;
    for (int i = 0; i < arity; i++) {
        if (data.inputs[i] == DD_NONE)
            return dd_graph_fail(graph, DDAEBM_INTERNAL, "an operation without its input");
        if (graph->nodes[data.inputs[i]].phase > data.phase)
            data.phase = graph->nodes[data.inputs[i]].phase;
    }

    if (graph->count >= INT32_MAX || !grow(graph))
        return dd_graph_fail(graph, DDAEBM_OUT_OF_MEMORY, NULL);
    size_t bucket = bucket_of(graph, &data);
    if (graph->buckets[bucket] != 0)
        return graph->buckets[bucket] - 1;
    graph->nodes[graph->count++] = data;
    graph->buckets[bucket] = (dd_node)graph->count;
    return graph->buckets[bucket] - 1;
}

/* --- Constants. --- */

/* The index of the constant with these values, or how many there are. */
static size_t find_constant(const dd_graph *graph, const float *values, dd_shape shape) {
    size_t i = 0;
    while (i < graph->constant_count && !(dd_shape_equal(graph->constants[i].shape, shape) &&
                                          memcmp(graph->constants[i].values, values,
                                                 dd_shape_elements(shape) * sizeof *values) == 0))
        i++;
    return i;
}

/* Copies a constant into the graph; false if there is no memory. */
static bool add_constant(dd_graph *graph, const float *values, dd_shape shape) {
    struct constant *constants =
        dd_grow(graph->context, graph->constants, &graph->constant_capacity,
                graph->constant_count + 1, sizeof *constants);
    if (!constants)
        return false;
    graph->constants = constants;

    size_t bytes = dd_shape_elements(shape) * sizeof *values;
    float *copy = dd_alloc(graph->context, bytes);
    if (!copy)
        return false;
    constants[graph->constant_count++] = (struct constant){memcpy(copy, values, bytes), shape};
    return true;
}

int32_t dd_graph_keep(dd_graph *graph, const float *values, dd_shape shape) {
    if (graph->status != DDAEBM_OK)
        return -1;
    size_t index = find_constant(graph, values, shape);
    if (index < graph->constant_count || add_constant(graph, values, shape))
        return (int32_t)index;
    (void)dd_graph_fail(graph, DDAEBM_OUT_OF_MEMORY, NULL);
    return -1;
}
