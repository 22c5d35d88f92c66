/* The library's numbers are those of default arithmetic (round to nearest, denormals kept, no
 * traps), whatever its caller has chosen for the thread; and the caller finds what was chosen as it
 * was, flags included. */
#ifndef DD_ARITHMETIC_H
#define DD_ARITHMETIC_H

#include "base/ieee.h"

#include <fenv.h>

/* Chooses default arithmetic; gives what was there. */
fenv_t dd_arithmetic_enter(void);
void dd_arithmetic_leave(fenv_t *before);

/* Default arithmetic to the end of the block, whichever way it is left. For public functions that
 * compute, or read or write numbers as text. */
#define DD_DEFAULT_ARITHMETIC                                                                      \
    __attribute__((cleanup(dd_arithmetic_leave), unused)) fenv_t arithmetic_before_ =              \
        dd_arithmetic_enter()

#endif
