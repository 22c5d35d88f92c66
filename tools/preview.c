#include "preview.h"

#include "console.h"
#include "image_options.h"
#include "inputs.h"
#include "outputs.h"
#include "samefile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 8, SAMPLES = SIDE * SIDE, SEED = 0, PATH_ROOM = 4096 };

/* Makes the path of the preview of a step. */
static int preview_path(char path[PATH_ROOM], const char *model_path, uint64_t step) {
    static const char ending[] = ".safetensors";
    size_t length = strlen(model_path) - (has_ending(model_path, ending) ? sizeof ending - 1 : 0);
    int written =
        snprintf(path, PATH_ROOM, "%.*s-%08" PRIu64 ".png", (int)length, model_path, step);
    return written > 0 && written < PATH_ROOM
               ? 0
               : fail("the path %.250s... is too long for a preview beside it", model_path);
}

int check_preview(const ddaebm_trainer *trainer, const char *model_path, const char *data,
                  bool recursive) {
    const ddaebm_config *config = ddaebm_trainer_config(trainer);
    int64_t side = 0, channels = 0;
    char path[PATH_ROOM];
    int code = 0;
    TRY(preview_path(path, model_path, 0));
    if (is_image_in(path, data, recursive))
        return fail("previews beside %.250s would be images of the data; give --out another folder",
                    model_path);

    TRY(checked(ddaebm_config_integer(config, "data.image_size", &side)));
    TRY(checked(ddaebm_config_integer(config, "data.channels", &channels)));
    TRY(check_drawable((image_shape){(size_t)side, (size_t)side, (size_t)channels}, path));
cleanup:
    return code;
}

int write_preview(ddaebm_context *context, ddaebm_trainer *trainer, const char *model_path,
                  const char *const *others, size_t count) {
    ddaebm_model *model = NULL;
    ddaebm_sampler *sampler = NULL;
    float *samples = NULL;
    char path[PATH_ROOM];
    int code = 0;
    TRY(preview_path(path, model_path, ddaebm_trainer_steps(trainer)));
    for (size_t i = 0; i < count; i++)
        if (others[i] && same_file(path, others[i]))
            return fail("the preview %.250s would write over %.250s", path, others[i]);

    TRY(checked(ddaebm_trainer_snapshot(&model, trainer)));
    TRY(checked(ddaebm_sampler_create(&sampler, model)));
    TRY(make_room(&samples, SAMPLES, ddaebm_model_width(model)));
    TRY(checked(ddaebm_sampler_draw(sampler, SEED, 0, SAMPLES, samples)));
    TRY(write_grid_png(context, path, samples, SAMPLES, SIDE, shape_of_model(model)));
cleanup:
    free(samples);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    return code;
}
