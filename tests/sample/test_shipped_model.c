/* The model that the examples take at once: it draws images with a black background, and tells them
 * from noise. */
#define _GNU_SOURCE
#include "base/rng.h"
#include "support/harness.h"

#include <ddaebm/ddaebm.h>
#include <math.h>

enum { COUNT = 32, PIXELS = 28 * 28 };

static float samples[COUNT * PIXELS], noise[COUNT * PIXELS];

/* Share of pairs in which the ordinary one scores higher. */
static double auroc(const float *ordinary, const float *foreign) {
    size_t higher = 0;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++)
            higher += ordinary[i] > foreign[j];
    return (double)higher / (COUNT * COUNT);
}

START_TEST(it_draws_garments_and_tells_noise) {
    ddaebm_model *model = NULL;
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    float ordinary[COUNT], foreign[COUNT];
    size_t black = 0, bright = 0, spread = 0;
    ASSERT_OK(ddaebm_model_load(&model, NULL,
                                TEST_DATA "/../../examples/data/fashion-small.safetensors"));
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ASSERT_OK(ddaebm_sampler_draw(sampler, 1, 0, COUNT, samples));
    for (size_t i = 0; i < COUNT * PIXELS; i++) {
        black += samples[i] <= -0.99f;
        bright += samples[i] > 0;
        spread += fabsf(samples[i] - samples[(i + PIXELS) % (COUNT * PIXELS)]) >
                  0.5f; /* from the next sample */
    }
    /* Of the training images' pixels 0.51 are black and 0.31 above 0; of neighbours in the set 0.42
     * differ that much. */
    ck_assert_uint_gt(black, COUNT * PIXELS / 4);
    ck_assert_uint_gt(bright, COUNT * PIXELS / 5);
    ck_assert_uint_gt(spread, COUNT * PIXELS / 5);
    dd_rng_uniforms(noise, 1, dd_stream(DD_STREAM_DATA, 0), 0, COUNT * PIXELS);
    for (size_t i = 0; i < COUNT * PIXELS; i++)
        noise[i] = 2 * noise[i] - 1;
    const ddaebm_score scores[] = {DDAEBM_SCORE_ENERGY, DDAEBM_SCORE_GRADIENT,
                                   DDAEBM_SCORE_RECONSTRUCTION, DDAEBM_SCORE_TYPICALITY};
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
        ASSERT_OK(ddaebm_scorer_measure(scorer, scores[i], samples, COUNT, 0, ordinary));
        ASSERT_OK(ddaebm_scorer_measure(scorer, scores[i], noise, COUNT, 0, foreign));
        ck_assert_double_gt(auroc(ordinary, foreign), 0.95);
    }
    ddaebm_scorer_free(scorer);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
}
END_TEST

int main(void) {
    return RUN_TESTS("shipped_model", it_draws_garments_and_tells_noise);
}
