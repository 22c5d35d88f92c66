/* One model, one context and one data set that nobody changes, used by eight threads at once: each
 * gets what one thread alone gets. Runs under the thread sanitiser too. */
#define _GNU_SOURCE
#include "embedding/embedding.h"

#include <pthread.h>

enum { USERS = 8, ROUNDS = 3, ROWS = 450 };

typedef struct results {
    float data[ROWS * TASK_WIDTH], samples[ROWS * TASK_WIDTH], single[TASK_WIDTH], scores[ROWS],
        gradients[ROWS * TASK_WIDTH];
    float reconstructions[ROWS], typicality[ROWS], bias[4];
    size_t file_size, elements;
    unsigned char file[TASK_FILE];
} results;

typedef struct shared {
    ddaebm_context *context;
    const ddaebm_model *model;
    const ddaebm_dataset *dataset;
    pthread_barrier_t start;
} shared;

/* Reads, draws, scores, saves, and asks the model what it is. Nothing of Check in here: threads do
 * this. */
static ddaebm_status use_all(const shared *s, results *r) {
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
    ddaebm_status status = ddaebm_sampler_create(&sampler, s->model);
    if (status == DDAEBM_OK)
        status = ddaebm_scorer_create(&scorer, s->model);
    if (status == DDAEBM_OK)
        status = ddaebm_dataset_read(s->dataset, 3, ROWS, r->data);
    if (status == DDAEBM_OK)
        status = ddaebm_sampler_draw(sampler, 7, 0, ROWS, r->samples);
    if (status == DDAEBM_OK)
        status = ddaebm_sampler_draw(sampler, 7, 9, 1, r->single);
    if (status == DDAEBM_OK)
        status = ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, r->data, ROWS, 0, r->scores);
    if (status == DDAEBM_OK)
        status = ddaebm_scorer_gradient(scorer, r->data, ROWS, 1, r->gradients);
    if (status == DDAEBM_OK)
        status = ddaebm_scorer_score(scorer, DDAEBM_SCORE_RECONSTRUCTION, r->data, ROWS, 0,
                                     r->reconstructions);
    if (status == DDAEBM_OK)
        status =
            ddaebm_scorer_score(scorer, DDAEBM_SCORE_TYPICALITY, r->data, ROWS, 0, r->typicality);
    if (status == DDAEBM_OK)
        status = ddaebm_model_save_memory(s->model, r->file, sizeof r->file, &r->file_size);
    if (status == DDAEBM_OK)
        status = ddaebm_model_parameter(s->model, "generator.x_encoder.layers.0.bias", r->bias, 4);
    if (status == DDAEBM_OK)
        status = ddaebm_model_parameter_info(s->model, 2, &info);
    r->elements = info.elements;
    ddaebm_sampler_free(sampler);
    ddaebm_scorer_free(scorer);
    return status;
}

typedef struct user {
    shared *shared;
    const results *expected;
    results *found;
    pthread_t thread;
    ddaebm_status status;
    bool same, own_text;
} user;

static void *use_often(void *argument) {
    user *self = argument;
    (void)pthread_barrier_wait(&self->shared->start);
    self->same = self->own_text = true;
    for (int round = 0; round < ROUNDS && self->status == DDAEBM_OK; round++) {
        ddaebm_model *none = NULL;
        char path[64];
        (void)snprintf(path, sizeof path, "no/such/file/%p", argument);
        self->status = use_all(self->shared, self->found);
        self->same = self->same && memcmp(self->found, self->expected, sizeof *self->found) == 0;
        self->own_text =
            self->own_text &&
            ddaebm_model_load(&none, self->shared->context, path) == DDAEBM_NOT_FOUND &&
            strstr(ddaebm_error_message(), path);
    }
    return NULL;
}

