/* A loss of the caller's own on generated samples: what the hook is shown, what its gradients do,
 * and what is refused. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/extremes.h"
#include "support/small.h"
#include "train/trainer.h"

#include <math.h>

/* Of a generator's largest gradient; 2e-10 is what there is. */
#define ROUNDING 1e-6

static ddaebm_dataset *dataset;

static void begin(void) {
    open_context(1);
    dataset = small_rows(context, 21, 2); /* standardised: other units outside than inside */
}

static void end(void) {
    ddaebm_dataset_free(dataset);
    close_context();
}

static ddaebm_trainer *train(const char *changes) {
    ddaebm_model *model = small_model(context, changes, 3);
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 5));
    ddaebm_model_free(model);
    return trainer;
}

static bool same_weights(const ddaebm_trainer *a, const ddaebm_trainer *b) {
    bool same = true;
    for (int n = 0; n < DD_NETWORKS; n++)
        for (int role = 0; role < 2; role++)
            same =
                same && memcmp(a->model->weights.values[n][role], b->model->weights.values[n][role],
                               a->model->parameters.totals[n][role] * sizeof(float)) == 0;
    return same;
}

/* --- What it does not change. --- */

static ddaebm_status nothing(void *user, const ddaebm_generated_batch *batch, float *gradients) {
    size_t *calls = user;
    for (size_t i = 0; i < batch->count * batch->width; i++)
        ck_assert_float_eq(gradients[i], 0);
    ++*calls;
    return DDAEBM_OK;
}

