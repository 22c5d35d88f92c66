/* ddaebm sample. */
#include "commands.h"
#include "console.h"
#include "inputs.h"
#include "outputs.h"

#include <stdlib.h>

int command_sample(const command *self, int argc, char **argv) {
    const char *path = NULL, *out = NULL;
    number count = {0, false}, seed = {0, false}, threads = {0, false};
    const option_row rows[] = {
        REQUIRED("model", "FILE", &path, "the model, or a checkpoint"),
        REQUIRED_NUMBER("count", &count, 1, UINT64_C(1) << 40, "how many samples"),
        SEED_ROW(&seed, "fixes every sample"),
        THREADS_ROW(&threads),
        REQUIRED("out", "FILE.npy", &out, "float32, one sample a row"),
    };
    int code = options_parse(self, rows, sizeof rows / sizeof *rows, argc, argv);
    if (code != OPTIONS_READ)
        return code;
    ddaebm_context *context = NULL;
    ddaebm_model *model = NULL;
    ddaebm_sampler *sampler = NULL;
    float *samples = NULL;
    TRY(check_output(out));
    TRY(open_context(&context, &threads));
    TRY(checked(ddaebm_model_load(&model, context, path)));
    TRY(checked(ddaebm_sampler_create(&sampler, model)));
    TRY(make_room(&samples, count.value, ddaebm_model_width(model)));
    TRY(checked(ddaebm_sampler_draw(sampler, seed.value, 0, (size_t)count.value, samples)));
    const size_t shape[] = {(size_t)count.value, ddaebm_model_width(model)};
    TRY(checked(ddaebm_array_write_npy(context, out, samples, 2, shape)));
cleanup:
    free(samples);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    ddaebm_context_free(context);
    return code;
}
