/* Reading and writing WAV files, by libsndfile. */
#ifndef DD_WAV_H
#define DD_WAV_H

#include "io/rows.h"

#include <ddaebm/context.h>
#include <stdbool.h>

/* Returns whether a file's first bytes are those of WAV, or of its form for large files, RF64. */
bool dd_wav_recognise(const void *data, size_t size);

/* Reads a file into rows, one a sample and a column a channel, of at most `most` bytes. Integers
 * become numbers from -1 to 1. Fails with DDAEBM_FORMAT for a damaged or empty file,
 * DDAEBM_OUT_OF_RANGE beyond the limit, and DDAEBM_UNSUPPORTED for an encoding that libsndfile does
 * not know, or without libsndfile. A file that is cut off is read as far as it goes. libsndfile's
 * own memory does not come from the context. */
ddaebm_status dd_wav_parse(dd_rows *out, size_t *rate, ddaebm_context *context, const void *data,
                           size_t size, size_t most);

#endif
