#include "tensor/plan.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "tensor/plan_internal.h"

#include <limits.h>

/* Work below which a step is not worth waking others for: numbers moved, or multiply-adds. */
enum { PARALLEL_ELEMENTS = 8192, PARALLEL_MULTIPLY_ADDS = 1 << 17 };

static bool is_product(const dd_graph *graph, dd_node node) {
    dd_op op = dd_graph_node(graph, node)->op;
    return op == DD_OP_MATMUL || op == DD_OP_LINEAR;
}

static double multiply_adds(const dd_graph *graph, dd_node node) {
    const dd_node_data *data = dd_graph_node(graph, node);
    if (dd_is_convolution(data->op)) {
        dd_convolution_shape s = dd_convolution_of(graph, node);
        return (double)(s.images * s.rows * s.columns) * (double)(s.filters * s.down) *
               (double)(s.across * s.channels);
    }
    if (!is_product(graph, node))
        return 0;
    size_t inner =
        dd_graph_shape(graph, data->inputs[0])
            .size[data->op == DD_OP_MATMUL && data->constants.matmul.transpose_a ? 2 : 3];
    return (double)dd_shape_elements(data->shape) * (double)inner;
}

static bool worth_cutting(const dd_graph *graph, const dd_group *group) {
    dd_node node = group->members[0];
    const dd_node_data *data = dd_graph_node(graph, node);
    size_t elements = dd_shape_elements(data->shape);
    switch (data->op) {
    case DD_OP_MATMUL:
    case DD_OP_LINEAR:
    case DD_OP_CONVOLVE:
    case DD_OP_CONVOLVE_INPUT:
    case DD_OP_CONVOLVE_WEIGHT:
        return multiply_adds(graph, node) >= PARALLEL_MULTIPLY_ADDS;
    case DD_OP_ADD_ROWS:
        return false;
    case DD_OP_SUM:
    case DD_OP_INVERSE_DEVIATION:
        return dd_shape_elements(dd_graph_shape(graph, data->inputs[0])) >= PARALLEL_ELEMENTS;
    default:
        return elements * group->count >= PARALLEL_ELEMENTS;
    }
}

/* The matrices of a convolution: pixels of y, filters, and the taps of all channels. */
static ddaebm_status check_convolution(const dd_graph *graph, dd_node node) {
    if (!dd_is_convolution(dd_graph_node(graph, node)->op))
        return DDAEBM_OK;
    dd_convolution_shape s = dd_convolution_of(graph, node);
    size_t pixels = s.images, patch = s.down, all;
    bool fits = dd_size_mul(&pixels, pixels, s.rows) && dd_size_mul(&pixels, pixels, s.columns) &&
                pixels <= INT_MAX && dd_size_mul(&patch, patch, s.across) &&
                dd_size_mul(&patch, patch, s.channels) && patch <= INT_MAX &&
                dd_size_mul(&all, pixels, patch);
    if (!fits)
        return dd_fail(
            DDAEBM_OUT_OF_RANGE,
            "a convolution of %zu x %zu x %zu pixels with filters of %zu x %zu x %zu is too large",
            s.images, s.rows, s.columns, s.down, s.across, s.channels);
    return DDAEBM_OK;
}

/* CBLAS takes sizes and strides as int. */
static ddaebm_status check_sizes(const dd_graph *graph) {
    for (size_t n = 0; n < dd_graph_nodes(graph); n++) {
        const dd_shape shape = dd_graph_shape(graph, (dd_node)n);
        size_t elements = 1;
        for (int i = 0; i < DD_AXES; i++)
            if (shape.size[i] == 0 || shape.size[i] > INT_MAX ||
                !dd_size_mul(&elements, elements, shape.size[i]) || elements > SIZE_MAX / 64)
                return dd_fail(
                    DDAEBM_OUT_OF_RANGE,
                    "a tensor of %zu x %zu x %zu x %zu is more than this machine can address",
                    shape.size[0], shape.size[1], shape.size[2], shape.size[3]);
        ddaebm_status status = check_convolution(graph, (dd_node)n);
        if (status != DDAEBM_OK)
            return status;
    }
    return DDAEBM_OK;
}

static dd_step_data *add_step(dd_plan *plan, dd_step_data data) {
    dd_step_data *step = &plan->steps[plan->step_count++];
    *step = data;
    return step;
}

static void want_scratch(dd_plan *plan, size_t floats) {
    if (plan->scratch < dd_line_up(floats))
        plan->scratch = dd_line_up(floats);
}

/* --- Weights in another order: a convolution's filters, and second factors of products. --- */

static dd_node weights_of(const dd_plan *plan, const dd_step_data *step) {
    return dd_plan_base(plan->graph, dd_graph_node(plan->graph, step->node)->inputs[1]);
}

