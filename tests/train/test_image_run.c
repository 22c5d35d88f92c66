/* A run on images from end to end, at toy size: discs of random place and size on black, a small
 * ncsnpp, a few hundred steps. Losses fall, samples come near the data, noise is told from images,
 * and a run that was stopped goes on to the same bits. */
#define _GNU_SOURCE
#include "base/rng.h"
#include "support/small.h"

#include <math.h>

/* A sanitiser makes a step many times as slow: there a few are enough, for the memory, and nothing
 * is asked of what was learnt. */

enum {
    SIDE = 8,
    PIXELS = SIDE * SIDE,
    TRAINED = 512,
    COUNT = 256,
    SEED = 1,
    STEPS = SANITISED ? 20 : 240,
    HALF = STEPS / 2,
    AGAIN = SANITISED ? 2 : 10,
    DIRECTIONS = 64
};

/* Held out, numbered after those that a run trains on; two sets, for the distance between them is
 * the least there is. */
enum { HELD_OUT = TRAINED, FRESH = TRAINED + COUNT };

/* What is asked for, and what seeds 1 to 4 gave. */
#define LOSS_LEFT 0.5     /* of the generator's loss; at most 0.40 */
#define DISTANCE_LEFT 0.3 /* of the untrained generator's distance to the data; at most 0.15 */
#define COLLAPSE_LEFT                                                                              \
    0.6 /* of the distance of a generator that says the mean image alone; at most 0.29 */
#define LEAST_AREA 0.95 /* under the ROC curve of images against uniform noise; 1 */

static const char changes[] = "{\"data.image_size\":8,\"data.padding\":0,\"image.patch\":1,"
                              "\"network.latent_width\":8,\"network.latent_embedding\":32,"
                              "\"network.mapping_layers\":1,\"network.time_width\":16,\"energy."
                              "channels\":16,\"energy.multipliers\":[1,2],"
                              "\"generator.channels\":16,\"generator.multipliers\":[1,2],\"encoder."
                              "channels\":8,\"optimizer.energy_rate\":1e-3,"
                              "\"optimizer.generator_rate\":2e-3,\"optimizer.ema_decay\":0.95,"
                              "\"training.batch\":16,\"training.steps\":240}";

/* A trainer that learns nothing, on all images at once. */
static const char measuring[] = "{\"optimizer.energy_rate\":0,\"optimizer.generator_rate\":0,"
                                "\"optimizer.final_rate\":0,\"training.batch\":256}";

/* A disc with a soft edge, wholly within the image. */
static void draw_disc(float *image, uint64_t index) {
    float u[3];
    dd_rng_uniforms(u, 17, dd_stream(DD_STREAM_DATA, 0), 3 * index, 3);
    double radius = 1 + 1.5 * (double)u[0], room = SIDE - 1 - 2 * radius;
    double x = radius + room * (double)u[1], y = radius + room * (double)u[2];
    for (int i = 0; i < PIXELS; i++) {
        double inside = radius + 0.5 - hypot(i % SIDE - x, i / SIDE - y);
        image[i] = (float)(2 * fmin(fmax(inside, 0), 1) - 1);
    }
}

static float *draw_discs(uint64_t first, size_t count) {
    float *images = malloc(count * PIXELS * sizeof *images);
    for (size_t i = 0; i < count; i++)
        draw_disc(images + i * PIXELS, first + i);
    return images;
}

static float *draw_noise(size_t count) {
    float *images = malloc(count * PIXELS * sizeof *images);
    dd_rng_uniforms(images, 18, dd_stream(DD_STREAM_DATA, 0), 0, count * PIXELS);
    for (size_t i = 0; i < count * PIXELS; i++)
        images[i] = 2 * images[i] - 1;
    return images;
}

static ddaebm_dataset *discs(ddaebm_context *context, uint64_t first, size_t count) {
    ddaebm_dataset *dataset = NULL;
    float *images = draw_discs(first, count);
    ASSERT_OK(ddaebm_dataset_create_images_float(&dataset, context, images, count, SIDE, SIDE, 1));
    free(images);
    return dataset;
}