/* _i + 1 threads a context. */
START_TEST(eight_threads_get_what_one_gets) {
    shared s = {0};
    user users[USERS];
    results *expected = calloc(1, sizeof *expected);
    ASSERT_OK(ddaebm_context_create(&s.context, NULL));
    ASSERT_OK(ddaebm_context_set_threads(s.context, _i + 1));
    ddaebm_model *model = small_model(s.context, "\"diffusion.beta_max\":20", 3);
    ddaebm_dataset *dataset = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&dataset, s.context, "moons", 4));
    ASSERT_OK(ddaebm_model_fit_typicality(model, dataset));
    s.model = model;
    s.dataset = dataset;
    ASSERT_OK(use_all(&s, expected));
    ck_assert_int_eq(pthread_barrier_init(&s.start, NULL, USERS), 0);
    for (int i = 0; i < USERS; i++) {
        users[i] = (user){.shared = &s, .expected = expected, .found = calloc(1, sizeof *expected)};
        ck_assert_int_eq(pthread_create(&users[i].thread, NULL, use_often, &users[i]), 0);
    }
    for (int i = 0; i < USERS; i++)
        ck_assert_int_eq(pthread_join(users[i].thread, NULL), 0);
    for (int i = 0; i < USERS; i++) {
        ck_assert_int_eq(users[i].status, DDAEBM_OK);
        ck_assert(users[i].same && users[i].own_text);
        free(users[i].found);
    }
    pthread_barrier_destroy(&s.start);
    free(expected);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
    ddaebm_context_free(s.context);
}
END_TEST

/* --- A thousand calls a thread, one after the other, each for a few rows. --- */

enum { CALLS = 1000, NUMBERS = 6 };

typedef struct caller {
    shared *shared;
    float (*found)[NUMBERS]; /* [CALLS] */
    pthread_t thread;
    ddaebm_status status;
} caller;

static ddaebm_status call_once(const shared *s, ddaebm_sampler *sampler, ddaebm_scorer *scorer,
                               size_t i, float *out) {
    static const float rows[] = {0.5f, -1, 0.25f, 2, -0.75f, 0.125f};
    switch (i % 4) {
    case 0:
        return ddaebm_sampler_draw(sampler, 7, i % 50, 3, out);
    case 1:
        return ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, rows, 3, i / 4 % 4, out);
    case 2:
        return ddaebm_scorer_gradient(scorer, rows, 3, i / 4 % 4, out);
    default:
        return ddaebm_model_parameter(s->model, "generator.x_encoder.layers.0.bias", out, 4);
    }
}

static void *call_often(void *argument) {
    caller *self = argument;
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    self->status = ddaebm_sampler_create(&sampler, self->shared->model);
    if (self->status == DDAEBM_OK)
        self->status = ddaebm_scorer_create(&scorer, self->shared->model);
    for (size_t i = 0; i < CALLS && self->status == DDAEBM_OK; i++)
        self->status = call_once(self->shared, sampler, scorer, i, self->found[i]);
    ddaebm_sampler_free(sampler);
    ddaebm_scorer_free(scorer);
    return NULL;
}

/* _i + 1 threads a context. */
START_TEST(a_thousand_calls_each) {
    shared s = {0};
    caller callers[USERS + 1]; /* the last is alone, before the others */
    ASSERT_OK(ddaebm_context_create(&s.context, NULL));
    ASSERT_OK(ddaebm_context_set_threads(s.context, _i + 1));
    ddaebm_model *model = small_model(s.context, "\"diffusion.beta_max\":20", 3);
    s.model = model;
    for (int i = USERS; i >= 0; i--) {
        callers[i] = (caller){.shared = &s, .found = calloc(CALLS, sizeof *callers[i].found)};
        if (i == USERS)
            (void)call_often(&callers[i]);
        else
            ck_assert_int_eq(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
    }
    for (int i = 0; i < USERS; i++)
        ck_assert_int_eq(pthread_join(callers[i].thread, NULL), 0);
    for (int i = 0; i <= USERS; i++) {
        ck_assert_int_eq(callers[i].status, DDAEBM_OK);
        ck_assert_int_eq(
            memcmp(callers[i].found, callers[USERS].found, CALLS * sizeof *callers[i].found), 0);
    }
    for (int i = 0; i <= USERS; i++)
        free(callers[i].found);
    ddaebm_model_free(model);
    ddaebm_context_free(s.context);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {eight_threads_get_what_one_gets, a_thousand_calls_each};
    return run_loop_tests("shared model", tests, 2, 3);
}
