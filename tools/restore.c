/* ddaebm restore: noisy rows and images, and such with missing numbers. */
#include "commands.h"
#include "console.h"
#include "image_options.h"
#include "inputs.h"
#include "outputs.h"
#include "progress.h"
#include "rowfile.h"
#include "series.h"
#include "signals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Draws of a row, and rows that the noise is estimated of. */
enum { USUAL_DRAWS = 16, FOR_THE_NOISE = 64 };

typedef struct restore_options {
    const char *model, *data, *noise, *mask, *samples_out, *deviation_out;
    output_options output;
    data_options how;
    number draws, seed;
    bool quiet;
    compute_options compute;
} restore_options;

/* A run of the command. Rows in files are scale times rows of the model, plus shift. */
typedef struct run {
    const restore_options *asked;
    ddaebm_context *context;
    ddaebm_model *model;
    ddaebm_dataset *data, *mask;
    ddaebm_restorer *restorer;
    size_t width, rank, draws, count, done;
    double shift, scale;
    double *y, *mean, *deviation, *samples; /* of a block of rows, but for the samples */
    progress bar;
    bool begun;
} run;

/* --- Inputs. --- */

/* Reads S of --noise. */
static int read_noise(const run *self, double *out) {
    char *end = NULL;
    const char *text = self->asked->noise;
    *out = strtod(text, &end);
    if (end != text && *end == '\0' && isfinite(*out) && *out >= 0)
        return 0;
    return misuse("restore",
                  "--noise is '%.60s'; allowed: a number from 0, in the units of the data", text);
}

/* Checks that the mask's series is as long and wide as the data's: as many windows may be of more
 * samples. */
static int check_series(const run *self) {
    ddaebm_windows signal = DDAEBM_WINDOWS_INIT, mask = DDAEBM_WINDOWS_INIT;
    int code = 0;
    TRY(checked(ddaebm_dataset_windows(self->data, &signal)));
    TRY(checked(ddaebm_dataset_windows(self->mask, &mask)));
    if (signal.samples != mask.samples || signal.channels != mask.channels)
        code =
            fail("%.250s has %zu samples of %zu channels, the data %zu of %zu; a mask has the "
                 "shape of the data",
                 self->asked->mask, mask.samples, mask.channels, signal.samples, signal.channels);
cleanup:
    return code;
}

/* A mask is read in the same layout as the data. */
static int open_mask(run *self) {
    data_options how = {.layout = self->asked->how.layout,
                        .limit = self->asked->how.limit,
                        .window = self->asked->how.window,
                        .hop = self->asked->how.hop};
    bool images = shape_of_data(self->data).height > 0;
    if (images)
        how.range = (interval){0, 1, true};
    if (!self->asked->mask)
        return 0;
    int code = open_data(&self->mask, self->context, self->asked->mask, 0, &how);
    if (code == 0 && how.window.given)
        code = check_series(self);
    if (code != 0)
        return code;

    uint64_t rows = ddaebm_dataset_rows(self->mask);
    size_t width = ddaebm_dataset_width(self->mask);
    image_shape shape = shape_of_data(self->data), other = shape_of_data(self->mask);
    if (rows == self->count && width == self->width &&
        (other.height == 0 || shape.height == 0 || memcmp(&shape, &other, sizeof shape) == 0))
        return 0;
    return fail("%.250s has %llu rows of %zu numbers, the data %zu of %zu; a mask has the shape of "
                "the data",
                self->asked->mask, (unsigned long long)rows, width, self->count, self->width);
}

static int open_inputs(run *self) {
    data_options how = self->asked->how;
    double black = 0, white = 0;
    int code = 0;
    how.noisy = true;
    TRY(checked(ddaebm_model_load(&self->model, self->context, self->asked->model)));
    TRY(open_data_for(&self->data, self->context, self->model, self->asked->data,
                      self->asked->seed.value, &how));
    self->width = ddaebm_dataset_width(self->data);
    self->count = (size_t)ddaebm_dataset_rows(self->data);
    if (self->count == 0)
        return fail("%.250s has no end; write some of its rows with 'ddaebm data' first",
                    self->asked->data);

    ddaebm_dataset_form(self->data, &self->rank, &black, &white);
    self->shift = (black + white) / 2;
    self->scale = black < white || black > white ? (white - black) / 2 : 1;
    TRY(open_mask(self));
cleanup:
    return code;
}

