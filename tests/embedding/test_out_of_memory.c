/* Memory runs out at each allocation of all that a program does, the library's and jansson's; and
 * at one of four with all that follow. */
#define _GNU_SOURCE
#include "embedding/embedding.h"
#include "support/counted.h"
#include "support/images_small.h"

#include <ddaebm/array.h>
#include <ddaebm/row_writer.h>
#include <jansson.h>

#ifdef DDAEBM_HAVE_ZLIB
#include <zlib.h>
#endif

enum {
    NUMBERS = 1024,
    STATE_ROOM = 1 << 18,
    MOST_ALLOCATIONS = 100000,
    ROWS = 5,
    IMAGE_BYTES = 3072
};

static ddaebm_dataset *rows, *images;
static ddaebm_model *model, *lived_in; /* the second has all that a model may have */
static ddaebm_trainer *trainer, *calibrating;
static const float points[ROWS * TASK_WIDTH] = {0.5f, -0.5f, 1, -1, 0, 0, 2, 1, -1, 0.25f};
static const uint8_t pixels[IMAGE_BYTES];
static unsigned char saved[STATE_ROOM];
static size_t saved_size;

/* jansson's memory is counted and fails with the rest. */
static void *json_allocate(size_t size) {
    return fussy_allocate(&counted, size);
}

static void json_release(void *block) {
    fussy_release(&counted, block);
}

static ddaebm_dataset *small_images(void) {
    static uint8_t bytes[20 * IMAGE_WIDTH];
    ddaebm_dataset *set = NULL;
    fill_bytes(bytes, sizeof bytes, 1);
    ASSERT_OK(ddaebm_dataset_create_images(&set, context, bytes, 20, 8, 8, 1));
    return set;
}

static void begin(void) {
    open_context(2);
    json_set_alloc_funcs(json_allocate, json_release);
    rows = small_rows(context, 21, 2);
    images = small_images();
    model = small_model(context, EVERYTHING, 3);
    lived_in = small_model(context, "", 4);
    ASSERT_OK(ddaebm_model_fit_typicality(lived_in, rows));
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, rows, 5));
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 2, NULL, NULL));
    ddaebm_model *start = small_model(context, "\"training.calibrate\":true", 3);
    ASSERT_OK(ddaebm_trainer_create(&calibrating, start, rows, 5));
    ASSERT_OK(ddaebm_trainer_run_until(calibrating, 1, NULL, NULL));
    ddaebm_model_free(start);
    ASSERT_OK(ddaebm_trainer_save_memory(trainer, saved, sizeof saved, &saved_size));
    put_file(in_folder("saved"), saved, saved_size);
    ASSERT_OK(ddaebm_model_save(lived_in, in_folder("lived in")));
}

static void end(void) {
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(calibrating);
    ddaebm_model_free(model);
    ddaebm_model_free(lived_in);
    ddaebm_dataset_free(rows);
    ddaebm_dataset_free(images);
    close_context();
    json_set_alloc_funcs(malloc, free);
}

/* --- What is done, each on a handle of its own or on none. --- */

static char untouched;

/* A call with `it` of a type for its out-parameter: *made becomes what it makes. */
#define MAKES(name, type, call)                                                                    \
    static ddaebm_status name(void *handle, void **made, float *out) {                             \
        type *it = *made;                                                                          \
        (void)handle;                                                                              \
        (void)out;                                                                                 \
        ddaebm_status status = call;                                                               \
        *made = it;                                                                                \
        return status;                                                                             \
    }

/* A call on `handle` that makes nothing, but may fill `out`. */
#define WORKS(name, call)                                                                          \
    static ddaebm_status name(void *handle, void **made, float *out) {                             \
        (void)handle;                                                                              \
        (void)made;                                                                                \
        (void)out;                                                                                 \
        return call;                                                                               \
    }

#define FREES(noun)                                                                                \
    static void free_##noun(void *it) {                                                            \
        ddaebm_##noun##_free(it);                                                                  \
    }

FREES(context)
FREES(config)
FREES(dataset)
FREES(model)
FREES(trainer)
FREES(sampler)
FREES(scorer)

