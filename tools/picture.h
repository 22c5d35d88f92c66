/* Pictures: panels on white, with frames, axes and titles. */
#ifndef PICTURE_H
#define PICTURE_H

#include "options.h"

#include <ddaebm/ddaebm.h>

/* 8-bit RGB; made white. */
typedef struct picture picture;

/* A panel: its left upper corner and its side, in pixels. */
typedef struct square {
    size_t left, top, side;
} square;

int picture_create(picture **out, size_t width, size_t height);
void picture_free(picture *drawn);

/* exp of log-densities up to a constant: values [side, side], row = y ascending, drawn with y upwards. */
int picture_density(picture *drawn, square panel, const float *values);

/* Points [count, 2] as a smoothed histogram of the range's square. */
int picture_points(picture *drawn, square panel, interval range, const double *points, size_t count);

/* A thin frame, a title above, and numbered ticks below and, if asked, to the left. */
void picture_frame(picture *drawn, square panel, interval range, const char *title, bool numbers_on_the_left);

int picture_write(const picture *drawn, ddaebm_context *context, const char *path);

#endif
