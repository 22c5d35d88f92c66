/* ddaebm density. */
#include "commands.h"
#include "console.h"
#include "grid.h"
#include "inputs.h"
#include "outputs.h"
#include "picture.h"

#include <stdlib.h>

static int write_grid(ddaebm_context *context, const char *out, const float *scores, size_t side) {
    const size_t shape[] = {side, side};
    if (has_ending(out, ".npy"))
        return checked(ddaebm_array_write_npy(context, out, scores, 2, shape));
    picture *drawn = NULL;
    int code = 0;
    TRY(picture_create(&drawn, side, side));
    TRY(picture_density(drawn, (square){0, 0, side}, scores));
    TRY(picture_write(drawn, context, out));
cleanup:
    picture_free(drawn);
    return code;
}

int command_density(const command *self, int argc, char **argv) {
    const char *path = NULL, *out = NULL;
    interval range = {0, 0, false};
    number side = {0, false};
    compute_options compute = {{0, false}, false};
    const option_row options[] = {
        REQUIRED("model", "FILE", &path, "the model, or a checkpoint; of two dimensions"),
        REQUIRED_INTERVAL("range", &range, "ends of the square, in the data's own units"),
        REQUIRED_NUMBER("grid", &side, 2, 8192, "points along a side, ends included"),
        COMPUTE_ROWS(&compute),
        REQUIRED("out", "FILE", &out, "FILE.npy for the numbers, FILE.png for exp of them as a picture"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;
    if (!has_ending(out, ".npy") && !has_ending(out, ".png"))
        return misuse(self->name, "--out is '%.250s'; allowed: a name that ends in .npy or .png", out);
    ddaebm_context *context = NULL;
    ddaebm_model *model = NULL;
    float *scores = NULL;
    TRY(check_output(out));
    TRY(open_context(&context, &compute));
    TRY(checked(ddaebm_model_load(&model, context, path)));
    TRY(check_plane(model, path));
    TRY(score_grid(&scores, model, range, (size_t)side.value));
    TRY(write_grid(context, out, scores, (size_t)side.value));
cleanup:
    free(scores);
    ddaebm_model_free(model);
    ddaebm_context_free(context);
    return code;
}