/* Of one plan, or of two that are bound alike. */
static bool same_weights(const dd_plan *plan, const dd_step_data *a, const dd_plan *other,
                         const dd_step_data *b) {
    dd_node first = weights_of(plan, a), second = weights_of(other, b);
    const dd_node_data *x = dd_graph_node(plan->graph, first),
                       *y = dd_graph_node(other->graph, second);
    return plan == other ? first == second
                         : x->op == DD_OP_INPUT && y->op == DD_OP_INPUT &&
                               x->constants.slot == y->constants.slot;
}

static dd_shape factor_shape(const dd_plan *plan, const dd_step_data *step) {
    return dd_graph_shape(plan->graph, dd_graph_node(plan->graph, step->node)->inputs[1]);
}

static bool same_order(const dd_plan *plan, const dd_step_data *a, const dd_plan *other,
                       const dd_step_data *b) {
    if (a->tiles || b->tiles)
        return a->tiles && b->tiles &&
               dd_shape_equal(factor_shape(plan, a), factor_shape(other, b));
    return a->convolution->backend == b->convolution->backend &&
           a->convolution->backend->same_packing(a->convolution, b->convolution);
}

/* A step of `there` that makes what `pack` would, in the same phase and to be kept, or NULL. */
static const dd_step_data *find_packing(const dd_plan *plan, const dd_step_data *pack,
                                        const dd_plan *there) {
    for (size_t i = 0; there && i < there->step_count; i++) {
        const dd_step_data *other = &there->steps[i];
        if (other->stage == DD_STEP_PACK && other->packed_in == DD_PLACE_KEPT &&
            other->phase == pack->phase && same_weights(plan, pack, there, other) &&
            same_order(plan, pack, there, other))
            return other;
    }
    return there ? find_packing(plan, pack, there->options.beside) : NULL;
}

/* Whether the weights are there before the phase that is run again and again. */
static bool is_prepared(const dd_plan *plan, const dd_step_data *user) {
    return plan->options.prepare &&
           dd_graph_node(plan->graph, weights_of(plan, user))->phase < plan->options.phases - 1;
}

/* `user` wants so many floats of packed weights: adds the step that makes them, unless they are
 * there, and tells `user` where. What is prepared is packed once, in the phase of the weights. In a
 * training step, a product's factor is packed once a phase; filters for each use, all in one place,
 * `behind` the tensors: packed, all of them would be as much again as the step's tensors, and come
 * from memory no faster than they are packed. */
static void place_packed(dd_plan *plan, size_t behind, dd_step_data *user, size_t floats) {
    dd_step_data pack = *user;
    bool prepared = is_prepared(plan, user);
    pack.stage = DD_STEP_PACK;
    if (user->tiles)
        pack.parallel = dd_shape_elements(factor_shape(plan, user)) >= PARALLEL_ELEMENTS;
    if (prepared)
        pack.phase = dd_graph_node(plan->graph, weights_of(plan, user))->phase;
    user->packed_in =
        prepared || (user->tiles && !plan->options.prepare) ? DD_PLACE_KEPT : DD_PLACE_ARENA;

    const dd_step_data *same =
        user->packed_in == DD_PLACE_KEPT ? find_packing(plan, &pack, plan) : NULL;
    user->packed = same ? same->packed : user->packed_in == DD_PLACE_KEPT ? plan->kept : behind;
    if (same)
        return;
    size_t *end = user->packed_in == DD_PLACE_KEPT ? &plan->kept : &plan->arena;
    if (*end < user->packed + dd_line_up(floats))
        *end = user->packed + dd_line_up(floats);
    pack.packed_in = user->packed_in;
    pack.packed = user->packed;
    add_step(plan, pack);
}

/* `behind`: where the arena's tensors end. */
static ddaebm_status add_convolution(dd_plan *plan, dd_step_data step, size_t behind) {
    dd_convolution *convolution = NULL;
    ddaebm_status status = dd_convolution_prepare(&convolution, plan, step.node,
                                                  step.parallel ? (size_t)plan->options.parts : 1);
    if (status != DDAEBM_OK)
        return status;
    step.convolution = convolution;
    if (convolution->packed)
        place_packed(plan, behind, &step, convolution->packed);
    add_step(plan, step);
    size_t sum = convolution->sums
                     ? dd_line_up(dd_shape_elements(dd_graph_shape(plan->graph, step.node)))
                     : 0;
    want_scratch(plan, sum + convolution->scratch);
    step.stage = DD_STEP_SUM;
    if (convolution->sums)
        add_step(plan, step);
    return DDAEBM_OK;
}

