#include "io/npy.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "base/excerpt.h"
#include "base/half.h"
#include "io/text.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "files are read and written as they lie in memory");

enum { MAGIC = 6, MOST_HEADER = 1 << 20, MOST_RANK = 32 };
static const unsigned char magic[MAGIC] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

/* A type of element. */
struct element {
    char type[3]; /* kind and size, as the file names them */
    size_t size;
    double (*read)(const unsigned char *bytes); /* reads one, little-endian, at any alignment */
    bool wide;                                  /* a float may not hold it */
};

struct header {
    const struct element *element;
    bool swap, fortran;
    size_t rank, shape[MOST_RANK];
};

#define READ_AS(name, type)                                                                        \
    static double name(const unsigned char *bytes) {                                               \
        type value;                                                                                \
        memcpy(&value, bytes, sizeof value);                                                       \
        return (double)value;                                                                      \
    }
READ_AS(read_f4, float)
READ_AS(read_f8, double)
READ_AS(read_u1, uint8_t)
READ_AS(read_i1, int8_t)
READ_AS(read_u2, uint16_t)
READ_AS(read_i2, int16_t)
READ_AS(read_u4, uint32_t)
READ_AS(read_i4, int32_t)
READ_AS(read_u8, uint64_t)
READ_AS(read_i8, int64_t)
#undef READ_AS

static double read_b1(const unsigned char *bytes) {
    return *bytes != 0;
}

static double read_f2(const unsigned char *bytes) {
    return (double)dd_half_to_float((uint16_t)(bytes[0] | bytes[1] << 8));
}

static const struct element elements[] = {
    {"f2", 2, read_f2, false}, {"f4", 4, read_f4, false}, {"f8", 8, read_f8, true},
    {"u1", 1, read_u1, false}, {"i1", 1, read_i1, false}, {"u2", 2, read_u2, false},
    {"i2", 2, read_i2, false}, {"u4", 4, read_u4, true},  {"i4", 4, read_i4, true},
    {"u8", 8, read_u8, true},  {"i8", 8, read_i8, true},  {"b1", 1, read_b1, false},
};

bool dd_npy_recognise(const void *data, size_t size) {
    return size >= MAGIC && memcmp(data, magic, MAGIC) == 0;
}

/* A position in the header's text, a Python dictionary. */
struct scanner {
    const char *at, *end;
};

static ddaebm_status malformed(const char *what) {
    return dd_fail(DDAEBM_FORMAT, "its NPY header is malformed: %s", what);
}

static void skip_spaces(struct scanner *scanner) {
    while (scanner->at < scanner->end &&
           (*scanner->at == ' ' || *scanner->at == '\t' || *scanner->at == '\n'))
        scanner->at++;
}

/* Skips blanks, and the character if it is next; returns whether it was. */
static bool take(struct scanner *scanner, char c) {
    skip_spaces(scanner);
    if (scanner->at == scanner->end || *scanner->at != c)
        return false;
    scanner->at++;
    return true;
}

static bool take_word(struct scanner *scanner, const char *word) {
    size_t length = strlen(word);
    skip_spaces(scanner);
    if ((size_t)(scanner->end - scanner->at) < length || memcmp(scanner->at, word, length) != 0)
        return false;
    scanner->at += length;
    return true;
}

/* Reads a text in single or double quotes, without escapes. */
static bool take_text(struct scanner *scanner, const char **text, size_t *length) {
    skip_spaces(scanner);
    if (scanner->at == scanner->end || (*scanner->at != '\'' && *scanner->at != '"'))
        return false;
    const char *start = scanner->at + 1,
               *stop = memchr(start, *scanner->at, (size_t)(scanner->end - start));
    if (!stop)
        return false;
    *text = start;
    *length = (size_t)(stop - start);
    scanner->at = stop + 1;
    return true;
}

