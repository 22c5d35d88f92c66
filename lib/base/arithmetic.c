#include "base/arithmetic.h"

fenv_t dd_arithmetic_enter(void) {
    fenv_t before;
    (void)fegetenv(&before);
    (void)fesetenv(FE_DFL_ENV);
    return before;
}

void dd_arithmetic_leave(fenv_t *before) {
    (void)fesetenv(before);
}
