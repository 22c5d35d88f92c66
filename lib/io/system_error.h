/* What the operating system refuses, said so that a user can do something about it. */
#ifndef DD_SYSTEM_ERROR_H
#define DD_SYSTEM_ERROR_H

#include <ddaebm/status.h>
#include <stddef.h>

/* The text of an errno, in the buffer or constant. */
const char *dd_system_reason(int error, char *buffer, size_t size);

/* Fails with "cannot WHAT PATH: CAUSE; REMEDY". */
ddaebm_status dd_system_refuse(ddaebm_status status, const char *what, const char *path, int error);

#endif
