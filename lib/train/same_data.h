/* Record of a run's data in a checkpoint, and its comparison with the data of a resumed run. */
#ifndef DD_SAME_DATA_H
#define DD_SAME_DATA_H

#include "io/fingerprint.h"
#include "io/safetensors_writer.h"

#include <ddaebm/trainer.h>

/* Writes the record; none where the data has no fingerprint. */
ddaebm_status dd_same_data_write(dd_safetensors_writer *writer, const dd_fingerprint *data);

/* Compares a file's record with the data given. MISMATCH unless `allowed` lets them differ; FORMAT,
 * MISMATCH or OUT_OF_RANGE for a record that is damaged. *same = whether they are the same, as far
 * as is known: a file without a record was written before there were any. */
ddaebm_status dd_same_data_check(bool *same, const dd_safetensors *file,
                                 const dd_fingerprint *given, ddaebm_resume_data allowed);

#endif
