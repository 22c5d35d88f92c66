#include "train/same_data.h"

#include "base/error.h"
#include "model/model_file.h"

#include <string.h>

static const char record_name[] = "trainer.data", name_key[] = "trainer.data_name";

ddaebm_status dd_same_data_write(dd_safetensors_writer *writer, const dd_fingerprint *data) {
    const size_t count = DD_DATA_NUMBERS;
    if (data->kind == DD_FINGERPRINT_NONE)
        return DDAEBM_OK;
    ddaebm_status status =
        dd_safetensors_writer_add(writer, record_name, DD_STORED_I64, 1, &count, data->numbers);
    if (status == DDAEBM_OK && data->kind == DD_FINGERPRINT_DRAWN)
        status = dd_safetensors_writer_metadata(writer, name_key, data->name);
    return status;
}

/* Reads the name of an unbounded set. */
static ddaebm_status read_name(dd_fingerprint *out, const dd_safetensors *file) {
    const char *name = dd_safetensors_metadata(file, name_key);
    if (!name)
        return dd_fail(DDAEBM_FORMAT,
                       "tensor %s is of a named set, and the file's metadata has no %s",
                       record_name, name_key);
    if (*name == '\0' || strlen(name) >= sizeof out->name)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "the file's metadata has a %s of %zu bytes; allowed: 1 to %zu", name_key,
                       strlen(name), sizeof out->name - 1);
    memcpy(out->name, name, strlen(name) + 1);
    return DDAEBM_OK;
}

/* Reads the record; *out stays as it is if the file has none. */
static ddaebm_status read_record(dd_fingerprint *out, const dd_safetensors *file,
                                 uint64_t columns) {
    const dd_tensor_entry *entry = dd_safetensors_find(file, record_name);
    dd_fingerprint read = {.kind = DD_FINGERPRINT_ROWS};
    if (!entry)
        return DDAEBM_OK;
    if (entry->dtype != DD_STORED_I64 || entry->elements != DD_DATA_NUMBERS)
        return dd_fail(DDAEBM_MISMATCH, "tensor %s does not hold %d whole numbers", record_name,
                       (int)DD_DATA_NUMBERS);
    ddaebm_status status = dd_model_file_check_counts(record_name, entry->data, DD_DATA_CONTENT);
    if (status != DDAEBM_OK)
        return status;

    memcpy(read.numbers, entry->data, sizeof read.numbers);
    if (read.numbers[DD_DATA_COLUMNS] != columns)
        return dd_fail(DDAEBM_MISMATCH, "tensor %s is of rows of %llu numbers, the model of %llu",
                       record_name, (unsigned long long)read.numbers[DD_DATA_COLUMNS],
                       (unsigned long long)columns);
    if (read.numbers[DD_DATA_ROWS] == 0) {
        read.kind = DD_FINGERPRINT_DRAWN;
        status = read_name(&read, file);
    }
    if (status == DDAEBM_OK)
        *out = read;
    return status;
}

ddaebm_status dd_same_data_check(bool *same, const dd_safetensors *file,
                                 const dd_fingerprint *given, ddaebm_resume_data allowed) {
    dd_fingerprint had = {.kind = DD_FINGERPRINT_NONE};
    ddaebm_status status = read_record(&had, file, given->numbers[DD_DATA_COLUMNS]);
    if (status != DDAEBM_OK)
        return status;
    *same = dd_fingerprint_is_same(given, &had);
    return *same || allowed == DDAEBM_RESUME_OTHER_DATA ? DDAEBM_OK
                                                        : dd_fingerprint_refuse(given, &had);
}