/* Reads a type such as '<f4'. */
static ddaebm_status read_type(struct header *header, struct scanner *scanner) {
    const char *text = NULL;
    size_t length = 0;
    char quote[DD_EXCERPT_ROOM];
    if (take(scanner, '['))
        return dd_fail(DDAEBM_UNSUPPORTED,
                       "its elements are records; write one array of plain numbers");
    if (!take_text(scanner, &text, &length))
        return malformed("descr is not a string");

    for (size_t i = 0; length == 3 && i < sizeof elements / sizeof *elements; i++)
        if (memcmp(text + 1, elements[i].type, 2) == 0 && memchr("<>|", text[0], 3) &&
            (text[0] != '|' || elements[i].size == 1)) {
            header->element = &elements[i];
            header->swap = text[0] == '>';
            return DDAEBM_OK;
        }
    return dd_fail(DDAEBM_UNSUPPORTED,
                   "its elements have type '%s'; known: f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1, of "
                   "either byte order",
                   dd_excerpt(quote, text, length));
}

static ddaebm_status read_order(struct header *header, struct scanner *scanner) {
    header->fortran = take_word(scanner, "True");
    if (!header->fortran && !take_word(scanner, "False"))
        return malformed("fortran_order is neither True nor False");
    return DDAEBM_OK;
}

/* Reads the length of one axis. */
static ddaebm_status read_size(struct header *header, struct scanner *scanner) {
    uint64_t value = 0;
    const char *start = scanner->at;

    for (; scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9'; scanner->at++)
        if (value <= INT32_MAX)
            value = value * 10 + (uint64_t)(*scanner->at - '0');
    if (scanner->at == start)
        return malformed("shape is not a tuple of sizes");

    (void)take(scanner, 'L'); /* long integers of Python 2 */
    if (header->rank == MOST_RANK)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "it has more than %d axes", MOST_RANK);
    if (value > INT32_MAX)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "axis %zu is longer than the %d allowed", header->rank,
                       INT32_MAX);
    if (value == 0)
        return dd_fail(DDAEBM_FORMAT, "it is empty: axis %zu has length 0", header->rank);

    header->shape[header->rank++] = (size_t)value;
    return DDAEBM_OK;
}

/* Reads a tuple of lengths, such as (3, 4). */
static ddaebm_status read_shape(struct header *header, struct scanner *scanner) {
    if (!take(scanner, '('))
        return malformed("shape is not a tuple of sizes");

    while (!take(scanner, ')')) {
        ddaebm_status status = read_size(header, scanner);
        if (status != DDAEBM_OK)
            return status;
        if (!take(scanner, ',') && !(scanner->at < scanner->end && *scanner->at == ')'))
            return malformed("shape is not a tuple of sizes");
    }

    if (header->rank == 0)
        return dd_fail(
            DDAEBM_UNSUPPORTED,
            "it holds a single number without an axis; its shape must have at least one");
    return DDAEBM_OK;
}

/* Reads {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } with its keys in any order. */
static ddaebm_status read_dictionary(struct header *header, struct scanner *scanner) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    static ddaebm_status (*const readers[])(struct header *,
                                            struct scanner *) = {read_type, read_order, read_shape};
    bool seen[] = {false, false, false};
    if (!take(scanner, '{'))
        return malformed("it is not a dictionary");

    while (!take(scanner, '}')) {
        const char *text = NULL;
        size_t length = 0, key = 0;
        if (!take_text(scanner, &text, &length) || !take(scanner, ':'))
            return malformed("a key is expected");
        while (key < 3 && (strlen(keys[key]) != length || memcmp(keys[key], text, length) != 0))
            key++;
        if (key == 3 || seen[key])
            return malformed("a key is unknown or comes twice");
        seen[key] = true;
        ddaebm_status status = readers[key](header, scanner);
        if (status != DDAEBM_OK)
            return status;
        if (!take(scanner, ',') && !(scanner->at < scanner->end && *scanner->at == '}'))
            return malformed("a comma is missing");
    }

    skip_spaces(scanner);
    if (scanner->at != scanner->end)
        return malformed("text follows the dictionary");
    return seen[0] && seen[1] && seen[2] ? DDAEBM_OK
                                         : malformed("descr, fortran_order or shape is missing");
}

