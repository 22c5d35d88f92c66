/* Formats that are recognised but not read. */
#ifndef DD_OTHER_FORMAT_H
#define DD_OTHER_FORMAT_H

#include "base/ieee.h"

#include <stddef.h>

/* Explains what a file is, from its first bytes, and what to do with it: "an NPZ archive: ...".
 * NULL if it is not known. Among text formats only web pages are known. */
const char *dd_other_format_explain(const void *data, size_t size);

#endif
