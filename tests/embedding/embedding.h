/* What the tests of a host's surroundings share: everything that a program does with the library,
 * as one result. */
#ifndef TEST_EMBEDDING_H
#define TEST_EMBEDDING_H

#include "support/small.h"

#include <ddaebm/sampler.h>
#include <ddaebm/scorer.h>
#include <ddaebm/trainer.h>

/* Images of 8 x 8, one channel. */
enum { IMAGE_WIDTH = 64 };

static inline ddaebm_model *small_image_model(ddaebm_context *context) {
    return small_model(context,
                       "\"data.image_size\":8,\"network.family\":\"ncsnpp\",\"network.time_width\":"
                       "8,\"diffusion.beta_max\":20,"
                       "\"network.latent_embedding\":8,\"energy.channels\":4,\"energy."
                       "multipliers\":[1],\"generator.channels\":4,"
                       "\"generator.multipliers\":[1],\"encoder.channels\":4",
                       8);
}

enum { TASK_ROWS = 500, TASK_WIDTH = 2, TASK_FILE = 1 << 18 };

/* Samples, scores and gradients of a trained model, and its checkpoint: compare with memcmp. */
typedef struct task {
    float samples[TASK_ROWS * TASK_WIDTH], scores[TASK_ROWS], gradients[TASK_ROWS * TASK_WIDTH],
        typicality[TASK_ROWS];
    size_t file_size;
    unsigned char file[TASK_FILE];
} task;

/* Data, configuration, training, a file and back, samples, scores. */
static inline void do_task(ddaebm_context *context, task *result) {
    ddaebm_dataset *data = NULL;
    ddaebm_trainer *trainer = NULL;
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    memset(result, 0, sizeof *result);
    ASSERT_OK(ddaebm_dataset_create_named(&data, context, "pinwheel", 4));
    ddaebm_model *start = small_model(
                     context, EVERYTHING ",\"diffusion.beta_max\":20.3,\"objective.gamma\":0.013",
                     3),
                 *model = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, start, data, 5));
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 5, NULL, NULL));
    ASSERT_OK(
        ddaebm_trainer_save_memory(trainer, result->file, sizeof result->file, &result->file_size));
    ASSERT_OK(ddaebm_model_load_memory(&model, context, result->file, result->file_size));
    ASSERT_OK(ddaebm_model_fit_typicality(model, data));
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ASSERT_OK(ddaebm_sampler_draw(sampler, 1, 0, TASK_ROWS, result->samples));
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, result->samples, TASK_ROWS, 0,
                                  result->scores));
    ASSERT_OK(ddaebm_scorer_gradient(scorer, result->samples, TASK_ROWS, 1, result->gradients));
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_TYPICALITY, result->samples, TASK_ROWS, 0,
                                  result->typicality));
    ddaebm_sampler_free(sampler);
    ddaebm_scorer_free(scorer);
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_model_free(start);
    ddaebm_dataset_free(data);
}

#endif
