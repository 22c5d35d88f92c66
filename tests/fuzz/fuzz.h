/* What the fuzz targets share: a context that counts and refuses, and the contract that every input
 * is held to. A target is a file fuzz_<name>.c; libFuzzer calls it, or replay.c does, with the
 * inputs in corpus/<name>.tar.xz. */
#ifndef FUZZ_H
#define FUZZ_H

#include <ddaebm/ddaebm.h>
#include <stdbool.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the library may hold at a time while it reads an input; beyond it allocations fail. */
enum { FUZZ_MOST_BYTES = 256 << 20 };

/* Where inputs are read, made once: one thread, that limit. */
ddaebm_context *fuzz_context(void);

/* Around each input: at the end all memory is back. */
void fuzz_begin(void);
void fuzz_end(void);

/* Ends the process with a message if a rule is broken. */
#define FUZZ_REQUIRE(rule) fuzz_require((rule), #rule, __FILE__, __LINE__)
void fuzz_require(bool holds, const char *rule, const char *file, int line);

/* Judges a call that reads the input: OK and its out-parameter set, or a failure that bytes can
 * cause, with one line of text and the out-parameter as it was. Whether it is OK. */
bool fuzz_judge(ddaebm_status status, bool set);

/* The same where an input may rightly ask for more than the limit: OUT_OF_MEMORY, too, if an
 * allocation was refused. */
bool fuzz_judge_hungry(ddaebm_status status, bool set);

/* What handles are before such a call: no handle, and not NULL. */
void *fuzz_unset(void);

/* fuzz_judge for a call that makes a handle. */
bool fuzz_made(ddaebm_status status, const void *handle);

/* Reads every byte of a block: a sanitiser sees whether they are there. */
void fuzz_touch(const void *block, size_t size);

#endif
