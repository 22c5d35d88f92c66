/** @file version.h
 *  The library's version, at compile time and at run time.
 */
#ifndef DDAEBM_VERSION_H
#define DDAEBM_VERSION_H

#include <ddaebm/export.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DDAEBM_VERSION_MAJOR 0 /**< changes when the interface breaks, from 1.0 on */
#define DDAEBM_VERSION_MINOR 1 /**< changes when the interface grows (before 1.0: or breaks) */
#define DDAEBM_VERSION_PATCH 0 /**< changes with fixes alone */

/** Version of the library that is running, as text: "0.1.0".
 *  @return a constant string. Any thread.
 */
DDAEBM_API const char *ddaebm_version_text(void);

/** Version of the library that is running, as major * 10000 + minor * 100 + patch. Compare it with
 *  the DDAEBM_VERSION_* macros.
 *  @return the number. Any thread.
 */
DDAEBM_API int ddaebm_version_number(void);

#ifdef __cplusplus
}
#endif

#endif
