/* Formats that are recognised but not read. */
#ifndef DD_FOREIGN_H
#define DD_FOREIGN_H

#include "base/ieee.h"

#include <stddef.h>

/* Explains what a file is, from its first bytes, and what to do with it: "an NPZ archive: ...".
 * NULL if it is not known. Among text formats only web pages are known. */
const char *dd_foreign_explain(const void *data, size_t size);

#endif
