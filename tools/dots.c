#include "dots.h"

#include "ascending.h"
#include "canvas.h"
#include "console.h"
#include "textable.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pixels. */
enum { AXIS = 600, LINE = 28, MARGIN = 24, TOP = 56, BOTTOM = 52, DOT = 6, RESAMPLES = 2000 };

/* The runs of one label, next to each other in the table of runs. */
typedef struct group {
    size_t first, count;
    double mean, low, high;
} group;

typedef struct chart {
    labelled *runs; /* sorted by group */
    size_t runs_count;
    group *groups;
    size_t groups_count;
    bool logarithmic;
    interval range; /* of the values, or of their logarithms */
    long left;      /* of the axis */
} chart;

/* ---- Groups and intervals. ---- */

/* Brings the runs of each label together, labels in the order of their first runs. */
static int make_groups(chart *c) {
    labelled *sorted = malloc(c->runs_count * sizeof *sorted);
    c->groups = calloc(c->runs_count, sizeof *c->groups);
    if (!sorted || !c->groups) {
        free(sorted);
        return fail("no memory for %zu rows", c->runs_count);
    }
    size_t placed = 0;
    for (size_t i = 0; i < c->runs_count; i++) {
        bool known = false;
        for (size_t k = 0; k < i && !known; k++)
            known = strcmp(c->runs[k].label, c->runs[i].label) == 0;
        if (known)
            continue;
        group *g = &c->groups[c->groups_count++];
        g->first = placed;
        for (size_t k = i; k < c->runs_count; k++)
            if (strcmp(c->runs[k].label, c->runs[i].label) == 0)
                sorted[placed++] = c->runs[k];
        g->count = placed - g->first;
    }
    memcpy(c->runs, sorted, c->runs_count * sizeof *sorted);
    free(sorted);
    return 0;
}

/* Mean, and the central 95% of the means of resampled runs (Efron, 1979). */
static void summarise(const chart *c, group *g) {
    double means[RESAMPLES];
    uint32_t state = 1;
    g->mean = 0;
    for (size_t i = 0; i < g->count; i++)
        g->mean += c->runs[g->first + i].value / (double)g->count;
    for (size_t k = 0; k < RESAMPLES; k++) {
        means[k] = 0;
        for (size_t i = 0; i < g->count; i++) {
            state = state * 1664525u + 1013904223u;
            size_t at = (size_t)((uint64_t)state * g->count >> 32);
            means[k] += c->runs[g->first + at].value / (double)g->count;
        }
    }
    sort_ascending(means, RESAMPLES);
    g->low = means[RESAMPLES / 40];
    g->high = means[RESAMPLES - 1 - RESAMPLES / 40];
}

/* ---- The axis. ---- */

static double coordinate(const chart *c, double value) {
    return c->logarithmic ? log10(value) : value;
}

static int choose_axis(chart *c, const dots_options *options) {
    interval range = {INFINITY, -INFINITY, true};
    long widest = 0;
    for (size_t i = 0; i < c->runs_count; i++) {
        if (c->logarithmic && c->runs[i].value <= 0)
            return fail("%.250s holds %g in '%.60s', which has no place on a logarithmic axis",
                        options->table, c->runs[i].value, options->value);
        double at = coordinate(c, c->runs[i].value);
        long width = canvas_text_width(c->runs[i].label);
        range.low = at < range.low ? at : range.low;
        range.high = at > range.high ? at : range.high;
        widest = width > widest ? width : widest;
    }
    double margin = range.high > range.low ? 0.05 * (range.high - range.low) : 0.5;
    c->range = (interval){range.low - margin, range.high + margin, true};
    c->left = 2 * MARGIN + widest;
    return 0;
}

static long place(const chart *c, double value) {
    double share = (coordinate(c, value) - c->range.low) / (c->range.high - c->range.low);
    return c->left + (long)(share * (AXIS - 1) + 0.5);
}

static void draw_tick(canvas *drawn, const chart *c, double value) {
    char text[32];
    long x = place(c, value), bottom = TOP + (long)c->groups_count * LINE;
    (void)snprintf(text, sizeof text, "%.3g", value);
    canvas_fill(drawn, x, TOP, 1, bottom - TOP + 6, CANVAS_GRID);
    canvas_text(drawn, x - canvas_text_width(text) / 2, bottom + 12, text);
}

/* Ticks at even distances; on a logarithmic axis at 1, 2 and 5 times the powers of ten, or at those
 * alone where there are many. */
static void draw_axis(canvas *drawn, const chart *c, const char *title) {
    static const double factors[] = {1, 2, 5};
    double step = canvas_tick_step(c->range), decades = c->range.high - c->range.low;
    for (double k = floor(c->range.low); c->logarithmic && k <= c->range.high; k++)
        for (size_t i = 0; i < (decades > 4 ? 1 : 3); i++) {
            double at = k + log10(factors[i]);
            if (at >= c->range.low && at <= c->range.high)
                draw_tick(drawn, c, factors[i] * pow(10, k));
        }
    for (double k = ceil(c->range.low / step); !c->logarithmic && k * step <= c->range.high; k++)
        draw_tick(drawn, c, k == 0 ? 0 : k * step);
    canvas_fill(drawn, c->left, TOP + (long)c->groups_count * LINE, AXIS, 1, CANVAS_RIM);
    canvas_text(drawn, c->left + (AXIS - canvas_text_width(title)) / 2, TOP / 2 - 9, title);
}

/* ---- Lines. ---- */

static void draw_group(canvas *drawn, const chart *c, const group *g, long middle) {
    const char *label = c->runs[g->first].label;
    canvas_text(drawn, c->left - MARGIN - canvas_text_width(label), middle - 7, label);
    for (size_t i = 0; i < g->count; i++)
        canvas_fill(drawn, place(c, c->runs[g->first + i].value) - DOT / 2, middle - DOT / 2, DOT,
                    DOT, CANVAS_DOT);
    canvas_fill(drawn, place(c, g->low), middle, place(c, g->high) - place(c, g->low) + 1, 2,
                CANVAS_INK);
    canvas_fill(drawn, place(c, g->mean) - 1, middle - 9, 3, 19, CANVAS_INK);
}

static int draw_chart(const chart *c, const dots_options *options, ddaebm_context *context,
                      const char *out) {
    canvas *drawn = NULL;
    size_t width = (size_t)c->left + AXIS + MARGIN * 2, height = TOP + c->groups_count * LINE;
    int code = canvas_create(&drawn, width, height + BOTTOM);
    if (code != 0)
        return code;
    draw_axis(drawn, c, options->value);
    for (size_t i = 0; i < c->groups_count; i++)
        draw_group(drawn, c, &c->groups[i], TOP + (long)i * LINE + LINE / 2);
    code = canvas_write(drawn, context, out);
    canvas_free(drawn);
    return code;
}

int draw_dots(const dots_options *options, ddaebm_context *context, const char *out) {
    enum { MOST_LINES = 400 };
    chart c = {.logarithmic = options->logarithmic};
    int code = 0;
    TRY(read_labelled(&c.runs, &c.runs_count, options->table, options->label, options->value));
    TRY(make_groups(&c));
    if (c.groups_count > MOST_LINES) {
        code = fail("%.250s has %zu labels in '%.60s'; at most %d have room", options->table,
                    c.groups_count, options->label, (int)MOST_LINES);
        goto cleanup;
    }
    for (size_t i = 0; i < c.groups_count; i++)
        summarise(&c, &c.groups[i]);
    TRY(choose_axis(&c, options));
    TRY(draw_chart(&c, options, context, out));
cleanup:
    free(c.runs);
    free(c.groups);
    return code;
}