static ddaebm_status create_context(ddaebm_context **out) {
    ddaebm_allocator allocator = DDAEBM_ALLOCATOR_INIT;
    allocator.allocate = fussy_allocate;
    allocator.release = fussy_release;
    allocator.user = &counted;
    return ddaebm_context_create(out, &allocator);
}

MAKES(make_context, ddaebm_context, create_context(&it))
WORKS(set_threads, ddaebm_context_set_threads(handle, 3))

static void *new_context(void) {
    ddaebm_context *fresh = NULL;
    ASSERT_OK(create_context(&fresh));
    return fresh;
}

/* Configurations. */

static const char json[] =
    "{\"diffusion\": {\"timesteps\": 5, \"beta_max\": 20.5}, \"energy.norm\": \"batch\", "
    "\"energy.hidden_layers\": [1, 2, 3, 4, 5, 6, 7, 8, 9]}";

static void *new_config(void) {
    put_file(in_folder("json"), json, sizeof json - 1);
    return small_config(context, "");
}

static size_t config_state(void *handle, unsigned char *state) {
    size_t size = 0;
    ASSERT_OK(ddaebm_config_text(handle, NULL, (char *)state, STATE_ROOM, &size));
    return size;
}

MAKES(make_config, ddaebm_config, ddaebm_config_create(&it, context, "fashion"))
MAKES(copy_config, ddaebm_config, ddaebm_config_copy(&it, handle))
WORKS(parse_config, ddaebm_config_parse(handle, json, sizeof json - 1))
WORKS(load_config, ddaebm_config_load(handle, in_folder("json")))
WORKS(set_list, ddaebm_config_set(handle, "energy.hidden_layers", "[1, 2, 3, 4, 5]"))

/* Models. */

static void *new_model(void) {
    return small_model(context, "", 4);
}

static void *new_image_config(void) {
    ddaebm_model *some = small_image_model(context);
    ddaebm_config *copy = NULL;
    ASSERT_OK(ddaebm_config_copy(&copy, ddaebm_model_config(some)));
    ddaebm_model_free(some);
    return copy;
}

static size_t model_state(void *handle, unsigned char *state) {
    size_t size = 0;
    ASSERT_OK(ddaebm_model_save_memory(handle, state, STATE_ROOM, &size));
    return size;
}

MAKES(make_model, ddaebm_model, ddaebm_model_create(&it, context, handle, 1))
MAKES(load_model, ddaebm_model, ddaebm_model_load(&it, context, in_folder("lived in")))
MAKES(load_model_memory, ddaebm_model, ddaebm_model_load_memory(&it, context, saved, saved_size))
WORKS(save_model, ddaebm_model_save(lived_in, in_folder("model")))
WORKS(save_model_half, ddaebm_model_save_half(lived_in, in_folder("model")))
WORKS(save_model_memory, ddaebm_model_save_memory(model, out, NUMBERS * sizeof *out * 16, NULL))
WORKS(fit_typicality, ddaebm_model_fit_typicality(handle, rows))

/* Runs. */

static void *new_trainer(void) {
    ddaebm_trainer *fresh = NULL;
    ASSERT_OK(ddaebm_trainer_create(&fresh, model, rows, 1));
    return fresh;
}

/* A model whose trainer fits the noise to the rows and keeps some of them aside. */
static void *new_fitting_model(void) {
    return small_model(
        context,
        "\"training.held_out\":0.2,\"diffusion.fit\":true,\"diffusion.schedule\":\"karras\"", 3);
}

static void *new_image_trainer(void) {
    ddaebm_model *start = small_image_model(context);
    ddaebm_trainer *fresh = NULL;
    ASSERT_OK(ddaebm_trainer_create(&fresh, start, images, 1));
    ddaebm_model_free(start);
    return fresh;
}

static size_t trainer_state(void *handle, unsigned char *state) {
    size_t size = 0;
    ASSERT_OK(ddaebm_trainer_save_memory(handle, state, STATE_ROOM, &size));
    return size;
}

static ddaebm_status no_loss(void *user, const ddaebm_generated_batch *batch, float *gradients) {
    (void)user;
    (void)batch;
    (void)gradients;
    return DDAEBM_OK;
}

