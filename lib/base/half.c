#include "base/half.h"

#include <math.h>

enum { FRACTION = 10, BIAS = 15, MOST_EXPONENT = 31, HIDDEN = 1 << FRACTION };

float dd_half_to_float(uint16_t half) {
    unsigned exponent = half >> FRACTION & MOST_EXPONENT, fraction = half & (HIDDEN - 1);
    float value = exponent == 0 ? ldexpf((float)fraction, 1 - BIAS - FRACTION)
                  : exponent == MOST_EXPONENT
                      ? (fraction ? NAN : INFINITY)
                      : ldexpf((float)(fraction | HIDDEN), (int)exponent - BIAS - FRACTION);
    return half >> 15 ? -value : value;
}

uint16_t dd_half_from_float(float value) {
    const uint16_t sign = signbit(value) ? 0x8000 : 0, infinite = MOST_EXPONENT << FRACTION;
    int exponent = 0;
    if (isnan(value))
        return (uint16_t)(sign | infinite | 1);
    if (isinf(value) || value == 0)
        return value == 0 ? sign : (uint16_t)(sign | infinite);

    (void)frexpf(value, &exponent); /* |value| in [2^(exponent-1), 2^exponent) */
    if (exponent < 2 - BIAS)
        exponent = 2 - BIAS; /* subnormal numbers share one exponent */

    /* In units in the last place. A carry out of the fraction into the exponent gives the right
     * number, the smallest one with the next exponent. */
    unsigned steps = (unsigned)lrintf(ldexpf(fabsf(value), FRACTION + 1 - exponent));
    if (exponent - 1 + BIAS > MOST_EXPONENT - 1)
        return (uint16_t)(sign | infinite);

    unsigned bits = ((unsigned)(exponent - 2 + BIAS) << FRACTION) + steps;
    return (uint16_t)(sign | bits);
}
