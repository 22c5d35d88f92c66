/* Triangular factors of symmetric positive definite matrices, [n, n] in rows, in double. */
#ifndef DD_CHOLESKY_H
#define DD_CHOLESKY_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

/* Factors a = L L^T in place: L takes the lower triangle, and zeros the rest. False if a is not
 * positive definite. */
bool dd_cholesky(double *a, size_t n);

/* Inverts a lower triangular matrix; false if it is none, or has no finite inverse with a positive
 * diagonal. */
bool dd_lower_invert(double *inverse, const double *lower, size_t n);

/* x = L^-1 x, and x = L^-T x. */
void dd_lower_solve(const double *lower, size_t n, double *x);
void dd_lower_solve_transposed(const double *lower, size_t n, double *x);

#endif