static ddaebm_status tell_memory(float *out) {
    size_t bytes = 0;
    ddaebm_status status =
        ddaebm_config_training_memory(ddaebm_model_config(model), context, &bytes);
    if (status == DDAEBM_OK)
        out[0] = (float)bytes;
    return bytes > 0 && status != DDAEBM_OK ? DDAEBM_STATE : status;
}

static ddaebm_status step(ddaebm_trainer *handle, float *out) {
    ddaebm_step_statistics statistics = DDAEBM_STEP_STATISTICS_INIT;
    ddaebm_status status = ddaebm_trainer_step(handle, &statistics);
    if (status == DDAEBM_OK || statistics.step != 0)
        out[0] = (float)statistics.energy_loss;
    return status;
}

MAKES(make_trainer, ddaebm_trainer, ddaebm_trainer_create(&it, model, rows, 1))
MAKES(make_fitting_trainer, ddaebm_trainer, ddaebm_trainer_create(&it, handle, rows, 1))
MAKES(resume_trainer, ddaebm_trainer, ddaebm_trainer_resume(&it, context, in_folder("saved"), rows))
MAKES(take_snapshot, ddaebm_model, ddaebm_trainer_snapshot(&it, trainer))
MAKES(take_calibrated_snapshot, ddaebm_model, ddaebm_trainer_snapshot(&it, calibrating))
WORKS(save_trainer, ddaebm_trainer_save(trainer, in_folder("run")))
WORKS(first_step, step(handle, out))
WORKS(set_loss, ddaebm_trainer_set_sample_hook(handle, no_loss, NULL))
WORKS(ask_memory, tell_memory(out))

/* Samples and scores. */

static void *new_sampler(void) {
    ddaebm_sampler *fresh = NULL;
    ASSERT_OK(ddaebm_sampler_create(&fresh, lived_in));
    return fresh;
}

static void *new_refining_sampler(void) {
    ddaebm_sampler *fresh = new_sampler();
    ASSERT_OK(ddaebm_sampler_set_refinement(fresh, 4, 2));
    return fresh;
}

/* Sets refinement or guidance, and shows by a draw that a sampler that could not is as it was. */
static ddaebm_status and_draw(ddaebm_sampler *sampler, ddaebm_status status, float *out) {
    return status == DDAEBM_OK ? ddaebm_sampler_draw(sampler, 1, 0, 100, out) : status;
}

static void *new_scorer(void) {
    ddaebm_scorer *fresh = NULL;
    ASSERT_OK(ddaebm_scorer_create(&fresh, lived_in));
    return fresh;
}

MAKES(make_sampler, ddaebm_sampler, ddaebm_sampler_create(&it, lived_in))
MAKES(make_scorer, ddaebm_scorer, ddaebm_scorer_create(&it, lived_in))
WORKS(draw, ddaebm_sampler_draw(handle, 1, 0, 100, out))
WORKS(set_refinement, and_draw(handle, ddaebm_sampler_set_refinement(handle, 3, 1), out))
WORKS(set_guidance, and_draw(handle, ddaebm_sampler_set_guidance(handle, no_guidance, NULL), out))
WORKS(draw_steps, ddaebm_sampler_draw_steps(handle, 1, 0, 10, out))
WORKS(score, ddaebm_scorer_score(handle, DDAEBM_SCORE_ENERGY, points, ROWS, 0, out))
WORKS(score_gradient, ddaebm_scorer_gradient(handle, points, ROWS, 1, out))
WORKS(measure_reconstruction,
      ddaebm_scorer_score(handle, DDAEBM_SCORE_RECONSTRUCTION, points, ROWS, 0, out))
WORKS(measure_gradient, ddaebm_scorer_score(handle, DDAEBM_SCORE_GRADIENT, points, ROWS, 0, out))
WORKS(measure_typicality,
      ddaebm_scorer_score(handle, DDAEBM_SCORE_TYPICALITY, points, ROWS, 0, out))

/* Data: each format. A folder is the handle, so that its files go when it does. */

static void *new_csv(void) {
    put_file(in_folder("a.csv"), "a,b\n1,2\n3,4\n", 12);
    return NULL;
}