static ddaebm_model *create(ddaebm_context *context, const char *more) {
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_config_create(&config, context, "fashion-small"));
    ASSERT_OK(ddaebm_config_parse(config, changes, strlen(changes)));
    ASSERT_OK(ddaebm_config_parse(config, more, strlen(more)));
    ASSERT_OK(ddaebm_model_create(&model, context, config, SEED));
    ddaebm_config_free(config);
    return model;
}

static void copy_parameters(ddaebm_model *to, const ddaebm_model *from) {
    for (size_t i = 0; i < ddaebm_model_parameter_count(from); i++) {
        ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
        ASSERT_OK(ddaebm_model_parameter(from, i, &info));
        float *values = malloc(info.elements * sizeof *values);
        ASSERT_OK(ddaebm_model_get_parameter(from, info.name, values, info.elements));
        ASSERT_OK(ddaebm_model_set_parameter(to, info.name, values, info.elements));
        free(values);
    }
}

static float *samples_of(const ddaebm_model *model) {
    float *rows = malloc(COUNT * PIXELS * sizeof *rows);
    ddaebm_sampler *sampler = NULL;
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_sampler_draw(sampler, SEED, 0, COUNT, rows));
    ddaebm_sampler_free(sampler);
    return rows;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorted places of images along a direction. */
static void project(const float *rows, const float *direction, double *places) {
    double length = 0;
    for (size_t p = 0; p < PIXELS; p++)
        length += (double)direction[p] * (double)direction[p];
    for (size_t i = 0; i < COUNT; i++) {
        places[i] = 0;
        for (size_t p = 0; p < PIXELS; p++)
            places[i] += (double)rows[i * PIXELS + p] * (double)direction[p] / sqrt(length);
    }
    qsort(places, COUNT, sizeof *places, ascending);
}

/* Sliced Wasserstein-1 distance between two sets of COUNT images. */
static double distance(const float *a, const float *b) {
    float direction[PIXELS];
    double in_a[COUNT], in_b[COUNT], sum = 0;
    for (size_t d = 0; d < DIRECTIONS; d++) {
        dd_rng_normals(direction, 19, dd_stream(DD_STREAM_DATA, d), 0, PIXELS);
        project(a, direction, in_a);
        project(b, direction, in_b);
        for (size_t i = 0; i < COUNT; i++)
            sum += fabs(in_a[i] - in_b[i]);
    }
    return sum / (COUNT * DIRECTIONS);
}

/* A set that says the mean image again and again: what a collapsed generator may be at best. */
static float *repeat_mean(const float *rows) {
    float *means = calloc(COUNT * PIXELS, sizeof *means);
    for (size_t i = 0; i < COUNT * PIXELS; i++)
        means[i % PIXELS] += rows[i] / COUNT;
    for (size_t i = PIXELS; i < COUNT * PIXELS; i++)
        means[i] = means[i % PIXELS];
    return means;
}

/* Area under the ROC curve: how often an image scores above noise. */
static double area(const float *images, const float *noise) {
    double above = 0;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++)
            above += images[i] > noise[j] ? 1 : images[i] == noise[j] ? 0.5 : 0;
    return above / ((double)COUNT * COUNT);
}

/* A model's loss of the generator on held-out images, most of it the energy score: what a trainer
 * that learns nothing measures. Two models are measured at the same timesteps with the same noise.
 */
static double generator_loss(ddaebm_context *context, const ddaebm_model *model) {
    ddaebm_dataset *dataset = discs(context, HELD_OUT, COUNT);
    ddaebm_model *copy = create(context, measuring);
    ddaebm_trainer *trainer = NULL;
    ddaebm_step_statistics statistics = DDAEBM_STEP_STATISTICS_INIT;
    copy_parameters(copy, model);
    ASSERT_OK(ddaebm_trainer_create(&trainer, copy, dataset, SEED));
    ASSERT_OK(ddaebm_trainer_step(trainer, &statistics));
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(copy);
    ddaebm_dataset_free(dataset);
    return statistics.generator_loss;
}

static void check_loss(ddaebm_context *context, const ddaebm_model *start,
                       const ddaebm_model *model) {
    double before = generator_loss(context, start), after = generator_loss(context, model);
    ck_assert_msg(SANITISED || after < LOSS_LEFT * before,
                  "the generator's loss went from %.3f to %.3f", before, after);
}

