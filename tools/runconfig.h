/* Configurations from the options of a command line. */
#ifndef RUNCONFIG_H
#define RUNCONFIG_H

#include "options.h"

#include <ddaebm/ddaebm.h>

typedef struct config_options {
    const char *preset; /* NULL if left out */
    const char *file;   /* likewise */
    text_list set;
} config_options;

/* What `preset_` of CONFIG_ROWS says where the data decide. */
#define PRESET_OF_DATA "points for rows of two numbers, vector for other rows, fashion for images"

/* Rows of an option table; `preset_` names the preset that is used where none is given. */
#define CONFIG_ROWS(options_, preset_)                                                             \
    TEXT("preset", "NAME", &(options_)->preset,                                                    \
         "the configuration to start from; left out: " preset_),                                   \
        TEXT("config", "FILE.json", &(options_)->file, "changes to it, a JSON object"),            \
        TEXTS("set", "KEY=VALUE", &(options_)->set, "one more change, applied after the file")

/* Returns whether any of them was given. */
bool config_given(const config_options *options);

/* Returns 0 if the two agree in every key but training.steps; otherwise names the key and returns
 * the exit status. */
int config_check_same(const ddaebm_config *run, const ddaebm_config *asked, const command *self);

/* Creates a configuration: the preset, fitted to the rows or images of the data set (NULL: as it
 * is), then the user's changes in their order. Images of a shape that image networks do not take
 * are refused unless a preset of rows was named; `data` is for the message. Returns 0 or the exit
 * status. */
int config_build(ddaebm_config **out, ddaebm_context *context, const config_options *options,
                 const command *self, const ddaebm_dataset *dataset, const char *data);

/* Applies the user's changes to an existing configuration. */
int config_change(ddaebm_config *config, const config_options *options, const command *self);

/* Formats a value as text, to be freed with free; NULL as the key formats the whole as JSON. */
int config_text(char **out, const ddaebm_config *config, const char *key);

#endif