static void *new_npy(void) {
    const size_t shape[] = {ROWS, TASK_WIDTH};
    ASSERT_OK(ddaebm_array_write_npy(NULL, in_folder("a.npy"), points, 2, shape));
    return NULL;
}

static void *new_byte_npy(void) {
    unsigned char file[128 + 32] =
        "\x93NUMPY\x01\x00\x76\x00{'descr': '|u1', 'fortran_order': False, 'shape': (2, 4, 4)}";
    for (size_t i = strlen((char *)file + 10) + 10; i < 127; i++)
        file[i] = ' ';
    file[127] = '\n';
    put_file(in_folder("bytes.npy"), file, sizeof file);
    return NULL;
}

static void *new_idx(void) {
    uint8_t file[100];
    put_file(in_folder("idx"), file,
             compose_idx(file, 8, 3, (const uint32_t[]){2, 4, 4}, pixels, 32));
    return NULL;
}

static void *new_cifar(void) {
    uint8_t record[1 + IMAGE_BYTES] = {3};
    put_file(in_folder("cifar.bin"), record, sizeof record);
    return NULL;
}

static void *new_cifar_folder(void) {
    uint8_t record[1 + IMAGE_BYTES] = {3};
    ck_assert_int_eq(mkdir(in_folder("batches"), 0700), 0);
    put_file(in_folder("batches/data_batch_1.bin"), record, sizeof record);
    return strdup("batches/data_batch_1.bin");
}

#ifdef DDAEBM_HAVE_PNG
static void *new_png_folder(void) {
    ck_assert_int_eq(mkdir(in_folder("pngs"), 0700), 0);
    ASSERT_OK(ddaebm_array_write_png(NULL, in_folder("pngs/a.png"), pixels, 4, 4, 1));
    return strdup("pngs/a.png");
}
#endif

#ifdef DDAEBM_HAVE_JPEG
/* The seeds of the fuzz target: what libjpeg wrote. */
static void *new_jpeg_folder(void) {
    static uint8_t file[1000];
    size_t size = get_file(TEST_CORPUS "/jpeg/colour", file, sizeof file);
    ck_assert_int_eq(mkdir(in_folder("jpegs"), 0700), 0);
    put_file(in_folder("jpegs/a.jpg"), file, size);
    return strdup("jpegs/a.jpg");
}
#endif

/* Images of floats, channels first, to be resized. */
static void *new_planes(void) {
    float values[2 * 3 * 4 * 4];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        values[i] = (float)i / 96;
    ASSERT_OK(ddaebm_array_write_npy(NULL, in_folder("planes.npy"), values, 4,
                                     (const size_t[]){2, 3, 4, 4}));
    return NULL;
}

static ddaebm_status open_with(ddaebm_dataset **out, const char *name, int recursive) {
    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    options.recursive = recursive;
    options.resize = 3;
    return ddaebm_dataset_open_with(out, context, in_folder(name), &options);
}

#ifdef DDAEBM_HAVE_ZLIB
static void *new_gzip(void) {
    uint8_t file[100];
    size_t size = compose_idx(file, 8, 3, (const uint32_t[]){2, 4, 4}, pixels, 32);
    gzFile packed = gzopen(in_folder("idx.gz"), "wb");
    ck_assert_int_eq(gzwrite(packed, file, (unsigned)size), (int)size);
    ck_assert_int_eq(gzclose(packed), Z_OK);
    return NULL;
}
#endif

/* A file in a folder of its own, and that. */
static void remove_both(void *name) {
    ck_assert_int_eq(unlink(in_folder(name)), 0);
    *strchr(name, '/') = '\0';
    ck_assert_int_eq(rmdir(in_folder(name)), 0);
    free(name);
}

static ddaebm_status count_up(void *user, uint64_t first, size_t count, float *values) {
    (void)user;
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(first + i);
    return DDAEBM_OK;
}

static ddaebm_status create_source(ddaebm_dataset **out) {
    ddaebm_source source = DDAEBM_SOURCE_INIT;
    source.width = 1;
    source.read = count_up;
    return ddaebm_dataset_create_source(out, context, &source);
}

