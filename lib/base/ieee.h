/* Refuses compilers that do not follow IEEE 754. With -ffast-math or -ffinite-math-only the
 * library's checks for NaN and infinity would be removed, and such data, weights and losses would
 * pass. The build undoes these flags (cmake/flags.cmake); another build fails here. Every source
 * includes this file, most of them through another header. */
#ifndef DD_IEEE_H
#define DD_IEEE_H

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "libddaebm looks for NaN: compile it without -ffast-math, -Ofast and -ffinite-math-only"
#endif

#endif
