/* IEEE 754 binary16 (float16), in which files may store weights and arrays. */
#ifndef DD_HALF_H
#define DD_HALF_H

#include "base/ieee.h"

#include <stdint.h>

/* Converts to float, which is exact; infinities and NaN stay infinities and NaN. */
float dd_half_to_float(uint16_t half);

/* Rounds to the nearest float16, ties to even; to infinity from 65520 on. */
uint16_t dd_half_from_float(float value);

#endif
