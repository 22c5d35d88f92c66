/* ddaebm data. */
#include "commands.h"
#include "console.h"
#include "inputs.h"
#include "outputs.h"

#include <stdlib.h>

int command_data(const command *self, int argc, char **argv) {
    const char *name = NULL, *out = NULL;
    number count = {0, false}, seed = {0, false};
    const option_row options[] = {
        REQUIRED("data", "NAME", &name, "a named set; ddaebm --help lists them"),
        REQUIRED_NUMBER("count", &count, 1, UINT64_C(1) << 40, "how many rows"),
        SEED_ROW(&seed, "fixes every row"),
        REQUIRED("out", "FILE.npy", &out, "float32, one row a row"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;
    ddaebm_dataset *dataset = NULL;
    float *rows = NULL;
    size_t read = 0;
    TRY(checked_option(ddaebm_dataset_create_named(&dataset, NULL, name, seed.value), self->name, "--data"));
    TRY(check_output(out));
    TRY(read_rows(&rows, &read, dataset, count.value));
    const size_t shape[] = {read, ddaebm_dataset_width(dataset)};
    TRY(checked(ddaebm_array_write_npy(NULL, out, rows, 2, shape)));
cleanup:
    free(rows);
    ddaebm_dataset_free(dataset);
    return code;
}
