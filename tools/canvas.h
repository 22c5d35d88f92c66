/* Plots: panels on white, with frames, axes and titles. */
#ifndef CANVAS_H
#define CANVAS_H

#include "options.h"

#include <ddaebm/ddaebm.h>

/* An image of 8-bit RGB, white at first. */
typedef struct canvas canvas;

/* A panel: its upper left corner and its side, in pixels. */
typedef struct square {
    size_t left, top, side;
} square;

int canvas_create(canvas **out, size_t width, size_t height);
void canvas_free(canvas *drawn);

/* Draws exp of log-densities that are known up to a constant: values [side, side], rows in
 * ascending y, drawn with y upwards. */
int canvas_density(canvas *drawn, square panel, const float *values);

/* Draws points [count, 2] as a smoothed histogram of the square of the range. */
int canvas_points(canvas *drawn, square panel, interval range, const double *points, size_t count);

/* Draws a thin frame, a title above it, and ticks numbered below and, if asked, to the left. */
void canvas_frame(canvas *drawn, square panel, interval range, const char *title,
                  bool numbers_on_the_left);

/* Width of a text in pixels; its height is CANVAS_TEXT_HEIGHT. */
enum { CANVAS_TEXT_HEIGHT = 18 };
long canvas_text_width(const char *text);

/* Draws a text from its upper left corner on. */
void canvas_text(canvas *drawn, long left, long top, const char *text);

/* Fills a rectangle; what lies outside the canvas is cut off. */
typedef enum canvas_colour { CANVAS_INK, CANVAS_RIM, CANVAS_GRID, CANVAS_DOT } canvas_colour;
void canvas_fill(canvas *drawn, long left, long top, long width, long height, canvas_colour colour);

/* Distance of about five ticks on a range: 1, 2 or 5 times a power of ten. */
double canvas_tick_step(interval range);

/* Writes the canvas as a PNG. */
int canvas_write(const canvas *drawn, ddaebm_context *context, const char *path);

#endif