/* Reads the header; sets *data_at to the place of the first element. */
static ddaebm_status read_header(struct header *header, const unsigned char *bytes, size_t size,
                                 size_t *data_at) {
    size_t begin = MAGIC + 4;
    if (!dd_npy_recognise(bytes, size))
        return dd_fail(DDAEBM_FORMAT, "it is not an NPY file");
    if (size < begin)
        return dd_fail(DDAEBM_FORMAT, "it is cut off within its header");

    unsigned major = bytes[MAGIC];
    if (major < 1 || major > 3)
        return dd_fail(DDAEBM_UNSUPPORTED, "it has NPY version %u; known: 1 to 3", major);
    size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (major > 1) {
        begin += 2;
        if (size < begin)
            return dd_fail(DDAEBM_FORMAT, "it is cut off within its header");
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    }

    if (length > MOST_HEADER)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "its header claims %zu bytes; at most %d are allowed",
                       length, MOST_HEADER);
    if (length > size - begin)
        return dd_fail(DDAEBM_FORMAT, "it is cut off within its header");

    *data_at = begin + length;
    struct scanner scanner = {(const char *)bytes + begin, (const char *)bytes + begin + length};
    return read_dictionary(header, &scanner);
}

/* Finds the size of the table and compares it with the bytes that are there. */
static ddaebm_status measure(dd_rows *rows, const struct header *header, size_t there) {
    size_t width = 1, count = 0, bytes = 0;
    for (size_t i = 1; i < header->rank; i++)
        if (!dd_size_mul(&width, width, header->shape[i]) || width > DD_MOST_WIDTH)
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "its rows, all axes but the first, hold more than %d numbers",
                           DD_MOST_WIDTH);

    if (!dd_size_mul(&count, width, header->shape[0]) ||
        !dd_size_mul(&bytes, count, header->element->size))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "its shape exceeds the address space");
    if (bytes != there)
        return dd_fail(DDAEBM_FORMAT,
                       "its shape and type ask for %zu bytes of numbers, the file has %zu", bytes,
                       there);

    rows->count = header->shape[0];
    rows->width = width;
    return DDAEBM_OK;
}

static double read_element(const struct header *header, const unsigned char *bytes) {
    unsigned char turned[8];
    if (!header->swap)
        return header->element->read(bytes);
    for (size_t i = 0; i < header->element->size; i++)
        turned[i] = bytes[header->element->size - 1 - i];
    return header->element->read(turned);
}

/* Where elements are written to: exactly one is set. */
struct target {
    float *floats;
    double *doubles;
    uint8_t *bytes;
};

static void put(const struct target *out, size_t at, const struct header *header,
                const unsigned char *bytes) {
    if (out->bytes)
        out->bytes[at] = *bytes;
    else if (out->doubles)
        out->doubles[at] = read_element(header, bytes);
    else
        out->floats[at] = (float)read_element(header, bytes);
}

/* Converts the elements in C order. `position` is an element's place in the file, where in Fortran
 * order the first axis runs fastest. */
static void convert(struct target out, size_t count, const struct header *header,
                    const unsigned char *bytes) {
    size_t strides[MOST_RANK], index[MOST_RANK] = {0}, position = 0, stride = 1;
    for (size_t k = 0; k < header->rank; k++) {
        size_t axis = header->fortran ? k : header->rank - 1 - k;
        strides[axis] = stride;
        stride *= header->shape[axis];
    }

    for (size_t i = 0; i < count; i++) {
        put(&out, i, header, bytes + position * header->element->size);
        for (size_t axis = header->rank; axis-- > 0;) {
            position += strides[axis];
            if (++index[axis] < header->shape[axis])
                break;
            position -= strides[axis] * header->shape[axis];
            index[axis] = 0;
        }
    }
}

