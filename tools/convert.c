/* ddaebm convert: rewrites a model. */
#include "commands.h"
#include "console.h"
#include "inputs.h"
#include "outputs.h"
#include "signals.h"

int command_convert(const command *self, int argc, char **argv) {
    const char *from = NULL, *out = NULL;
    bool half = false;
    const option_row options[] = {
        REQUIRED("model", "FILE", &from, "a model, or a checkpoint"),
        REQUIRED("out", "MODEL.safetensors", &out, "the model to write"),
        FLAG("half", &half,
             "store weights as float16: samples and scores change in their third digit"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;

    ddaebm_model *model = NULL;
    out = output_path(out);
    TRY(check_output(out));
    TRY(check_not_terminal(out, self));
    TRY(checked(ddaebm_model_load(&model, NULL, from)));

    ddaebm_normaliser known = DDAEBM_NORMALISER_INIT;
    if (half && ddaebm_model_normaliser(model, &known) == DDAEBM_OK)
        complain("warning: %.250s is not normalised, for its weights differ from those whose log Z "
                 "is known; ddaebm normalise finds it again",
                 out);
    hold_signals(out);
    code = checked((half ? ddaebm_model_save_half : ddaebm_model_save)(model, out));
    release_signals();
cleanup:
    ddaebm_model_free(model);
    return code;
}
