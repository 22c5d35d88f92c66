/* ddaebm data. */
#include "commands.h"
#include "console.h"
#include "images.h"
#include "inputs.h"
#include "outputs.h"

#include <stdlib.h>

static int write_image_data(ddaebm_context *context, const char *out, const ddaebm_dataset *dataset, size_t count) {
    float *images = NULL;
    int code = 0;
    TRY(make_room(&images, count, ddaebm_dataset_width(dataset)));
    TRY(checked(ddaebm_dataset_read(dataset, 0, count, images)));
    TRY(write_images(context, out, images, count, shape_of_data(dataset)));
cleanup:
    free(images);
    return code;
}

static int write_row_data(ddaebm_context *context, const char *out, const ddaebm_dataset *dataset, size_t count) {
    double *rows = NULL;
    size_t shape[] = {0, ddaebm_dataset_width(dataset)};
    int code = 0;
    TRY(read_rows(&rows, &shape[0], dataset, count));
    TRY(checked(ddaebm_array_write_npy_double(context, out, rows, 2, shape)));
cleanup:
    free(rows);
    return code;
}

int command_data(const command *self, int argc, char **argv) {
    const char *name = NULL, *out = NULL;
    number count = {0, false}, seed = {0, false};
    data_options how = {.header = 0};
    compute_options compute = {{0, false}, false};
    const option_row options[] = {
        REQUIRED("data", "NAME|PATH", &name, "a named set, ddaebm --help lists them; or a file or folder"),
        DATA_ROWS(&how),
        REQUIRED_NUMBER("count", &count, 1, UINT64_C(1) << 40, "how many rows, from the first on; all of a smaller set"),
        SEED_ROW(&seed, "fixes every row of a drawn set"),
        REQUIRED("out", "FILE", &out, "FILE.npy, one row a row, float64; of pictures float32, and FILE.png as well, a grid"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;
    ddaebm_context *context = NULL;
    ddaebm_dataset *dataset = NULL;
    TRY(check_output(out));
    TRY(open_context(&context, &compute));
    TRY(open_data(&dataset, context, name, seed.value, &how));
    if (has_ending(out, ".png"))
        TRY(check_drawable(shape_of_data(dataset), out));
    bool images = shape_of_data(dataset).height > 0;
    TRY((images ? write_image_data : write_row_data)(context, out, dataset, (size_t)count_rows(dataset, count.value)));
cleanup:
    ddaebm_dataset_free(dataset);
    ddaebm_context_free(context);
    return code;
}
