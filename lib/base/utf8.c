#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

size_t dd_utf8_size(const char *text, size_t length) {
    const unsigned char *byte = (const unsigned char *)text;
    if (byte[0] < 0x80)
        return 1;

    size_t size = byte[0] >= 0xC2 && byte[0] < 0xE0   ? 2
                  : (byte[0] & 0xF0) == 0xE0          ? 3
                  : byte[0] >= 0xF0 && byte[0] < 0xF5 ? 4
                                                      : 0;
    if (size == 0 || size > length)
        return 0;

    for (size_t i = 1; i < size; i++)
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (byte[0] == 0xE0 && byte[1] < 0xA0) || (byte[0] == 0xF0 && byte[1] < 0x90);
    bool surrogate = byte[0] == 0xED && byte[1] >= 0xA0,
         beyond = byte[0] == 0xF4 && byte[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : size;
}

bool dd_utf8_is_valid(const char *text, size_t length) {
    while (length > 0) {
        size_t size = dd_utf8_size(text, length);
        if (size == 0)
            return false;
        text += size;
        length -= size;
    }
    return true;
}

size_t dd_utf8_cut(const char *text, size_t most) {
    while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80)
        most--;
    return most;
}

/* Decodes a valid character of `size` bytes. */
static uint32_t number(const char *text, size_t size) {
    uint32_t value = (unsigned char)text[0] & (size == 1 ? 0x7Fu : 0xFFu >> (size + 1));
    for (size_t i = 1; i < size; i++)
        value = value << 6 | ((unsigned char)text[i] & 0x3Fu);
    return value;
}

static bool is_printable(uint32_t c) {
    static const uint32_t others[][2] = {{0, 0x1F},        {0x7F, 0x9F},     {0x61C, 0x61C},
                                         {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069},
                                         {0xFEFF, 0xFEFF}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (c >= others[i][0] && c <= others[i][1])
            return false;
    return true;
}

void dd_utf8_make_printable(char *text) {
    char *to = text;
    for (size_t left = strlen(text); left > 0;) {
        size_t size = dd_utf8_size(text, left), step = size ? size : 1;
        if (size > 0 && is_printable(number(text, size))) {
            memmove(to, text, size);
            to += size;
        } else
            *to++ = '?';
        text += step;
        left -= step;
    }
    *to = '\0';
}
