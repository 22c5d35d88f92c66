#include "canvas.h"

#include "ascending.h"
#include "console.h"
#include "font.h"
#include "inputs.h"
#include "signals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In pixels; SCALE is that of one pixel of the font. */
enum { SCALE = 2, TICK = 5, TITLE_GAP = 12, NUMBER_GAP = 6 };

typedef struct colour {
    uint8_t red, green, blue;
} colour;

struct canvas {
    size_t width, height;
    colour *pixels;
};

static const colour white = {255, 255, 255}, ink = {40, 40, 40}, rim = {110, 110, 110};

/* ---- Colours: from dark violet to yellow in steps of equal contrast, interpolated in RGB. ---- */

static const colour anchors[] = {
    {68, 1, 84},    {72, 40, 120},  {62, 74, 137},  {49, 104, 142}, {38, 130, 142},
    {31, 158, 137}, {53, 183, 121}, {110, 206, 88}, {181, 222, 43}, {253, 231, 37},
};
enum { ANCHORS = sizeof anchors / sizeof *anchors };

static uint8_t between(uint8_t a, uint8_t b, double fraction) {
    return (uint8_t)(a + fraction * (b - a) + 0.5);
}

/* Returns the colour of a value, which is clamped to [0, 1]. */
static colour shade(double value) {
    double at = (value > 0 ? value < 1 ? value : 1 : 0) * (ANCHORS - 1);
    size_t low = (size_t)at < ANCHORS - 2 ? (size_t)at : ANCHORS - 2;
    colour a = anchors[low], b = anchors[low + 1];
    double fraction = at - (double)low;
    return (colour){between(a.red, b.red, fraction), between(a.green, b.green, fraction),
                    between(a.blue, b.blue, fraction)};
}

/* ---- Pixels. ---- */

int canvas_create(canvas **out, size_t width, size_t height) {
    canvas *drawn = malloc(sizeof *drawn);
    colour *pixels = malloc(width * height * sizeof *pixels);
    if (!drawn || !pixels) {
        free(pixels);
        free(drawn);
        return fail("no memory for an image of %zu by %zu; ask for a smaller one", width, height);
    }

    for (size_t i = 0; i < width * height; i++)
        pixels[i] = white;
    *drawn = (canvas){width, height, pixels};
    *out = drawn;
    return 0;
}

void canvas_free(canvas *drawn) {
    if (drawn)
        free(drawn->pixels);
    free(drawn);
}

/* Sets a pixel; one outside the canvas is ignored. */
static void put(canvas *drawn, long x, long y, colour value) {
    if (x >= 0 && y >= 0 && (size_t)x < drawn->width && (size_t)y < drawn->height)
        drawn->pixels[(size_t)y * drawn->width + (size_t)x] = value;
}

static void fill(canvas *drawn, long left, long top, long width, long height, colour value) {
    for (long y = top; y < top + height; y++)
        for (long x = left; x < left + width; x++)
            put(drawn, x, y, value);
}

int canvas_write(const canvas *drawn, ddaebm_context *context, const char *path) {
    _Static_assert(sizeof(colour) == 3, "pixels are RGB without padding");
    hold_signals(path);
    int code = checked(
        ddaebm_array_write_png(context, path, &drawn->pixels->red, drawn->height, drawn->width, 3));
    release_signals();
    return code;
}

/* ---- Panels. ---- */

/* Finds the value that is shown brightest, so that a single peak does not darken the rest: among
 * the pixels of at least a thousandth of the largest value, one in 500 is above it. */
static int brightest(float *out, const float *values, size_t count) {
    double *sorted = NULL;
    int code = make_doubles(&sorted, count, 1);
    if (code != 0)
        return code;
    for (size_t i = 0; i < count; i++)
        sorted[i] = (double)values[i];
    sort_ascending(sorted, count);

    size_t first = 0;
    while (first < count - 1 && sorted[first] < 1e-3 * sorted[count - 1])
        first++;
    *out = (float)sorted[count - 1 - (count - first) / 500];
    free(sorted);
    return 0;
}

/* Draws amounts of at least 0, [side, side], rows in ascending y. */
static int draw_amounts(canvas *drawn, square panel, const float *amounts) {
    float most = 0;
    int code = brightest(&most, amounts, panel.side * panel.side);
    if (code != 0)
        return code;

    for (size_t row = 0; row < panel.side; row++)
        for (size_t column = 0; column < panel.side; column++) {
            float amount = amounts[row * panel.side + column];
            /* The square root brings out faint amounts. */
            colour value = shade(most > 0 ? sqrt((double)amount / (double)most) : 0);
            put(drawn, (long)(panel.left + column), (long)(panel.top + panel.side - 1 - row),
                value);
        }
    return 0;
}

