/* Images: panels on white, with frames, axes and titles. */
#ifndef CANVAS_H
#define CANVAS_H

#include "options.h"

#include <ddaebm/ddaebm.h>

/* 8-bit RGB; made white. */
typedef struct canvas canvas;

/* A panel: its left upper corner and its side, in pixels. */
typedef struct square {
    size_t left, top, side;
} square;

int canvas_create(canvas **out, size_t width, size_t height);
void canvas_free(canvas *drawn);

/* exp of log-densities up to a constant: values [side, side], row = y ascending, drawn with y
 * upwards. */
int canvas_density(canvas *drawn, square panel, const float *values);

/* Points [count, 2] as a smoothed histogram of the range's square. */
int canvas_points(canvas *drawn, square panel, interval range, const double *points, size_t count);

/* A thin frame, a title above, and numbered ticks below and, if asked, to the left. */
void canvas_frame(canvas *drawn, square panel, interval range, const char *title,
                  bool numbers_on_the_left);

int canvas_write(const canvas *drawn, ddaebm_context *context, const char *path);

#endif
