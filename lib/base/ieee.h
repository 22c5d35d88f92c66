/* Arithmetic is IEEE 754's. Compiled with -ffast-math or -ffinite-math-only, the library's checks
 * for what is not finite would be removed, and data, weights and losses that are not numbers would
 * pass. The build undoes these flags (cmake/flags.cmake); where something else compiles a source,
 * it is refused. Every source includes this, most of them by another header. */
#ifndef DD_IEEE_H
#define DD_IEEE_H

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "libddaebm looks for NaN: compile it without -ffast-math, -Ofast and -ffinite-math-only"
#endif

#endif