MAKES(open_planes, ddaebm_dataset, open_with(&it, "planes.npy", 0))
MAKES(open_csv, ddaebm_dataset, ddaebm_dataset_open(&it, context, in_folder("a.csv")))
MAKES(open_npy, ddaebm_dataset, ddaebm_dataset_open(&it, context, in_folder("a.npy")))
MAKES(open_byte_npy, ddaebm_dataset, ddaebm_dataset_open(&it, context, in_folder("bytes.npy")))
MAKES(open_idx, ddaebm_dataset, ddaebm_dataset_open(&it, context, in_folder("idx")))
MAKES(open_cifar, ddaebm_dataset, ddaebm_dataset_open(&it, context, in_folder("cifar.bin")))
MAKES(open_cifar_folder, ddaebm_dataset, ddaebm_dataset_open(&it, context, in_folder("batches")))
MAKES(make_rows, ddaebm_dataset, ddaebm_dataset_create_rows(&it, context, points, ROWS, TASK_WIDTH))
MAKES(make_images, ddaebm_dataset, ddaebm_dataset_create_images(&it, context, pixels, 2, 4, 4, 1))
MAKES(make_float_images, ddaebm_dataset,
      ddaebm_dataset_create_images_float(&it, context, (const float[16]){0}, 1, 4, 4, 1))
MAKES(make_named, ddaebm_dataset, ddaebm_dataset_create_named(&it, context, "moons", 1))
MAKES(make_source, ddaebm_dataset, create_source(&it))
WORKS(write_npy,
      ddaebm_array_write_npy(context, in_folder("out.npy"), points, 1, (const size_t[]){ROWS}))

static ddaebm_status write_rows(ddaebm_row_format format, const char *path) {
    ddaebm_writer to = DDAEBM_WRITER_INIT;
    ddaebm_row_options options = DDAEBM_ROW_OPTIONS_INIT;
    ddaebm_row_writer *writer = NULL;
    to.path = path;
    options.format = format;
    options.names = (const char *const[]){"a", "b"};
    ddaebm_status status =
        ddaebm_row_writer_create(&writer, context, &to, &options, 2, (const size_t[]){ROWS / 2, 2});
    if (status == DDAEBM_OK)
        status = ddaebm_row_writer_append(writer, points, ROWS / 2);
    if (status == DDAEBM_OK)
        status = ddaebm_row_writer_finish(writer);
    ddaebm_row_writer_free(writer);
    return status;
}

WORKS(write_csv, write_rows(DDAEBM_ROWS_CSV, in_folder("out.csv")))
#ifdef DDAEBM_HAVE_ZLIB
WORKS(write_packed, write_rows(DDAEBM_ROWS_CSV_GZIP, in_folder("out.csv.gz")))
#endif
#ifdef DDAEBM_HAVE_PNG
MAKES(open_png_folder, ddaebm_dataset, ddaebm_dataset_open(&it, context, in_folder("pngs")))
MAKES(open_all_pngs, ddaebm_dataset, open_with(&it, "pngs", 1))
WORKS(write_png, ddaebm_array_write_png(context, in_folder("out.png"), pixels, 16, 16, 1))
#endif
#ifdef DDAEBM_HAVE_JPEG
MAKES(open_jpeg_folder, ddaebm_dataset, ddaebm_dataset_open(&it, context, in_folder("jpegs")))
#endif
#ifdef DDAEBM_HAVE_ZLIB
MAKES(open_gzip, ddaebm_dataset, ddaebm_dataset_open(&it, context, in_folder("idx.gz")))
#endif

/* --- The table, and its sweep. --- */

typedef struct scenario {
    const char *name;
    void *(*begin)(void); /* what it works on; NULL for nothing */
    ddaebm_status (*act)(void *handle, void **made, float *out);
    void (*finish)(void *handle);
    void (*discard)(void *made);
    size_t (*state)(void *handle, unsigned char *state); /* of the handle: a failure leaves it */
} scenario;

