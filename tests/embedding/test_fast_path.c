/* One sample, one score, one image, again and again: no memory is asked for, from the context's
 * allocator or, for rows, from malloc. */
#define _GNU_SOURCE
#include "embedding/embedding.h"
#include "support/counted.h"

/* --- Every call of malloc and its like in this program, those of the BLAS included; sanitisers
 * have their own. --- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#ifndef OWN_MALLOC
#ifdef __GLIBC__
#define OWN_MALLOC 1
#else
#define OWN_MALLOC 0
#endif
#endif

static atomic_size_t mallocs;

#if OWN_MALLOC
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

void *malloc(size_t size) {
    mallocs++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    mallocs++;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    mallocs++;
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size) {
    mallocs++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    *out = memalign(alignment, size);
    return *out ? 0 : 12;
}

void free(void *block) {
    mallocs += block != NULL;
    __libc_free(block);
}
#endif

static ddaebm_sampler *sampler, *refining;
static ddaebm_scorer *scorer;

enum { MOST_WIDTH = IMAGE_WIDTH, MOST_STATES = 8 };
static float row[MOST_WIDTH], out[MOST_WIDTH], steps[MOST_STATES * MOST_WIDTH];

/* Each way to use a model on one row. Check allocates where it asserts, so this does not. */
static bool use_once(uint64_t seed) {
    float score = 0;
    bool good = ddaebm_sampler_draw(sampler, seed, seed, 1, row) == DDAEBM_OK;
    good = good && ddaebm_sampler_draw_steps(sampler, seed, seed, 1, steps) == DDAEBM_OK;
    good = good && ddaebm_sampler_draw(refining, seed, seed, 1, row) == DDAEBM_OK;
    good = good && ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, row, 1, 0, &score) == DDAEBM_OK;
    good = good && ddaebm_scorer_gradient(scorer, row, 1, 1, out) == DDAEBM_OK;
    for (int way = 0; good && ddaebm_score_name((size_t)way); way++)
        good = ddaebm_scorer_score(scorer, (ddaebm_score)way, row, 1, 0, &score) == DDAEBM_OK;
    return good;
}

/* The same for many seeds. */
static bool use_often(uint64_t times) {
    bool good = true;
    for (uint64_t i = 0; good && i < times; i++)
        good = use_once(i);
    return good;
}

static void open_all(ddaebm_model *model, const ddaebm_dataset *data) {
    ASSERT_OK(ddaebm_model_fit_typicality(model, data));
    ck_assert_uint_le(ddaebm_model_width(model), MOST_WIDTH);
    ck_assert_uint_lt(ddaebm_model_timesteps(model), MOST_STATES);
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_sampler_create(&refining, model));
    ASSERT_OK(ddaebm_sampler_set_refinement(refining, 3, 2));
    ASSERT_OK(ddaebm_sampler_set_guidance(refining, no_guidance, NULL));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
}

static void close_all(ddaebm_model *model, ddaebm_dataset *data) {
    ddaebm_sampler_free(sampler);
    ddaebm_sampler_free(refining);
    ddaebm_scorer_free(scorer);
    ddaebm_dataset_free(data);
    ddaebm_model_free(model);
    close_context();
}

/* _i is the number of threads, less one. */
START_TEST(rows_allocate_nothing) {
    open_context(_i + 1);
    ddaebm_model *model = small_model(context, "\"diffusion.beta_max\":20", 3);
    ddaebm_dataset *data = small_rows(context, 50, 2);
    open_all(model, data);
    ck_assert(use_once(1));
    size_t calls = counted.calls, before = mallocs;
    bool good = use_often(100);
    size_t after = mallocs;
    ck_assert(good);
    ck_assert_uint_eq(counted.calls, calls);
    ck_assert_uint_eq(after, before);
    before = mallocs;
    void *volatile block = malloc(8);
    free(block);
    after = mallocs;
    ck_assert_uint_eq(after, before + 2 * OWN_MALLOC); /* it counts */
    close_all(model, data);
}
END_TEST

START_TEST(images_do_not_use_the_allocator) {
    open_context(_i + 1);
    ddaebm_model *model = small_image_model(context);
    static uint8_t pixels[20 * MOST_WIDTH];
    ddaebm_dataset *data = NULL;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i % 251);
    ASSERT_OK(ddaebm_dataset_create_images(&data, context, pixels, 20, 8, 8, 1));
    open_all(model, data);
    ck_assert(use_once(1));
    size_t calls = counted.calls;
    ck_assert(use_often(20));
    ck_assert_uint_eq(counted.calls, calls);
    close_all(model, data);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {rows_allocate_nothing, images_do_not_use_the_allocator};
    return run_loop_tests("fast path", tests, sizeof tests / sizeof *tests, 2);
}
