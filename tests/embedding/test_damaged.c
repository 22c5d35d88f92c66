/* Files that were cut or changed on their way: whatever bit it is, a file that has a checksum is
 * refused, with a reason. And files of every version of the format, which load for ever. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/small.h"

#include <math.h>

/* Sampled: every 13th cut and flip (of all eight bits of a byte, as 13 is odd), and a twentieth of
 * the random ones. */
enum { LENGTH = 8, SMALL = 64 << 10, SAMPLE = 13, RANDOM_FLIPS = 10000, FEWER_FLIPS = 500 };

static ddaebm_dataset *dataset;

static void begin(void) {
    open_context(1);
    dataset = small_rows(context, 16, 2);
}

static void end(void) {
    ddaebm_dataset_free(dataset);
    close_context();
}

/* As few tensors as can be: each is another line of the header. */
#define FEW_TENSORS                                                                                \
    "\"energy.hidden_layers\":[4],\"generator.hidden_layers\":[4],\"encoder.hidden_layers\":[4],"  \
    "\"energy.activation\":\"silu\",\"generator.activation\":\"silu\",\"encoder.activation\":"     \
    "\"silu\","                                                                                    \
    "\"generator.norm\":\"none\",\"encoder.norm\":\"none\""

/* A file, and the call that reads it. */
typedef struct subject {
    const char *name;
    unsigned char *bytes;
    size_t size;
    bool is_checkpoint;
} subject;

static ddaebm_status load(const subject *s, size_t size) {
    ddaebm_model *model = NULL;
    ddaebm_trainer *trainer = NULL;
    ddaebm_status status =
        s->is_checkpoint ? ddaebm_trainer_resume_memory(&trainer, context, s->bytes, size, dataset)
                         : ddaebm_model_load_memory(&model, context, s->bytes, size);
    ck_assert_int_eq(status == DDAEBM_OK, model || trainer);
    ck_assert(status == DDAEBM_OK || *ddaebm_error_message());
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    return status;
}

static void refused(const subject *s, size_t size, const char *how, size_t where) {
    size_t live = counted.live;
    ck_assert_msg(load(s, size) != DDAEBM_OK, "%s: %s at %zu loads", s->name, how, where);
    ck_assert_uint_eq(counted.live, live);
}

static subject small_model_file(void) {
    ddaebm_model *model = small_model(context, FEW_TENSORS, 5);
    subject s = {.name = "model"};
    s.bytes = small_bytes(model, &s.size);
    ddaebm_model_free(model);
    return s;
}

static subject small_checkpoint(void) {
    ddaebm_model *model = small_model(context, FEW_TENSORS, 5);
    ddaebm_trainer *trainer = NULL;
    subject s = {.name = "checkpoint", .is_checkpoint = true};
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 3));
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 3, NULL, NULL));
    ck_assert_int_eq(ddaebm_trainer_save_memory(trainer, NULL, 0, &s.size), DDAEBM_OUT_OF_RANGE);
    s.bytes = malloc(s.size);
    ASSERT_OK(ddaebm_trainer_save_memory(trainer, s.bytes, s.size, NULL));
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    return s;
}

static size_t header_end(const subject *s) {
    uint64_t length = 0;
    memcpy(&length, s->bytes, LENGTH);
    return LENGTH + (size_t)length;
}

/* Every truncation; every bit of length and header; every 97th of the data. */
static void damage(const subject *s) {
    size_t cuts = 0, flips = 0, framing = header_end(s), step = sweep_step(SAMPLE);
    ck_assert_uint_le(s->size, SMALL);
    ck_assert_int_eq(load(s, s->size), DDAEBM_OK);
    for (size_t size = 0; size < s->size; size += step, cuts++)
        refused(s, size, "a cut", size);
    for (size_t bit = 0; bit < 8 * s->size; bit += bit < 8 * framing ? step : 97, flips++) {
        s->bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        refused(s, s->size, "a flip of bit", bit);
        s->bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    ck_assert_int_eq(load(s, s->size), DDAEBM_OK);
    printf("%s of %zu bytes, header %zu: %zu cuts and %zu flips refused\n", s->name, s->size,
           framing - LENGTH, cuts, flips);
}

START_TEST(every_cut_and_every_flip_is_refused) {
    subject subjects[] = {small_model_file(), small_checkpoint()};
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        damage(&subjects[i]);
        free(subjects[i].bytes);
    }
}
END_TEST