/* Sets masked numbers to NaN. */
static int apply_mask(run *self, uint64_t first, size_t count) {
    bool images = self->mask && shape_of_data(self->mask).height > 0;
    int code = 0;
    double *mask = NULL;
    if (!self->mask)
        return 0;
    TRY(make_doubles(&mask, count, self->width));
    TRY(checked(ddaebm_dataset_read_double(self->mask, first, count, mask)));
    for (size_t i = 0; i < count * self->width; i++) {
        double known = images ? (mask[i] + 1) / 2 : mask[i]; /* images are read as -1 to 1 */
        if (known < 0 || known > 1 || (known > 0 && known < 1)) {
            code = fail("%.250s: row %llu, number %zu (both from 1) is %g; allowed: 1 where a "
                        "number is known, 0 where it is missing",
                        self->asked->mask, (unsigned long long)(first + i / self->width + 1),
                        i % self->width + 1, known);
            goto cleanup;
        }
        if (known <= 0)
            self->y[i] = NAN;
    }
cleanup:
    free(mask);
    return code;
}

static int read_block(run *self, uint64_t first, size_t count) {
    int code = checked(ddaebm_dataset_read_double(self->data, first, count, self->y));
    return code == 0 ? apply_mask(self, first, count) : code;
}

/* --- Restoring. --- */

static int watch(void *user, uint64_t done, uint64_t total) {
    run *self = user;
    (void)total;
    if (self->begun)
        progress_count(&self->bar, self->done + done);
    return cancel_on_signal(NULL, done, total);
}

/* Sets the noise, which is estimated where it is not given. */
static int set_noise(run *self, size_t most) {
    double noise = 0;
    int code = 0;
    if (self->asked->noise) {
        TRY(read_noise(self, &noise));
        noise /= fabs(self->scale);
        return checked(ddaebm_restorer_set_noise(self->restorer, &noise, 1));
    }
    TRY(read_block(self, 0, most));
    TRY(checked_or_stopped(
        ddaebm_restorer_fit_noise(self->restorer, self->asked->seed.value, most, self->y, &noise),
        self->asked->output.out));
    complain("the noise's standard deviation is estimated as %.4g; --noise says otherwise",
             noise * fabs(self->scale));
cleanup:
    return code;
}

/* In the units of the file. */
static double outward(const run *self, double inner) {
    return self->shift + self->scale * inner;
}

/* Mean and deviation of a block from its draws. */
static void reduce(run *self, const double *draws, size_t first, size_t count) {
    size_t numbers = count * self->width, from = first * self->width;
    for (size_t i = 0; i < numbers; i++) {
        double sum = 0, squares = 0;
        for (size_t k = 0; k < self->draws; k++)
            sum += draws[k * numbers + i];
        double mean = sum / (double)self->draws;
        for (size_t k = 0; k < self->draws; k++)
            squares += (draws[k * numbers + i] - mean) * (draws[k * numbers + i] - mean);
        self->mean[from + i] = outward(self, mean);
        self->deviation[from + i] =
            self->draws > 1 ? fabs(self->scale) * sqrt(squares / (double)(self->draws - 1)) : 0;
    }
}

static int draw_block(run *self, double *draws, size_t first, size_t count) {
    size_t numbers = count * self->width, all = self->count * self->width;
    int code = read_block(self, first, count);
    if (code == 0)
        code = checked_or_stopped(ddaebm_restorer_draw_double(self->restorer,
                                                              self->asked->seed.value, first, count,
                                                              self->y, self->draws, draws),
                                  self->asked->output.out);
    if (code != 0)
        return code;
    reduce(self, draws, first, count);
    for (size_t k = 0; self->samples && k < self->draws; k++)
        for (size_t i = 0; i < numbers; i++)
            self->samples[k * all + first * self->width + i] =
                outward(self, draws[k * numbers + i]);
    self->done += count * self->draws;
    return 0;
}

