#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "sample/filler.h"
#include "sample/restorer.h"

#include <math.h>

enum { MOST_DRAWS = 1000000, MOST_STEPS = 100000, USUAL_DRAWS = 20, USUAL_STEPS = 24 };

static ddaebm_status check_options(ddaebm_fill_options *options) {
    if (options->draws > MOST_DRAWS)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "draws are %zu; allowed: 1 to %d, or 0 for %d",
                       options->draws, MOST_DRAWS, USUAL_DRAWS);
    if (options->steps > MOST_STEPS)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "steps are %zu; allowed: 1 to %d, or 0 for %d",
                       options->steps, MOST_STEPS, USUAL_STEPS);
    options->draws = options->draws > 0 ? options->draws : USUAL_DRAWS;
    options->steps = options->steps > 0 ? options->steps : USUAL_STEPS;
    return DDAEBM_OK;
}

/* Infinite numbers are neither known nor missing. */
static ddaebm_status check_rows(const double *rows, size_t count, size_t width) {
    for (size_t i = 0; i < count * width; i++)
        if (isinf(rows[i]))
            return dd_fail(
                DDAEBM_NOT_FINITE,
                "row %zu, column %zu (both from 1) is infinite; allowed: finite numbers, "
                "and NaN for a missing one",
                i / width + 1, i % width + 1);
    return DDAEBM_OK;
}

/* Refuses draws that ran away. */
static ddaebm_status check_filled(const double *filled, size_t count) {
    for (size_t i = 0; filled && i < count; i++)
        if (!isfinite(filled[i]))
            return dd_fail(DDAEBM_NOT_FINITE,
                           "a value that was filled in is not finite: the model's weights have run "
                           "away");
    return DDAEBM_OK;
}

ddaebm_status ddaebm_restorer_fill(ddaebm_restorer *restorer, const double *rows, size_t count,
                                   const ddaebm_fill_options *options, double *means,
                                   double *draws) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(restorer);
    DD_REQUIRE(rows);
    DD_REQUIRE(options);
    const ddaebm_model *model = restorer->model;
    size_t width = ddaebm_model_width(model);
    ddaebm_fill_options ours = DDAEBM_FILL_OPTIONS_INIT;
    ddaebm_status status = dd_struct_in(&ours, sizeof ours, options, "DDAEBM_FILL_OPTIONS_INIT");
    if (status == DDAEBM_OK)
        status = check_options(&ours);
    if (status != DDAEBM_OK)
        return status;
    if (dd_model_settings(model)->data.image_size > 0)
        return dd_fail(DDAEBM_UNSUPPORTED, "the model is of images; fill is for rows of numbers");

    status = check_rows(rows, count, width);
    if (status == DDAEBM_OK && !restorer->filler)
        status = dd_filler_create(&restorer->filler, model);
    if (status != DDAEBM_OK || count == 0 || (!means && !draws))
        return status;
    status =
        dd_filler_run(restorer->filler, &(dd_fill_call){.rows = rows,
                                                        .count = count,
                                                        .draws = ours.draws,
                                                        .steps = ours.steps,
                                                        .anneal = model->colour == NULL,
                                                        .seed = ours.seed,
                                                        .first = ours.first,
                                                        .out = draws,
                                                        .mean = means,
                                                        .progress = restorer->progress,
                                                        .progress_user = restorer->progress_user});
    if (status == DDAEBM_OK)
        status = check_filled(means, count * width);
    if (status == DDAEBM_OK && draws)
        status = check_filled(draws, ours.draws * count * width);
    return status;
}