/* Reads rows: as doubles if the type needs them and `narrow` is not set, else as floats. */
static ddaebm_status parse(dd_rows *out, ddaebm_context *context, const void *data, size_t size,
                           bool narrow) {
    struct header header = {NULL, false, false, 0, {0}};
    dd_rows rows = {.count = 0};
    size_t data_at = 0, bytes = 0;
    ddaebm_status status = read_header(&header, data, size, &data_at);
    if (status == DDAEBM_OK)
        status = measure(&rows, &header, size - data_at);
    if (status != DDAEBM_OK)
        return status;

    const bool wide = header.element->wide && !narrow;
    if (!dd_size_mul(&bytes, rows.count * rows.width, wide ? sizeof(double) : sizeof(float)))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "its shape exceeds the address space");
    void *numbers = dd_alloc(context, bytes);
    if (!numbers)
        return DDAEBM_OUT_OF_MEMORY;
    rows.values = wide ? NULL : numbers;
    rows.wide = wide ? numbers : NULL;

    const unsigned char *from = (const unsigned char *)data + data_at;
    if (header.element->read == (wide ? read_f8 : read_f4) && !header.swap && !header.fortran)
        memcpy(numbers, from, bytes);
    else
        convert((struct target){rows.values, rows.wide, NULL}, rows.count * rows.width, &header,
                from);
    *out = rows;
    return DDAEBM_OK;
}

ddaebm_status dd_npy_parse(dd_rows *out, ddaebm_context *context, const void *data, size_t size) {
    return parse(out, context, data, size, false);
}

ddaebm_status dd_npy_parse_floats(dd_rows *out, ddaebm_context *context, const void *data,
                                  size_t size) {
    return parse(out, context, data, size, true);
}

ddaebm_status dd_npy_look(dd_array_axes *out, const void *data, size_t size) {
    struct header header = {NULL, false, false, 0, {0}};
    size_t data_at = 0;
    ddaebm_status status = read_header(&header, data, size, &data_at);
    if (status != DDAEBM_OK)
        return status;

    const char kind = header.element->type[0];
    *out = (dd_array_axes){.rank = header.rank};
    out->kind = kind == 'b'                       ? DD_BOOLEANS
                : kind == 'f'                     ? DD_FRACTIONS
                : header.element->read == read_u1 ? DD_BYTES
                                                  : DD_INTEGERS;

    for (size_t i = 0; i < header.rank && i < DD_ARRAY_AXES; i++)
        out->length[i] = header.shape[i];
    return DDAEBM_OK;
}

ddaebm_status dd_npy_parse_bytes(dd_images *out, ddaebm_context *context, const void *data,
                                 size_t size, dd_image_shape shape) {
    struct header header = {NULL, false, false, 0, {0}};
    dd_rows rows = {.count = 0};
    size_t data_at = 0, bytes = 0;
    ddaebm_status status = read_header(&header, data, size, &data_at);
    if (status == DDAEBM_OK)
        status = measure(&rows, &header, size - data_at);
    if (status == DDAEBM_OK)
        status = dd_images_measure(&bytes, dd_context_most(context, DDAEBM_LIMIT_FILE_BYTES), shape,
                                   rows.count);
    if (status != DDAEBM_OK)
        return status;

    uint8_t *block = dd_alloc(context, bytes);
    if (!block)
        return DDAEBM_OUT_OF_MEMORY;
    const unsigned char *from = (const unsigned char *)data + data_at;
    if (header.fortran)
        convert((struct target){NULL, NULL, block}, bytes, &header, from);
    else
        memcpy(block, from, bytes);
    *out = (dd_images){.shape = shape, .count = rows.count, .block = block, .pixels = block};
    return DDAEBM_OK;
}