START_TEST(a_loss_without_gradients_changes_no_bit) {
    ddaebm_trainer *trainer = train(EVERYTHING), *straight = train(EVERYTHING);
    size_t calls = 0;
    ASSERT_OK(ddaebm_trainer_run(straight, 9, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_run(trainer, 3, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_set_sample_hook(trainer, nothing, &calls));
    ASSERT_OK(ddaebm_trainer_run(trainer, 6, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_set_sample_hook(trainer, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_set_sample_hook(trainer, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_run(trainer, 9, NULL, NULL));
    ck_assert_uint_eq(calls, 3);
    ck_assert(same_weights(trainer, straight));
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(straight);
}
END_TEST

/* --- What it is shown. --- */

typedef struct shown {
    size_t count, width, timesteps[8];
    float data[8 * 36], samples[8 * 36];
    float slope; /* L = slope times the sum of all samples */
} shown;

static ddaebm_status look(void *user, const ddaebm_generated_batch *batch, float *gradients) {
    shown *self = user;
    ck_assert_uint_eq(batch->struct_size, sizeof *batch);
    ck_assert_uint_eq(batch->count, 8);
    ck_assert_uint_le(batch->width, 36);
    self->count = batch->count;
    self->width = batch->width;
    memcpy(self->timesteps, batch->timesteps, sizeof self->timesteps);
    memcpy(self->data, batch->data, batch->count * batch->width * sizeof(float));
    memcpy(self->samples, batch->samples, batch->count * batch->width * sizeof(float));
    for (size_t i = 0; i < batch->count * batch->width; i++)
        gradients[i] = self->slope;
    return DDAEBM_OK;
}

static float *observed(const ddaebm_trainer *trainer, const char *name) {
    for (size_t i = 0; i < trainer->graph.observed_count; i++)
        if (strcmp(trainer->graph.observed[i].name, name) == 0)
            return trainer->observed[i];
    ck_abort_msg("%s is not observed", name);
}

START_TEST(the_hook_sees_the_batch_in_the_datas_units) {
    ddaebm_trainer *trainer = train(""), *watched = NULL;
    shown s = {.slope = 0};
    ASSERT_OK(dd_trainer_create(&watched, trainer->model, dataset, 5, true));
    ASSERT_OK(ddaebm_trainer_set_sample_hook(trainer, look, &s));
    ASSERT_OK(ddaebm_trainer_step(trainer, NULL));
    ASSERT_OK(ddaebm_trainer_step(watched, NULL));
    ck_assert_double_ne(trainer->model->scale[0], 1);
    for (size_t i = 0; i < 8; i++) {
        float row[2];
        ASSERT_OK(ddaebm_dataset_read(dataset, dd_rng_permute(i, 21, 5, 0), 1, row));
        ck_assert_uint_eq(s.timesteps[i], (size_t)watched->inputs[DD_SLOT_LEVEL][i]);
        for (size_t j = 0; j < 2; j++) {
            double inner = (double)observed(watched, "x0_pred")[2 * i + j];
            ck_assert_float_eq_tol(s.data[2 * i + j], row[j], 1e-6f);
            ck_assert_double_eq_tol((double)s.samples[2 * i + j],
                                    inner * trainer->model->scale[j] + trainer->model->mean[j],
                                    1e-6);
        }
    }
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(watched);
}
END_TEST

/* Nothing is asked of the border, which the data does not have. */
START_TEST(images_come_without_their_border) {
    static const char changes[] = "\"data.image_size\":8,\"data.padding\":1,\"data.flip\":true";
    uint8_t pixels[13 * 36];
    ddaebm_dataset *images = NULL;
    shown s = {.slope = 0.5f};
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 7 + i / 5);
    ASSERT_OK(ddaebm_dataset_create_images(&images, context, pixels, 13, 6, 6, 1));
    ddaebm_model *model = small_model(context, changes, 3);
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, images, 5));
    ASSERT_OK(ddaebm_trainer_set_sample_hook(trainer, look, &s));
    ASSERT_OK(ddaebm_trainer_step(trainer, NULL));
    ck_assert_uint_eq(s.width, 36);
    for (size_t i = 0; i < 8; i++)
        for (size_t y = 0; y < 8; y++)
            for (size_t x = 0; x < 8; x++) {
                bool inside = y >= 1 && y < 7 && x >= 1 && x < 7;
                size_t at = i * 64 + y * 8 + x;
                ck_assert_float_eq(trainer->own_loss.gradients[at], inside ? 0.5f : 0.0f);
                if (inside)
                    ck_assert_float_eq(s.data[i * 36 + (y - 1) * 6 + x - 1],
                                       trainer->inputs[DD_SLOT_X0][at]);
            }
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(images);
}
END_TEST

/* --- What its gradients do. --- */

/* The library's loss mse_prior, by hand: mean over the batch of ||x_t - m(x_0, x_{t+1})||^2 in the
 * networks' units. */
static ddaebm_status reconstruct(void *user, const ddaebm_generated_batch *batch,
                                 float *gradients) {
    const ddaebm_trainer *trainer = user;
    dd_noise_schedule s = {0};
    ASSERT_OK(dd_noise_schedule_make(&s, context, dd_trainer_settings(trainer)));
    for (size_t i = 0; i < batch->count; i++)
        for (size_t j = 0; j < batch->width; j++) {
            size_t at = i * batch->width + j, t = batch->timesteps[i];
            double mean = trainer->model->mean[j], scale = trainer->model->scale[j];
            double x0 = ((double)batch->data[at] - mean) / scale,
                   drawn = ((double)batch->samples[at] - mean) / scale;
            double x_t =
                s.a_cum[t] * x0 + s.sigma_cum[t] * (double)trainer->inputs[DD_SLOT_NOISE_T][at];
            double x_next =
                s.a[t + 1] * x_t + s.sigma[t + 1] * (double)trainer->inputs[DD_SLOT_NOISE_NEXT][at];
            double miss = s.post_coef_x0[t] * drawn + s.post_coef_next[t] * x_next - x_t;
            gradients[at] = (float)(2 * miss * s.post_coef_x0[t] / (double)batch->count / scale);
        }
    dd_noise_schedule_free(&s);
    return DDAEBM_OK;
}

static void gradients_of_first_step(ddaebm_trainer *trainer) {
    ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
    ASSERT_OK(ddaebm_trainer_energy_update(trainer));
    ASSERT_OK(ddaebm_trainer_generator_gradients(trainer));
}

static double largest(const float *x, const float *y, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = larger(most, fabs((double)x[i] - (y ? (double)y[i] : 0)));
    return most;
}

/* Beside the reconstruction, the forward divergence is the encoder's alone. */
START_TEST(a_loss_of_the_librarys_may_be_the_callers) {
    ddaebm_trainer *theirs = train("\"objective.reconstruction\":\"mse_prior\""),
                   *without = train("\"objective.divergence\":\"reverse_kl\"");
    ddaebm_trainer *own = train("\"objective.divergence\":\"reverse_kl\"");
    size_t count = own->model->parameters.totals[DDAEBM_NETWORK_GENERATOR][DD_ROLE_WEIGHT];
    ASSERT_OK(ddaebm_trainer_set_sample_hook(own, reconstruct, own));
    ASSERT_OK(ddaebm_trainer_energy_gradients(without));
    ASSERT_OK(ddaebm_trainer_energy_gradients(own));
    ck_assert_int_eq(memcmp(own->gradients[DDAEBM_NETWORK_ENERGY],
                            without->gradients[DDAEBM_NETWORK_ENERGY],
                            own->model->parameters.totals[DDAEBM_NETWORK_ENERGY][DD_ROLE_WEIGHT] *
                                sizeof(float)),
                     0);
    gradients_of_first_step(theirs);
    gradients_of_first_step(without);
    gradients_of_first_step(own);
    const float *expected = theirs->gradients[DDAEBM_NETWORK_GENERATOR];
    double scale = largest(expected, NULL, count);
    double miss = largest(own->gradients[DDAEBM_NETWORK_GENERATOR], expected, count) / scale;
    ck_assert_msg(miss < ROUNDING, "the gradients differ by %g of the largest", miss);
    ck_assert_double_gt(largest(without->gradients[DDAEBM_NETWORK_GENERATOR], expected, count),
                        0.01 * scale);
    ddaebm_trainer_free(theirs);
    ddaebm_trainer_free(without);
    ddaebm_trainer_free(own);
}
END_TEST

static double sum_of_samples(ddaebm_trainer *trainer, const shown *s) {
    double sum = 0;
    gradients_of_first_step(trainer);
    for (size_t i = 0; i < s->count * s->width; i++)
        sum += (double)s->samples[i];
    return sum;
}

/* The gradient of slope times the sum of all samples, less the gradient without it, against a
 * central difference along itself. */
START_TEST(gradients_are_those_of_the_loss) {
    ddaebm_trainer *trainer = train("\"generator.norm\":\"none\",\"generator.activation\":\"silu\","
                                    "\"optimizer.energy_rate\":0");
    shown s = {.slope = 0};
    size_t count = 0;
    float *weights = NULL, *gradients = NULL;
    ASSERT_OK(ddaebm_trainer_set_sample_hook(trainer, look, &s));
    ASSERT_OK(ddaebm_trainer_weights(trainer, DDAEBM_NETWORK_GENERATOR, &weights, &count));
    ASSERT_OK(ddaebm_trainer_gradients(trainer, DDAEBM_NETWORK_GENERATOR, &gradients, &count));
    double *slope = calloc(count, sizeof *slope), norm = 0;
    float *middle = malloc(count * sizeof *middle);
    memcpy(middle, weights, count * sizeof *middle);
    gradients_of_first_step(trainer);
    for (size_t i = 0; i < count; i++)
        slope[i] = -(double)gradients[i];
    s.slope = 1000;
    gradients_of_first_step(trainer);
    for (size_t i = 0; i < count; i++) {
        slope[i] = (slope[i] + (double)gradients[i]) / 1000;
        norm += slope[i] * slope[i];
    }
    norm = sqrt(norm);
    double h = 1e-3, sums[2];
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < count; i++)
            weights[i] = (float)((double)middle[i] + (k ? -h : h) * slope[i] / norm);
        sums[k] = sum_of_samples(trainer, &s);
    }
    ck_assert_double_gt(norm, 0.1);
    ck_assert_double_eq_tol((sums[0] - sums[1]) / (2 * h), norm, 2e-3 * norm);
    free(slope);
    free(middle);
    ddaebm_trainer_free(trainer);
}
END_TEST

