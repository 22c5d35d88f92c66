#include "io/text.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A decimal number in parts: its value is digits * 10^exponent. */
struct decimal {
    uint64_t digits;
    int exponent;
    int written; /* what stands after its e */
};

/* Takes one digit in; what no longer fits 64 bits only moves the exponent, an error below 2^-60 of
 * the value. */
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
        if (!dd_text_is_digit(*text))
            return false;
        if (value < INT_MAX / 40)
            value = value * 10 + (*text - '0');
    }

    number->written = negative ? -value : value;
    number->exponent += number->written;
    return true;
}

/* Reads digits, a point and an exponent; false unless that is all of the text. */
static bool take_decimal(struct decimal *number, const char *text, const char *end) {
    bool after_point = false;
    size_t count = 0;

    for (; text < end; text++) {
        if (dd_text_is_digit(*text)) {
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

/* Returns the nearest double of a number's digits and written exponent, by strtod; without a point,
 * so that no locale matters. Digits beyond the first 800 can only tell on which side of a tie the
 * number lies: one more digit says that. */
static double compose_exactly(const char *text, const char *end, int written) {
    enum { MOST_DIGITS = 800, MOST_EXPONENT = 99999 };
    char room[MOST_DIGITS + 16];
    size_t count = 0;
    long long power = written;
    bool after_point = false, more = false;

    for (; text < end && (dd_text_is_digit(*text) || *text == '.'); text++) {
        if (*text == '.') {
            after_point = true;
            continue;
        }
        bool room_left = count < MOST_DIGITS;
        if (room_left && (count > 0 || *text != '0'))
            room[count++] = *text;
        more = more || (!room_left && *text != '0');
        power += (room_left ? 0 : 1) - (after_point ? 1 : 0);
    }
    if (more) {
        room[count++] = '1';
        power--;
    }

    power = power > MOST_EXPONENT ? MOST_EXPONENT : power < -MOST_EXPONENT ? -MOST_EXPONENT : power;
    (void)snprintf(room + count, sizeof room - count, "e%lld", power);
    return strtod(room, NULL);
}

/* Returns whether long double is wider than double while the program runs. What the compiler says
 * of it does not hold where an emulator, or a host that sets the processor's precision, computes
 * with fewer bits. */
static bool long_double_is_wide(void) {
    volatile long double small = 0x1p-60L;
    return LDBL_MANT_DIG >= 64 && 1.0L + small != 1.0L;
}

/* Sets *out to the nearest double and returns true, if it is certain which one that is. Up to 2^53
 * and 10^22 a double holds both parts, so one operation rounds once. Beyond, a wide long double has
 * bits to spare: its error is below 2^-58. */
static bool compose(double *out, const struct decimal *number) {
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int exponent = number->exponent, size = exponent < 0 ? -exponent : exponent;
    if (number->digits == 0 || (number->digits <= UINT64_C(1) << 53 && size <= 22)) {
        double digits = (double)number->digits;
        *out = number->digits == 0 ? 0 : exponent < 0 ? digits / exact[size] : digits * exact[size];
        return true;
    }
    if (!long_double_is_wide())
        return false;

    long double power = 1.0L, base = 10.0L;
    for (int left = size > 400 ? 400 : size; left > 0; left >>= 1, base *= base)
        if (left & 1)
            power *= base;
    long double digits = (long double)number->digits,
                value = exponent < 0 ? digits / power : digits * power;
    *out = (double)value;
    return (double)(value * (1 - 0x1p-58L)) == *out && (double)(value * (1 + 0x1p-58L)) == *out;
}

bool dd_text_is_word(const char *text, size_t length, const char *word) {
    size_t i = 0;
    while (i < length && word[i] && dd_text_lower(text[i]) == dd_text_lower(word[i]))
        i++;
    return i == length && !word[i];
}

bool dd_text_number(double *out, const char *text, size_t length) {
    const char *end = text + length;
    bool negative = false;
    if (text < end && (*text == '+' || *text == '-'))
        negative = *text++ == '-';

    struct decimal number = {0, 0, 0};
    double value = 0;
    if (take_decimal(&number, text, end))
        value = compose(&value, &number) ? value : compose_exactly(text, end, number.written);
    else if (dd_text_is_word(text, (size_t)(end - text), "nan"))
        value = (double)NAN;
    else if (dd_text_is_word(text, (size_t)(end - text), "inf") ||
             dd_text_is_word(text, (size_t)(end - text), "infinity"))
        value = (double)INFINITY;
    else
        return false;
    *out = negative ? -value : value;
    return true;
}
