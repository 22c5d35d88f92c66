#include "io/named_images.h"

#include <string.h>

#define FASHION "/usr/share/datasets/fashion-mnist/"

static const dd_named_images sets[] = {
    {"fashion-mnist", FASHION "train-images-idx3-ubyte.gz", "dataset-fashion-mnist"},
    {"fashion-mnist-test", FASHION "t10k-images-idx3-ubyte.gz", "dataset-fashion-mnist"},
};
enum { SETS = sizeof sets / sizeof *sets };

const dd_named_images *dd_named_images_find(const char *name) {
    for (size_t i = 0; i < SETS; i++)
        if (strcmp(sets[i].name, name) == 0)
            return &sets[i];
    return NULL;
}

const char *dd_named_images_name(size_t index) {
    return index < SETS ? sets[index].name : NULL;
}
