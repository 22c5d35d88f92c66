/* The command ddaebm: finds the command that the first word names, and runs it. */
#include "commands.h"
#include "completion.h"
#include "console.h"
#include "spelling.h"

#include <stdio.h>
#include <string.h>

static const command commands[] = {
    {"train", "Trains a model and writes it as safetensors", command_train, false},
    {"sample", "Draws samples of a model", command_sample, false},
    {"score",
     "Scores each row: its log-density up to a constant; higher means more like the training data",
     command_score, false},
    {"density",
     "Scores a square grid of points at timestep 0; rows in ascending y, images with y upwards",
     command_density, false},
    {"data", "Writes rows of a data set, or a grid of its images", command_data, false},
    {"plot", "Plots data, samples and the learned density side by side", command_plot, false},
    {"auroc",
     "Prints the area under the ROC curve: how often a normal row scores above an anomalous one",
     command_auroc, false},
    {"convert", "Rewrites a model: extracts it from a checkpoint, or stores its weights as float16",
     command_convert, false},
    {"normalise", "Finds the normaliser of a model's energy, so that scores are log-densities",
     command_normalise, false},
    {"impute", "Fills in the missing values of a table", command_impute, false},
    {"evaluate", "Prints the mean log-density of held-out data", command_evaluate, false},
    {"restore", "Restores noisy data, and data with missing values", command_restore, false},
    {"info",
     "Prints a configuration, the parameters of each network and the memory of a training step",
     command_info, false},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

/* Prints the help of the command as a whole. */
static int print_help(void) {
    printf("usage: ddaebm COMMAND [OPTION]...\n\nDenoising diffusion adversarial energy-based "
           "models: train, sample, score.\n\n");

    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-9s %s\n", commands[i].name, commands[i].summary);

    printf("\n  ddaebm COMMAND --help    a command's options, as ddaebm help COMMAND\n  ddaebm "
           "--version         the library's "
           "version\n\ndata sets:");
    for (size_t i = 0; ddaebm_dataset_name(i); i++)
        printf(" %s", ddaebm_dataset_name(i));
    printf(", or the path of a file (NPY, CSV, IDX, CIFAR-10) or of a folder of PNG or "
           "JPEG\npresets:");
    for (size_t i = 0; ddaebm_config_preset(i); i++)
        printf(" %s", ddaebm_config_preset(i));
    printf("\nexit status: 0 success, 1 failed run, 2 wrong usage, 128 + N stopped by signal N\n");
    return finish_output();
}

/* Reports an unknown command, with the nearest known one. */
static int unknown(const char *word) {
    char known[128] = "";
    const char *near = NULL;
    size_t distance = 2 + strlen(word) / 4; /* nothing further away is suggested */
    for (size_t i = 0; i < COMMANDS; i++)
        if (spelling_distance(word, strlen(word), commands[i].name) < distance) {
            near = commands[i].name;
            distance = spelling_distance(word, strlen(word), near);
        }

    for (size_t i = 0, used = 0; i < COMMANDS && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 commands[i].name);
    return misuse(NULL, "there is no command '%.60s'; %s%s%sknown: %s", word,
                  near ? "the nearest is " : "", near ? near : "", near ? "; " : "", known);
}

static const command *find_command(const char *word) {
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(word, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

/* Runs `ddaebm complete WORD...`, which the scripts in completion/ call: prints what may complete
 * the last word. No help lists it. */
static int complete(int argc, char **argv) {
    const command *found = argc > 1 ? find_command(argv[0]) : NULL;
    if (argc <= 1)
        return complete_command(commands, COMMANDS);
    if (!found)
        return 0;
    command asked = *found;
    asked.completes = true;
    return asked.run(&asked, argc, argv);
}

/* Runs `ddaebm help [COMMAND]`, which is ddaebm [COMMAND] --help. */
static int help(int argc, char **argv) {
    char option[] = "--help", *words[] = {argc > 0 ? argv[0] : NULL, option, NULL};
    const command *found = argc > 0 ? find_command(argv[0]) : NULL;
    if (argc > 1)
        return misuse(NULL, "unexpected word '%.60s' after help; allowed: one command", argv[1]);
    if (argc == 0)
        return print_help();
    return found ? found->run(found, 2, words) : unknown(argv[0]);
}

int main(int argc, char **argv) {
    if (argc < 2)
        return misuse(NULL, "a command is missing");

    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return print_help();
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        printf("ddaebm %s\n", ddaebm_version_text());
        return finish_output();
    }
    if (strcmp(word, "help") == 0)
        return help(argc - 2, argv + 2);
    if (strcmp(word, "complete") == 0)
        return complete(argc - 2, argv + 2);

    const command *found = find_command(word);
    return found ? found->run(found, argc - 1, argv + 1) : unknown(word);
}
