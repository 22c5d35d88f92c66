#include "textable.h"

#include "console.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 256, LINE_ROOM = 1 << 16 };

/* Cuts a line at its commas, in place, and takes off quotes. Returns the number of cells. */
static size_t cut(char *line, char *cells[MOST_COLUMNS]) {
    size_t count = 0;
    char *from = line, *to = line;
    bool quoted = false, more = true;
    line[strcspn(line, "\r\n")] = '\0';
    while (more && count < MOST_COLUMNS) {
        cells[count++] = to;
        for (; *from && (quoted || *from != ','); from++) {
            if (*from == '"' && !(quoted && from[1] == '"'))
                quoted = !quoted;
            else {
                from += *from == '"';
                *to++ = *from;
            }
        }
        more = *from == ',';
        from += more;
        *to++ = '\0';
    }
    return count;
}

static int find_column(size_t *out, char *const *cells, size_t count, const char *name,
                       const char *path) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(cells[i], name) == 0) {
            *out = i;
            return 0;
        }
    return fail("%.250s has no column '%.60s'; its first line names the columns", path, name);
}

static int open_table(FILE **out, const char *path) {
    *out = fopen(strcmp(path, "-") == 0 ? "/dev/stdin" : path, "r");
    return *out ? 0 : fail("%.250s cannot be read", path);
}

/* Takes over one row; an empty number leaves it out. */
static int take_row(labelled **rows, size_t *count, char *label, char *value, const char *path) {
    char *end = NULL;
    if (*value == '\0')
        return 0;
    if (strlen(label) >= LABEL_ROOM)
        return fail("%.250s, row %zu: '%.40s...' is longer than a label of %d letters", path,
                    *count + 1, label, LABEL_ROOM - 1);
    labelled *grown = realloc(*rows, (*count + 1) * sizeof **rows);
    if (!grown)
        return fail("no memory for the rows of %.250s", path);
    *rows = grown;
    grown[*count].value = strtod(value, &end);
    if (*end != '\0' || !isfinite(grown[*count].value))
        return fail("%.250s, row %zu: '%.40s' is no finite number", path, *count + 1, value);
    (void)snprintf(grown[*count].label, LABEL_ROOM, "%s", label);
    ++*count;
    return 0;
}

int read_labelled(labelled **rows, size_t *count, const char *path, const char *label,
                  const char *value) {
    FILE *file = NULL;
    labelled *found = NULL;
    size_t number = 0, of_label = 0, of_value = 0;
    char *line = malloc(LINE_ROOM), *cells[MOST_COLUMNS];
    int code = line ? 0 : fail("no memory for a line of %.250s", path);
    if (code != 0)
        return code;
    TRY(open_table(&file, path));
    size_t columns = fgets(line, LINE_ROOM, file) ? cut(line, cells) : 0;
    TRY(find_column(&of_label, cells, columns, label, path));
    TRY(find_column(&of_value, cells, columns, value, path));
    while (fgets(line, LINE_ROOM, file)) {
        size_t here = cut(line, cells);
        if (here > of_label && here > of_value)
            TRY(take_row(&found, &number, cells[of_label], cells[of_value], path));
    }
    if (number == 0) {
        code = fail("%.250s has no row with a number in '%.60s'", path, value);
        goto cleanup;
    }
    *rows = found;
    *count = number;
    found = NULL;
cleanup:
    if (file)
        fclose(file);
    free(found);
    free(line);
    return code;
}