int canvas_density(canvas *drawn, square panel, const float *values) {
    size_t count = panel.side * panel.side;
    float *amounts = NULL, most = -INFINITY;
    int code = make_room(&amounts, count, 1);
    if (code != 0)
        return code;
    for (size_t i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    for (size_t i = 0; i < count; i++)
        amounts[i] = expf(values[i] - most);
    code = draw_amounts(drawn, panel, amounts);
    free(amounts);
    return code;
}

static void count_points(float *cells, size_t side, interval range, const double *points,
                         size_t count) {
    double scale = (double)side / (range.high - range.low);
    for (size_t i = 0; i < count; i++) {
        double x = floor((points[2 * i] - range.low) * scale),
               y = floor((points[2 * i + 1] - range.low) * scale);
        if (x >= 0 && y >= 0 && x < (double)side && y < (double)side)
            cells[(size_t)y * side + (size_t)x] += 1;
    }
}

/* Blurs `from` into `to` along one axis by the binomial filter of five cells; step is the distance
 * of neighbours. */
static void blur(float *to, const float *from, size_t side, size_t step) {
    static const float weights[] = {6.0f / 16, 4.0f / 16, 1.0f / 16};
    size_t across = step == 1 ? side : 1;
    for (size_t line = 0; line < side; line++)
        for (size_t i = 0; i < side; i++) {
            size_t at = line * across + i * step;
            float sum = weights[0] * from[at];
            for (size_t k = 1; k <= 2; k++)
                sum += weights[k] * ((i >= k ? from[at - k * step] : 0) +
                                     (i + k < side ? from[at + k * step] : 0));
            to[at] = sum;
        }
}

int canvas_points(canvas *drawn, square panel, interval range, const double *points, size_t count) {
    enum { BLURS = 3 };
    float *cells = NULL, *other = NULL;
    int code = 0;
    TRY(make_room(&cells, panel.side * panel.side, 1));
    TRY(make_room(&other, panel.side * panel.side, 1));

    memset(cells, 0, panel.side * panel.side * sizeof *cells);
    count_points(cells, panel.side, range, points, count);
    for (int i = 0; i < BLURS; i++) {
        blur(other, cells, panel.side, 1);
        blur(cells, other, panel.side, panel.side);
    }

    TRY(draw_amounts(drawn, panel, cells));
cleanup:
    free(other);
    free(cells);
    return code;
}

/* ---- Frames, axes, text. ---- */

void canvas_fill(canvas *drawn, long left, long top, long width, long height, canvas_colour of) {
    static const colour colours[] = {
        [CANVAS_INK] = {40, 40, 40},
        [CANVAS_RIM] = {110, 110, 110},
        [CANVAS_GRID] = {225, 225, 225},
        [CANVAS_DOT] = {49, 104, 142},
    };
    fill(drawn, left, top, width, height, colours[of]);
}

long canvas_text_width(const char *text) {
    return ((long)strlen(text) * FONT_ADVANCE - 1) * SCALE;
}

void canvas_text(canvas *drawn, long left, long top, const char *text) {
    for (; *text; text++, left += FONT_ADVANCE * SCALE)
        for (int row = 0; row < FONT_HEIGHT; row++)
            for (int column = 0; column < FONT_WIDTH; column++)
                if (font_ink(*text, column, row))
                    fill(drawn, left + column * SCALE, top + row * SCALE, SCALE, SCALE, ink);
}

double canvas_tick_step(interval range) {
    double rough = (range.high - range.low) / 5, power = pow(10, floor(log10(rough))),
           times = rough / power;
    return power * (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10);
}

/* Draws ticks on both axes, numbered below and, if asked, on the left. */
static void draw_axes(canvas *drawn, square panel, interval range, bool numbers_on_the_left) {
    double step = canvas_tick_step(range);
    long left = (long)panel.left, bottom = (long)(panel.top + panel.side), side = (long)panel.side;
    for (double k = ceil(range.low / step); k * step <= range.high; k++) {
        char text[32];
        long at =
            (long)((k * step - range.low) / (range.high - range.low) * (double)(side - 1) + 0.5);
        (void)snprintf(text, sizeof text, "%g", k == 0 ? 0 : k * step);

        fill(drawn, left + at, bottom + 1, 1, TICK, rim);
        canvas_text(drawn, left + at - canvas_text_width(text) / 2, bottom + 1 + TICK + NUMBER_GAP,
                    text);
        fill(drawn, left - 1 - TICK, bottom - 1 - at, TICK, 1, rim);
        if (numbers_on_the_left)
            canvas_text(drawn, left - 1 - TICK - NUMBER_GAP - canvas_text_width(text),
                        bottom - 1 - at - FONT_BASELINE * SCALE / 2, text);
    }
}

void canvas_frame(canvas *drawn, square panel, interval range, const char *title,
                  bool numbers_on_the_left) {
    long left = (long)panel.left, top = (long)panel.top, side = (long)panel.side;
    fill(drawn, left - 1, top - 1, side + 2, 1, rim);
    fill(drawn, left - 1, top + side, side + 2, 1, rim);
    fill(drawn, left - 1, top - 1, 1, side + 2, rim);
    fill(drawn, left + side, top - 1, 1, side + 2, rim);

    canvas_text(drawn, left + (side - canvas_text_width(title)) / 2,
                top - TITLE_GAP - FONT_BASELINE * SCALE, title);
    draw_axes(drawn, panel, range, numbers_on_the_left);
}
