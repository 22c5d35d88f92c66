#include "base/ieee.h"

#include "sample/filler.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"

#include <math.h>
#include <string.h>

/* Most numbers in a lane's bases of planes, unless a single row has more. */
enum { MOST_BASES = 1 << 20 };

/* Length of a direction, relative to what it was, below which it depends on the ones before. */
static const double least_length = 1e-6;

/* State of a lane. */
typedef struct desk {
    float *x, *known, *noise; /* [rows, inner width]: the chains; their fixed parts; fixed noise */
    float *bases;             /* [rows at a time, width, width] */
    float *moves;             /* [rows, width] */
    float *room, *spare;      /* [width] */
    dd_plane *planes;         /* [rows] */
    double *means, *sums;     /* [rows, width]: of one draw, and over the draws */
    double *line;             /* [width] */
    size_t rows;              /* that are filled at a time */
} desk;

struct dd_filler {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_refiner *refiner;
    desk *desks; /* one for each lane */
    dd_noise_schedule schedule;
};

/* ---- Making one. ---- */

static ddaebm_status open_desk(const dd_filler *filler, desk *d, size_t rows) {
    ddaebm_context *context = filler->context;
    size_t width = ddaebm_model_width(filler->model), square = width * width;
    size_t most = MOST_BASES / square > 0 ? MOST_BASES / square : 1;
    bool whitened = filler->model->colour != NULL;
    d->rows = whitened && most < rows ? most : rows;
    size_t numbers = d->rows * width;

    d->x = dd_alloc_zero(context, 4 * numbers + 2 * width, sizeof *d->x);
    d->means = dd_alloc_zero(context, 2 * numbers + width, sizeof *d->means);
    d->planes = dd_alloc_zero(context, d->rows, sizeof *d->planes);
    d->bases = whitened ? dd_alloc_zero(context, d->rows * square, sizeof *d->bases) : NULL;
    if (!d->x || !d->means || !d->planes || (whitened && !d->bases))
        return DDAEBM_OUT_OF_MEMORY;
    d->known = d->x + numbers;
    d->noise = d->known + numbers;
    d->moves = d->noise + numbers;
    d->room = d->moves + numbers;
    d->spare = d->room + width;
    d->sums = d->means + numbers;
    d->line = d->sums + numbers;
    return DDAEBM_OK;
}

ddaebm_status dd_filler_create(dd_filler **out, const ddaebm_model *model) {
    dd_filler *filler = dd_alloc_zero(model->context, 1, sizeof *filler);
    if (!filler)
        return DDAEBM_OUT_OF_MEMORY;
    filler->context = model->context;
    filler->model = model;
    ddaebm_status status;
    DD_TRY(dd_refiner_create(&filler->refiner, model, NULL, model->temperature, NULL));
    DD_TRY(dd_noise_schedule_make(&filler->schedule, model->context, dd_model_settings(model)));

    const dd_evaluator *evaluator = dd_refiner_evaluator(filler->refiner);
    size_t lanes = dd_evaluator_lanes(evaluator);
    filler->desks = dd_alloc_zero(filler->context, lanes, sizeof *filler->desks);
    status = filler->desks ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; i < lanes && status == DDAEBM_OK; i++)
        status = open_desk(filler, &filler->desks[i], dd_evaluator_lane_rows(evaluator, i));
cleanup:
    if (status == DDAEBM_OK)
        *out = filler;
    else
        dd_filler_free(filler);
    return status;
}

void dd_filler_free(dd_filler *filler) {
    if (!filler)
        return;
    ddaebm_context *context = filler->context;
    size_t lanes = filler->desks ? dd_evaluator_lanes(dd_refiner_evaluator(filler->refiner)) : 0;
    for (size_t i = 0; i < lanes; i++) {
        dd_free(context, filler->desks[i].x);
        dd_free(context, filler->desks[i].means);
        dd_free(context, filler->desks[i].planes);
        dd_free(context, filler->desks[i].bases);
    }
    dd_free(context, filler->desks);
    dd_noise_schedule_free(&filler->schedule);
    dd_refiner_free(filler->refiner);
    dd_free(context, filler);
}

ddaebm_status dd_filler_renew(dd_filler *filler, const dd_weights *weights) {
    return dd_evaluator_renew(dd_refiner_evaluator(filler->refiner), weights);
}

/* ---- Planes. ---- */

/* A piece of a chunk: rows that are filled together. */
typedef struct piece {
    const dd_filler *filler;
    const dd_fill_call *call;
    desk *desk;
    dd_lane *lane;
    size_t first, count, width; /* first: in the call */
} piece;

static const double *row_of(const piece *p, size_t i) {
    return p->call->rows + (p->first + i) * p->width;
}

static bool is_missing(const piece *p, size_t i, size_t j) {
    return isnan(row_of(p, i)[j]) && p->filler->model->scale[j] > 0;
}

/* Adds column j of `whiten`, as far as it is orthogonal to the directions that are there, twice
 * orthogonalised. */
