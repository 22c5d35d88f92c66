/* Writing PNG: ddaebm_array_write_png of <ddaebm/array.h>. */
#ifndef DD_PNG_H
#define DD_PNG_H

#include <ddaebm/array.h>

#endif
