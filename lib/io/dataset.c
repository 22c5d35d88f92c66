#include "io/dataset.h"

#include "base/context.h"
#include "io/dataset_parts.h"
#include "io/named_images.h"

ddaebm_status dd_dataset_make(ddaebm_dataset **out, ddaebm_context *context, size_t width,
                              uint64_t rows) {
    ddaebm_context *held = NULL;
    ddaebm_status status = dd_context_hold(&held, context);
    if (status != DDAEBM_OK)
        return status;

    ddaebm_dataset *dataset = dd_alloc_zero(held, 1, sizeof *dataset);
    if (!dataset) {
        ddaebm_context_free(held);
        return DDAEBM_OUT_OF_MEMORY;
    }

    dataset->context = held;
    dataset->source = (ddaebm_source)DDAEBM_SOURCE_INIT;
    dataset->source.width = width;
    dataset->source.rows = rows;
    dataset->source.user = dataset;
    *out = dataset;
    return DDAEBM_OK;
}

void ddaebm_dataset_free(ddaebm_dataset *dataset) {
    if (!dataset)
        return;
    ddaebm_context *context = dataset->context;
    dd_free(context, dataset->rows.values);
    dd_free(context, dataset->rows.wide);
    dd_column_names_free(&dataset->columns, context);
    dd_free(context, dataset->images.block);
    dd_free(context, dataset);
    ddaebm_context_free(context);
}

size_t ddaebm_dataset_width(const ddaebm_dataset *dataset) {
    return dataset->source.width;
}

uint64_t ddaebm_dataset_rows(const ddaebm_dataset *dataset) {
    return dataset->source.rows;
}

uint64_t ddaebm_dataset_missing(const ddaebm_dataset *dataset) {
    return dataset->missing;
}

void ddaebm_dataset_image_shape(const ddaebm_dataset *dataset, size_t *height, size_t *width,
                                size_t *channels) {
    *height = dataset->shape.height;
    *width = dataset->shape.width;
    *channels = dataset->shape.channels;
}

void ddaebm_dataset_form(const ddaebm_dataset *dataset, size_t *rank, double *black,
                         double *white) {
    const bool images = dataset->shape.height > 0, bytes = dataset->images.pixels != NULL;
    const bool known = dataset->black < dataset->white || dataset->black > dataset->white;
    *rank = dataset->rank;
    *black = !images ? 0 : known ? dataset->black : bytes ? 0 : -1;
    *white = !images ? 0 : known ? dataset->white : bytes ? 255 : 1;
}

bool dd_dataset_named(const ddaebm_dataset *dataset) {
    return dataset->named != NULL;
}

const char *dd_dataset_drawn(const ddaebm_dataset *dataset, uint64_t *seed) {
    if (!dataset->named)
        return NULL;
    *seed = dataset->seed;
    return dd_synthetic_name_of(dataset->named);
}

bool dd_dataset_in_memory(const ddaebm_dataset *dataset) {
    return dataset->source.user == dataset && !dataset->named;
}

const double *dd_dataset_doubles(const ddaebm_dataset *dataset, uint64_t row) {
    return dataset->rows.wide ? dataset->rows.wide + dd_dataset_start(dataset, (size_t)row) : NULL;
}

double *dd_dataset_change(ddaebm_dataset *dataset) {
    return dataset->rows.wide;
}

const dd_column_names *dd_dataset_columns(const ddaebm_dataset *dataset) {
    return &dataset->columns;
}

const char *ddaebm_dataset_column_name(const ddaebm_dataset *dataset, size_t index) {
    return dd_column_name(&dataset->columns, index);
}

const char *ddaebm_dataset_name(size_t index) {
    size_t drawn = 0;
    while (dd_synthetic_name(drawn))
        drawn++;
    return index < drawn ? dd_synthetic_name(index) : dd_named_images_name(index - drawn);
}