/* The same for a matrix product. */
static void add_product(dd_plan *plan, dd_step_data step, size_t behind) {
    dd_shape shape = dd_graph_shape(plan->graph, step.node);
    dd_matmul_call product = dd_product_of(plan->graph, step.node);
    step.tiles = shape.size[0] * shape.size[1] == 1 &&
                 dd_tile_matmul_pays(plan->tiles, &product, is_prepared(plan, &step));
    if (step.tiles && dd_tile_matmul_packed(&product))
        place_packed(plan, behind, &step, dd_tile_matmul_packed(&product));
    add_step(plan, step);
}

/* Floats that each part of a step that is no loop works in. */
static size_t step_scratch(const dd_graph *graph, dd_node node, size_t parts) {
    switch (dd_graph_node(graph, node)->op) {
    case DD_OP_SUM:
        return dd_sum_splits(graph, node, parts) ? dd_sum_scratch(graph, node) : 0;
    case DD_OP_FILTER:
        return dd_filter_scratch(graph, node);
    case DD_OP_NORMALIZE:
    case DD_OP_NORMALIZE_GRADIENT:
    case DD_OP_INVERSE_DEVIATION:
        return dd_normalize_scratch(graph, node);
    default:
        return 0;
    }
}

static ddaebm_status make_steps(dd_plan *plan, const dd_schedule *schedule) {
    enum { MOST_STEPS = 3 }; /* of a group */
    size_t behind = plan->arena;
    ddaebm_status status = DDAEBM_OK;
    plan->steps = dd_alloc_zero(plan->context, MOST_STEPS * schedule->count, sizeof *plan->steps);
    if (!plan->steps)
        return DDAEBM_OUT_OF_MEMORY;
    for (size_t g = 0; g < schedule->count && status == DDAEBM_OK; g++) {
        const dd_group *group = &schedule->groups[g];
        if (dd_plan_renames(plan->graph, group->members[0]))
            continue;
        dd_step_data step = {.node = group->members[0],
                             .phase = group->phase,
                             .parallel = worth_cutting(plan->graph, group)};
        if (dd_is_convolution(dd_graph_node(plan->graph, step.node)->op)) {
            status = add_convolution(plan, step, behind);
            continue;
        }
        if (is_product(plan->graph, step.node)) {
            add_product(plan, step, behind);
            continue;
        }
        dd_step_data *added = add_step(plan, step);
        if (group->loop)
            status = dd_loop_compile(&added->loop, plan->graph, group, schedule);
        size_t parts = added->parallel ? (size_t)plan->options.parts : 1;
        if (status == DDAEBM_OK)
            want_scratch(plan, added->loop ? (size_t)added->loop->scratch * DD_TILE
                                           : step_scratch(plan->graph, added->node, parts));
        if (!dd_sum_splits(plan->graph, step.node, parts))
            continue;
        step.stage = DD_STEP_SUM;
        step.parallel = false;
        add_step(plan, step);
    }
    return status;
}

/* About how long a step takes one thread, in nanoseconds. */
static double step_time(const dd_plan *plan, const dd_step_data *step) {
    const double multiply_adds_per_ns = 20, numbers_per_ns = 1;
    const dd_loop *loop = step->loop;
    if (loop)
        return (double)loop->rows * (double)loop->width * loop->instructions / numbers_per_ns;
    if (step->stage == DD_STEP_PACK)
        return (double)dd_shape_elements(factor_shape(plan, step)) / numbers_per_ns;
    return multiply_adds(plan->graph, step->node) / multiply_adds_per_ns +
           (double)dd_shape_elements(dd_graph_shape(plan->graph, step->node)) / numbers_per_ns;
}

/* Threads are woken as long as what is left to share in a phase takes longer than waking them. */
static void set_wakes(dd_plan *plan) {
    const double worth_waking = 200e3;
    for (int phase = 0; phase < plan->options.phases; phase++) {
        double left = 0;
        for (size_t i = plan->step_count; i-- > 0;) {
            dd_step_data *step = &plan->steps[i];
            if (step->phase != phase || !step->parallel)
                continue;
            left += step_time(plan, step);
            step->wakes = left >= worth_waking;
        }
    }
}

static void count_slots(dd_plan *plan) {
    for (size_t n = 0; n < dd_graph_nodes(plan->graph); n++) {
        const dd_node_data *data = dd_graph_node(plan->graph, (dd_node)n);
        if ((data->op == DD_OP_INPUT || data->op == DD_OP_OUTPUT) &&
            data->constants.slot >= plan->slots)
            plan->slots = data->constants.slot + 1;
    }
}

