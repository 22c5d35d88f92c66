/* Numbers of 16 bits, IEEE 754 binary16: how files store weights and arrays in half the bytes. */
#ifndef DD_HALF_H
#define DD_HALF_H

#include "base/ieee.h"

#include <stdint.h>

/* Exact. Infinities and NaN stay what they are. */
float dd_half_to_float(uint16_t half);

/* The nearest, ties to even; infinity from 65520 on. */
uint16_t dd_half_from_float(float value);

#endif
