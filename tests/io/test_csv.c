/* CSV: numbers, separators, headers, columns that count rows, and what is refused. */
#define _GNU_SOURCE
#include "base/context.h"
#include "io/csv.h"
#include "support/counted.h"

#include <locale.h>

/* A table, and how it is to be read. */
typedef struct table {
    dd_rows rows;
    dd_column_names names;
} table;

static ddaebm_status parse_bytes(table *out, const char *text, size_t size, ddaebm_header header,
                                 const char *columns, const char *drop) {
    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    options.header = header;
    options.columns = columns;
    options.drop = drop;
    return dd_csv_parse(&out->rows, &out->names, context, text, size, &options);
}

static ddaebm_status parse(table *out, const char *text) {
    return parse_bytes(out, text, strlen(text), DDAEBM_HEADER_AUTO, NULL, NULL);
}

static void release(table *t) {
    dd_free(context, t->rows.wide);
    dd_column_names_free(&t->names, context);
    *t = (table){.rows = {.wide = NULL}};
}

/* Checks that the text has so many rows of the width, with these values. */
static void assert_rows(const char *text, size_t count, size_t width, const double *values) {
    open_context(2);
    table t = {.rows = {.wide = NULL}};
    ck_assert_msg(parse(&t, text) == DDAEBM_OK, "%s: %s", text, ddaebm_error_message());
    ck_assert_msg(t.rows.count == count && t.rows.width == width, "%s: %zu by %zu", text,
                  t.rows.count, t.rows.width);
    ck_assert_msg(memcmp(t.rows.wide, values, count * width * sizeof *values) == 0, "%s", text);
    release(&t);
    close_context();
}

static const double four[] = {1, 2, 3, 4};

