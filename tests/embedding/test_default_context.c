/* A call without a context makes one with malloc, and says so where that has nothing to give. */
#define _GNU_SOURCE
#include "io/safetensors_writer.h"
#include "support/images_small.h"
#include "support/no_memory.h"

#include <ddaebm/array.h>
#include <ddaebm/row_writer.h>

static const float values[] = {0.5f, -0.5f};
static const uint8_t bytes[] = {1, 2};
static ddaebm_config *config;
static void *made; /* what a call makes, though none should */

static ddaebm_status use_none(void *user, ddaebm_context *held, const dd_safetensors *file) {
    (void)user, (void)held, (void)file;
    ck_abort_msg("there is nothing to use");
    return DDAEBM_OK;
}

/* A call with `out` of a type for its out-parameter. */
#define MAKES(name, type, call)                                                                    \
    static ddaebm_status name(void) {                                                              \
        type *out = NULL;                                                                          \
        ddaebm_status status = call;                                                               \
        made = out;                                                                                \
        return status;                                                                             \
    }

#define WORKS(name, call)                                                                          \
    static ddaebm_status name(void) {                                                              \
        return call;                                                                               \
    }

MAKES(make_context, ddaebm_context, ddaebm_context_create(&out, NULL))
MAKES(make_config, ddaebm_config, ddaebm_config_create(&out, NULL, NULL))
MAKES(make_model, ddaebm_model, ddaebm_model_create(&out, NULL, config, 1))
MAKES(load_model, ddaebm_model, ddaebm_model_load(&out, NULL, "/dev/null"))
MAKES(open_rows, ddaebm_dataset, ddaebm_dataset_open(&out, NULL, "/dev/null"))
MAKES(copy_rows, ddaebm_dataset, ddaebm_dataset_create_rows(&out, NULL, values, 1, 2))
MAKES(copy_bytes, ddaebm_dataset, ddaebm_dataset_create_images(&out, NULL, bytes, 1, 1, 2, 1))
MAKES(make_named, ddaebm_dataset, ddaebm_dataset_create_named(&out, NULL, "moons", 1))
MAKES(make_writer, dd_safetensors_writer, dd_safetensors_writer_create(&out, NULL))
MAKES(open_file, dd_safetensors,
      dd_safetensors_open(&out, NULL, &(ddaebm_reader)DDAEBM_READER_INIT))
WORKS(use_file, dd_safetensors_use(NULL, &(ddaebm_reader)DDAEBM_READER_INIT, use_none, NULL))
WORKS(write_array, ddaebm_array_write_npy(NULL, "/dev/null", values, 1, (const size_t[]){2}))
MAKES(write_rows, ddaebm_row_writer,
      ddaebm_row_writer_create(&out, NULL,
                               &(ddaebm_writer){sizeof(ddaebm_writer), "/dev/null", NULL, NULL},
                               &(ddaebm_row_options)DDAEBM_ROW_OPTIONS_INIT, 1,
                               (const size_t[]){2}))
WORKS(write_image, ddaebm_array_write_png(NULL, "/dev/null", bytes, 1, 2, 1))

static ddaebm_status (*const calls[])(void) = {
    make_context, make_config, make_model, load_model, open_rows,   copy_rows,   copy_bytes,
    make_named,   make_writer, open_file,  use_file,   write_array, write_image, write_rows};
enum { CALLS = sizeof calls / sizeof *calls };

/* jansson's memory is not the library's to ask for, and the context is the first thing that is. */
START_TEST(no_context_is_no_memory) {
    ASSERT_OK(ddaebm_config_create(&config, NULL, NULL));
    no_memory_begin();
    ddaebm_status status = calls[_i]();
    no_memory_end();
    ck_assert_msg(status == DDAEBM_OUT_OF_MEMORY, "call %d: %s", _i, ddaebm_status_text(status));
    ck_assert_ptr_null(made);
    ddaebm_config_free(config);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {no_context_is_no_memory};
    return run_loop_tests("default context", tests, 1, CALLS);
}
