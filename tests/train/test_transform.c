/* Transformations of data: volumes are kept, inverses come as often, the margin stays, and all
 * kinds come. */
#define _GNU_SOURCE
#include "train/transform.h"

#include "base/rng.h"
#include "config/config.h"
#include "support/counted.h"
#include "support/small.h"

#include <math.h>

enum { DRAWS = 4000, MOST = 12 * 12 * 2 };

static dd_settings settings_of(int size, int padding, int channels) {
    char changes[160];
    (void)snprintf(changes, sizeof changes,
                   "\"data.image_size\":%d,\"data.padding\":%d,\"data.channels\":%d,\"network."
                   "family\":\"%s\",\"data.width\":3",
                   size, padding, channels, size > 0 ? "ncsnpp" : "mlp");
    ddaebm_config *config = small_config(context, changes);
    dd_settings settings = *dd_config_settings(config);
    ddaebm_config_free(config);
    return settings;
}

static void count_up(float *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(i + 1);
}

static const struct {
    int size, padding, channels;
} shapes[] = {{0, 0, 1}, {8, 0, 1}, {12, 2, 2}, {8, 1, 1}, {9, 1, 2}, {8, 3, 1}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Every number comes out once, as it is or negated: a signed permutation, which keeps volumes and
 * N(0, I). */
START_TEST(every_number_is_kept) {
    for (int i = 0; i < SHAPES; i++) {
        dd_settings settings = settings_of(shapes[i].size, shapes[i].padding, shapes[i].channels);
        size_t width = dd_settings_inner_width(&settings), moved = 0;
        float in[MOST], out[MOST];
        count_up(in, width);
        for (uint64_t n = 0; n < 200; n++) {
            bool seen[MOST + 1] = {false};
            dd_transform(&settings, 1, 2, n, in, out);
            for (size_t j = 0; j < width; j++) {
                size_t was = (size_t)fabsf(out[j]);
                ck_assert(was >= 1 && was <= width && !seen[was]);
                seen[was] = true;
            }
            moved += memcmp(in, out, width * sizeof *in) != 0;
        }
        ck_assert_uint_gt(moved, 150);
    }
}
END_TEST

START_TEST(margins_stay_and_channels_move_together) {
    dd_settings settings = settings_of(12, 2, 2);
    float in[MOST], out[MOST];
    count_up(in, MOST);
    for (uint64_t n = 0; n < 200; n++) {
        dd_transform(&settings, 1, 2, n, in, out);
        for (size_t y = 0; y < 12; y++)
            for (size_t x = 0; x < 12; x++) {
                const float *pixel = out + (y * 12 + x) * 2;
                ck_assert_float_eq(fabsf(pixel[1] - pixel[0]), 1);
                if (y < 2 || y >= 10 || x < 2 || x >= 10)
                    ck_assert_float_eq(pixel[0], in[(y * 12 + x) * 2]);
            }
    }
}
END_TEST

/* On an image of 2 x 2 pixels there are few transformations. Each comes as often as the one that
 * undoes it, within five standard errors. */
START_TEST(inverses_come_as_often) {
    enum { SIDE = 2, WHOLE = 8, CODES = 5 * 5 * 5 * 5 * 2 };
    static int counts[CODES], inverses[CODES];
    dd_settings settings = settings_of(WHOLE, 3, 1);
    float in[MOST], out[MOST];
    int kinds = 0;
    count_up(in, WHOLE * WHOLE);
    for (uint64_t n = 0; n < DRAWS; n++) {
        int map[SIDE * SIDE], code = 0, inverse = 0;
        dd_transform(&settings, 9, 4, n, in, out);
        bool negated = out[3 * WHOLE + 3] < 0;
        for (int i = 0; i < SIDE * SIDE; i++) {
            int from = (int)fabsf(out[(3 + i / SIDE) * WHOLE + 3 + i % SIDE]) - 1;
            map[i] = (from / WHOLE - 3) * SIDE + from % WHOLE - 3;
        }
        for (int i = 0; i < SIDE * SIDE; i++)
            code = 5 * code + map[i];
        for (int i = 0; i < SIDE * SIDE; i++)
            for (int j = 0; j < SIDE * SIDE; j++)
                if (map[j] == i)
                    inverse = 5 * inverse + j;
        counts[2 * code + negated]++;
        inverses[2 * code + negated] = 2 * inverse + negated;
    }
    for (int code = 0; code < CODES; code++) {
        if (counts[code] == 0)
            continue;
        kinds++;
        double there = counts[code], back = counts[inverses[code]];
        ck_assert_msg(fabs(there - back) <= 5 * sqrt(there + back), "%g and %g", there, back);
    }
    ck_assert_int_ge(kinds, 8);
}
END_TEST

enum { BLOCKS_SIDE = 8 };

static int source_of(const float *out, int y, int x) {
    return (int)out[y * BLOCKS_SIDE + x] - 1;
}

/* Returns whether squares of `block` pixels have moved as wholes. */
static bool keeps_blocks(const float *out, int block) {
    for (int y = 0; y < BLOCKS_SIDE; y++)
        for (int x = 0; x < BLOCKS_SIDE; x++)
            if (source_of(out, y, x) !=
                source_of(out, y - y % block, x - x % block) + y % block * BLOCKS_SIDE + x % block)
                return false;
    return true;
}

static bool is_shift(const float *out) {
    int down = source_of(out, 0, 0) / BLOCKS_SIDE, right = source_of(out, 0, 0) % BLOCKS_SIDE;
    for (int y = 0; y < BLOCKS_SIDE; y++)
        for (int x = 0; x < BLOCKS_SIDE; x++)
            if (source_of(out, y, x) !=
                (y + down) % BLOCKS_SIDE * BLOCKS_SIDE + (x + right) % BLOCKS_SIDE)
                return false;
    return true;
}

/* Of 8 pixels on a side: 2 and 4. */
START_TEST(blocks_of_each_size_come) {
    dd_settings settings = settings_of(BLOCKS_SIDE, 0, 1);
    float in[MOST], out[MOST];
    int fours = 0, twos = 0;
    count_up(in, BLOCKS_SIDE * BLOCKS_SIDE);
    for (uint64_t n = 0; n < 400; n++) {
        dd_transform(&settings, 3, 2, n, in, out);
        if (is_shift(out))
            continue;
        fours += keeps_blocks(out, 4);
        twos += keeps_blocks(out, 2) && !keeps_blocks(out, 4);
    }
    ck_assert_int_gt(fours, 15);
    ck_assert_int_gt(twos, 15);
}
END_TEST

/* One image and its noise, for instance, when they share an index; and other ones at another. */
START_TEST(an_index_is_one_transformation) {
    for (int i = 0; i < SHAPES; i++) {
        dd_settings settings = settings_of(shapes[i].size, shapes[i].padding, shapes[i].channels);
        size_t width = dd_settings_inner_width(&settings);
        float a[MOST], b[MOST], of_a[MOST], of_b[MOST], first[MOST];
        bool differs = false;
        count_up(a, width);
        dd_rng_normals(b, 1, 1, 0, width);
        dd_transform(&settings, 1, 2, 0, a, first);
        for (uint64_t n = 0; n < 20; n++) {
            dd_transform(&settings, 1, 2, n, a, of_a);
            dd_transform(&settings, 1, 2, n, b, of_b);
            for (size_t j = 0; j < width; j++) {
                size_t from = (size_t)fabsf(of_a[j]) - 1;
                ck_assert_float_eq(of_b[j], of_a[j] < 0 ? -b[from] : b[from]);
            }
            differs = differs || memcmp(of_a, first, width * sizeof *a) != 0;
        }
        ck_assert(differs);
    }
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("transform", every_number_is_kept, margins_stay_and_channels_move_together,
                     blocks_of_each_size_come, inverses_come_as_often,
                     an_index_is_one_transformation);
}
