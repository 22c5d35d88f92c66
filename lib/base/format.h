/* Text for messages. */
#ifndef DD_FORMAT_H
#define DD_FORMAT_H

#include "base/ieee.h"

#include <stdarg.h>
#include <stddef.h>

/* Writes what vsnprintf writes in the locale "C": numbers have a decimal point whatever locale the
 * host has chosen. The thread's locale is as it was afterwards. */
void dd_format(char *out, size_t size, const char *format, va_list arguments);

#endif