static void add_direction(const piece *p, float *basis, size_t *count, size_t j) {
    const double *whiten = p->filler->model->whiten;
    double *line = p->desk->line, before = 0, length = 0;
    size_t width = p->width;
    for (size_t k = 0; k < width; k++) {
        line[k] = whiten[k * width + j];
        before += line[k] * line[k];
    }
    for (int twice = 0; twice < 2; twice++)
        for (size_t q = 0; q < *count; q++) {
            const float *other = basis + q * width;
            double along = 0;
            for (size_t k = 0; k < width; k++)
                along += (double)other[k] * line[k];
            for (size_t k = 0; k < width; k++)
                line[k] -= along * (double)other[k];
        }
    for (size_t k = 0; k < width; k++)
        length += line[k] * line[k];
    if (!(length > before * least_length * least_length))
        return;
    for (size_t k = 0; k < width; k++)
        basis[*count * width + k] = (float)(line[k] / sqrt(length));
    ++*count;
}

/* Finds the plane of a row. */
static void find_plane(const piece *p, size_t i) {
    desk *d = p->desk;
    size_t width = p->width;
    dd_plane *plane = &d->planes[i];
    float *moves = d->moves + i * width, *basis = d->bases ? d->bases + i * width * width : NULL;
    *plane = (dd_plane){.moves = moves, .basis = basis};
    for (size_t j = 0; j < width; j++) {
        bool missing = is_missing(p, i, j);
        moves[j] = missing ? 1.0f : 0.0f;
        if (missing && basis)
            add_direction(p, basis, &plane->count, j);
    }
}

static void project(const piece *p, size_t i, float *vector) {
    dd_plane_project(&p->desk->planes[i], p->width, vector, p->desk->room);
}

/* Splits what a row would be with means in the place of what is missing, or with where it starts,
 * into the known part and the part that moves. */
static void find_parts(const piece *p, size_t i) {
    desk *d = p->desk;
    const ddaebm_model *model = p->filler->model;
    size_t width = p->width;
    const double *start = p->call->start ? p->call->start + (p->first + i) * width : NULL;
    float *x = d->x + i * width, *known = d->known + i * width;
    for (size_t j = 0; j < width; j++)
        d->line[j] = start ? start[j] : isnan(row_of(p, i)[j]) ? model->mean[j] : row_of(p, i)[j];
    dd_model_standardize(model, (dd_rows_in){.wide = d->line}, 0, 1, known);
    memcpy(x, known, width * sizeof *x);
    project(p, i, x);
    for (size_t j = 0; j < width; j++)
        known[j] -= x[j];
}

/* ---- Chains. ---- */

/* Makes whole rows of the parts that move: the known part is diffused to a timestep, or as it is.
 */
static void join(const piece *p, size_t timestep, bool diffused) {
    desk *d = p->desk;
    const dd_noise_schedule *schedule = &p->filler->schedule;
    float keep = diffused ? (float)schedule->a_cum[timestep] : 1,
          sigma = diffused ? (float)schedule->sigma_cum[timestep] : 0;
    for (size_t i = 0; i < p->count; i++) {
        project(p, i, d->x + i * p->width);
        for (size_t k = i * p->width; k < (i + 1) * p->width; k++)
            d->x[k] += keep * d->known[k] + sigma * d->noise[k];
    }
}

/* Finds the known parts and where chains begin, and draws the noise of the known parts. */
static void begin(const piece *p, uint64_t seed) {
    desk *d = p->desk;
    for (size_t i = 0; i < p->count; i++)
        find_parts(p, i);
    size_t numbers = p->count * p->width;
    uint64_t from = (p->call->first + p->first) * p->width;
    if (p->call->centre)
        memset(d->x, 0, numbers * sizeof *d->x);
    else if (!p->call->start)
        dd_rng_normals(d->x, seed, dd_stream(DD_STREAM_FILL_START, 0), from, numbers);
    dd_rng_normals(d->noise, seed, dd_stream(DD_STREAM_FILL_KNOWN, 0), from, numbers);
    for (size_t i = 0; i < p->count; i++) {
        float *noise = d->noise + i * p->width;
        memcpy(d->spare, noise, p->width * sizeof *noise);
        project(p, i, d->spare);
        for (size_t j = 0; j < p->width; j++)
            noise[j] -= d->spare[j];
    }
}

/* Runs the chains of one draw; false if the call is cancelled. No guidance can fail. */
static bool run_chains(const piece *p, uint64_t seed) {
    const dd_fill_call *call = p->call;
    desk *d = p->desk;
    ddaebm_status status = DDAEBM_OK;
    dd_refine_call refine = {.refiner = p->filler->refiner, .steps = call->steps, .seed = seed};
    begin(p, seed);
    for (size_t t = call->anneal ? p->filler->schedule.steps : 1; t-- > 0;) {
        const dd_refine_rows rows = {.x = d->x,
                                     .count = p->count,
                                     .timestep = t,
                                     .first = call->first + p->first,
                                     .planes = d->planes,
                                     .means = t == 0 && call->mean ? d->means : NULL};
        join(p, t, t > 0);
        if (!dd_refine_within(&refine, p->lane, &rows, &status))
            return false;
    }
    return true;
}

