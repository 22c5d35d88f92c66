/* What commands open: contexts, data sets and rows of them. Functions that return int return 0, or
 * the exit status after a complaint. */
#ifndef INPUTS_H
#define INPUTS_H

#include "options.h"

#include <ddaebm/ddaebm.h>

/* Creates a context that prints warnings, and notes on what was guessed, on stderr. */
int open_context(ddaebm_context **out, const compute_options *compute);

/* Lets the context print warnings alone. */
int hear_warnings_alone(ddaebm_context *context);

/* Returns whether the library has a data set of the name. A file of that name is ./NAME. */
bool is_named_set(const char *name);

/* Returns the path of a data file that a command line names: - is standard input. */
const char *input_path(const char *name);

/* Opens a named set with the seed, or a file or folder with the options: windows of it with
 * --window. */
int open_data(ddaebm_dataset **out, ddaebm_context *context, const char *name, uint64_t seed,
              const data_options *how);

/* Returns the samples from one window to the next that the options ask for. */
size_t hop_of(const data_options *how);

/* Checks that a set has the shape and columns that the model was trained on; `name` is for the
 * message. */
int check_data_for(const ddaebm_dataset *dataset, const ddaebm_model *model, const char *name);

/* Opens data, and checks it for the model. */
int open_data_for(ddaebm_dataset **out, ddaebm_context *context, const ddaebm_model *model,
                  const char *name, uint64_t seed, const data_options *how);

/* Checks that the model has rows of two numbers, as a plot in the plane needs. */
int check_plane(const ddaebm_model *model, const char *path);

/* Allocates count rows of width numbers, to be freed with free. */
int make_room(float **out, uint64_t count, size_t width);
int make_doubles(double **out, uint64_t count, size_t width);

/* Returns the number of rows of a set, at most `most`. */
uint64_t count_rows(const ddaebm_dataset *dataset, uint64_t most);

/* Returns how many rows --count asks for; where it is left out, all of a finite set and 10000 of
 * one that is drawn without end. */
uint64_t asked_rows(const ddaebm_dataset *dataset, number count);

/* Reads the first rows of a set, at most `most`, into *rows, to be freed with free. */
int read_rows(double **rows, size_t *count, const ddaebm_dataset *dataset, uint64_t most);

#endif
