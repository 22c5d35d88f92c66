#include "io/text.h"

#include "base/utf8.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* A decimal number in parts: its value is digits * 10^exponent. */
struct decimal {
    uint64_t digits;
    int exponent;
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Takes one digit in; what no longer fits 64 bits only moves the exponent, an error below 1e-18 of the value. */
static void take_digit(struct decimal *number, char c, bool after_point) {
    if (number->digits <= (UINT64_MAX - 9) / 10) {
        number->digits = number->digits * 10 + (uint64_t)(c - '0');
        if (after_point && number->exponent > -INT_MAX / 4)
            number->exponent--;
    } else if (!after_point && number->exponent < INT_MAX / 4) {
        number->exponent++;
    }
}

/* "e-12"; false if it is not that, to the end of the text. */
static bool take_exponent(struct decimal *number, const char *text, const char *end) {
    bool negative = false;
    if (++text < end && (*text == '+' || *text == '-'))
        negative = *text++ == '-';
    if (text == end)
        return false;
    int value = 0;
    for (; text < end; text++) {
        if (!is_digit(*text))
            return false;
        if (value < INT_MAX / 40)
            value = value * 10 + (*text - '0');
    }
    number->exponent += negative ? -value : value;
    return true;
}

static bool take_decimal(struct decimal *number, const char *text, const char *end) {
    bool after_point = false;
    size_t count = 0;
    for (; text < end; text++) {
        if (is_digit(*text)) {
            take_digit(number, *text, after_point);
            count++;
        } else if (*text == '.' && !after_point) {
            after_point = true;
        } else {
            break;
        }
    }
    if (count == 0)
        return false;
    if (text < end && (*text == 'e' || *text == 'E'))
        return take_exponent(number, text, end);
    return text == end;
}

/* Up to 2^53 and 10^22 a double holds both parts, so one operation rounds once. Beyond, long double carries more bits than a float
 * can notice. */
static float compose(const struct decimal *number) {
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int exponent = number->exponent, size = exponent < 0 ? -exponent : exponent;
    if (number->digits == 0)
        return 0.0f;
    if (number->digits <= UINT64_C(1) << 53 && size <= 22) {
        double digits = (double)number->digits;
        return (float)(exponent < 0 ? digits / exact[size] : digits * exact[size]);
    }
    long double power = 1.0L, base = 10.0L;
    for (int left = size > 300 ? 300 : size; left > 0; left >>= 1, base *= base)
        if (left & 1)
            power *= base;
    long double digits = (long double)number->digits;
    return (float)(exponent < 0 ? digits / power : digits * power);
}

static bool is_word(const char *text, size_t length, const char *word) {
    if (strlen(word) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((text[i] | 0x20) != word[i])
            return false;
    return true;
}

bool dd_text_number(float *out, const char *text, size_t length) {
    const char *end = text + length;
    bool negative = false;
    if (text < end && (*text == '+' || *text == '-'))
        negative = *text++ == '-';
    struct decimal number = {0, 0};
    float value = 0.0f;
    if (take_decimal(&number, text, end))
        value = compose(&number);
    else if (is_word(text, (size_t)(end - text), "nan"))
        value = NAN;
    else if (is_word(text, (size_t)(end - text), "inf") || is_word(text, (size_t)(end - text), "infinity"))
        value = INFINITY;
    else
        return false;
    *out = negative ? -value : value;
    return true;
}

const char *dd_text_quote(char out[DD_TEXT_QUOTE], const char *text, size_t length) {
    const size_t most = DD_TEXT_QUOTE - 6; /* two quotes, three dots and the end */
    size_t shown = length > most ? dd_utf8_cut(text, most) : length;
    if (shown == 0 && length > most)
        shown = most; /* no character is so long: what it is all the same */
    char *to = out;
    *to++ = '\'';
    for (size_t i = 0; i < shown; i++)
        *to++ = text[i] ? text[i] : '?';
    strcpy(to, shown < length ? "'..." : "'");
    return out;
}
