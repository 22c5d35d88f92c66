/* The library computes in the default floating-point environment (round to nearest, subnormal
 * numbers kept, no traps), whichever its caller has set for the thread, and restores the caller's
 * environment afterwards, exception flags included. */
#ifndef DD_ARITHMETIC_H
#define DD_ARITHMETIC_H

#include "base/ieee.h"

#include <fenv.h>

/* Sets the default environment and returns the one before, for dd_arithmetic_leave. */
fenv_t dd_arithmetic_enter(void);
void dd_arithmetic_leave(fenv_t *before);

/* Sets the default environment up to the end of the block, whichever way that is left. For public
 * functions that compute, or that read or write numbers as text. */
#define DD_DEFAULT_ARITHMETIC                                                                      \
    __attribute__((cleanup(dd_arithmetic_leave), unused)) fenv_t arithmetic_before_ =              \
        dd_arithmetic_enter()

#endif
