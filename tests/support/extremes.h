/* In loops these stand for fmax and fmin, on which gcc 12 for aarch64 crashes there. What is not a
 * number stays. */
#ifndef TEST_EXTREMES_H
#define TEST_EXTREMES_H

static inline double larger(double a, double b) {
    return b > a || b != b ? b : a;
}

static inline double smaller(double a, double b) {
    return b < a || b != b ? b : a;
}

#endif
