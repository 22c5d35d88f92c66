/* Images of a model in training: a grid of samples beside its file. */
#ifndef PREVIEW_H
#define PREVIEW_H

#include <ddaebm/ddaebm.h>
#include <stdbool.h>

/* 0 if the trainer's model can be shown, and not among the images of a folder of data; else what is
 * in the way has been said. */
int check_preview(const ddaebm_trainer *trainer, const char *model_path, const char *data,
                  bool recursive);

/* Writes MODEL-00001000.png for step 1000 of MODEL.safetensors: 8 by 8 samples of the averaged
 * weights, always of the same noise. None is written over one of the other files, `count` paths or
 * NULL. */
int write_preview(ddaebm_context *context, ddaebm_trainer *trainer, const char *model_path,
                  const char *const *others, size_t count);

#endif