static const scenario scenarios[] = {
    {"create a context", NULL, make_context, NULL, free_context, NULL},
    {"set threads", new_context, set_threads, free_context, NULL, NULL},
    {"create a configuration", NULL, make_config, NULL, free_config, NULL},
    {"copy a configuration", new_config, copy_config, free_config, free_config, config_state},
    {"read JSON", new_config, parse_config, free_config, NULL, config_state},
    {"read a file of JSON", new_config, load_config, free_config, NULL, config_state},
    {"set a list", new_config, set_list, free_config, NULL, config_state},
    {"create a model", new_config, make_model, free_config, free_model, config_state},
    {"create a model of images", new_image_config, make_model, free_config, free_model,
     config_state},
    {"load a model", NULL, load_model, NULL, free_model, NULL},
    {"load a model from memory", NULL, load_model_memory, NULL, free_model, NULL},
    {"save a model", NULL, save_model, NULL, NULL, NULL},
    {"save a model of float16", NULL, save_model_half, NULL, NULL, NULL},
    {"save a model to memory", NULL, save_model_memory, NULL, NULL, NULL},
    {"fit typicality", new_model, fit_typicality, free_model, NULL, model_state},
    {"create a trainer", NULL, make_trainer, NULL, free_trainer, NULL},
    {"create a trainer that fits", new_fitting_model, make_fitting_trainer, free_model,
     free_trainer, model_state},
    {"the first step", new_trainer, first_step, free_trainer, NULL, trainer_state},
    {"the first step on images", new_image_trainer, first_step, free_trainer, NULL, trainer_state},
    {"set a loss", new_trainer, set_loss, free_trainer, NULL, trainer_state},
    {"ask for a trainer's memory", NULL, ask_memory, NULL, NULL, NULL},
    {"save a run", NULL, save_trainer, NULL, NULL, NULL},
    {"resume a run", NULL, resume_trainer, NULL, free_trainer, NULL},
    {"take a snapshot", NULL, take_snapshot, NULL, free_model, NULL},
    {"take a snapshot with a temperature", NULL, take_calibrated_snapshot, NULL, free_model, NULL},
    {"create a sampler", NULL, make_sampler, NULL, free_sampler, NULL},
    {"draw", new_sampler, draw, free_sampler, NULL, NULL},
    {"draw with steps", new_sampler, draw_steps, free_sampler, NULL, NULL},
    {"set refinement", new_sampler, set_refinement, free_sampler, NULL, NULL},
    {"draw and refine", new_refining_sampler, draw, free_sampler, NULL, NULL},
    {"set guidance", new_refining_sampler, set_guidance, free_sampler, NULL, NULL},
    {"create a scorer", NULL, make_scorer, NULL, free_scorer, NULL},
    {"score", new_scorer, score, free_scorer, NULL, NULL},
    {"gradients of scores", new_scorer, score_gradient, free_scorer, NULL, NULL},
    {"score by reconstruction", new_scorer, measure_reconstruction, free_scorer, NULL, NULL},
    {"score by gradient", new_scorer, measure_gradient, free_scorer, NULL, NULL},
    {"score by typicality", new_scorer, measure_typicality, free_scorer, NULL, NULL},
    {"open CSV", new_csv, open_csv, NULL, free_dataset, NULL},
    {"open NPY", new_npy, open_npy, NULL, free_dataset, NULL},
    {"open NPY of bytes", new_byte_npy, open_byte_npy, NULL, free_dataset, NULL},
    {"open NPY of planes, resized", new_planes, open_planes, NULL, free_dataset, NULL},
    {"open IDX", new_idx, open_idx, NULL, free_dataset, NULL},
    {"open CIFAR-10", new_cifar, open_cifar, NULL, free_dataset, NULL},
    {"open a folder of CIFAR-10", new_cifar_folder, open_cifar_folder, remove_both, free_dataset,
     NULL},
    {"data from rows", NULL, make_rows, NULL, free_dataset, NULL},
    {"data from images", NULL, make_images, NULL, free_dataset, NULL},
    {"data from images of floats", NULL, make_float_images, NULL, free_dataset, NULL},
    {"named data", NULL, make_named, NULL, free_dataset, NULL},
    {"data from a source", NULL, make_source, NULL, free_dataset, NULL},
    {"write NPY", NULL, write_npy, NULL, NULL, NULL},
    {"write CSV", NULL, write_csv, NULL, NULL, NULL},
#ifdef DDAEBM_HAVE_PNG
    {"open a folder of PNG", new_png_folder, open_png_folder, remove_both, free_dataset, NULL},
    {"open a folder of PNG and those below, resized", new_png_folder, open_all_pngs, remove_both,
     free_dataset, NULL},
    {"write PNG", NULL, write_png, NULL, NULL, NULL},
#endif
#ifdef DDAEBM_HAVE_JPEG
    {"open a folder of JPEG", new_jpeg_folder, open_jpeg_folder, remove_both, free_dataset, NULL},
#endif
#ifdef DDAEBM_HAVE_ZLIB
    {"open gzip", new_gzip, open_gzip, NULL, free_dataset, NULL},
    {"write packed CSV", NULL, write_packed, NULL, NULL, NULL},
#endif
};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