/* One to eight bits at a time, anywhere in a larger file. */
START_TEST(random_flips_of_a_large_file_are_refused) {
    ddaebm_model *model = small_model(
        context, "\"energy.hidden_layers\":[160,160],\"generator.hidden_layers\":[160,160]", 1);
    subject s = {.name = "larger model"};
    s.bytes = small_bytes(model, &s.size);
    uint64_t flips = sampled() ? FEWER_FLIPS : RANDOM_FLIPS;
    for (uint64_t flip = 0; flip < flips; flip++) {
        float draws[9];
        size_t bits[8], count = 0;
        dd_rng_uniforms(draws, flip, dd_stream(DD_STREAM_DATA, 0), 0, 9);
        for (count = 0; count < 1 + (size_t)(8 * draws[8]) && count < 8; count++) {
            bits[count] = (size_t)((double)draws[count] * (double)(8 * s.size));
            s.bytes[bits[count] / 8] ^= (unsigned char)(1 << bits[count] % 8);
        }
        refused(&s, s.size, "random flip", flip);
        while (count-- > 0)
            s.bytes[bits[count] / 8] ^= (unsigned char)(1 << bits[count] % 8);
    }
    ck_assert_int_eq(load(&s, s.size), DDAEBM_OK);
    ck_assert_uint_gt(s.size, SMALL);
    printf("%s of %zu bytes: %llu random flips of 1 to 8 bits refused\n", s.name, s.size,
           (unsigned long long)flips);
    free(s.bytes);
    ddaebm_model_free(model);
}
END_TEST

static subject kept(const char *kind, int version) {
    char path[256];
    subject s = {
        .name = kind, .bytes = malloc(SMALL), .is_checkpoint = strcmp(kind, "checkpoint") == 0};
    (void)snprintf(path, sizeof path, TEST_DATA "/%s_version_%d.safetensors", kind, version);
    s.size = get_file(path, s.bytes, SMALL);
    return s;
}

/* Version 1 has no checksum, so a change may go unnoticed; it must not do harm. */
START_TEST(flips_of_old_files_do_no_harm) {
    size_t step = sampled() ? SAMPLE : thorough() ? 1 : 3;
    for (int k = 0; k < 2; k++) {
        subject s = kept(k ? "checkpoint" : "model", 1);
        size_t loaded = 0, flips = 0, bits = 8 * header_end(&s);
        for (size_t bit = 0; bit < bits; bit += step, flips++) {
            s.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
            loaded += load(&s, s.size) == DDAEBM_OK;
            s.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        printf("%s of version 1: of %zu flips in its header, %zu load\n", s.name, flips, loaded);
        free(s.bytes);
    }
}
END_TEST

/* Only files of version 1 may have none. */
START_TEST(a_checksum_is_required) {
    static const char key[] = "\"checksum\"";
    for (int version = 2; version <= 3; version++)
        for (int k = 0; k < 2; k++) {
            subject s = kept(k ? "checkpoint" : "model", version);
            char *found = memmem(s.bytes, s.size, key, sizeof key - 1);
            ck_assert_ptr_nonnull(found);
            found[1] = 'k';
            ASSERT_FAILS(load(&s, s.size), DDAEBM_FORMAT, "no checksum");
            free(s.bytes);
        }
}
END_TEST

/* What they were when they were written: scores of four points, and the next loss of the run. */
START_TEST(files_of_each_version_load) {
    static const float rows[] = {0, 0, 1, 0, -1, 0.5f, 0.25f, -0.75f};
    static const double scores[] = {-7.4333777, -10.083866, -18.992672, -48.676029};
    for (int version = 1; version <= 3; version++) {
        subject model_file = kept("model", version), checkpoint = kept("checkpoint", version);
        ddaebm_model *model = NULL;
        ddaebm_scorer *scorer = NULL;
        ddaebm_trainer *trainer = NULL;
        float found[4];
        ASSERT_OK(ddaebm_model_load_memory(&model, context, model_file.bytes, model_file.size));
        ASSERT_OK(ddaebm_scorer_create(&scorer, model));
        ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, rows, 4, 0, found));
        for (int i = 0; i < 4; i++)
            ck_assert_double_eq_tol((double)found[i], scores[i], 1e-4 * fabs(scores[i]));
        ASSERT_OK(ddaebm_trainer_resume_memory(&trainer, context, checkpoint.bytes, checkpoint.size,
                                               dataset));
        ck_assert_uint_eq(ddaebm_trainer_steps(trainer), 3);
        ddaebm_trainer_free(trainer);
        ddaebm_scorer_free(scorer);
        ddaebm_model_free(model);
        free(model_file.bytes);
        free(checkpoint.bytes);
    }
}
END_TEST

int main(void) {
    use_fixture(begin, end);
    return RUN_TESTS("damaged", every_cut_and_every_flip_is_refused,
                     random_flips_of_a_large_file_are_refused, flips_of_old_files_do_no_harm,
                     a_checksum_is_required, files_of_each_version_load);
}
