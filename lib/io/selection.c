#include "io/selection.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/edit_distance.h"
#include "base/error.h"
#include "base/excerpt.h"
#include "io/text.h"

#include <string.h>

/* ---- Lists, as in 3-5,weight,"a,b". ---- */

/* An item: a name, or the numbers first to last. */
struct item {
    const char *text; /* the name without its quotes; a quote within is doubled */
    size_t length;
    bool quoted;
    size_t first, last; /* from 1; first is 0 for a name */
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Reads a number at the beginning of the text and moves past it; 0 if there is none. A number too
 * large for any table is kept as such. */
static size_t take_number(const char **text, const char *end) {
    size_t value = 0;
    for (; *text < end && **text >= '0' && **text <= '9'; (*text)++)
        value = value > DD_MOST_WIDTH ? value : value * 10 + (size_t)(**text - '0');
    return value;
}

/* Reads an item as numbers, "3" or "3-5", if it is that. */
static void find_numbers(struct item *item) {
    const char *at = item->text, *end = item->text + item->length;
    size_t first = take_number(&at, end), last = first;
    if (at == item->text)
        return;

    if (at < end && *at == '-') {
        const char *second = ++at;
        last = take_number(&at, end);
        if (at == second)
            return;
    }

    if (at != end)
        return;
    item->first = first > 0 ? first : SIZE_MAX; /* column 0 does not exist: not found */
    item->last = last;
}

static const char *closing_quote(const char *at) {
    for (; *at; at++) {
        if (*at != '"')
            continue;
        if (at[1] != '"')
            return at;
        at++;
    }
    return NULL;
}

/* Reads the item at *at and moves *at past its comma, or to the end; false if it is malformed. */
static bool next_item(struct item *item, const char **at) {
    const char *start = *at, *stop = NULL;
    while (is_blank(*start))
        start++;
    *item = (struct item){.quoted = *start == '"'};
    if (item->quoted) {
        stop = closing_quote(++start);
        if (!stop)
            return false;
        *at = stop + 1;
        while (is_blank(**at))
            (*at)++;
    } else {
        *at = stop = start + strcspn(start, ",");
        while (stop > start && is_blank(stop[-1]))
            stop--;
    }

    item->text = start;
    item->length = (size_t)(stop - start);
    if (!item->quoted)
        find_numbers(item);

    if (item->length == 0 || (**at && **at != ','))
        return false;
    if (**at && !*++*at)
        return false; /* malformed: a comma at the end */
    return true;
}

static bool has_name(const char *list) {
    struct item item;
    while (list && *list) {
        if (!next_item(&item, &list))
            return false;
        if (item.first == 0)
            return true;
    }
    return false;
}

bool dd_selection_has_names(const ddaebm_read_options *options) {
    return has_name(options->columns) || has_name(options->drop);
}

static bool is_named(const struct item *item, const char *name) {
    const char *at = item->text, *end = item->text + item->length;
    for (; at < end; at++, name++) {
        if (*at != *name)
            return false;
        if (item->quoted && *at == '"')
            at++; /* the second of a doubled quote */
    }
    return !*name;
}

/* ---- The selection in the making. ---- */

struct making {
    dd_selection selection;
    const dd_column_names *names;
    const char *list; /* "--columns" or "--drop" */
};

/* The column whose name is nearest: but for case, or by letters that are wrong. NULL if none is
 * near. */
static const char *nearest(const struct making *m, const struct item *item) {
    const char *best = NULL;
    size_t best_distance = 2 + item->length / 4; /* names further away are not similar */

    best_distance = best_distance < item->length ? best_distance : item->length;
    for (size_t i = 0; i < m->names->count; i++) {
        const char *name = m->names->items[i];
        if (!name)
            continue;
        if (dd_text_is_word(item->text, item->length, name))
            return name;
        size_t distance = dd_edit_distance(item->text, item->length, name);
        if (distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }

    return best;
}

static ddaebm_status not_named(const struct making *m, const struct item *item) {
    char quote[DD_EXCERPT_ROOM], near_quote[DD_EXCERPT_ROOM], first[DD_COLUMNS_ROOM];
    (void)dd_excerpt(quote, item->text, item->length);
    const char *near = nearest(m, item);
    if (near)
        return dd_fail(DDAEBM_NOT_FOUND, "%s: no column is named '%s'; the nearest is '%s'",
                       m->list, quote, dd_excerpt(near_quote, near, strlen(near)));
    if (dd_column_names_list(first, m->names))
        return dd_fail(DDAEBM_NOT_FOUND, "%s: no column is named '%s'; there are %s", m->list,
                       quote, first);
    return dd_fail(DDAEBM_NOT_FOUND,
                   "%s: no column is named '%s': the table has no names; give numbers from 1",
                   m->list, quote);
}

/* The one column that has the item's name. */
static ddaebm_status find_name(struct item *item, const struct making *m) {
    char quote[DD_EXCERPT_ROOM];
    for (size_t i = 0; i < m->names->count; i++) {
        if (!m->names->items[i] || !is_named(item, m->names->items[i]))
            continue;
        if (item->first > 0)
            return dd_fail(DDAEBM_INVALID_ARGUMENT,
                           "%s: columns %zu and %zu are both named '%s'; give the number", m->list,
                           item->first, i + 1, dd_excerpt(quote, item->text, item->length));
        item->first = item->last = i + 1;
    }
    return item->first > 0 ? DDAEBM_OK : not_named(m, item);
}

static ddaebm_status take_column(struct making *m, size_t column, bool keep) {
    size_t *place = &m->selection.place[column];
    if (keep && *place != DD_LEFT_OUT)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "%s: column %zu stands there twice", m->list,
                       column + 1);
    *place = keep ? m->selection.kept++ : DD_LEFT_OUT;
    return DDAEBM_OK;
}

/* Keeps or drops the columns of an item. */
static ddaebm_status take_item(struct making *m, struct item *item, bool keep) {
    ddaebm_status status = item->first > 0 ? DDAEBM_OK : find_name(item, m);
    if (status != DDAEBM_OK)
        return status;
    if (item->last < item->first && item->first <= m->selection.width)
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "%s: %zu-%zu is not a range; the smaller number comes first", m->list,
                       item->first, item->last);

