#include "io/image_range.h"

#include "base/context.h"
#include "base/error.h"

#include <math.h>

enum { LARGEST_BYTE = 255, LEAST_OF_BYTES = 64 };

/* The range of the numbers and their types. */
typedef struct survey {
    double low, high;
    bool whole;
} survey;

/* Finds the smallest and the largest number, and whether all are whole. */
static ddaebm_status take_survey(survey *out, const dd_rows *images) {
    survey seen = {INFINITY, -INFINITY, true};
    for (size_t i = 0; i < images->count * images->width; i++) {
        const double value = dd_rows_at(images, i);
        if (!isfinite(value))
            return dd_fail(
                DDAEBM_NOT_FINITE,
                "row %zu, column %zu (both from 1) is %s; only finite numbers are allowed",
                i / images->width + 1, i % images->width + 1,
                isnan(value) ? "not a number" : "infinite");
        seen.low = value < seen.low ? value : seen.low;
        seen.high = value > seen.high ? value : seen.high;
        seen.whole = seen.whole && value == floor(value);
    }

    *out = seen;
    return DDAEBM_OK;
}

static survey survey_bytes(const dd_images *images) {
    uint8_t low = LARGEST_BYTE, high = 0;
    for (size_t i = 0; i < images->count * dd_image_numbers(images->shape); i++) {
        low = images->pixels[i] < low ? images->pixels[i] : low;
        high = images->pixels[i] > high ? images->pixels[i] : high;
    }
    return (survey){low, high, true};
}

static dd_image_range make_range(const survey *seen, double black, double white) {
    const bool from_zero = seen->whole && seen->low >= 0 && seen->high <= white;
    return (dd_image_range){black, white,
                            from_zero && black == 0 && (white == 1 || white == LARGEST_BYTE)};
}

/* Checks that the numbers are in the range that was asked for, or beyond it by at most four times
 * its width: samples of a model, and noise, are. Anything further away belongs to another range. */
static ddaebm_status check_asked(dd_image_range *out, const survey *seen,
                                 const ddaebm_read_options *options) {
    const double low = fmin(options->black, options->white),
                 high = fmax(options->black, options->white);
    const double width = high - low;
    if (seen->low < low - 4 * width || seen->high > high + 4 * width)
        return dd_fail(
            DDAEBM_OUT_OF_RANGE,
            "its numbers are from %g to %g, far beyond the range %g:%g that was asked for",
            seen->low, seen->high, options->black, options->white);
    *out = make_range(seen, options->black, options->white);
    return DDAEBM_OK;
}

/* Suggests a range that is likely for such numbers; their own minimum and maximum would differ from
 * file to file. */
static const char *suggest(const survey *seen, dd_number_kind kind) {
    const bool integers = kind == DD_INTEGERS || (seen->whole && seen->high > LARGEST_BYTE);
    if (integers && seen->low >= 0 && seen->high > LARGEST_BYTE && seen->high <= 65535)
        return "for instance --range 0:65535 for 16 bits (0:4095 for 12)";
    if (integers && seen->low >= -128 && seen->low < 0 && seen->high <= 127)
        return "for instance --range -128:127 for signed bytes";
    if (integers && seen->low < 0 && seen->low >= -32768 && seen->high <= 32767)
        return "for instance --range -32768:32767 for 16 bits with a sign";
    if (seen->low < 0 && seen->low >= -3 && seen->high <= 3)
        return "with --range LO:HI, the same for every file of a set (-1:1 for samples of a model)";
    return "with --range LO:HI, the same for every file of a set (0:1, 0:255 or -1:1 are common)";
}

static ddaebm_status refuse(const survey *seen, dd_number_kind kind) {
    return dd_fail(DDAEBM_OUT_OF_RANGE,
                   "its numbers are from %g to %g; the ranges of images are 0 to 255 (with a "
                   "number of at least 64), "
                   "0 to 1, and fractions from -1 to 1: "
                   "say which numbers are black and white, %s, or read rows with --layout rows",
                   seen->low, seen->high, suggest(seen, kind));
}

/* Sets a range that was guessed, and reports it. */
static ddaebm_status guess(dd_image_range *out, ddaebm_context *context, const survey *seen,
                           double black, double white) {
    *out = make_range(seen, black, white);
    dd_report(
        context, DDAEBM_LOG_INFO,
        "its numbers are from %g to %g: %g is read as black, %g as white; --range says otherwise",
        seen->low, seen->high, black, white);
    return DDAEBM_OK;
}

/* Guesses the range of images with noise, which takes numbers beyond it: 0 to 255 if one is at
 * least 64; -1 to 1 if more numbers are far below 0 than noise of half the range takes there from
 * black; else 0 to 1. */
static ddaebm_status guess_noisy(dd_image_range *out, ddaebm_context *context, const survey *seen,
                                 const dd_rows *images) {
    const double far_below = -0.5, most_share = 0.15;
    size_t below = 0, count = images->count * images->width;
    for (size_t i = 0; i < count; i++)
        below += dd_rows_at(images, i) < far_below;
    if (seen->high >= LEAST_OF_BYTES)
        return guess(out, context, seen, 0, LARGEST_BYTE);
    return guess(out, context, seen, (double)below > most_share * (double)count ? -1 : 0, 1);
}

ddaebm_status dd_image_range_find(dd_image_range *out, ddaebm_context *context,
                                  const dd_rows *images, dd_number_kind kind,
                                  const ddaebm_read_options *options) {
    survey seen;
    ddaebm_status status = take_survey(&seen, images);
    if (status != DDAEBM_OK)
        return status;
    if (dd_image_range_asked(options))
        return check_asked(out, &seen, options);
    if (kind == DD_BOOLEANS) {
        *out = make_range(&seen, 0, 1);
        return DDAEBM_OK;
    }

    if (options->noisy)
        return guess_noisy(out, context, &seen, images);
    if (seen.low >= 0 && seen.high <= 1)
        return guess(out, context, &seen, 0, 1);
    if (seen.low < 0 && seen.low >= -1 - DD_BEYOND_SAMPLES && seen.high <= 1 + DD_BEYOND_SAMPLES)
        return guess(out, context, &seen, -1, 1);
    if (seen.low >= 0 && seen.high <= LARGEST_BYTE && seen.high >= LEAST_OF_BYTES)
        return guess(out, context, &seen, 0, LARGEST_BYTE);
    return refuse(&seen, kind);
}

ddaebm_status dd_image_range_of_bytes(dd_image_range *out, ddaebm_context *context,
                                      const dd_images *images, const ddaebm_read_options *options) {
    const survey seen = survey_bytes(images);
    if (dd_image_range_asked(options))
        return check_asked(out, &seen, options);
    if (seen.high == 1)
        return guess(out, context, &seen, 0, 1);
    if (seen.high > 0 && seen.high < LEAST_OF_BYTES)
        return guess(out, context, &seen, 0, LARGEST_BYTE);
    *out = (dd_image_range){0, LARGEST_BYTE, true};
    return DDAEBM_OK;
}

void dd_image_range_scale(dd_rows *images, const dd_image_range *range) {
    const double middle = (range->black + range->white) / 2,
                 half = (range->white - range->black) / 2;
    for (size_t i = 0; i < images->count * images->width; i++)
        images->values[i] = (float)(((double)images->values[i] - middle) / half);
}
