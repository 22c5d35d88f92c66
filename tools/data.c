/* ddaebm data. */
#include "commands.h"
#include "console.h"
#include "images.h"
#include "inputs.h"
#include "outputs.h"

#include <stdlib.h>

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
        REQUIRED("out", "FILE", &out, "FILE.npy, float32, one row a row; of pictures FILE.png as well, a grid"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;
    ddaebm_context *context = NULL;
    ddaebm_dataset *dataset = NULL;
    float *rows = NULL;
    size_t read = 0;
    TRY(check_output(out));
    TRY(open_context(&context, &compute));
    TRY(open_data(&dataset, context, name, seed.value, &how));
    if (has_ending(out, ".png"))
        TRY(check_drawable(shape_of_data(dataset), out));
    TRY(read_rows(&rows, &read, dataset, count.value));
    TRY(write_rows(context, out, rows, read, ddaebm_dataset_width(dataset), shape_of_data(dataset)));
cleanup:
    free(rows);
    ddaebm_dataset_free(dataset);
    ddaebm_context_free(context);
    return code;
}