static float expected[NUMBERS * 16], found[NUMBERS * 16], blank[NUMBERS * 16];
static unsigned char before[STATE_ROOM], after[STATE_ROOM];

static void assert_as_ever(const scenario *self, void *handle) {
    void *made = &untouched;
    memcpy(found, blank, sizeof found);
    ASSERT_OK(self->act(handle, &made, found));
    ck_assert(memcmp(found, expected, sizeof found) == 0);
    if (self->discard)
        self->discard(made);
}

/* One failure: nothing is lost, nothing is changed, and what failed can be done again or given up.
 * Whether there was one. */
static bool fails_at(const scenario *self, size_t nth, bool on) {
    size_t live = counted.live, size_before = 0;
    void *handle = self->begin ? self->begin() : NULL, *made = &untouched;
    if (self->state)
        size_before = self->state(handle, before);
    memcpy(found, blank, sizeof found);
    size_t held = counted.live;
    counted.from_there_on = on;
    counted.fail_at = counted.calls + nth;
    ddaebm_status status = self->act(handle, &made, found);
    bool struck = counted.calls >= counted.fail_at;
    counted.fail_at = 0;
    if (struck) {
        ck_assert_msg(status == DDAEBM_OUT_OF_MEMORY, "%s, allocation %zu: %s", self->name, nth,
                      ddaebm_error_message());
        ck_assert_ptr_eq(made, &untouched);
        ck_assert_msg(memcmp(found, blank, sizeof found) == 0,
                      "%s, allocation %zu: the output has changed", self->name, nth);
        ck_assert_msg(self->finish || counted.live == held, "%s, allocation %zu: a leak",
                      self->name, nth);
        if (self->state) {
            ck_assert_uint_eq(self->state(handle, after), size_before);
            ck_assert_msg(memcmp(before, after, size_before) == 0,
                          "%s, allocation %zu: the handle has changed", self->name, nth);
        }
        if (nth % 8 == 1) /* some: it takes a while */
            assert_as_ever(self, handle);
    } else {
        ASSERT_OK(status);
        ck_assert(memcmp(found, expected, sizeof found) == 0);
        if (self->discard)
            self->discard(made);
    }
    if (self->finish)
        self->finish(handle);
    ck_assert_msg(counted.live == live, "%s, allocation %zu: a leak", self->name, nth);
    return struck;
}

START_TEST(memory_may_run_out_anywhere) {
    begin();
    const scenario *self = &scenarios[_i];
    memset(blank, 0xA5, sizeof blank);
    memcpy(expected, blank, sizeof expected);
    void *handle = self->begin ? self->begin() : NULL, *made = &untouched;
    ASSERT_OK(self->act(handle, &made, expected));
    if (self->discard)
        self->discard(made);
    if (self->finish)
        self->finish(handle);
    size_t failures = 0;
    for (int on = 0; on < 2; on++)
        for (size_t nth = 1; fails_at(self, nth, on); failures++) {
            ck_assert_uint_lt(nth, MOST_ALLOCATIONS);
            nth = next_case(nth) + (on && nth >= 24 && !thorough() ? 3 : 0);
        }
    printf("%s: %zu failures\n", self->name, failures);
    end();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {memory_may_run_out_anywhere};
    return run_loop_tests("out of memory", tests, 1, SCENARIOS);
}
