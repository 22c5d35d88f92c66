/* Convolutions by oneDNN, version 2, on images [N, H, W, C]. Each part has a primitive for its
 * images, made for one thread. oneDNN reads weights in blocks of channels: they are packed. Matrix
 * products do what they do as fast. */
#include "base/context.h"
#include "base/error.h"
#include "tensor/kernels/convolution.h"
#include "tensor/kernels/onednn.h"

#include <math.h>
#include <string.h>

/* --- oneDNN's threads: those of OpenMP, as many as the calling thread's own setting says. --- */

/* Limits what follows to this thread; returns the setting to restore. */
static int hold_threads(const dd_onednn *dnnl) {
    int before = dnnl->omp_get_max_threads ? dnnl->omp_get_max_threads() : 1;
    if (before != 1)
        dnnl->omp_set_num_threads(1);
    return before;
}

static void release_threads(const dd_onednn *dnnl, int before) {
    if (before != 1)
        dnnl->omp_set_num_threads(before);
}

/* --- Creation. --- */

/* What one part does: images [first, last). */
typedef struct share {
    size_t first, last;
    dnnl_primitive_t work, pack; /* pack: of a share of the filters; NULL for none. Of the gradient
                                    of weights: from blocks */
    dnnl_memory_desc_t x, y, scratchpad;
    dnnl_memory_desc_t from, to; /* of pack */
} share;

typedef struct onednn_convolution {
    dd_convolution base;
    const dd_onednn *dnnl;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_memory_desc_t weights, plain_weights; /* in blocks, and as the library keeps them */
    size_t blocks;                             /* floats of weights in blocks */
    share share[];
} onednn_convolution;

static void destroy(dd_convolution *base) {
    onednn_convolution *self = (onednn_convolution *)base;
    const dd_onednn *dnnl = self->dnnl;
    for (size_t part = 0; part < base->parts; part++) {
        dnnl->primitive_destroy(self->share[part].work);
        dnnl->primitive_destroy(self->share[part].pack);
    }
    dnnl->stream_destroy(self->stream);
    dnnl->engine_destroy(self->engine);
    dd_free(base->context, self);
}

static size_t floats_of(const dd_onednn *dnnl, const dnnl_memory_desc_t *md) {
    return (dnnl->memory_desc_get_size(md) + 63) / 64 * 16;
}

/* Zeros that are needed after `size` pixels: what is left over is not asked for. */
static dnnl_dim_t zeros_after(size_t size, size_t places, size_t taps,
                              const dd_convolution_shape *s) {
    ptrdiff_t zeros =
        (ptrdiff_t)(places - 1) * s->stride + (ptrdiff_t)taps - (ptrdiff_t)size - s->before;
    return zeros > 0 ? zeros : 0;
}

/* Describes the work of a part: `self->weights` says in which order it wants the weights. */
static dnnl_status_t describe(const onednn_convolution *self, share *mine,
                              dnnl_primitive_desc_t *out) {
    const dd_onednn *dnnl = self->dnnl;
    const dd_convolution_shape *s = &self->base.shape;
    dnnl_dims_t strides = {s->stride, s->stride}, dilation = {0, 0},
                before = {s->before, s->before};
    dnnl_dims_t after = {zeros_after(s->height, s->rows, s->down, s),
                         zeros_after(s->width, s->columns, s->across, s)};
    dnnl_convolution_desc_t forward, backward;
    dnnl_primitive_desc_t hint = NULL;
    dnnl_primitive_attr_t attributes = NULL;

    dnnl_status_t status = dnnl->primitive_attr_create(&attributes);
    if (status == dnnl_success)
        status = dnnl->primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = dnnl->dilated_convolution_forward_desc_init(
            &forward, dnnl_forward_training, dnnl_convolution_direct, &mine->x, &self->weights,
            NULL, &mine->y, strides, dilation, before, after);
    if (status == dnnl_success)
        status = dnnl->primitive_desc_create(&hint, &forward, attributes, self->engine, NULL);

    if (status == dnnl_success && self->base.kind == DD_CONVOLUTION_INPUT)
        status = dnnl->dilated_convolution_backward_data_desc_init(
            &backward, dnnl_convolution_direct, &mine->x, &self->weights, &mine->y, strides,
            dilation, before, after);
    else if (status == dnnl_success && self->base.kind == DD_CONVOLUTION_WEIGHT)
        status = dnnl->dilated_convolution_backward_weights_desc_init(
            &backward, dnnl_convolution_direct, &mine->x, &self->weights, NULL, &mine->y, strides,
            dilation, before, after);

    if (status == dnnl_success && self->base.kind == DD_CONVOLUTION_FORWARD) {
        *out = hint;
        hint = NULL;
    } else if (status == dnnl_success)
        status = dnnl->primitive_desc_create(out, &backward, attributes, self->engine, hint);

    dnnl->primitive_desc_destroy(hint);
    dnnl->primitive_attr_destroy(attributes);
    return status;
}

