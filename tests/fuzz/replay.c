/* Runs a target on every file of the folders that are named: what libFuzzer does, without it, on
 * inputs that are known. Names each file before it is run, and in the end says how many there were;
 * none is a failure. */
#define _POSIX_C_SOURCE 200809L
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUT = 1 << 20, PATH_ROOM = 1024 };

/* The block is just as large as the file, so that a read past its end is one past the block's. */
static bool run_file(const char *path) {
    static unsigned char bytes[MOST_INPUT];
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    size_t size = fread(bytes, 1, sizeof bytes, file);
    bool good = !ferror(file) && size < sizeof bytes;
    (void)fclose(file);
    unsigned char *exact = good ? malloc(size ? size : 1) : NULL;
    if (!exact)
        return false;
    memcpy(exact, bytes, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return true;
}

/* False for a file that cannot be read. */
static bool run_folder(const char *folder, size_t *count) {
    DIR *listing = opendir(folder);
    bool good = listing != NULL;
    for (struct dirent *entry; good && (entry = readdir(listing));) {
        char path[PATH_ROOM];
        if (*entry->d_name == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        printf("%s\n", path);
        (void)fflush(stdout);
        good = run_file(path);
        ++*count;
    }
    if (listing)
        closedir(listing);
    return good;
}

int main(int argc, char **argv) {
    size_t count = 0;
    bool good = true;
    for (int i = 1; i < argc && good; i++)
        good = run_folder(argv[i], &count);
    printf("%zu inputs%s\n", count, good ? "" : ", the last of which cannot be read");
    return good && count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
