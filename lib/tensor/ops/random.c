/* Random numbers inside a graph: dropout masks. */
#include "base/rng.h"
#include "tensor/ops/execution.h"

#include <math.h>

dd_node dd_mask(dd_graph *graph, dd_node seed, uint32_t rng_stream, double keep, dd_shape shape) {
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_MASK,
                                               .inputs = {seed},
                                               .shape = shape,
                                               .constants.mask = {keep, rng_stream}});
}

/* Reads a seed. Numbers outside the range would be a bug of the library. */
static uint64_t seed_of(const float *numbers) {
    uint64_t seed = 0;
    for (int i = 3; i >= 0; i--)
        seed = seed << 16 | (numbers[i] > 0 && numbers[i] < 65536 ? (uint64_t)numbers[i] : 0);
    return seed;
}

/* Draws by counter: an element depends on its index alone, however parts are cut. */
static void run_mask(const dd_call *call) {
    enum { WORDS = 256 };
    uint32_t words[WORDS];
    double keep = call->data->constants.mask.keep;
    uint64_t rng_stream = dd_stream(DD_STREAM_DROPOUT, call->data->constants.mask.rng_stream),
             bound = (uint64_t)ceil(keep * 0x1p32);
    uint64_t seed = seed_of(call->in[0]);
    float kept = (float)(1 / keep);

    dd_range mine = dd_share(dd_shape_elements(call->data->shape), call->part, call->parts);
    for (size_t i = mine.first; i < mine.last; i += WORDS) {
        size_t count = mine.last - i < WORDS ? mine.last - i : WORDS;
        dd_rng_words(words, seed, rng_stream, i, count);
        for (size_t j = 0; j < count; j++)
            call->out[i + j] = words[j] < bound ? kept : 0.0f;
    }
}

const dd_op_info dd_op_mask = {.name = "mask",
                               .arity = 1,
                               .constants = DD_SIZE_OF(mask),
                               .cheap = true,
                               .execution = &(const dd_execution){.run = run_mask}};
