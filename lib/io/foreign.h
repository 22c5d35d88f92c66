/* Files of kinds that are not read. */
#ifndef DD_FOREIGN_H
#define DD_FOREIGN_H

#include "base/ieee.h"

#include <stddef.h>

/* What a file is, by its first bytes, and what to do with it: "an NPZ archive: ..."; NULL for what
 * is not known. For what is no text; of texts, pages of the web alone are known. */
const char *dd_foreign_explain(const void *data, size_t size);

#endif