/* oneDNN has something for every convolution; what is not generated for this processor is slow.
 * With AVX-512, forward is brgconv's. */
static bool is_generated(const dd_onednn *dnnl, const_dnnl_primitive_desc_t description) {
    const char *name = NULL;
    return dnnl->primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name) ==
               dnnl_success &&
           (strncmp(name, "jit", 3) == 0 || strncmp(name, "brgconv", 7) == 0);
}

/* Makes the primitive of a part, and learns in which order it reads or writes the weights. */
static dnnl_status_t make_work(onednn_convolution *self, share *mine) {
    const dd_onednn *dnnl = self->dnnl;
    const dd_convolution_shape *s = &self->base.shape;
    dnnl_dim_t images = (dnnl_dim_t)(mine->last - mine->first);
    dnnl_dims_t x = {images, (dnnl_dim_t)s->channels, (dnnl_dim_t)s->height, (dnnl_dim_t)s->width};
    dnnl_dims_t y = {images, (dnnl_dim_t)s->filters, (dnnl_dim_t)s->rows, (dnnl_dim_t)s->columns};
    dnnl_primitive_desc_t description = NULL;

    dnnl_status_t status = dnnl->memory_desc_init_by_tag(&mine->x, 4, x, dnnl_f32, dnnl_nhwc);
    if (status == dnnl_success)
        status = dnnl->memory_desc_init_by_tag(&mine->y, 4, y, dnnl_f32, dnnl_nhwc);
    if (status == dnnl_success)
        status = describe(self, mine, &description);
    if (status == dnnl_success && !is_generated(dnnl, description))
        status = dnnl_unimplemented;
    if (status == dnnl_success)
        status = dnnl->primitive_create(&mine->work, description);

    if (status == dnnl_success) {
        bool gives_weights = self->base.kind == DD_CONVOLUTION_WEIGHT;
        self->weights = *dnnl->primitive_desc_query_md(
            description, gives_weights ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
        mine->scratchpad = *dnnl->primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    }
    dnnl->primitive_desc_destroy(description);
    return status;
}

static dnnl_status_t make_reorder(const onednn_convolution *self, share *mine) {
    const dd_onednn *dnnl = self->dnnl;
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = dnnl->reorder_primitive_desc_create(
        &description, &mine->from, self->engine, &mine->to, self->engine, NULL);
    if (status == dnnl_success)
        status = dnnl->primitive_create(&mine->pack, description);
    dnnl->primitive_desc_destroy(description);
    return status;
}

/* Makes the primitive that packs a part's filters: whole blocks, of which brgconv's are the
 * largest. The gradient of the weights is reordered by each part for itself. */
static dnnl_status_t make_packing(const onednn_convolution *self, share *mine, size_t part) {
    enum { BLOCK_FILTERS = 64 };
    const dd_convolution_shape *s = &self->base.shape;
    mine->from = self->weights;
    mine->to = self->plain_weights;
    if (self->base.kind == DD_CONVOLUTION_WEIGHT)
        return make_reorder(self, mine);

    size_t parts = self->base.parts,
           first = s->filters * part / parts / BLOCK_FILTERS * BLOCK_FILTERS;
    size_t last = part + 1 == parts
                      ? s->filters
                      : s->filters * (part + 1) / parts / BLOCK_FILTERS * BLOCK_FILTERS;
    dnnl_dims_t size = {(dnnl_dim_t)(last - first), (dnnl_dim_t)s->channels, (dnnl_dim_t)s->down,
                        (dnnl_dim_t)s->across};
    dnnl_dims_t at = {(dnnl_dim_t)first, 0, 0, 0};

    if (first == last)
        return dnnl_success;
    dnnl_status_t status =
        self->dnnl->memory_desc_init_submemory(&mine->from, &self->plain_weights, size, at);
    if (status == dnnl_success)
        status = self->dnnl->memory_desc_init_submemory(&mine->to, &self->weights, size, at);
    return status == dnnl_success ? make_reorder(self, mine) : status;
}

/* Makes the engine, and what each part needs. */
static dnnl_status_t make_shares(onednn_convolution *self) {
    const dd_onednn *dnnl = self->dnnl;
    const dd_convolution_shape *s = &self->base.shape;
    dnnl_dims_t weights = {(dnnl_dim_t)s->filters, (dnnl_dim_t)s->channels, (dnnl_dim_t)s->down,
                           (dnnl_dim_t)s->across};
    size_t parts = self->base.parts, scratchpad = 0;

    dnnl_status_t status = dnnl->engine_create(&self->engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = dnnl->stream_create(&self->stream, self->engine, dnnl_stream_default_flags);
    if (status == dnnl_success)
        status =
            dnnl->memory_desc_init_by_tag(&self->plain_weights, 4, weights, dnnl_f32, dnnl_acdb);
    if (status == dnnl_success)
        status = dnnl->memory_desc_init_by_tag(&self->weights, 4, weights, dnnl_f32,
                                               dnnl_format_tag_any);

    for (size_t part = 0; part < parts && status == dnnl_success; part++) {
        share *mine = &self->share[part];
        mine->first = s->images * part / parts;
        mine->last = s->images * (part + 1) / parts;
        status = make_work(self, mine);
        if (status == dnnl_success)
            status = make_packing(self, mine, part);
        size_t floats = status == dnnl_success ? floats_of(self->dnnl, &mine->scratchpad) : 0;
        scratchpad = floats > scratchpad ? floats : scratchpad;
    }

    self->blocks = status == dnnl_success ? floats_of(self->dnnl, &self->weights) : 0;
    self->base.packed = self->base.kind == DD_CONVOLUTION_WEIGHT ? 0 : self->blocks;
    self->base.scratch = scratchpad + (self->base.kind == DD_CONVOLUTION_WEIGHT ? self->blocks : 0);
    return status;
}

/* Whether matrix products are as fast, as measured on two cores with AVX2: for the gradient of the
 * weights, at which oneDNN is slower than at the others, from 64 channels on; forward from 128 on.
 * They can also be cut where there are fewer images than parts. */
static bool is_better_as_product(dd_convolution_kind kind, const dd_convolution_shape *s,
                                 size_t parts) {
    size_t narrow = s->channels < s->filters ? s->channels : s->filters;
    bool single = s->down == 1 && s->across == 1 && s->stride == 1;
    bool whole = s->rows == 1 && s->columns == 1;
    return s->images < parts || single || whole ||
           (kind == DD_CONVOLUTION_WEIGHT && narrow >= 64) ||
           (kind == DD_CONVOLUTION_FORWARD && narrow >= 128);
}

/* Falls back on matrix products where oneDNN is missing, or has no fast implementation. */
static ddaebm_status create(dd_convolution **out, ddaebm_context *context, dd_convolution_kind kind,
                            const dd_convolution_shape *shape, size_t parts) {
    const dd_onednn *dnnl = is_better_as_product(kind, shape, parts) ? NULL : dd_onednn_load();
    if (!dnnl)
        return dd_convolution_blas.create(out, context, kind, shape, parts);

    size_t bytes = sizeof(onednn_convolution) + parts * sizeof(share);
    onednn_convolution *self = dd_alloc_zero(context, 1, bytes);
    if (!self)
        return DDAEBM_OUT_OF_MEMORY;
    self->base = (dd_convolution){.backend = &dd_convolution_onednn,
                                  .context = context,
                                  .kind = kind,
                                  .shape = *shape,
                                  .parts = parts,
                                  .sums = kind == DD_CONVOLUTION_WEIGHT && parts > 1,
                                  .memory = bytes};

    self->dnnl = dnnl;
    int before = hold_threads(dnnl);
    dnnl_status_t status = make_shares(self);
    release_threads(dnnl, before);

    if (status == dnnl_success) {
        *out = &self->base;
        return DDAEBM_OK;
    }
    destroy(&self->base);
    if (status == dnnl_out_of_memory)
        return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory for a convolution");
    return dd_convolution_blas.create(out, context, kind, shape, parts);
}

/* --- Execution. --- */

typedef struct operand {
    int argument;
    const dnnl_memory_desc_t *shape;
    const float *numbers;
} operand;

/* Runs a primitive on its operands; false where oneDNN lacks memory. */
static bool execute(const onednn_convolution *self, dnnl_primitive_t primitive,
                    const operand *operands, int count) {
    const dd_onednn *dnnl = self->dnnl;
    enum { MOST_OPERANDS = 4 };
    dnnl_exec_arg_t arguments[MOST_OPERANDS];
    int made = 0;
    for (; made < count; made++) {
        arguments[made].arg = operands[made].argument;
        if (dnnl->memory_create(&arguments[made].memory, operands[made].shape, self->engine,
                                (void *)operands[made].numbers) != dnnl_success)
            break;
    }

    int before = hold_threads(dnnl);
    bool done =
        made == count &&
        dnnl->primitive_execute(primitive, self->stream, count, arguments) == dnnl_success &&
        dnnl->stream_wait(self->stream) == dnnl_success;
    release_threads(dnnl, before);
    while (made > 0)
        dnnl->memory_destroy(arguments[--made].memory);
    return done;
}

static bool reorder(const onednn_convolution *self, const share *mine, const float *from,
                    float *to) {
    const operand operands[] = {{DNNL_ARG_FROM, &mine->from, from}, {DNNL_ARG_TO, &mine->to, to}};
    return execute(self, mine->pack, operands, 2);
}

/* A run cannot fail. Where oneDNN lacks memory for its own small objects, the result is set to NaN,
 * which the trainer looks for. */
static void spoil(float *out, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = NAN;
}

static void pack(const dd_convolution *base, size_t part, const float *weights, float *packed) {
    const onednn_convolution *self = (const onednn_convolution *)base;
    if (self->share[part].pack && !reorder(self, &self->share[part], weights, packed))
        spoil(packed, self->blocks);
}

static bool same_packing(const dd_convolution *a, const dd_convolution *b) {
    const onednn_convolution *first = (const onednn_convolution *)a,
                             *second = (const onednn_convolution *)b;
    return first->dnnl->memory_desc_equal(&first->weights, &second->weights);
}

/* Runs one part: its own images, or for the gradient of the weights their sum over these images. */
static void run(const dd_convolution *base, const dd_convolution_call *call) {
    const onednn_convolution *self = (const onednn_convolution *)base;
    const dd_convolution_shape *s = &base->shape;
    const share *mine = &self->share[call->part];
    size_t in_x = s->height * s->width * s->channels, in_y = s->rows * s->columns * s->filters;
    size_t x = mine->first * in_x, y = mine->first * in_y, images = mine->last - mine->first;
    bool with_scratchpad = self->dnnl->memory_desc_get_size(&mine->scratchpad) > 0;
    int count = with_scratchpad ? 4 : 3;
    float *blocks = call->scratch,
          *rest = call->scratch + (base->kind == DD_CONVOLUTION_WEIGHT ? self->blocks : 0);

    operand operands[4] = {[3] = {DNNL_ARG_SCRATCHPAD, &mine->scratchpad, rest}};

    switch (base->kind) {
    case DD_CONVOLUTION_FORWARD:
        operands[0] = (operand){DNNL_ARG_SRC, &mine->x, call->a + x};
        operands[1] = (operand){DNNL_ARG_WEIGHTS, &self->weights, call->b};
        operands[2] = (operand){DNNL_ARG_DST, &mine->y, call->out + y};
        if (!execute(self, mine->work, operands, count))
            spoil(call->out + y, images * in_y);
        break;
    case DD_CONVOLUTION_INPUT:
        operands[0] = (operand){DNNL_ARG_DIFF_DST, &mine->y, call->a + y};
        operands[1] = (operand){DNNL_ARG_WEIGHTS, &self->weights, call->b};
        operands[2] = (operand){DNNL_ARG_DIFF_SRC, &mine->x, call->out + x};
        if (!execute(self, mine->work, operands, count))
            spoil(call->out + x, images * in_x);
        break;
    default:
        operands[0] = (operand){DNNL_ARG_SRC, &mine->x, call->a + x};
        operands[1] = (operand){DNNL_ARG_DIFF_DST, &mine->y, call->b + y};
        operands[2] = (operand){DNNL_ARG_DIFF_WEIGHTS, &self->weights, blocks};
        if (!execute(self, mine->work, operands, count) || !reorder(self, mine, blocks, call->out))
            spoil(call->out, s->filters * s->down * s->across * s->channels);
        break;
    }
}

const dd_convolution_backend dd_convolution_onednn = {"onednn", create,       destroy,
                                                      pack,     same_packing, run};
