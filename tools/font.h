/* A small bitmap font: lower-case letters, digits and what numbers need. */
#ifndef FONT_H
#define FONT_H

#include <stdbool.h>

enum { FONT_WIDTH = 5, FONT_HEIGHT = 9, FONT_ADVANCE = 6, FONT_BASELINE = 7 };

/* Whether the glyph of c, upper-case letters drawn as lower-case ones, has ink at the column and
 * the row, both from the upper left. Glyphs are FONT_WIDTH wide; rows from FONT_BASELINE on are
 * below the line. */
bool font_ink(char c, int column, int row);

#endif