static void check_samples(const ddaebm_model *start, const ddaebm_model *model) {
    float *untrained = samples_of(start), *samples = samples_of(model);
    float *held_out = draw_discs(HELD_OUT, COUNT), *fresh = draw_discs(FRESH, COUNT),
          *means = repeat_mean(fresh);
    double before = distance(untrained, held_out), after = distance(samples, held_out);
    double collapsed = distance(means, held_out), least = distance(fresh, held_out);
    ck_assert_msg(SANITISED ||
                      (after < DISTANCE_LEFT * before && after < COLLAPSE_LEFT * collapsed),
                  "distance to held-out images: %.3f untrained, %.3f trained, %.3f of their mean, "
                  "%.3f of fresh images",
                  before, after, collapsed, least);
    free(untrained);
    free(samples);
    free(held_out);
    free(fresh);
    free(means);
}

static void check_scores(const ddaebm_model *model) {
    float *held_out = draw_discs(HELD_OUT, COUNT), *noise = draw_noise(COUNT), ordinary[COUNT],
          odd[COUNT];
    ddaebm_scorer *scorer = NULL;
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ASSERT_OK(ddaebm_scorer_score(scorer, held_out, COUNT, 0, ordinary));
    ASSERT_OK(ddaebm_scorer_score(scorer, noise, COUNT, 0, odd));
    double above = area(ordinary, odd);
    ck_assert_msg(SANITISED || above > LEAST_AREA, "the area is %.3f", above);
    ddaebm_scorer_free(scorer);
    free(held_out);
    free(noise);
}

/* The checkpoint of HALF and the straight run do the same steps, and what they trained is the same
 * file. */
static void check_resumed(ddaebm_context *context, const ddaebm_dataset *dataset,
                          ddaebm_trainer *straight) {
    ddaebm_trainer *resumed = NULL;
    ddaebm_model *a = NULL, *b = NULL;
    ASSERT_OK(ddaebm_trainer_save(straight, in_folder("half")));
    ASSERT_OK(ddaebm_trainer_resume(&resumed, context, in_folder("half"), dataset));
    ASSERT_OK(ddaebm_trainer_snapshot(straight, &a));
    for (int i = 0; i < AGAIN; i++) {
        ddaebm_step_statistics one = DDAEBM_STEP_STATISTICS_INIT,
                               other = DDAEBM_STEP_STATISTICS_INIT;
        ASSERT_OK(ddaebm_trainer_step(straight, &one));
        ASSERT_OK(ddaebm_trainer_step(resumed, &other));
        ck_assert_mem_eq(&one, &other, sizeof one);
    }
    ASSERT_OK(ddaebm_trainer_snapshot(resumed, &b));
    ck_assert(!same_models(a, b)); /* those steps changed something */
    ddaebm_model_free(a);
    ASSERT_OK(ddaebm_trainer_snapshot(straight, &a));
    ck_assert(same_models(a, b));
    ddaebm_model_free(a);
    ddaebm_model_free(b);
    ddaebm_trainer_free(resumed);
}

START_TEST(a_run_on_images) {
    ddaebm_context *context = NULL;
    ddaebm_trainer *trainer = NULL;
    ddaebm_model *trained = NULL;
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    ASSERT_OK(ddaebm_context_set_threads(context, 1));
    ddaebm_dataset *dataset = discs(context, 0, TRAINED);
    ddaebm_model *start = create(context, "{}");
    ASSERT_OK(ddaebm_trainer_create(&trainer, start, dataset, SEED));
    ASSERT_OK(ddaebm_trainer_run(trainer, HALF, NULL, NULL));
    check_resumed(context, dataset, trainer);
    ASSERT_OK(ddaebm_trainer_run(trainer, STEPS, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_snapshot(trainer, &trained));
    check_loss(context, start, trained);
    check_samples(start, trained);
    check_scores(trained);
    ddaebm_model_free(trained);
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(start);
    ddaebm_dataset_free(dataset);
    ddaebm_context_free(context);
}
END_TEST

int main(void) {
    return RUN_TESTS("image_run", a_run_on_images);
}
