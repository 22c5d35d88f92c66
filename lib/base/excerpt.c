#include "base/excerpt.h"

#include "base/utf8.h"

#include <string.h>

const char *dd_excerpt(char out[DD_EXCERPT_ROOM], const char *text, size_t length) {
    static const char dots[] = "...";
    const size_t most = DD_EXCERPT_ROOM - sizeof dots;
    size_t kept = length > most ? dd_utf8_cut(text, most) : length;
    if (kept == 0 && length > most)
        kept = most; /* not UTF-8: there is no character to cut after */

    for (size_t i = 0; i < kept; i++)
        out[i] = text[i] ? text[i] : '?';
    strcpy(out + kept, kept < length ? dots : "");
    return out;
}
