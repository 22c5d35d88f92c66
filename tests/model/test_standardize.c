/* Rows and images on their way to the networks and back. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/heard.h"
#include "support/small.h"

enum { COUNT = 3, MOST = COUNT * 8 * 8 * 4 };

static ddaebm_model *create(size_t side, size_t padding, size_t channels) {
    char text[200];
    (void)snprintf(
        text, sizeof text,
        "\"data.image_size\":%zu,\"data.padding\":%zu,\"data.channels\":%zu,\"data.width\":7", side,
        padding, channels);
    return small_model(context, text, 1);
}

static const size_t sizes[][3] = {{1, 0, 1}, {5, 0, 3}, {3, 1, 1}, {6, 2, 3}, {8, 1, 4}, {7, 3, 2}};

/* Each inner number is black in the border and the image's inside, whether the rows come from
 * elsewhere or lie at the end. */
START_TEST(images_are_padded_and_cut) {
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t side = sizes[s][0], padding = sizes[s][1], channels = sizes[s][2],
               outer = side - 2 * padding;
        size_t width = outer * outer * channels, inner = side * side * channels, shape[3];
        ddaebm_model *model = create(side, padding, channels);
        ddaebm_model_image_shape(model, &shape[0], &shape[1], &shape[2]);
        ck_assert(shape[0] == outer && shape[1] == outer && shape[2] == channels);
        ck_assert(ddaebm_model_width(model) == width && dd_model_inner_width(model) == inner);
        float rows[MOST], out[MOST], back[MOST];
        for (size_t i = 0; i < COUNT * width; i++)
            rows[i] = (float)i;
        for (int in_place = 0; in_place < 2; in_place++) {
            float *in = in_place ? out + COUNT * (inner - width) : rows;
            memmove(in, rows, COUNT * width * sizeof *in);
            dd_model_standardize(model, (dd_rows_in){.narrow = in}, 0, COUNT, out);
            for (size_t i = 0; i < COUNT * inner; i++) {
                size_t n = i / inner, y = i / (side * channels) % side - padding,
                       x = i / channels % side - padding; /* may wrap */
                bool inside = y < outer && x < outer;
                float expected =
                    inside ? (float)(((n * outer + y) * outer + x) * channels + i % channels) : -1;
                ck_assert_msg(out[i] == expected, "%zu %zu %zu: [%zu] is %g", side, padding,
                              channels, i, (double)out[i]);
            }
        }
        dd_model_restore(model, out, COUNT, (dd_rows_out){.narrow = back}, 0);
        ck_assert_int_eq(memcmp(back, rows, COUNT * width * sizeof *rows), 0);
        memset(back, 0, sizeof back);
        dd_model_restore_gradient(model, out, COUNT, (dd_rows_in){0}, false,
                                  (dd_rows_out){.narrow = back}, 0);
        ck_assert_int_eq(memcmp(back, rows, COUNT * width * sizeof *rows), 0);
        dd_model_restore(model, out, COUNT, (dd_rows_out){.narrow = out}, 0);
        ck_assert_int_eq(memcmp(out, rows, COUNT * width * sizeof *rows), 0);
        ddaebm_model_free(model);
    }
}
END_TEST

START_TEST(rows_are_shifted_and_scaled) {
    const float rows[] = {1, 2, 3, 4};
    float out[4], back[4];
    size_t shape[3];
    ddaebm_model *model = small_model(context, "", 1);
    ddaebm_model_image_shape(model, &shape[0], &shape[1], &shape[2]);
    ck_assert(shape[0] == 0 && shape[1] == 0 && shape[2] == 0 && dd_model_inner_width(model) == 2);
    model->mean[0] = 1;
    model->scale[1] = 4;
    dd_model_standardize(model, (dd_rows_in){.narrow = rows}, 0, 2, out);
    ck_assert(out[0] == 0 && out[1] == 0.5f && out[2] == 2 && out[3] == 1);
    dd_model_restore(model, out, 2, (dd_rows_out){.narrow = back}, 0);
    ck_assert_int_eq(memcmp(back, rows, sizeof rows), 0);
    dd_model_restore_gradient(model, out, 2, (dd_rows_in){0}, false, (dd_rows_out){.narrow = back},
                              0);
    ck_assert(back[1] == 0.125f && back[2] == 2 && back[3] == 0.25f);
    ddaebm_model_free(model);
}
END_TEST

