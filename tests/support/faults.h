/* Faults of the system. A test that includes this is linked so that what the library calls for
 * files passes here first (CMakeLists.txt), where the n-th call fails, is interrupted, does half of
 * its work, or is the last of the process. */
#ifndef TEST_FAULTS_H
#define TEST_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum fault {
    FAULT_ERROR, /* fails with an errno, having done nothing (but close, which closes all the same)
                  */
    FAULT_SHORT, /* a read or write moves half of what it could; other calls do all */
    FAULT_NOTHING, /* a read or write moves nothing, and says so */
    FAULT_KILL_BEFORE,
    FAULT_KILL_MIDST, /* SIGKILL after half of a write */
    FAULT_KILL_AFTER
} fault;

typedef enum fault_reach { FAULT_ONCE, FAULT_FROM_THERE_ON, FAULT_EVERY_OTHER } fault_reach;

/* From here on calls are counted, and the one whose number is `at`, from 1, has the fault. The
 * errno is FAULT_ERROR's. */
void faults_begin(fault kind, int error, size_t at, fault_reach reach);

/* After faults_begin: only calls of that name are counted. */
void faults_only(const char *name);

/* After faults_begin: before the next call of that name, counted or not, somebody else does
 * something. */
void faults_meanwhile(const char *name, void (*act)(void));

/* Back to normal. How many calls there were. */
size_t faults_end(void);

/* Since faults_begin: the name of the first call that had the fault, or NULL; the names of all
 * calls, those of equal neighbours once; descriptors that were opened and not closed. */
const char *faults_first(void);
const char *faults_trace(void);
int faults_open_files(void);

#endif
