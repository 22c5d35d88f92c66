/* Inside a larger program: memory from the program's own allocator, the log in its hands, a model
 * kept where the program keeps things, long calls that can be stopped, one row at a time: 07_embed
 * [STEPS] */
#include <ddaebm/ddaebm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Leaves the function if a call failed. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != DDAEBM_OK)                                                                   \
            goto cleanup;                                                                          \
    } while (0)

/* --- An allocator that knows how much is in use. One thread computes here; with more, the number
 * would have to be atomic. --- */

typedef struct meter {
    size_t used, most;
} meter;

enum { BEFORE = 64 }; /* bytes before each block, for its size */

static void *allocate(void *user, size_t size) {
    meter *self = user;
    char *block = malloc(BEFORE + size);
    if (!block)
        return NULL;
    memcpy(block, &size, sizeof size);
    self->used += size;
    self->most = self->used > self->most ? self->used : self->most;
    return block + BEFORE;
}

static void release(void *user, void *pointer) {
    meter *self = user;
    char *block = (char *)pointer - BEFORE;
    size_t size = 0;
    memcpy(&size, block, sizeof size);
    self->used -= size;
    free(block);
}

/* --- The log. --- */

static void print_line(void *user, ddaebm_log_level level, const char *line) {
    (void)user;
    printf("%s: %s\n", level == DDAEBM_LOG_WARNING ? "warning" : "log", line);
}

/* --- Where this program keeps things: a block of memory here, an archive or a socket elsewhere.
 * --- */

typedef struct store {
    char *bytes;
    size_t size, capacity, at;
} store;

static ddaebm_status put(void *user, const void *bytes, size_t count) {
    store *self = user;
    if (count > self->capacity - self->size) {
        size_t capacity = 2 * self->capacity + count;
        char *grown = realloc(self->bytes, capacity);
        if (!grown)
            return DDAEBM_OUT_OF_MEMORY; /* the result of the save */
        self->bytes = grown;
        self->capacity = capacity;
    }
    memcpy(self->bytes + self->size, bytes, count);
    self->size += count;
    return DDAEBM_OK;
}

static ddaebm_status get(void *user, void *buffer, size_t capacity, size_t *got) {
    store *self = user;
    size_t left = self->size - self->at;
    *got = left < capacity ? left : capacity;
    if (*got > 0)
        memcpy(buffer, self->bytes + self->at, *got);
    self->at += *got;
    return DDAEBM_OK;
}

/* --- Somebody who may lose patience: after so many calls. --- */

typedef struct patience {
    const char *what;
    int left;
} patience;

static int wait_for(void *user, uint64_t done, uint64_t total) {
    patience *self = user;
    if (self->left-- > 0)
        return 0;
    printf("%s is stopped at %llu of %llu\n", self->what, (unsigned long long)done,
           (unsigned long long)total);
    return 1;
}

static int wait_for_step(void *user, const ddaebm_step_statistics *statistics, uint64_t last) {
    return wait_for(user, statistics->step, last);
}

/* A call that was cancelled is no failure here; the handle is as good as before. */
static ddaebm_status expect_cancelled(ddaebm_status status) {
    return status == DDAEBM_CANCELLED ? DDAEBM_OK : DDAEBM_STATE;
}