static ddaebm_status check_images(const ddaebm_model *model, size_t height, size_t width,
                                  size_t channels) {
    uint8_t pixels[200] = {0};
    ddaebm_dataset *dataset = NULL;
    ASSERT_OK(ddaebm_dataset_create_images(&dataset, context, pixels, 1, height, width, channels));
    ddaebm_status status = dd_model_check_data(model, dataset);
    ddaebm_dataset_free(dataset);
    return status;
}

static ddaebm_status check_rows(const ddaebm_model *model, size_t width, float last) {
    float rows[200] = {0};
    ddaebm_dataset *dataset = NULL;
    rows[width - 1] = last;
    ASSERT_OK(ddaebm_dataset_create_rows(&dataset, context, rows, 1, width));
    ddaebm_status status = dd_model_check_data(model, dataset);
    ddaebm_dataset_free(dataset);
    return status;
}

START_TEST(data_must_fit) {
    ddaebm_model *model = create(6, 1, 3), *rows = small_model(context, "\"data.width\":48", 1);
    ASSERT_OK(check_images(model, 4, 4, 3));
    ASSERT_OK(check_rows(model, 48, 1));
    ASSERT_OK(check_images(rows, 4, 4, 3)); /* as rows */
    ASSERT_OK(check_rows(rows, 48, 99));
    ASSERT_FAILS(check_images(model, 6, 6, 3), DDAEBM_MISMATCH,
                 "images of 6 x 6 x 3 (height, width, channels), the model takes 4 x 4 x 3");
    ASSERT_FAILS(check_images(model, 2, 8, 3), DDAEBM_MISMATCH, "images of 2 x 8 x 3");
    ASSERT_FAILS(check_images(model, 8, 2, 3), DDAEBM_MISMATCH, "images of 8 x 2 x 3");
    ASSERT_FAILS(check_images(model, 4, 12, 1), DDAEBM_MISMATCH, "images of 4 x 12 x 1");
    ASSERT_FAILS(check_rows(model, 108, 0), DDAEBM_MISMATCH,
                 "rows of 108 numbers, the model of 48: set data.image_size");
    ASSERT_FAILS(check_rows(rows, 47, 0), DDAEBM_MISMATCH,
                 "rows of 47 numbers, the model of 48: set data.width");
    ASSERT_FAILS(check_rows(model, 48, -1.5f), DDAEBM_OUT_OF_RANGE,
                 "row 1, column 48 (both from 1) is -1.5");
    ASSERT_FAILS(check_rows(model, 48, 255), DDAEBM_OUT_OF_RANGE,
                 "is 255; the model's images go from -1 (black) to 1 (white)");
    ASSERT_FAILS(check_rows(model, 48, 255), DDAEBM_OUT_OF_RANGE, "array [N, 4, 4, 3] of images");
    ASSERT_OK(check_rows(model, 48, 1.0625f)); /* as samples have it */
    ddaebm_model_free(model);
    ddaebm_model_free(rows);
}
END_TEST

/* A trained model knows whether its rows are images: without a shape in its configuration, too, and
 * after a file. */
START_TEST(rows_and_images_are_two_kinds) {
    static const float numbers[48] = {0};
    static const uint8_t pixels[48] = {0};
    for (int images = 0; images < 2; images++) {
        ddaebm_model *model = small_model(context, "\"data.width\":48", 1), *back = NULL;
        ddaebm_dataset *dataset = NULL;
        size_t needed = 0;
        ASSERT_OK(images ? ddaebm_dataset_create_images(&dataset, context, pixels, 1, 2, 8, 3)
                         : ddaebm_dataset_create_rows(&dataset, context, numbers, 1, 48));
        dd_model_note_kind(model, dataset);
        ASSERT_FAILS(ddaebm_model_save_memory(model, NULL, 0, &needed), DDAEBM_OUT_OF_RANGE,
                     "too small");
        void *file = malloc(needed);
        ASSERT_OK(ddaebm_model_save_memory(model, file, needed, NULL));
        ASSERT_OK(ddaebm_model_load_memory(&back, context, file, needed));
        ASSERT_OK(ddaebm_model_check_data(back, dataset));
        if (images) {
            ASSERT_OK(check_images(back, 4, 4, 3));
            ASSERT_FAILS(check_rows(back, 48, 255), DDAEBM_OUT_OF_RANGE,
                         "array [N, height, width] of images");
        } else {
            ASSERT_OK(check_rows(back, 48, 255));
            ASSERT_FAILS(check_images(back, 4, 4, 3), DDAEBM_MISMATCH,
                         "the data are images, the model was trained on rows: read them as rows "
                         "(--layout rows; "
                         "ddaebm_read_options.layout)");
        }
        free(file);
        ddaebm_dataset_free(dataset);
        ddaebm_model_free(back);
        ddaebm_model_free(model);
    }
}
END_TEST

