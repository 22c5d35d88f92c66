/* The commands, each in a file of its own. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "options.h"

int command_train(const command *self, int argc, char **argv);
int command_sample(const command *self, int argc, char **argv);
int command_score(const command *self, int argc, char **argv);
int command_density(const command *self, int argc, char **argv);
int command_data(const command *self, int argc, char **argv);
int command_plot(const command *self, int argc, char **argv);
int command_auroc(const command *self, int argc, char **argv);
int command_convert(const command *self, int argc, char **argv);
int command_normalise(const command *self, int argc, char **argv);
int command_impute(const command *self, int argc, char **argv);
int command_restore(const command *self, int argc, char **argv);
int command_evaluate(const command *self, int argc, char **argv);
int command_info(const command *self, int argc, char **argv);

#endif