/* Pulled to where the data is not, samples go there. */
static ddaebm_status pull(void *user, const ddaebm_generated_batch *batch, float *gradients) {
    double *mean = user;
    *mean = 0;
    for (size_t i = 0; i < batch->count; i++) {
        *mean += (double)batch->samples[2 * i] / (double)batch->count;
        gradients[2 * i] = 10000 * (batch->samples[2 * i] + 4) / (float)batch->count;
    }
    return DDAEBM_OK;
}

START_TEST(samples_follow) {
    ddaebm_trainer *trainer = train("\"optimizer.generator_rate\":1e-2");
    double mean = 0;
    ASSERT_OK(ddaebm_trainer_set_sample_hook(trainer, pull, &mean));
    ASSERT_OK(ddaebm_trainer_run(trainer, 300, NULL, NULL));
    ck_assert_msg(mean < -2, "the samples' mean is %g; the data's is 1", mean);
    ddaebm_trainer_free(trainer);
}
END_TEST

/* --- What is refused. --- */

static ddaebm_status spoil(void *user, const ddaebm_generated_batch *batch, float *gradients) {
    const double *value = user;
    gradients[3 * batch->width + 1] = (float)*value;
    return *value == 7 ? DDAEBM_UNSUPPORTED : DDAEBM_OK;
}

