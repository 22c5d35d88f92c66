#include "spelling.h"

enum { MOST_LETTERS = 64 };

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t spelling_distance(const char *word, size_t length, const char *name) {
    /* row[i]: the distance of the first i letters of the word from the name so far. */
    size_t row[MOST_LETTERS + 1];
    if (length > MOST_LETTERS)
        return length;

    for (size_t i = 0; i <= length; i++)
        row[i] = i;
    for (size_t j = 0; name[j]; j++) {
        size_t diagonal = row[0];
        row[0] = j + 1;
        for (size_t i = 1; i <= length; i++) {
            size_t replaced = diagonal + (word[i - 1] != name[j]);
            diagonal = row[i];
            row[i] = least_of(replaced, 1 + least_of(row[i], row[i - 1]));
        }
    }
    return row[length];
}