    if (item->first > m->selection.width || item->last > m->selection.width)
        return dd_fail(DDAEBM_NOT_FOUND, "%s: there is no column %.*s; the table has 1 to %zu",
                       m->list, item->length < 30 ? (int)item->length : 30, item->text,
                       m->selection.width);

    for (size_t i = item->first; i <= item->last && status == DDAEBM_OK; i++)
        status = take_column(m, i - 1, keep);
    return status;
}

/* Reads a list and keeps or drops its columns. */
static ddaebm_status take_list(struct making *m, const char *name, const char *list, bool keep) {
    char quote[DD_EXCERPT_ROOM];
    const char *at = list;
    m->list = name;

    do {
        struct item item;
        ddaebm_status status =
            next_item(&item, &at)
                ? take_item(m, &item, keep)
                : dd_fail(DDAEBM_INVALID_ARGUMENT,
                          "%s is '%s'; allowed: names, numbers from 1 and ranges, as in "
                          "3-5,weight",
                          name, dd_excerpt(quote, list, strlen(list)));
        if (status != DDAEBM_OK)
            return status;
    } while (*at);
    return DDAEBM_OK;
}

/* Closes the gaps that dropped columns left, so that places keep their order. */
static ddaebm_status close_gaps(struct making *m, ddaebm_context *context) {
    dd_selection *s = &m->selection;
    size_t *at_place = dd_alloc_zero(context, s->kept, sizeof *at_place), left = 0; /* column + 1 */
    if (!at_place)
        return DDAEBM_OUT_OF_MEMORY;

    for (size_t i = 0; i < s->width; i++)
        if (s->place[i] != DD_LEFT_OUT)
            at_place[s->place[i]] = i + 1;
    for (size_t i = 0; i < s->kept; i++)
        if (at_place[i] > 0)
            s->place[at_place[i] - 1] = left++;
    dd_free(context, at_place);
    s->kept = left;
    return left > 0
               ? DDAEBM_OK
               : dd_fail(DDAEBM_OUT_OF_RANGE, "no column is left of the table's %zu", s->width);
}

ddaebm_status dd_selection_make(dd_selection *out, ddaebm_context *context,
                                const ddaebm_read_options *options, const dd_column_names *names,
                                size_t width, const bool *spare) {
    struct making m = {
        .selection = {dd_alloc_zero(context, width, sizeof *m.selection.place), width, 0},
        .names = names};
    ddaebm_status status = m.selection.place ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    if (status != DDAEBM_OK)
        return status;

    for (size_t i = 0; i < width; i++)
        m.selection.place[i] = options->columns || (spare && spare[i]) ? DD_LEFT_OUT : i;
    if (options->columns)
        DD_TRY(take_list(&m, "--columns", options->columns, true));
    else
        m.selection.kept = width;
    if (options->drop)
        DD_TRY(take_list(&m, "--drop", options->drop, false));
    DD_TRY(close_gaps(&m, context));
    *out = m.selection;
    return DDAEBM_OK;
cleanup:
    dd_selection_free(&m.selection, context);
    return status;
}

void dd_selection_free(dd_selection *selection, ddaebm_context *context) {
    dd_free(context, selection->place);
    *selection = (dd_selection){NULL, 0, 0};
}

/* ---- What it leaves. ---- */

ddaebm_status dd_selection_names(dd_column_names *out, ddaebm_context *context,
                                 const dd_selection *selection, const dd_column_names *names) {
    size_t bytes = 0;
    for (size_t i = 0; i < selection->width; i++)
        if (selection->place[i] != DD_LEFT_OUT && dd_column_name(names, i))
            bytes += strlen(names->items[i]) + 1;
    if (bytes == 0) {
        *out = (dd_column_names){.items = NULL};
        return DDAEBM_OK;
    }

    ddaebm_status status = dd_column_names_make(out, context, selection->kept, bytes);
    for (size_t i = 0; i < selection->width && status == DDAEBM_OK; i++)
        if (selection->place[i] != DD_LEFT_OUT && dd_column_name(names, i))
            dd_column_names_put(out, selection->place[i], names->items[i], strlen(names->items[i]));
    return status;
}

ddaebm_status dd_selection_apply(dd_rows *rows, ddaebm_context *context,
                                 const dd_selection *selection) {
    size_t width = rows->width, kept = selection->kept,
           size = rows->wide ? sizeof(double) : sizeof(float);
    const char *from = rows->wide ? (const char *)rows->wide : (const char *)rows->values;
    char *to = dd_alloc(context, rows->count * kept * size); /* less than the present size */
    if (!to)
        return DDAEBM_OUT_OF_MEMORY;

    for (size_t i = 0; i < rows->count; i++)
        for (size_t j = 0; j < width; j++)
            if (selection->place[j] != DD_LEFT_OUT)
                memcpy(to + (i * kept + selection->place[j]) * size, from + (i * width + j) * size,
                       size);

    dd_free(context, rows->values);
    dd_free(context, rows->wide);
    bool wide = rows->wide != NULL;
    *rows = (dd_rows){wide ? NULL : (float *)(void *)to, rows->count, kept,
                      wide ? (double *)(void *)to : NULL};
    return DDAEBM_OK;
}