START_TEST(a_step_may_be_stopped_and_taken_again) {
    ddaebm_trainer *trainer = train(EVERYTHING), *straight = train(EVERYTHING);
    double value = (double)NAN;
    size_t calls = 0;
    ASSERT_OK(ddaebm_trainer_run(trainer, 2, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_run(straight, 5, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_set_sample_hook(trainer, spoil, &value));
    ddaebm_trainer *fresh = train(EVERYTHING);
    ASSERT_OK(ddaebm_trainer_run(fresh, 2, NULL, NULL));
    ASSERT_FAILS(ddaebm_trainer_step(trainer, NULL), DDAEBM_NOT_FINITE, "sample hook's gradient");
    ck_assert(same_weights(trainer, fresh));
    ck_assert_uint_eq(ddaebm_trainer_steps(trainer), 2);
    ASSERT_FAILS(ddaebm_trainer_generator_gradients(trainer), DDAEBM_STATE, "comes after");
    ddaebm_trainer_free(fresh);
    ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
    ASSERT_FAILS(ddaebm_trainer_generator_gradients(trainer), DDAEBM_NOT_FINITE,
                 "step 3: the sample hook's gradient for number 1 of row 3 is nan");
    value = (double)-INFINITY;
    ASSERT_FAILS(ddaebm_trainer_generator_gradients(trainer), DDAEBM_NOT_FINITE, "is -inf");
    value = 7;
    ASSERT_FAILS(ddaebm_trainer_generator_gradients(trainer), DDAEBM_UNSUPPORTED,
                 "the sample hook stopped step 3");
    ASSERT_FAILS(ddaebm_trainer_set_sample_hook(trainer, NULL, NULL), DDAEBM_STATE,
                 "comes between two steps");
    ck_assert_uint_eq(ddaebm_trainer_steps(trainer), 2);
    value = 0;
    ASSERT_OK(ddaebm_trainer_energy_update(trainer)); /* the half before it was not touched */
    ASSERT_OK(ddaebm_trainer_generator_gradients(trainer));
    ASSERT_OK(ddaebm_trainer_generator_update(trainer, NULL));
    ASSERT_OK(ddaebm_trainer_set_sample_hook(trainer, nothing, &calls));
    ASSERT_OK(ddaebm_trainer_run(trainer, 5, NULL, NULL));
    ck_assert(same_weights(trainer, straight));
    ASSERT_FAILS(ddaebm_trainer_set_sample_hook(NULL, nothing, NULL), DDAEBM_INVALID_ARGUMENT,
                 "trainer");
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(straight);
}
END_TEST

START_TEST(memory_may_run_out) {
    ddaebm_trainer *trainer = train(EVERYTHING), *straight = train(EVERYTHING);
    size_t calls = 0;
    for (int on = 0; on < 2; on++) {
        size_t nth = 0, live = counted.live;
        ddaebm_status status = DDAEBM_OUT_OF_MEMORY;
        counted.from_there_on = on;
        for (; status != DDAEBM_OK; nth++) { /* to have a hook; then to have none */
            counted.fail_at = counted.calls + 1 + nth;
            status = ddaebm_trainer_set_sample_hook(trainer, nothing, &calls);
            ck_assert(status == DDAEBM_OK ||
                      (status == DDAEBM_OUT_OF_MEMORY && counted.live == live));
        }
        ck_assert_uint_gt(nth, 10);
        counted.fail_at = counted.calls + 5;
        ck_assert_int_eq(ddaebm_trainer_set_sample_hook(trainer, NULL, NULL), DDAEBM_OUT_OF_MEMORY);
        counted.fail_at = 0;
        size_t before = calls, allocations = counted.calls;
        ASSERT_OK(ddaebm_trainer_run(trainer, trainer->step + 2, NULL,
                                     NULL)); /* the hook stayed; steps do not allocate */
        ck_assert_uint_eq(calls, before + 2);
        ck_assert_uint_eq(counted.calls, allocations);
        ASSERT_OK(ddaebm_trainer_set_sample_hook(trainer, NULL, NULL));
        ck_assert_uint_eq(counted.live, live);
    }
    ASSERT_OK(ddaebm_trainer_run(straight, trainer->step, NULL, NULL));
    ck_assert(same_weights(trainer, straight));
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(straight);
}
END_TEST

START_TEST(the_border_struct_stays) {
    ck_assert_uint_eq(offsetof(ddaebm_generated_batch, struct_size), 0);
    ck_assert_uint_eq(offsetof(ddaebm_generated_batch, count), sizeof(size_t));
    ck_assert_uint_eq(offsetof(ddaebm_generated_batch, width), 2 * sizeof(size_t));
    ck_assert_uint_eq(offsetof(ddaebm_generated_batch, timesteps), 3 * sizeof(size_t));
    ck_assert_uint_eq(offsetof(ddaebm_generated_batch, data), 4 * sizeof(size_t));
    ck_assert_uint_eq(offsetof(ddaebm_generated_batch, samples), 5 * sizeof(size_t));
}
END_TEST

int main(void) {
    use_fixture(begin, end);
    return RUN_TESTS("own_loss", a_loss_without_gradients_changes_no_bit,
                     the_hook_sees_the_batch_in_the_datas_units, images_come_without_their_border,
                     a_loss_of_the_librarys_may_be_the_callers, gradients_are_those_of_the_loss,
                     samples_follow, a_step_may_be_stopped_and_taken_again, memory_may_run_out,
                     the_border_struct_stays);
}