/* Rows from 0 to 1 may be images of another range: one line says so. */
START_TEST(rows_without_a_negative_number_are_noted) {
    float rows[48] = {0.5f};
    hear_context(context);
    ddaebm_model *model = create(6, 1, 3);
    for (int negative = 0; negative < 2; negative++) {
        ddaebm_dataset *dataset = NULL;
        rows[47] = negative ? -0.5f : 0;
        ASSERT_OK(ddaebm_dataset_create_rows(&dataset, context, rows, 1, 48));
        *heard_line = '\0';
        ASSERT_OK(ddaebm_model_check_data(model, dataset));
        ck_assert_msg((strstr(heard_line, "no number of the first rows is negative") != NULL) ==
                          !negative,
                      "%s", heard_line);
        ddaebm_dataset_free(dataset);
    }
    ASSERT_FAILS(ddaebm_model_check_data(NULL, NULL), DDAEBM_INVALID_ARGUMENT, "model");
    ddaebm_model_free(model);
}
END_TEST

/* Networks that halve images take fewer sizes: the text says which. */
START_TEST(the_text_says_which_sizes_fit) {
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL;
    static const char tiny[] =
        "{\"data.image_size\":8,\"data.padding\":1,\"energy.channels\":4,\"energy.multipliers\":[1]"
        ","
        "\"generator.channels\":4,\"generator.multipliers\":[1],\"encoder.channels\":2}";
    ASSERT_OK(ddaebm_config_create(&config, context, "fashion"));
    ASSERT_OK(ddaebm_config_parse(config, tiny, sizeof tiny - 1));
    ASSERT_OK(ddaebm_model_create(&model, context, config, 1));
    ASSERT_OK(check_images(model, 6, 6, 1));
    ASSERT_FAILS(check_images(model, 5, 5, 1), DDAEBM_MISMATCH,
                 "squares of an even side up to 128");
    ASSERT_FAILS(check_images(model, 6, 8, 1), DDAEBM_MISMATCH,
                 "squares of an even side up to 128");
    ddaebm_model_free(model);
    ddaebm_config_free(config);
}
END_TEST

START_TEST(borders_leave_a_image) {
    ddaebm_config *config = small_config(context, "\"data.image_size\":8,\"data.padding\":4");
    ddaebm_model *model = NULL;
    ASSERT_FAILS(ddaebm_model_create(&model, context, config, 1), DDAEBM_OUT_OF_RANGE,
                 "data.image_size is 8 and data.padding 4");
    ASSERT_OK(ddaebm_config_set_integer(config, "data.image_size", 9));
    ASSERT_OK(ddaebm_model_create(&model, context, config, 1));
    ck_assert_uint_eq(ddaebm_model_width(model), 1);
    ddaebm_model_free(model);
    ASSERT_OK(ddaebm_config_set_integer(config, "data.image_size", 0)); /* rows have no border */
    ASSERT_OK(ddaebm_model_create(&model, context, config, 1));
    ck_assert_uint_eq(ddaebm_model_width(model), 2);
    ddaebm_model_free(model);
    ddaebm_config_free(config);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("standardize", images_are_padded_and_cut, rows_are_shifted_and_scaled,
                     data_must_fit, the_text_says_which_sizes_fit, borders_leave_a_image,
                     rows_and_images_are_two_kinds, rows_without_a_negative_number_are_noted);
}
