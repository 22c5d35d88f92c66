#include "model/cholesky.h"

#include <math.h>
#include <string.h>

bool dd_cholesky(double *a, size_t n) {
    for (size_t i = 0; i < n; i++) {
        double *row = a + i * n;
        for (size_t j = 0; j <= i; j++) {
            const double *other = a + j * n;
            double sum = row[j];
            for (size_t k = 0; k < j; k++)
                sum -= row[k] * other[k];
            if (i > j)
                row[j] = sum / other[j];
            else if (sum > 0 && isfinite(sum))
                row[i] = sqrt(sum);
            else
                return false;
        }
        memset(row + i + 1, 0, (n - 1 - i) * sizeof *row);
    }
    return true;
}

bool dd_lower_invert(double *inverse, const double *lower, size_t n) {
    for (size_t i = 0; i < n; i++) {
        double *row = inverse + i * n;
        double diagonal = lower[i * n + i];
        if (!(diagonal > 0) || !isfinite(1 / diagonal))
            return false;
        memset(row, 0, n * sizeof *row);
        for (size_t k = 0; k < i; k++) /* row i of the product with `lower` is that of identity */
            for (size_t j = 0; j <= k; j++)
                row[j] -= lower[i * n + k] * inverse[k * n + j];
        for (size_t j = 0; j < i; j++)
            row[j] /= diagonal;
        row[i] = 1 / diagonal;
        for (size_t j = 0; j < n; j++)
            if (!isfinite(row[j]) || (j > i && lower[i * n + j] != 0))
                return false;
    }
    return true;
}

void dd_lower_solve(const double *lower, size_t n, double *x) {
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            x[i] -= lower[i * n + k] * x[k];
        x[i] /= lower[i * n + i];
    }
}

void dd_lower_solve_transposed(const double *lower, size_t n, double *x) {
    for (size_t i = n; i-- > 0;) {
        x[i] /= lower[i * n + i];
        for (size_t k = 0; k < i; k++)
            x[k] -= lower[i * n + k] * x[i];
    }
}