/* Trains, stops, goes on, and puts the model into the store. */
static ddaebm_status train(ddaebm_context *context, uint64_t steps, store *to) {
    ddaebm_config *config = NULL;
    ddaebm_dataset *dataset = NULL;
    ddaebm_model *start = NULL, *model = NULL;
    ddaebm_trainer *trainer = NULL;
    ddaebm_writer writer = DDAEBM_WRITER_INIT;
    patience soon = {"training", (int)(steps / 2)};
    ddaebm_status status;

    writer.write = put;
    writer.user = to;
    TRY(ddaebm_config_create(&config, context, "toy")); /* its schedule draws a warning */
    TRY(ddaebm_dataset_create_named(&dataset, context, "moons", 1));
    TRY(ddaebm_model_create(&start, context, config, 1));
    TRY(ddaebm_trainer_create(&trainer, start, dataset, 1));
    TRY(expect_cancelled(ddaebm_trainer_run_until(trainer, steps, wait_for_step, &soon)));
    TRY(ddaebm_trainer_run_until(trainer, steps, NULL, NULL));
    TRY(ddaebm_trainer_snapshot(&model, trainer));
    TRY(ddaebm_model_save_stream(model, &writer));
    printf("trained %llu steps; the model takes %zu bytes\n",
           (unsigned long long)ddaebm_trainer_steps(trainer), to->size);

cleanup:
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_model_free(start);
    ddaebm_dataset_free(dataset);
    ddaebm_config_free(config);
    return status;
}

/* Takes the model back from the store: once with too little patience, once with enough. */
static ddaebm_status load(ddaebm_model **out, ddaebm_context *context, store *from) {
    patience none = {"loading", 0}, enough = {"loading", 1000};
    ddaebm_reader reader = DDAEBM_READER_INIT;
    reader.read = get;
    reader.user = from;
    reader.size = from->size;
    reader.progress = wait_for;
    reader.progress_user = &none;
    ddaebm_status status = expect_cancelled(ddaebm_model_load_stream(out, context, &reader));
    if (status != DDAEBM_OK)
        return status;
    from->at = 0;
    reader.progress_user = &enough;
    return ddaebm_model_load_stream(out, context, &reader);
}

/* One row at a time, into the program's own buffers: no call after the first asks for memory. */
static ddaebm_status serve(const ddaebm_model *model, const meter *memory) {
    enum { ROWS = 1000 };
    static float many[50 * ROWS][2];
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    patience little = {"sampling", 2};
    ddaebm_status status;
    float row[2], score = 0;
    double sum = 0;

    TRY(ddaebm_sampler_create(&sampler, model));
    TRY(ddaebm_scorer_create(&scorer, model));
    size_t before = memory->used;

    for (uint64_t i = 0; i < ROWS; i++) {
        TRY(ddaebm_sampler_draw(sampler, 1, i, 1, row));
        TRY(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, row, 1, 0, &score));
        sum += (double)score;
    }

    printf("%d rows one by one: mean score %.3f, %zu bytes more in use\n", ROWS, sum / ROWS,
           memory->used - before);
    TRY(ddaebm_sampler_set_progress(sampler, wait_for, &little));
    TRY(expect_cancelled(ddaebm_sampler_draw(sampler, 1, 0, sizeof many / sizeof *many, many[0])));

cleanup:
    ddaebm_sampler_free(sampler);
    ddaebm_scorer_free(scorer);
    return status;
}

int main(int argc, char **argv) {
    long steps = argc > 1 ? strtol(argv[1], NULL, 10) : 300;
    meter memory = {0, 0};
    store kept = {NULL, 0, 0, 0};
    ddaebm_allocator allocator = DDAEBM_ALLOCATOR_INIT;
    ddaebm_context *context = NULL;
    ddaebm_model *model = NULL;
    ddaebm_status status;

    allocator.allocate = allocate;
    allocator.release = release;
    allocator.user = &memory;
    TRY(ddaebm_context_create(&context, &allocator));
    TRY(ddaebm_context_set_threads(context, 1));
    TRY(ddaebm_context_set_log(context, print_line, NULL, DDAEBM_LOG_INFO));
    TRY(train(context, (uint64_t)(steps > 1 ? steps : 2), &kept));
    TRY(load(&model, context, &kept));
    TRY(serve(model, &memory));

cleanup:
    if (status != DDAEBM_OK)
        fprintf(stderr, "%s\n", ddaebm_error_message());
    ddaebm_model_free(model);
    ddaebm_context_free(context);
    free(kept.bytes);
    printf("at most %zu bytes in use, %zu at the end\n", memory.most, memory.used);
    return status == DDAEBM_OK && memory.used == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
