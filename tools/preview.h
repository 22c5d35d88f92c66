/* Previews of a model in training: a grid of samples beside its file. */
#ifndef PREVIEW_H
#define PREVIEW_H

#include <ddaebm/ddaebm.h>
#include <stdbool.h>

/* Returns 0 if previews can be drawn, and would not be among the images of the data's folder;
 * otherwise complains and returns the exit status. */
int check_preview(const ddaebm_trainer *trainer, const char *model_path, const char *data,
                  bool recursive);

/* Writes MODEL-00001000.png for step 1000 of MODEL.safetensors: 8 by 8 samples of the averaged
 * weights, always from the same noise. Refuses to replace one of `others`, `count` paths or NULL.
 */
int write_preview(ddaebm_context *context, ddaebm_trainer *trainer, const char *model_path,
                  const char *const *others, size_t count);

#endif
