/* The header of the BLAS that was chosen, without its warnings: that of BLIS contains all of BLIS.
 */
#pragma GCC system_header
#include DDAEBM_CBLAS_HEADER
