/** @file export.h
 *  Linkage and attribute macros of the public headers.
 */
#ifndef DDAEBM_EXPORT_H
#define DDAEBM_EXPORT_H

/** Marks a function of the shared library's interface. */
#if defined(__GNUC__)
#define DDAEBM_API __attribute__((visibility("default")))
/** Marks a function whose status the caller must check. */
#define DDAEBM_CHECKED __attribute__((warn_unused_result))
#else
#define DDAEBM_API
#define DDAEBM_CHECKED
#endif

#endif
