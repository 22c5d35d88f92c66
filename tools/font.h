/* A small bitmap font: lower-case letters, digits and what numbers need. */
#ifndef FONT_H
#define FONT_H

#include <stdbool.h>

enum { FONT_WIDTH = 5, FONT_HEIGHT = 9, FONT_ADVANCE = 6, FONT_BASELINE = 7 };

/* Returns whether the glyph of c has ink at a column and a row, both counted from the upper left.
 * Glyphs are FONT_WIDTH wide; rows from FONT_BASELINE on are below the baseline. Upper-case letters
 * look like lower-case ones. */
bool font_ink(char c, int column, int row);

#endif