static int restore_all(run *self) {
    size_t at_once = rows_at_once(self->width * self->draws, 1);
    double *draws = NULL;
    int code = 0;
    at_once = at_once < self->count ? at_once : self->count;
    TRY(make_doubles(&draws, (uint64_t)at_once * self->draws, self->width));
    TRY(make_doubles(&self->mean, self->count, self->width));
    TRY(make_doubles(&self->deviation, self->count, self->width));
    if (self->asked->samples_out)
        TRY(make_doubles(&self->samples, (uint64_t)self->count * self->draws, self->width));
    progress_begin(&self->bar, 0, (uint64_t)self->count * self->draws, 0, self->asked->quiet);
    self->begun = true;
    for (size_t first = 0; first < self->count; first += at_once) {
        size_t left = self->count - first;
        TRY(draw_block(self, draws, first, left < at_once ? left : at_once));
    }
    progress_end(&self->bar, self->done);
cleanup:
    free(draws);
    return code;
}

/* --- Outputs. --- */

static const char *column_name(const void *data, size_t index) {
    return ddaebm_dataset_column_name(data, index);
}

/* Copies a block of what is written; images of a PNG as the model has them. */
static int give_rows(void *user, uint64_t first, size_t count, void *block) {
    const run *self = user;
    const double *from = self->mean + first * self->width;
    float *pixels = block;
    if (self->asked->output.format == FORMAT_PNG || has_ending(self->asked->output.out, ".png"))
        for (size_t i = 0; i < count * self->width; i++)
            pixels[i] = (float)((from[i] - self->shift) / self->scale);
    else
        memcpy(block, from, count * self->width * sizeof *from);
    return 0;
}

/* Writes an array of `layers` times the data's shape, or of the data's shape for 0, as float32 for
 * images and float64 for rows. */
static int write_array(const run *self, const char *path, const double *numbers, size_t layers) {
    image_shape image = shape_of_data(self->data);
    size_t shape[5], rank = 0, total = (layers > 0 ? layers : 1) * self->count;
    ddaebm_row_options options = DDAEBM_ROW_OPTIONS_INIT;
    ddaebm_writer writer = DDAEBM_WRITER_INIT;
    ddaebm_row_writer *rows = NULL;
    int code = 0;
    if (layers > 0)
        shape[rank++] = layers;
    shape[rank++] = self->count;
    if (image.height > 0) {
        shape[rank++] = image.height;
        shape[rank++] = image.width;
    } else {
        shape[rank++] = self->width;
    }
    if (image.height > 0 && (self->rank != 3 || image.channels > 1))
        shape[rank++] = image.channels;

    writer.path = path;
    options.wide = image.height == 0;
    TRY(checked(ddaebm_row_writer_create(&rows, self->context, &writer, &options, rank, shape)));
    TRY(checked(ddaebm_row_writer_append_double(rows, numbers, layers > 0 ? layers : total)));
    TRY(checked(ddaebm_row_writer_finish(rows)));
cleanup:
    ddaebm_row_writer_free(rows);
    return code;
}

/* Puts windows together and writes the signal. */
static int write_signal(const run *self, output to, const double *windows) {
    series signal = {.samples = NULL};
    int code = 0;
    TRY(series_open(&signal, self->data, 0));
    TRY(series_add(&signal, 0, self->count, windows));
    code = series_write(&signal, self->context, to, true);
cleanup:
    series_close(&signal);
    return code;
}

/* Writes --out: NPY in the data's shape, CSV as rows with the data's names, or a picture. */
static int write_mean(run *self, output to) {
    image_shape image = shape_of_data(self->data);
    if (self->asked->how.window.given)
        return write_signal(self, to, self->mean);
    if (to.format == FORMAT_NPY)
        return write_array(self, to.path, self->mean, 0);
    if (to.format == FORMAT_PNG) {
        int code = check_drawable(image, to.path);
        if (code != 0)
            return code;
    }
    const row_file file = {.to = to,
                           .count = self->count,
                           .width = self->width,
                           .images = to.format == FORMAT_PNG ? image : (image_shape){0, 0, 0},
                           .wide = to.format != FORMAT_PNG,
                           .name = column_name,
                           .owner = self->data};
    return write_row_file(self->context, &file, rows_at_once(self->width, 1), give_rows, self);
}

static int check_arrays(const restore_options *asked) {
    const char *paths[] = {asked->samples_out, asked->deviation_out},
               *names[] = {"samples-out", "deviation-out"};
    for (size_t i = 0; i < 2; i++) {
        if (!paths[i])
            continue;
        if (!has_ending(paths[i], ".npy"))
            return misuse("restore", "--%s is '%.250s'; allowed: a name that ends in .npy",
                          names[i], paths[i]);
        int code = check_output(paths[i]);
        if (code != 0)
            return code;
    }
    return 0;
}

