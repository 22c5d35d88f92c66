/* ddaebm data: writes the rows of a data set. */
#include "commands.h"
#include "console.h"
#include "image_options.h"
#include "inputs.h"
#include "outputs.h"
#include "rowfile.h"
#include "series.h"

#include <stdlib.h>

/* A row_source: images as floats, rows as the doubles that were read. */
static int read_block(void *user, uint64_t first, size_t count, void *block) {
    const ddaebm_dataset *dataset = user;
    bool images = shape_of_data(dataset).height > 0;
    return checked(images ? ddaebm_dataset_read(dataset, first, count, block)
                          : ddaebm_dataset_read_double(dataset, first, count, block));
}

/* Writes the rows, samples of a signal, as WAV. */
static int write_signal(ddaebm_context *context, const ddaebm_dataset *dataset, const char *path,
                        uint64_t most) {
    double *samples = NULL;
    size_t count = 0;
    int code = 0;
    if (shape_of_data(dataset).height > 0)
        return fail("cannot write %.250s: images are no signal; give another format", path);
    TRY(read_rows(&samples, &count, dataset, most));
    code = write_wav(context, path, samples, count, ddaebm_dataset_width(dataset),
                     ddaebm_dataset_sample_rate(dataset));
cleanup:
    free(samples);
    return code;
}

static const char *column_name(const void *dataset, size_t index) {
    return ddaebm_dataset_column_name(dataset, index);
}

int command_data(const command *self, int argc, char **argv) {
    const char *name = NULL;
    number count = {0, false}, seed = {0, false};
    data_options how = {.header = 0};
    compute_options compute = {{0, false}, false};
    output_options asked = {NULL, FORMAT_AUTO};
    const option_row options[] = {
        REQUIRED("data", "NAME|PATH", &name,
                 "a named set (ddaebm --help lists them), a file or a folder"),
        DATA_ROWS(&how),
        WINDOW_ROWS(&how),
        NUMBER("count", &count, 1, UINT64_C(1) << 40,
               "write the first N rows; left out: all of a file or folder, 10000 of a named set"),
        SEED_ROW(&seed, "of a named set"),
        OUTPUT_ROWS(&asked, "FILE.npy, .csv or .csv.gz, one line a row; of images also FILE.png, a "
                            "grid; of signals FILE.wav; - for standard output"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;

    ddaebm_context *context = NULL;
    ddaebm_dataset *dataset = NULL;
    output to = {NULL, FORMAT_AUTO};
    TRY(find_output(&to, &asked, WRITES_IMAGES | WRITES_SIGNALS, self));
    TRY(open_context(&context, &compute));
    TRY(open_data(&dataset, context, name, seed.value, &how));
    if (to.format == FORMAT_PNG)
        TRY(check_drawable(shape_of_data(dataset), to.path));

    if (to.format == FORMAT_WAV) {
        code = write_signal(context, dataset, to.path, asked_rows(dataset, count));
        goto cleanup;
    }

    const row_file file = {.to = to,
                           .count = asked_rows(dataset, count),
                           .width = ddaebm_dataset_width(dataset),
                           .images = shape_of_data(dataset),
                           .wide = shape_of_data(dataset).height == 0,
                           .name = column_name,
                           .owner = dataset};
    TRY(write_row_file(context, &file, rows_at_once(file.width, 1), read_block, dataset));
cleanup:
    ddaebm_dataset_free(dataset);
    ddaebm_context_free(context);
    return code;
}
