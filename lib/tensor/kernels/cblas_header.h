/* The BLAS's own header, whichever was chosen. Its warnings are for those who wrote it: BLIS' has
 * all of BLIS. */
#pragma GCC system_header
#include DDAEBM_CBLAS_HEADER