ddaebm_status dd_plan_create(dd_plan **out, dd_graph *graph, dd_plan_options options) {
    if (dd_graph_status(graph) != DDAEBM_OK)
        return dd_graph_status(graph);
    ddaebm_context *context = dd_graph_context(graph);
    dd_schedule schedule = {0};
    dd_plan *plan = dd_alloc_zero(context, 1, sizeof *plan);
    ddaebm_status status = DDAEBM_OUT_OF_MEMORY;
    if (!plan)
        return status;
    *plan = (dd_plan){.graph = graph,
                      .context = context,
                      .kernels = dd_kernels_choose(),
                      .maps = dd_map_kernels_choose(),
                      .tiles = dd_tile_matmul_choose(),
                      .kept = options.beside ? options.beside->kept : 0,
                      .options = options};
    DD_TRY(check_sizes(graph));
    DD_TRY(dd_schedule_make(&schedule, graph, options));
    DD_TRY(dd_memory_assign(plan, &schedule));
    DD_TRY(make_steps(plan, &schedule));
    set_wakes(plan);
    count_slots(plan);
    dd_rows_find(plan);
    *out = plan;
cleanup:
    dd_schedule_free(&schedule, context);
    if (status != DDAEBM_OK) {
        plan->graph = NULL; /* still the caller's */
        dd_plan_free(plan);
    }
    return status;
}

static bool owns_convolution(const dd_step_data *step) {
    return step->convolution && step->stage == DD_STEP_RUN;
}

void dd_plan_free(dd_plan *plan) {
    if (!plan)
        return;
    for (size_t i = 0; i < plan->step_count; i++) {
        if (owns_convolution(&plan->steps[i]))
            plan->steps[i].convolution->backend->destroy(plan->steps[i].convolution);
        dd_free(plan->context, plan->steps[i].loop);
    }
    dd_free(plan->context, plan->steps);
    dd_free(plan->context, plan->locations);
    dd_free(plan->context, plan->scalars);
    dd_graph_free(plan->graph);
    dd_free(plan->context, plan);
}

size_t dd_plan_memory(const dd_plan *plan) {
    size_t scratch = (size_t)plan->options.parts * plan->scratch;
    return (plan->kept + plan->arena + scratch) * sizeof(float) +
           (size_t)plan->slots * sizeof(float *);
}

size_t dd_plan_own_memory(const dd_plan *plan) {
    size_t bytes = sizeof *plan + dd_graph_memory(plan->graph) +
                   dd_graph_nodes(plan->graph) * sizeof *plan->locations;
    for (size_t i = 0; i < plan->step_count; i++)
        bytes += sizeof *plan->steps +
                 (plan->steps[i].loop ? dd_loop_memory(plan->steps[i].loop) : 0) +
                 (owns_convolution(&plan->steps[i]) ? plan->steps[i].convolution->memory : 0);
    return bytes;
}

static bool is_read(const dd_plan *plan, const dd_step_data *step, dd_node input, dd_slot slot) {
    dd_location at = plan->locations[input];
    bool packed = step->stage == DD_STEP_RUN && step->packed_in != DD_PLACE_NOWHERE;
    return at.place == DD_PLACE_SLOT && at.index == slot &&
           !(packed && dd_plan_base(plan->graph, input) == weights_of(plan, step));
}

static bool step_reads(const dd_plan *plan, const dd_step_data *step, dd_slot slot) {
    for (int v = 0; step->loop && v < step->loop->values; v++)
        if (is_read(plan, step, step->loop->value[v].node, slot))
            return true;
    const dd_node_data *data = dd_graph_node(plan->graph, step->node);
    for (int i = 0; !step->loop && i < dd_op_describe(data->op)->arity; i++)
        if (is_read(plan, step, data->inputs[i], slot))
            return true;
    return false;
}

bool dd_step_packs(const dd_plan *plan, const dd_step_data *step, dd_slot slot) {
    if (step->stage != DD_STEP_PACK)
        return false;
    dd_location at = plan->locations[weights_of(plan, step)];
    return at.place == DD_PLACE_SLOT && at.index == slot;
}

bool dd_plan_reads(const dd_plan *plan, dd_slot slot) {
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].stage != DD_STEP_PACK && step_reads(plan, &plan->steps[i], slot))
            return true;
    return false;
}

bool dd_plan_packs(const dd_plan *plan, dd_slot slot) {
    for (size_t i = 0; i < plan->step_count; i++)
        if (dd_step_packs(plan, &plan->steps[i], slot))
            return true;
    return false;
}

size_t dd_plan_rows(const dd_plan *plan) {
    return plan->rows;
}

size_t dd_plan_steps(const dd_plan *plan) {
    return plan->step_count;
}

double dd_plan_multiply_adds(const dd_plan *plan, int phase) {
    double total = 0;
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].phase == phase && !plan->steps[i].loop &&
            plan->steps[i].stage == DD_STEP_RUN)
            total += multiply_adds(plan->graph, plan->steps[i].node);
    return total;
}
