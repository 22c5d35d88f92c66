/* DD_UNROLLED(i, count) is for (int i = 0; i < count; i++), of which no loop is left: the count is
 * a small constant once the function around it is inlined, and sums over its body stay in
 * registers. */
#ifndef DD_UNROLL_H
#define DD_UNROLL_H

/* Each compiler passes over the other's words in silence. */
#ifdef __clang__
#define DD_UNROLL_FULLY _Pragma("clang loop unroll(full)")
#else
#define DD_UNROLL_FULLY _Pragma("GCC unroll 16")
#endif

#define DD_UNROLLED(i, count) DD_UNROLL_FULLY for (int i = 0; i < (count); i++)

#endif