START_TEST(separators_are_found) {
    static const char *const texts[] = {"1,2\n3,4\n",    "1;2\n3;4",           "1\t2\n3\t4\n",
                                        "1 2\n3 4\n",    "  1   2 \n3 \t 4\n", " 1 , 2 \n3,  4",
                                        "1 ;2\n 3; 4\n", "1\t 2\n3 \t4"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_rows(texts[i], 2, 2, four);
    assert_rows("1\n2\n3\n4\n", 4, 1, four);
    assert_rows("1,2,3,4", 1, 4, four);
}
END_TEST

START_TEST(frills_do_not_matter) {
    static const char *const texts[] = {("\xEF\xBB\xBF"
                                         "1,2\n3,4\n"),
                                        "1,2\r\n3,4\r\n",
                                        "1,2\r3,4\r",
                                        "\n\n1,2\n\n  \n3,4\n\n",
                                        "# note, 1\n1,2\n #x\n3,4\n",
                                        "\"1\",\"2\"\n\"3\", \"4\" \n",
                                        "\" 1 \",2\n3,4",
                                        "\"1\" \"2\"\n3 4\n",
                                        "1.0,2e0\n+3,.4e1\n",
                                        "1,2\n3,4\n# end",
                                        "\"1\";2\n3;\"4\"\n"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_rows(texts[i], 2, 2, four);
}
END_TEST

START_TEST(one_header_is_skipped) {
    static const char *const texts[] = {"a,b\n1,2\n3,4\n",
                                        "\"a, b\",\"c \"\"d\"\"\"\n1,2\n3,4\n",
                                        "length (mm, max);width, mm\n1;2\n3;4\n",
                                        "# c\n\nx y\n1 2\n3 4\n",
                                        ",b\n1,2\n3,4\n",
                                        "\xEF\xBB\xBFl\xC3\xA4nge\tx\n1\t2\n3\t4"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_rows(texts[i], 2, 2, four);
    assert_rows("petal length in cm\n1\n2\n3\n4\n", 4, 1, four);
}
END_TEST

START_TEST(bad_text_is_refused_with_its_place) {
    static const struct {
        const char *text;
        ddaebm_status status;
        const char *why;
    } rows[] = {
        {"", DDAEBM_FORMAT, "empty"},
        {"\xEF\xBB\xBF", DDAEBM_FORMAT, "no rows"},
        {"\n \n# only\n", DDAEBM_FORMAT, "no rows"},
        {"a,b\n", DDAEBM_FORMAT, "no rows of numbers"},
        {"1,2\n3\n", DDAEBM_FORMAT, "line 2 is ragged"},
        {"1,2\n3,4,5\n", DDAEBM_FORMAT, "line 2 is ragged"},
        {"a,b,c\n1,2\n", DDAEBM_FORMAT, "line 2 is ragged"},
        {"a\n5,2\n4,1\n", DDAEBM_FORMAT, "line 2 is ragged: it has 2 fields, the header 1"},
        {"1,2\n\n3,x\n", DDAEBM_FORMAT, "line 3, column 2: 'x' is not a number"},
        {"1,2\r\n\r\n3,x\r\n", DDAEBM_FORMAT, "line 3, column 2"},
        {"1,2\n3,\n", DDAEBM_FORMAT, "line 2, column 2: a number is missing"},
        {"1,,2\n", DDAEBM_FORMAT, "line 1, column 2: a number is missing"},
        {"1,2,\n3,4,5\n", DDAEBM_FORMAT,
         "line 1, column 3: a number is missing; --drop 3 leaves the column out"},
        {"a,b,c\n1,2,\n", DDAEBM_FORMAT, "line 2, column 3 ('c'): a number is missing; --drop 3"},
        {"1,2\n3,NA\n", DDAEBM_FORMAT, "line 2, column 2: 'NA' is a missing value"},
        {"a,b\n?,4\n", DDAEBM_FORMAT, "line 2, column 1 ('a'): '?' is a missing value"},
        {"NA,NA\n1,2\n", DDAEBM_FORMAT,
         "leave its row or column out, or allow it (ddaebm train and impute: --missing allow takes "
         "NA, NaN and empty fields, --missing WORDS others) (--header yes"},
        {"NA\n1\n2\n", DDAEBM_FORMAT, "line 1, column 1: 'NA'"},
        {",null,\n1,2,3\n", DDAEBM_FORMAT, "line 1, column 2: 'null' is a missing value"},
        {"a;N/A;N/A\n1;2;3\n", DDAEBM_FORMAT, "line 1, column 2: 'N/A'"},
        {"None\t?\t-\n1\t2\t3\n", DDAEBM_FORMAT, "line 1, column 1: 'None'"},
        {".,.\n1,2\n", DDAEBM_FORMAT, "line 1, column 1: '.'"},
        {"#N/A,1\n#N/A,2\n", DDAEBM_FORMAT, "no rows"},
        {"\"#N/A\",NULL\n1,2\n", DDAEBM_FORMAT, "line 1, column 1: '#N/A' is a missing value"},
        {"0x1F,0xA\n1,2\n", DDAEBM_FORMAT,
         "line 1, column 1: '0x1F' is a hexadecimal number: write it in decimal"},
        {",,\n1,2,3\n", DDAEBM_FORMAT, "line 1, column 1: a number is missing"},
        {"1,\"2,5\"\n", DDAEBM_FORMAT, "'2,5' is not a number; a decimal comma? write a point"},
        {"1;-2,5e3\n", DDAEBM_FORMAT, "'-2,5e3' is not a number (in"},
        {"1;1,234\n", DDAEBM_FORMAT,
         "a decimal comma? write a point, and leave separators of thousands out"},
        {"1;1.234,5\n", DDAEBM_FORMAT,
         "a decimal comma? write a point, and leave separators of thousands out"},
        {"1;1,234,567\n", DDAEBM_FORMAT, "is not a number; leave separators of thousands out"},
        {"1;1,234.5\n", DDAEBM_FORMAT, "is not a number; leave separators of thousands out"},
        {"1;1'234\n", DDAEBM_FORMAT, "is not a number; leave separators of thousands out"},
        {"1;1\xC2\xA0"
         "234\n",
         DDAEBM_FORMAT, "is not a number; leave separators of thousands out"},
        {"1;2020.01.02\n", DDAEBM_FORMAT, "'2020.01.02' is not a number (in"},
        {"1,a\n1,2\n", DDAEBM_FORMAT, "line 1, column 2: 'a' is not a number (in a header"},
        {"a,b\nc,d\n1,2\n", DDAEBM_FORMAT, "line 2, column 1 ('a'): 'c'"},
        {"1,2\n\"3,4\n", DDAEBM_FORMAT, "line 2, column 1: a quote"},
        {"1,2\n\"3\"x,4\n", DDAEBM_FORMAT, "line 2, column 1: a quote"},
        {"\"1,2\n", DDAEBM_FORMAT, "line 1, column 1: a quote"},
        {"1,5;2,5\n1,5;2,5\n", DDAEBM_FORMAT,
         "line 1, column 1: '1,5' is not a number; a decimal comma? write a point"},
        {"petal, length\n1\n", DDAEBM_FORMAT, "line 2 is ragged"},
        {"1,0x10\n2,3\n", DDAEBM_FORMAT, "'0x10'"},
        {"1,\x1B[31m\n", DDAEBM_FORMAT, "'?[31m'"},
        {"1,nan\n", DDAEBM_NOT_FINITE, "line 1, column 2"},
        {"h,h\n1,2\n-Inf,1\n", DDAEBM_NOT_FINITE, "line 3, column 1 ('h'): '-Inf'"},
        {"1e309\n", DDAEBM_NOT_FINITE, "line 1, column 1"},
        {"a,petal\n1,2\n1,x\n", DDAEBM_FORMAT, "line 3, column 2 ('petal'): 'x' is not a number"},
        {"a,petal\n1,2\n1,\n", DDAEBM_FORMAT, "line 3, column 2 ('petal'): a number is missing"},
        {"a,petal\n1,-inf\n", DDAEBM_NOT_FINITE, "line 2, column 2 ('petal'): '-inf'"},
    };
    open_context(2);
    size_t live = counted.live;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        table out = {.rows = {.count = 77}};
        ck_assert_msg(parse(&out, rows[i].text) == rows[i].status, "%s", rows[i].text);
        ASSERT_FAILS(parse(&out, rows[i].text), rows[i].status, rows[i].why);
        ck_assert(!out.rows.wide && !out.names.items);
        ck_assert_uint_eq(out.rows.count, 77);
        ck_assert_uint_eq(counted.live, live);
    }

    table out = {.rows = {.wide = NULL}};
    ASSERT_FAILS(parse_bytes(&out, "1,2\0,3\n", 7, DDAEBM_HEADER_AUTO, NULL, NULL), DDAEBM_FORMAT,
                 "byte 3 is 0");
    close_context();
}
END_TEST

START_TEST(rows_may_be_wide_up_to_the_limit) {
    open_context(2);
    size_t most = DD_MOST_WIDTH;
    char *text = malloc(2 * most + 4);
    table t = {.rows = {.wide = NULL}};

    for (size_t i = 0; i <= most; i++)
        memcpy(text + 2 * i, "7,", 2);
    ASSERT_OK(parse_bytes(&t, text, 2 * most - 1, DDAEBM_HEADER_AUTO, NULL, NULL));
    ck_assert_uint_eq(t.rows.width, most);
    release(&t);
    ASSERT_FAILS(parse_bytes(&t, text, 2 * most + 1, DDAEBM_HEADER_AUTO, NULL, NULL),
                 DDAEBM_OUT_OF_RANGE, "1048577");
    free(text);
    close_context();
}
END_TEST

START_TEST(the_locale_does_not_matter) {
    static const double values[] = {1.5, 2.25};
    (void)setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed */
    assert_rows("1.5,2.25\n", 1, 2, values);
    (void)setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(memory_may_run_out) {
    open_context(2);
    table t = {.rows = {.wide = NULL}};
    SWEEP_ALLOCATIONS(counted, t.rows.wide, parse(&t, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"));
    release(&t);
    static const char text[] = ",a,b,\"c\"\n0,2,3,4\n1,3,2,1\n";
    SWEEP_ALLOCATIONS(counted, t.rows.wide, parse(&t, text));
    release(&t);
    SWEEP_ALLOCATIONS(counted, t.rows.wide,
                      parse_bytes(&t, text, sizeof text - 1, DDAEBM_HEADER_AUTO, "c,2", "3"));
    release(&t);
    static const char comment[] = "# id,a,\n# id,a\n0,2,\n1,3,\n";
    SWEEP_ALLOCATIONS(counted, t.rows.wide, parse(&t, comment));
    release(&t);
    static const char years[] = "2001,2002\n1,2\n3,4\n";
    SWEEP_ALLOCATIONS(counted, t.rows.wide, parse(&t, years));
    release(&t);
    close_context();
}
END_TEST

/* Every beginning of a good text is read or refused. Sanitisers show reads past its end. */
START_TEST(every_cut_is_survived) {
    const char text[] = "\xEF\xBB\xBF# note\r\n\"a \"\"x\"\"\",b\r\n\"1\" , 2e1\r\n-3,\"4.5\"\n";
    open_context(2);
    for (size_t size = 0; size < sizeof text; size++) {
        char *cut = malloc(size ? size : 1);
        table t = {.rows = {.wide = NULL}};
        memcpy(cut, text, size);
        if (parse_bytes(&t, cut, size, DDAEBM_HEADER_AUTO, NULL, NULL) == DDAEBM_OK)
            release(&t);
        free(cut);
    }
    close_context();
}
END_TEST

/* ---- Names, headers that are numbers, columns that count. ---- */

/* What is said while a table is read. */
typedef struct spoken {
    size_t lines;
    char last[256];
} spoken;

static void listen(void *user, ddaebm_log_level level, const char *line) {
    spoken *self = user;
    (void)level;
    self->lines++;
    (void)snprintf(self->last, sizeof self->last, "%s", line);
}

/* "a|b|-" for the names a, b and none. */
static void join_names(char *out, size_t room, const table *t) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t j = 0; j < t->names.count; j++)
        used += (size_t)snprintf(out + used, room - used, "%s%s", j > 0 ? "|" : "",
                                 t->names.items[j] ? t->names.items[j] : "-");
}

#define AUTO DDAEBM_HEADER_AUTO
#define YES DDAEBM_HEADER_YES
#define NO DDAEBM_HEADER_NO

/* A table, the first number of each kept column, names, rows, and a part of the only message; NULL
 * for none. */
START_TEST(headers_and_columns_are_found) {
    static const struct {
        const char *text;
        ddaebm_header header;
        const char *columns, *drop, *names, *first;
        size_t count;
        const char *said;
    } rows[] = {
        {"a,b\n1,2\n3,4\n", AUTO, NULL, NULL, "a|b", "1 2", 2, NULL},
        {"\xEF\xBB\xBF\"a \"\"x\"\"\",b\n1,2\n", AUTO, NULL, NULL, "a \"x\"|b", "1 2", 1, NULL},
        {"l\xC3\xA4nge;b\n1;2\n", AUTO, NULL, NULL, "l\xC3\xA4nge|b", "1 2", 1, NULL},
        {"l\xE4nge;b\n1;2\n", AUTO, NULL, NULL, "l\xC3\xA4nge|b", "1 2", 1, NULL},
        {"petal length in cm\n1\n2\n", AUTO, NULL, NULL, "petal length in cm", "1", 2, NULL},
        {"a,\n1,2\n", AUTO, NULL, NULL, "a|-", "1 2", 1, NULL},
        {"a,a\n1,2\n", AUTO, NULL, NULL, "a|a", "1 2", 1, NULL},
        /* numbers above numbers */
        {"2001,2002\n1,2\n3,4\n", AUTO, NULL, NULL, "2001|2002", "1 2", 2,
         "line 1 is unlike all below it"},
        {"2001,2002\n1,2\n3,4\n", NO, NULL, NULL, "", "2001 2002", 3, NULL},
        {"2001,2002\n1,2\n3,4\n", YES, NULL, NULL, "2001|2002", "1 2", 2, NULL},
        {"2001,2005\n1,2\n3,4\n", AUTO, NULL, NULL, "2001|2005", "1 2", 2,
         "read as the columns' names"},
        {"1990,1980\n1,2\n3,4\n", AUTO, NULL, NULL, "", "1990 1980", 3,
         "line 1 is far from all below it"},
        {"1999.5,2000\n1,2\n3,4\n", AUTO, NULL, NULL, "", "1999.5 2000", 3,
         "line 1 is far from all below it"},
        /* only the first column below is not whole */
        {"1,2,3\n.5,9,4\n.5,9,4\n.5,9,4\n.5,9,4\n.5,9,4\n.5,9,4\n.5,9,4\n.5,9,4\n.5,9,4\n.5,9,4\n",
         AUTO, NULL, NULL, "1|2|3", "0.5 9 4", 10, "read as the columns' names"},
        {"# years\n\n2001\n1\n3\n", AUTO, NULL, NULL, "", "2001", 3, "line 3 is far"},
        {"0,1\n.3,.2\n.1,.4\n.3,.2\n.1,.4\n.3,.2\n.1,.4\n.3,.2\n.1,.4\n.3,.2\n.1,.4\n", AUTO, NULL,
         NULL, "0|1", "0.3 0.2", 10, "read as the columns' names"},
        {"1,2\n3,4\n5,6\n", AUTO, NULL, NULL, "", "1 2", 3,
         "line 1 counts the columns, and was read as a row; --header yes reads it as their names"},
        {"0,1,2\n.5,.6,.1\n.2,.3,.4\n", AUTO, NULL, NULL, "", "0 1 2", 3,
         "line 1 counts the columns"},
        {"1,5\n.5,.6\n.7,.8\n", AUTO, NULL, NULL, "", "1 5", 3, NULL},
        {"1,5\n.5,.6\n.51,.61\n", AUTO, NULL, NULL, "", "1 5", 3,
         "far from all below it, and was read as a row; --header yes"},
        {"100,200\n1,2\n3,4\n", AUTO, NULL, NULL, "", "100 200", 3, "was read as a row"},
        {"100,200,300\n1,2,3\n3,4,4\n", AUTO, NULL, NULL, "100|200|300", "1 2 3", 2,
         "was read as the columns' names; --header no"},
        {"1,2,3\n4,5,6\n7,8,9\n", AUTO, NULL, NULL, "", "1 2 3", 3, "line 1 counts"},
        {"1,2,3,4\n4,3,2,1\n", AUTO, NULL, NULL, "", "1 2 3 4", 2, "line 1 counts"},
        {"1,2,3,4\n4,3,2,1\n", NO, NULL, NULL, "", "1 2 3 4", 2, NULL},
        {"2,3,4\n4,3,2\n", AUTO, NULL, NULL, "", "2 3 4", 2, NULL},
        {"x,2020\n1,2\n", YES, NULL, NULL, "x|2020", "1 2", 1, NULL},
        /* columns that count the rows: pandas, R, part of a table, one out of order, a named one */
        {",a,b\n0,5,6\n1,7,8\n2,9,8\n", AUTO, NULL, NULL, "a|b", "5 6", 3,
         "column 1 has no name and counts the rows"},
        {"\"\",\"a\"\n\"1\",5\n\"2\",7\n", AUTO, NULL, NULL, "a", "5", 2,
         "left out; --columns 1-2 keeps it"},
        {"\"a\" \"b\"\n\"1\" 5 6\n\"2\" 7 8\n", AUTO, NULL, NULL, "a|b", "5 6", 2, "left out"},
        {",a\n100,5\n101,6\n", AUTO, NULL, NULL, "a", "5", 2, "left out"},
        {",a\n7,5\n3,6\n", AUTO, NULL, NULL, "-|a", "7 5", 2,
         "column 1 has no name, and is kept; --drop 1"},
        {"id,a\n0,5\n1,6\n", AUTO, NULL, NULL, "id|a", "0 5", 2,
         "column 1 ('id') counts the rows from 0, and is kept; --drop id leaves it out"},
        {"a,Row_ID\n5,1\n6,2\n", AUTO, NULL, NULL, "a|Row_ID", "5 1", 2,
         "column 2 ('Row_ID') counts the rows from 1"},
        {"INDEX,id,a\n0,1,5\n1,2,6\n", AUTO, NULL, NULL, "INDEX|id|a", "0 1 5", 2,
         "--drop INDEX leaves it out"},
        {"id,a\n0,5\n1,6\n", AUTO, NULL, "id", "a", "5", 2, NULL},
        {"id,a\n7,5\n8,6\n", AUTO, NULL, NULL, "id|a", "7 5", 2, NULL},
        {"id,a\n1,5\n3,6\n", AUTO, NULL, NULL, "id|a", "1 5", 2, NULL},
        {"ideal,a\n1,5\n2,6\n", AUTO, NULL, NULL, "ideal|a", "1 5", 2, NULL},
        {"Unnamed: 0,a\n0,5\n1,6\n", AUTO, NULL, NULL, "a", "5", 2,
         "column 1 has no name and counts the rows"},
        {"a,Unnamed: 0.1\n5,0\n6,1\n", AUTO, NULL, NULL, "a", "5", 2,
         "column 2 has no name and counts the rows"},
        {"Unnamed: 0,a\n4,5\n1,6\n", AUTO, NULL, NULL, "Unnamed: 0|a", "4 5", 2, NULL},
        {"Unnamed: 0,a\n0,5\n1,6\n", AUTO, "1-2", NULL, "Unnamed: 0|a", "0 5", 2, NULL},
        /* names in a comment */
        {"# a,b\n1,2\n3,4\n", AUTO, NULL, NULL, "a|b", "1 2", 2,
         "line 1, a comment, was read as the columns' names; --header no keeps it a comment"},
        {"#a;b\n1;2\n", AUTO, NULL, NULL, "a|b", "1 2", 1, "line 1, a comment"},
        {"# a b\n1 2\n", AUTO, NULL, NULL, "a|b", "1 2", 1, "line 1, a comment"},
        {"#a\tb\n1\t2\n", AUTO, NULL, NULL, "a|b", "1 2", 1, "line 1, a comment"},
        {"# a,b\n1 2\n", AUTO, NULL, NULL, "a|b", "1 2", 1, "line 1, a comment"},
        {"# of May\n# a,b\n# all in mm, as ever, and ever\n1,2\n", AUTO, NULL, NULL, "a|b", "1 2",
         1, "line 2, a comment"},
        {"# a,b\n1,2\n3,4\n", AUTO, "b,a", NULL, "b|a", "2 1", 2, "line 1, a comment"},
        {"# a,name\n1,Ann\n", AUTO, NULL, "name", "a", "1", 1, "line 1, a comment"},
        {"# a,b\n1,2\n", NO, NULL, NULL, "", "1 2", 1, NULL},
        {"# a,b\nc,d\n1,2\n", AUTO, NULL, NULL, "c|d", "1 2", 1, NULL},
        {"# a,b,c\n1,2\n2,1\n", AUTO, NULL, NULL, "", "1 2", 2, "line 2 counts the columns"},
        {"# a,7\n3,2\n", AUTO, NULL, NULL, "", "3 2", 1, NULL},
        {"# \"so,b\n3,2\n", AUTO, NULL, NULL, "", "3 2", 1, NULL},
        {"# note\n3\n", AUTO, NULL, NULL, "", "3", 1, NULL},
        {"3,2\n# a,b\n3,4\n", AUTO, NULL, NULL, "", "3 2", 2, NULL},
        /* a separator at the end of all lines, and Excel's own line */
        {"a,b,\n1,2,\n3,4,\n", AUTO, NULL, NULL, "a|b", "1 2", 2,
         "column 3 has no name and is empty in every line: it is left out"},
        {"5,2,\n3,4,\n", AUTO, NULL, NULL, "", "5 2", 2, "column 3 has no name and is empty"},
        {"a;b\n1;2;\n3;4;\n", AUTO, NULL, NULL, "a|b", "1 2", 2,
         "column 3 has no name and is empty"},
        {"5\t2\t\n3\t4\t\n", NO, NULL, NULL, "", "5 2", 2, "column 3 has no name and is empty"},
        {"a,b,\n1,2,\n3,4,\n", AUTO, NULL, "3", "a|b", "1 2", 2, "column 3"},
        {"a,b,\n1,2,\n3,4,\n", AUTO, "1-2", NULL, "a|b", "1 2", 2, NULL},
        {"sep=;\na;b\n1;2\n", AUTO, NULL, NULL, "a|b", "1 2", 1, NULL},
        {"\xEF\xBB\xBF\"sep=,\"\r\n5,2\r\n", AUTO, NULL, NULL, "", "5 2", 1, NULL},
        {"sep=\t\na\tb\n1\t2\n", YES, NULL, NULL, "a|b", "1 2", 1, NULL},
        /* marks of missing values among names */
        {"RI,Na,K\n1,2,3\n", AUTO, NULL, NULL, "RI|Na|K", "1 2 3", 1, NULL},
        {"NA,NA\n1,2\n", YES, NULL, NULL, "NA|NA", "1 2", 1, NULL},
        {",0,1\n0,.5,.6\n1,.7,.8\n", AUTO, NULL, NULL, "0|1", "0.5 0.6", 2, "left out"},
        {",a,b\n0,5,6\n1,7,8\n", AUTO, "1-3", NULL, "-|a|b", "0 5 6", 2, NULL},
        {",a,b\n0,5,6\n1,7,8\n", AUTO, NULL, "b", "a", "5", 2, "left out"},
        {"\"a\",\"b\"\n\"Mazda\",5,6\n\"Fiat\",7,8\n", AUTO, NULL, "1", "a|b", "5 6", 2, NULL},
        /* columns that are chosen; the others need not be numbers */
        {"a,b,c\n1,2,3\n", AUTO, "c,a", NULL, "c|a", "3 1", 1, NULL},
        {"a,b,c\n1,2,3\n", AUTO, "2-3", NULL, "b|c", "2 3", 1, NULL},
        {"a,b,c\n1,2,3\n", AUTO, " 3 , \"a\"", NULL, "c|a", "3 1", 1, NULL},
        {"a,b,c\n1,2,3\n", AUTO, NULL, "b", "a|c", "1 3", 1, NULL},
        {"a,b,c\n1,2,3\n", AUTO, "1-3", "a", "b|c", "2 3", 1, NULL},
        {"a,name\n1,Ann\n2,Bob\n", AUTO, NULL, "name", "a", "1", 2, NULL},
        {"1,Ann\n2,Bob\n", AUTO, NULL, "2", "", "1", 2, NULL},
        {"1,Ann\n2,Bob\n", AUTO, "1", NULL, "", "1", 2, NULL},
        {"2020,\"a,b\",say \"\"x\"\"\n1,2,3\n", AUTO, "\"2020\",\"a,b\"", NULL, "2020|a,b", "1 2",
         1, NULL},
        {"x-1,x-2\n1,2\n", AUTO, "x-2", NULL, "x-2", "2", 1, NULL},
        {"a,a,b\n1,2,3\n", AUTO, "2,b", NULL, "a|b", "2 3", 1, NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        table t = {.rows = {.wide = NULL}};
        spoken said = {0};
        char names[200], first[200] = "";
        open_context(2);
        ASSERT_OK(ddaebm_context_set_log(context, listen, &said, DDAEBM_LOG_INFO));
        const char *text = rows[i].text;
        ddaebm_status status =
            parse_bytes(&t, text, strlen(text), rows[i].header, rows[i].columns, rows[i].drop);
        ck_assert_msg(status == DDAEBM_OK, "%zu: %s: %s", i, text, ddaebm_error_message());
        join_names(names, sizeof names, &t);
        for (size_t j = 0, used = 0; j < t.rows.width; j++)
            used += (size_t)snprintf(first + used, sizeof first - used, "%s%g", j > 0 ? " " : "",
                                     t.rows.wide[j]);
        ck_assert_msg(strcmp(names, rows[i].names) == 0, "%zu: %s has the names %s", i, text,
                      names);
        ck_assert_msg(strcmp(first, rows[i].first) == 0, "%zu: %s begins with %s", i, text, first);
        ck_assert_msg(t.rows.count == rows[i].count, "%zu: %s has %zu rows", i, text, t.rows.count);
        ck_assert_msg(said.lines == (rows[i].said ? 1 : 0), "%zu: %s: %zu lines, %s", i, text,
                      said.lines, said.last);
        ck_assert_msg(!rows[i].said || strstr(said.last, rows[i].said), "%zu: %s: %s", i, text,
                      said.last);
        release(&t);
        close_context();
    }
}
END_TEST

START_TEST(lists_of_columns_must_make_sense) {
    static const struct {
        const char *columns, *drop;
        ddaebm_status status;
        const char *why;
    } rows[] = {
        {"x", NULL, DDAEBM_NOT_FOUND, "--columns: no column is named 'x'; there are a,b,b"},
        {NULL, "A", DDAEBM_NOT_FOUND, "--drop: no column is named 'A'; the nearest is 'a'"},
        {"4", NULL, DDAEBM_NOT_FOUND, "there is no column 4; the table has 1 to 3"},
        {"0", NULL, DDAEBM_NOT_FOUND, "there is no column 0"},
        {"2-4", NULL, DDAEBM_NOT_FOUND, "there is no column 2-4"},
        {"99999999999999999999", NULL, DDAEBM_NOT_FOUND, "there is no column 99999999999999999999"},
        {"3-1", NULL, DDAEBM_INVALID_ARGUMENT, "3-1 is not a range"},
        {"a,1", NULL, DDAEBM_INVALID_ARGUMENT, "column 1 stands there twice"},
        {"b", NULL, DDAEBM_INVALID_ARGUMENT, "columns 2 and 3 are both named 'b'"},
        {"a,,2", NULL, DDAEBM_INVALID_ARGUMENT, "--columns is 'a,,2'; allowed"},
        {"a,", NULL, DDAEBM_INVALID_ARGUMENT, "--columns is 'a,'"},
        {"", NULL, DDAEBM_INVALID_ARGUMENT, "--columns is ''"},
        {"\"a", NULL, DDAEBM_INVALID_ARGUMENT, "--columns is '\"a'"},
        {"\"a\"b", NULL, DDAEBM_INVALID_ARGUMENT, "columns is"},
        {NULL, "1-3", DDAEBM_OUT_OF_RANGE, "no column is left of the table's 3"},
        {"a", "a", DDAEBM_OUT_OF_RANGE, "no column is left"},
    };
    static const char text[] = "a,b,b\n1,2,3\n", bare[] = "1,2,3\n";
    open_context(2);
    table t = {.rows = {.wide = NULL}};
    size_t live = counted.live;

    ASSERT_FAILS(parse_bytes(&t, "a,a\n1,2\n", 8, AUTO, "a", NULL), DDAEBM_INVALID_ARGUMENT,
                 "columns 1 and 2 are both named 'a'");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ASSERT_FAILS(parse_bytes(&t, text, sizeof text - 1, AUTO, rows[i].columns, rows[i].drop),
                     rows[i].status, rows[i].why);
        ck_assert_uint_eq(counted.live, live);
    }

    static const char petals[] = "petal_length,\"petal, width\",petal width\n1,2,3\n";
    ASSERT_FAILS(parse_bytes(&t, petals, sizeof petals - 1, AUTO, "petal_lenght", NULL),
                 DDAEBM_NOT_FOUND, "the nearest is 'petal_length'");
    ASSERT_FAILS(parse_bytes(&t, petals, sizeof petals - 1, AUTO, NULL, "Petal Width"),
                 DDAEBM_NOT_FOUND, "the nearest is 'petal width'");
    ASSERT_FAILS(parse_bytes(&t, petals, sizeof petals - 1, AUTO, "colour", NULL), DDAEBM_NOT_FOUND,
                 "there are petal_length,\"petal, width\",petal width");
    ASSERT_FAILS(parse_bytes(&t, bare, sizeof bare - 1, NO, "a", NULL), DDAEBM_NOT_FOUND,
                 "the table has no names");
    ASSERT_FAILS(parse_bytes(&t, bare, sizeof bare - 1, YES, NULL, NULL), DDAEBM_FORMAT,
                 "no rows of numbers");
    ASSERT_FAILS(parse_bytes(&t, text, sizeof text - 1, NO, NULL, NULL), DDAEBM_FORMAT,
                 "line 1, column 1: 'a' is not a number");
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("csv", separators_are_found, frills_do_not_matter, one_header_is_skipped,
                     bad_text_is_refused_with_its_place, rows_may_be_wide_up_to_the_limit,
                     the_locale_does_not_matter, headers_and_columns_are_found,
                     lists_of_columns_must_make_sense, memory_may_run_out, every_cut_is_survived);
}