/* Writes a draw, and adds its means. */
static void keep(const piece *p, size_t draw) {
    const dd_fill_call *call = p->call;
    desk *d = p->desk;
    size_t width = p->width;
    for (size_t i = 0; i < p->count && call->out; i++) {
        double *out = call->out + (draw * call->count + p->first + i) * width;
        dd_model_restore(p->filler->model, d->x + i * width, 1, (dd_rows_out){.wide = out}, 0);
        for (size_t j = 0; j < width; j++)
            out[j] = isnan(row_of(p, i)[j]) ? out[j] : row_of(p, i)[j];
    }
    for (size_t k = 0; k < p->count * width && call->mean; k++)
        d->sums[k] = (draw > 0 ? d->sums[k] : 0) + d->means[k] / (double)call->draws;
}

static void keep_means(const piece *p) {
    desk *d = p->desk;
    size_t width = p->width;
    for (size_t i = 0; i < p->count && p->call->mean; i++) {
        double *out = p->call->mean + (p->first + i) * width;
        float *x = d->x + i * width;
        for (size_t j = 0; j < width; j++)
            x[j] = (float)d->sums[i * width + j];
        dd_model_restore(p->filler->model, x, 1, (dd_rows_out){.wide = out}, 0);
        for (size_t j = 0; j < width; j++)
            out[j] = isnan(row_of(p, i)[j]) ? out[j] : row_of(p, i)[j];
    }
}

/* ---- The call. ---- */

/* The seed of a draw, so that draw k of a row is the same whatever their number. */
static uint64_t seed_of(const dd_fill_call *call, size_t draw) {
    uint32_t words[2];
    dd_rng_words(words, call->seed, dd_stream(DD_STREAM_FILL_SEED, 0), 2 * (uint64_t)draw, 2);
    return (uint64_t)words[0] << 32 | words[1];
}

static bool has_missing(const double *row, size_t width) {
    for (size_t j = 0; j < width; j++)
        if (isnan(row[j]))
            return true;
    return false;
}

/* Number of rows from `first` on that are filled together: it ends before several whole ones. */
static size_t run_length(const dd_fill_call *call, size_t width, size_t first, size_t last,
                         size_t most) {
    enum { WHOLE = 8 };
    size_t end = first;
    last = last - first < most ? last : first + most;
    for (size_t i = first; i < last && i < end + WHOLE; i++)
        if (has_missing(call->rows + i * width, width))
            end = i + 1;
    return end - first;
}

/* Copies a row without missing numbers to all outputs. */
static void copy_whole(const dd_fill_call *call, size_t width, size_t row) {
    const double *from = call->rows + row * width;
    for (size_t k = 0; k < call->draws && call->out; k++)
        memcpy(call->out + (k * call->count + row) * width, from, width * sizeof *from);
    if (call->mean)
        memcpy(call->mean + row * width, from, width * sizeof *from);
}

/* Fills a piece; false if the call is cancelled. */
static bool fill_piece(const piece *p) {
    for (size_t i = 0; i < p->count; i++)
        find_plane(p, i);
    for (size_t k = 0; k < p->call->draws; k++) {
        if (!run_chains(p, seed_of(p->call, k)))
            return false;
        keep(p, k);
    }
    keep_means(p);
    return true;
}

typedef struct request {
    dd_filler *filler;
    const dd_fill_call *call;
    size_t passes; /* over each row */
} request;

static void fill_chunk(void *user, dd_lane *lane, size_t first, size_t count) {
    const request *r = user;
    size_t width = ddaebm_model_width(r->filler->model), last = first + count;
    desk *d = &r->filler->desks[dd_lane_number(lane)];
    while (first < last) {
        piece p = {.filler = r->filler,
                   .call = r->call,
                   .desk = d,
                   .lane = lane,
                   .first = first,
                   .width = width};
        p.count = run_length(r->call, width, first, last, d->rows);
        if (p.count == 0) {
            copy_whole(r->call, width, first++);
            if (!dd_lane_report(lane, r->passes))
                return;
            continue;
        }
        if (!fill_piece(&p))
            return;
        first += p.count;
    }
}

ddaebm_status dd_filler_run(dd_filler *filler, const dd_fill_call *call) {
    size_t timesteps = call->anneal ? filler->schedule.steps : 1;
    request r = {filler, call, call->draws * timesteps * call->steps};
    return dd_evaluator_call(dd_refiner_evaluator(filler->refiner),
                             &(dd_eval_call){.count = call->count,
                                             .passes = r.passes + 1,
                                             .chunk = fill_chunk,
                                             .user = &r,
                                             .progress = call->progress,
                                             .progress_user = call->progress_user});
}
