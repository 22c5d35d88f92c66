/* A configuration from the options of a command line. */
#ifndef RUNCONFIG_H
#define RUNCONFIG_H

#include "options.h"

#include <ddaebm/ddaebm.h>

typedef struct config_options {
    const char *preset; /* NULL if left out */
    const char *file;   /* likewise */
    text_list set;
} config_options;

#define CONFIG_ROWS(options_)                                                                      \
    TEXT("preset", "NAME", &(options_)->preset,                                                    \
         "what the configuration begins as; left out: points, vector for rows of any other "       \
         "width, fashion for images"),                                                             \
        TEXT("config", "FILE.json", &(options_)->file, "changes to it, as a JSON object"),         \
        TEXTS("set", "KEY=VALUE", &(options_)->set, "one more change, after those of the file")

/* Whether any of them stands on the command line. */
bool config_given(const config_options *options);

/* 0 if the two agree in every key but training.steps; else the key has been named. */
int config_check_same(const ddaebm_config *run, const ddaebm_config *asked, const command *self);

/* The preset, fitted to the data's rows or images (NULL: as the preset says), and then the user's
 * changes in their order. 0 or the exit status: images that no network of images takes are refused
 * by the data's name, unless a preset of rows was asked for. */
int config_build(ddaebm_config **out, ddaebm_context *context, const config_options *options,
                 const command *self, const ddaebm_dataset *dataset, const char *data);

/* The user's changes alone, on a configuration that exists. */
int config_change(ddaebm_config *config, const config_options *options, const command *self);

/* Any value as text, in a block to be freed with free; key NULL for the whole as JSON. */
int config_text(char **out, const ddaebm_config *config, const char *key);

#endif
