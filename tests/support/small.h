/* Problems small enough to train in a test: the published networks with a handful of units. */
#ifndef TEST_SMALL_H
#define TEST_SMALL_H

#include "base/rng.h"
#include "model/model.h"
#include "support/harness.h"

#include <ddaebm/sampler.h>

#define SMALL_WIDTHS(network)                                                                      \
    "\"" network ".feature_layers\":[4],\"" network ".hidden_layers\":[8,6]"

/* Preset "toy" at a small size, and then the changes: the inside of a JSON object, or "". */
static inline ddaebm_config *small_config(ddaebm_context *owner, const char *changes) {
    static const char sizes[] =
        "{" SMALL_WIDTHS("energy") "," SMALL_WIDTHS("generator") "," SMALL_WIDTHS(
            "encoder") ","
                       "\"network.time_width\":4,\"training.batch\":8,\"training.steps\":20}";
    ddaebm_config *config = NULL;
    char text[1024];
    int length = snprintf(text, sizeof text, "{%s}", changes);
    ck_assert_msg(length > 0 && (size_t)length < sizeof text, "changes of %d bytes have no room",
                  length);
    ASSERT_OK(ddaebm_config_create(&config, owner, "toy"));
    ASSERT_OK(ddaebm_config_parse(config, sizes, sizeof sizes - 1));
    ASSERT_OK(ddaebm_config_parse(config, text, strlen(text)));
    return config;
}

static inline ddaebm_model *small_model(ddaebm_context *owner, const char *changes, uint64_t seed) {
    ddaebm_config *config = small_config(owner, changes);
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_model_create(&model, owner, config, seed));
    ddaebm_config_free(config);
    return model;
}

/* Averaging, a falling rate, both moments: all that a run has to remember. */
#define EVERYTHING                                                                                 \
    "\"optimizer.ema_decay\":0.9,\"optimizer.rate_schedule\":\"cosine\",\"optimizer.beta1\":0.5,"  \
    "\"optimizer.energy_rate\":1e-3,\"optimizer.generator_rate\":1e-3"

/* Rows around 1 in the first column, -1 in the second, and so on. */
static inline ddaebm_dataset *small_rows(ddaebm_context *owner, size_t count, size_t width) {
    float *rows = malloc(count * width * sizeof *rows);
    ddaebm_dataset *dataset = NULL;
    dd_rng_normals(rows, 7, dd_stream(DD_STREAM_DATA, 0), 0, count * width);
    for (size_t i = 0; i < count * width; i++)
        rows[i] = 0.5f * rows[i] + (i % width % 2 ? -1.0f : 1.0f);
    ASSERT_OK(ddaebm_dataset_create_rows(&dataset, owner, rows, count, width));
    free(rows);
    return dataset;
}

/* A model's file in memory, to be freed. */
static inline void *small_bytes(const ddaebm_model *model, size_t *size) {
    ck_assert_int_eq(ddaebm_model_save_memory(model, NULL, 0, size), DDAEBM_OUT_OF_RANGE);
    void *bytes = malloc(*size);
    ASSERT_OK(ddaebm_model_save_memory(model, bytes, *size, NULL));
    return bytes;
}

/* Two models whose files are the same, byte for byte: configuration, statistics, weights,
 * temperature. */
static inline bool same_models(const ddaebm_model *a, const ddaebm_model *b) {
    size_t size_a = 0, size_b = 0;
    void *bytes_a = small_bytes(a, &size_a), *bytes_b = small_bytes(b, &size_b);
    bool same = size_a == size_b && memcmp(bytes_a, bytes_b, size_a) == 0;
    free(bytes_a);
    free(bytes_b);
    return same;
}

/* Guidance that leaves a density as it is. */
static inline ddaebm_status no_guidance(void *user, const ddaebm_guidance_batch *batch,
                                        double *log_densities, double *gradients) {
    (void)user;
    (void)batch;
    (void)log_densities;
    (void)gradients;
    return DDAEBM_OK;
}

/* Log lines that a test wants to see. */
typedef struct heard {
    size_t warnings, lines;
    char last[256]; /* warning */
} heard;

static inline void hear(void *user, ddaebm_log_level level, const char *line) {
    heard *self = user;
    self->lines++;
    if (level != DDAEBM_LOG_WARNING)
        return;
    self->warnings++;
    snprintf(self->last, sizeof self->last, "%s", line);
}

#endif
