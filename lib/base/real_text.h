/* Doubles as decimal text. */
#ifndef DD_REAL_TEXT_H
#define DD_REAL_TEXT_H

#include "base/ieee.h"

#include <stddef.h>

/* Room for any result of dd_real_text, its NUL included. */
enum { DD_REAL_ROOM = 32 };

/* Writes the shortest decimal number that reads back as the same double, and returns its length.
 * The decimal mark is a point in every locale. The value must be finite. */
size_t dd_real_text(double value, char text[DD_REAL_ROOM]);

#endif