static int write_all(run *self, output to) {
    int code = write_mean(self, to);
    if (code == 0 && self->asked->deviation_out)
        code = self->asked->how.window.given
                   ? write_signal(self, (output){self->asked->deviation_out, FORMAT_NPY},
                                  self->deviation)
                   : write_array(self, self->asked->deviation_out, self->deviation, 0);
    if (code == 0 && self->asked->samples_out)
        code = write_array(self, self->asked->samples_out, self->samples, self->draws);
    return code;
}

static int restore(run *self, output to) {
    size_t most = 0;
    double unused = 0;
    int code = 0;
    TRY(self->asked->noise ? read_noise(self, &unused) : 0);
    TRY(open_inputs(self));
    most = rows_at_once(self->width, 1);
    most = most < FOR_THE_NOISE ? FOR_THE_NOISE : most;
    most = most < self->count ? most : self->count;
    TRY(make_doubles(&self->y, most, self->width));
    TRY(checked(ddaebm_restorer_create(&self->restorer, self->model)));
    TRY(checked(ddaebm_restorer_set_progress(self->restorer, watch, self)));
    catch_signals();
    TRY(set_noise(self, most < FOR_THE_NOISE ? most : FOR_THE_NOISE));
    TRY(restore_all(self));
    TRY(write_all(self, to));
cleanup:
    return code;
}

int command_restore(const command *self, int argc, char **argv) {
    restore_options asked = {.model = NULL};
    const option_row rows[] = {
        REQUIRED("model", "FILE", &asked.model, "the model of clean data, or a checkpoint"),
        REQUIRED("data", "NAME|PATH", &asked.data,
                 "noisy or incomplete data. Noise may take numbers beyond black and white"),
        DATA_ROWS(&asked.how),
        WINDOW_ROWS(&asked.how),
        TEXT("noise", "S", &asked.noise,
             "standard deviation of the noise in the units of the data, as in 25 for images from 0 "
             "to 255; left out: estimated, and reported"),
        TEXT("mask", "FILE", &asked.mask,
             "an array of the shape of the data: 1 where a number is known, 0 where it is missing"),
        NUMBER("draws", &asked.draws, 1, 65536,
               "draws of each row, of which the mean is written; left out: 16"),
        SEED_ROW(&asked.seed, "of the draws"),
        FLAG("quiet", &asked.quiet, "no progress"),
        COMPUTE_ROWS(&asked.compute),
        OUTPUT_ROWS(&asked.output, "the mean of the draws, in the shape and units of the data: "
                                   "FILE.npy, .csv or .csv.gz; of images also FILE.png, a grid; "
                                   "with --window the signal, also as FILE.wav"),
        TEXT("samples-out", "FILE.npy", &asked.samples_out, "the draws, [N, rows, ...]"),
        TEXT("deviation-out", "FILE.npy", &asked.deviation_out,
             "the standard deviation of the draws"),
    };
    int code = options_parse(self, rows, sizeof rows / sizeof *rows, argc, argv);
    if (code != OPTIONS_READ)
        return code;

    if (asked.how.window.given && asked.samples_out)
        return misuse(self->name, "--samples-out has draws of rows; leave it out with --window");
    if (asked.deviation_out && asked.draws.given && asked.draws.value < 2)
        return misuse(self->name,
                      "--deviation-out needs --draws 2 or more: one draw has no standard "
                      "deviation");

    run now = {.asked = &asked,
               .draws = asked.draws.given ? (size_t)asked.draws.value : USUAL_DRAWS};
    output to = {NULL, FORMAT_AUTO};
    TRY(find_output(&to, &asked.output, asked.how.window.given ? WRITES_SIGNALS : WRITES_IMAGES,
                    self));
    TRY(check_arrays(&asked));
    TRY(open_context(&now.context, &asked.compute));
    TRY(restore(&now, to));
cleanup:
    free(now.y);
    free(now.mean);
    free(now.deviation);
    free(now.samples);
    ddaebm_restorer_free(now.restorer);
    ddaebm_dataset_free(now.mask);
    ddaebm_dataset_free(now.data);
    ddaebm_model_free(now.model);
    ddaebm_context_free(now.context);
    return code;
}
