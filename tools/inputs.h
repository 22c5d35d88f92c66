/* What commands open: a context, data, a model. Each says what is wrong and returns the exit
 * status. */
#ifndef INPUTS_H
#define INPUTS_H

#include "options.h"

#include <ddaebm/ddaebm.h>

/* A context whose warnings, and notes on what was guessed, go to stderr. */
int open_context(ddaebm_context **out, const compute_options *compute);

/* From now on without notes. */
int hear_warnings_alone(ddaebm_context *context);

/* Whether the library has a set of the name. A file of that name is reached as ./NAME. */
bool is_named_set(const char *name);

/* The path of a file of data as a command line names it: - is standard input. */
const char *input_path(const char *name);

/* A named set with the seed, or a file read with the options. */
int open_data(ddaebm_dataset **out, ddaebm_context *context, const char *name, uint64_t seed,
              const data_options *how);

/* 0 if a set is such as the model was trained on; `name` is for the message. */
int check_data_for(const ddaebm_dataset *dataset, const ddaebm_model *model, const char *name);

/* open_data, which must have the model's shape and, where both have names, its columns. */
int open_data_for(ddaebm_dataset **out, ddaebm_context *context, const ddaebm_model *model,
                  const char *name, uint64_t seed, const data_options *how);

/* 0 if the model has rows of two numbers, as a plane needs. */
int check_plane(const ddaebm_model *model, const char *path);

/* Room for count rows of width numbers, to be freed with free; 0 or the exit status. */
int make_room(float **out, uint64_t count, size_t width);
int make_doubles(double **out, uint64_t count, size_t width);

/* How many rows of a set there are, `most` at most. */
uint64_t count_rows(const ddaebm_dataset *dataset, uint64_t most);

/* Returns how many rows --count asks for; where it is left out, all of a finite set and 10000 of
 * one that is drawn without end. */
uint64_t asked_rows(const ddaebm_dataset *dataset, number count);

/* The first rows of a set, at most `most`: *rows, to be freed with free, and how many. */
int read_rows(double **rows, size_t *count, const ddaebm_dataset *dataset, uint64_t most);

#endif
