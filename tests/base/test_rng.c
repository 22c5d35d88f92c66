/* The counter-based generator: the published vectors, streams that can be cut anywhere, the shapes
 * of the distributions, and permutations. */
#include "base/rng.h"
#include "support/runner.h"

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM = 200, MANY = 1 << 20 };

/* From Random123's kat_vectors (Salmon et al., SC 2011), philox4x32 with 10 rounds; words lowest
 * first. */
static const struct {
    uint32_t counter[4], key[2], out[4];
} known[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

START_TEST(philox_gives_the_published_words) {
    uint32_t out[4];
    const uint32_t *c = known[_i].counter, *k = known[_i].key;
    dd_philox(out, (uint64_t)k[1] << 32 | k[0], (uint64_t)c[1] << 32 | c[0],
              (uint64_t)c[3] << 32 | c[2]);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(out[i], known[_i].out[i]);
}
END_TEST

/* Checkpoints and golden files rest on these: element i of a stream is word i % 4 of block i / 4,
 * with the stream in the counter's upper half. */
START_TEST(streams_are_laid_out_as_documented) {
    const uint64_t seed = 0x0123456789abcdef, stream = dd_stream(DD_STREAM_LATENT, 12345);
    ck_assert(stream == (UINT64_C(9) << 56) + 12345);
    uint32_t words[STREAM], block[4];
    float uniforms[STREAM], normals[STREAM];
    dd_rng_words(words, seed, stream, 0, STREAM);
    dd_rng_uniforms(uniforms, seed, stream, 0, STREAM);
    dd_rng_normals(normals, seed, stream, 0, STREAM);
    for (size_t i = 0; i < STREAM; i++) {
        dd_philox(block, seed, i / 4, stream);
        ck_assert_uint_eq(words[i], block[i % 4]);
        double u = (double)(words[i] >> 9) + 0.5, v = (double)(words[i ^ 1] >> 9) + 0.5;
        ck_assert_double_eq((double)uniforms[i], u / (1 << 23));
        double radius = sqrt(-2 * log((i % 2 ? v : u) / (1 << 23))),
               angle = 2 * acos(-1) * (i % 2 ? u : v) / (1 << 23);
        double normal = radius * (i % 2 ? sin(angle) : cos(angle));
        ck_assert_double_le(fabs((double)normals[i] - normal), 3e-6);
    }
}
END_TEST

START_TEST(any_part_is_the_same_as_in_the_whole) {
    uint32_t words[STREAM], some_words[STREAM + 1];
    float uniforms[STREAM], normals[STREAM], some[STREAM + 1];
    const uint64_t far = (uint64_t)_i << 61; /* and where the position needs all of its bits */
    dd_rng_words(words, 3, 4, far, STREAM);
    dd_rng_uniforms(uniforms, 3, 4, far, STREAM);
    dd_rng_normals(normals, 3, 4, far, STREAM);
    for (size_t first = 0; first < 20; first++)
        for (size_t count = 0; first + count <= STREAM; count += count < 20 ? 1 : 37) {
            some_words[count] = 99;
            dd_rng_words(some_words, 3, 4, far + first, count);
            ck_assert_uint_eq(some_words[count], 99);
            ck_assert(memcmp(some_words, words + first, count * sizeof *words) == 0);
            some[count] = 99;
            dd_rng_uniforms(some, 3, 4, far + first, count);
            ck_assert_float_eq(some[count], 99);
            ck_assert(memcmp(some, uniforms + first, count * sizeof *some) == 0);
            dd_rng_normals(some, 3, 4, far + first, count);
            ck_assert_float_eq(some[count], 99);
            ck_assert(memcmp(some, normals + first, count * sizeof *some) == 0);
        }
}
END_TEST

START_TEST(seeds_and_streams_differ) {
    uint32_t base[8], other[8];
    dd_rng_words(base, 1, 1, 0, 8);
    const uint64_t others[][3] = {{2, 1, 0},
                                  {1, 2, 0},
                                  {1, 1, 8},
                                  {1 + (UINT64_C(1) << 32), 1, 0},
                                  {1, 1 + (UINT64_C(1) << 56), 0}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        dd_rng_words(other, others[i][0], others[i][1], others[i][2], 8);
        for (int j = 0; j < 8; j++)
            ck_assert_uint_ne(base[j], other[j]);
    }
}
END_TEST

static float *numbers(void (*draw)(float *, uint64_t, uint64_t, uint64_t, size_t), uint64_t seed) {
    float *x = calloc(MANY, sizeof *x);
    ck_assert_ptr_nonnull(x);
    draw(x, seed, 7, 0, MANY);
    return x;
}

/* Of (x - about)^power; five standard errors of a mean over MANY are 5e-3 times the term's own
 * deviation. */
static double moment(const float *x, double about, int power) {
    double total = 0;
    for (size_t i = 0; i < MANY; i++)
        total += pow((double)x[i] - about, power);
    return total / MANY;
}

START_TEST(uniforms_are_uniform) {
    float *x = numbers(dd_rng_uniforms, 17);
    size_t bins[64] = {0};
    double chi = 0;
    for (size_t i = 0; i < MANY; i++) {
        ck_assert(x[i] > 0 && x[i] < 1);
        bins[(size_t)(x[i] * 64)]++;
    }
    for (int b = 0; b < 64; b++)
        chi += pow((double)bins[b] - MANY / 64.0, 2) / (MANY / 64.0);
    ck_assert_double_lt(chi, 63 + 5 * sqrt(2 * 63.0));
    ck_assert_double_le(fabs(moment(x, 0.5, 1)), 5e-3 * 0.29);
    ck_assert_double_le(fabs(moment(x, 0.5, 2) - 1.0 / 12), 5e-3 * 0.075);
    free(x);
}
END_TEST

/* At the ends of the words' range, where rounding could give 0 or 1; found by search. */
START_TEST(uniforms_stay_off_the_ends) {
    const uint64_t highest = 1860480, lowest = 5133772;
    uint32_t word;
    float x;
    dd_rng_words(&word, 23, 1, highest, 1);
    dd_rng_uniforms(&x, 23, 1, highest, 1);
    ck_assert_uint_ge(word, 0xFFFFFE00);
    ck_assert_float_eq(x, 1 - 0x1p-24f);
    dd_rng_words(&word, 23, 1, lowest, 1);
    dd_rng_uniforms(&x, 23, 1, lowest, 1);
    ck_assert_uint_lt(word, 0x200);
    ck_assert_float_eq(x, 0x1p-24f);
    dd_rng_normals(&x, 23, 1, lowest, 1); /* the radius is the largest there is */
    ck_assert(isfinite(x) && fabsf(x) < 6);
}
END_TEST

START_TEST(normals_are_normal) {
    float *x = numbers(dd_rng_normals, 18);
    const double expected[] = {0, 0, 1, 0, 3, 0, 15}, deviation[] = {0, 1, 1.42, 3.9, 9.8, 31, 101};
    for (int power = 1; power <= 6; power++)
        ck_assert_double_le(fabs(moment(x, 0, power) - expected[power]), 5e-3 * deviation[power]);
    double neighbours = 0, skipping = 0, squares = 0;
    for (size_t i = 0; i + 2 < MANY; i++) {
        neighbours += (double)x[i] * (double)x[i + 1];
        skipping += (double)x[i] * (double)x[i + 2];
        squares += ((double)x[i] * (double)x[i] - 1) * ((double)x[i + 1] * (double)x[i + 1] - 1);
    }
    ck_assert_double_le(fabs(neighbours / MANY), 5e-3);
    ck_assert_double_le(fabs(skipping / MANY), 5e-3);
    ck_assert_double_le(fabs(squares / MANY), 5e-3 * 2);
    size_t beyond[5] = {0};
    for (size_t i = 0; i < MANY; i++)
        for (int z = 0; z < 5; z++)
            beyond[z] += fabsf(x[i]) > (float)z;
    for (int z = 1; z < 5; z++) {
        double share = erfc(z / sqrt(2)), spread = 5 * sqrt(share / MANY) + 2.0 / MANY;
        ck_assert_double_le(fabs((double)beyond[z] / MANY - share), spread);
    }
    free(x);
}
END_TEST

/* --- Permutations. --- */

static void check_bijection(size_t size, uint64_t seed, uint64_t number) {
    bool *seen = calloc(size, sizeof *seen);
    ck_assert_ptr_nonnull(seen);
    for (size_t i = 0; i < size; i++) {
        uint64_t to = dd_rng_permute(i, size, seed, number);
        ck_assert_msg(to < size && !seen[to], "size %zu: %zu goes to %llu", size, i,
                      (unsigned long long)to);
        seen[to] = true;
    }
    free(seen);
}

START_TEST(permutations_are_bijections) {
    for (size_t size = 1; size < 300; size++)
        check_bijection(size, size, 1);
    const size_t sizes[] = {1023, 1024, 1025, 4095, 4096, 4097, 5000, 65535, 65536, 65537, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_bijection(sizes[i], 5, i);
}
END_TEST

START_TEST(permutations_of_huge_sets_stay_inside) {
    const uint64_t sizes[] = {(UINT64_C(1) << 32) - 1, (UINT64_C(1) << 32) + 1,
                              (UINT64_C(1) << 62) + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint64_t index = 0; index < 100; index++) {
            ck_assert(dd_rng_permute(index, sizes[i], 1, 1) < sizes[i]);
            ck_assert(dd_rng_permute(sizes[i] - 1 - index, sizes[i], 1, 1) < sizes[i]);
        }
}
END_TEST

/* Every place is as likely for every element, and few stay where they are. */
START_TEST(permutations_mix) {
    enum { SIZE = 10, ROUNDS = 20000 };
    size_t counts[SIZE][SIZE] = {{0}};
    double chi = 0;
    for (uint64_t number = 0; number < ROUNDS; number++)
        for (uint64_t i = 0; i < SIZE; i++)
            counts[i][dd_rng_permute(i, SIZE, 77, number)]++;
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++)
            chi += pow((double)counts[i][j] - ROUNDS / (double)SIZE, 2) / (ROUNDS / (double)SIZE);
    ck_assert_double_lt(chi, 81 + 6 * sqrt(2 * 81.0));
    size_t fixed = 0, neighbours = 0;
    for (uint64_t i = 0; i + 1 < 5000; i++) {
        uint64_t a = dd_rng_permute(i, 5000, 3, 4), b = dd_rng_permute(i + 1, 5000, 3, 4);
        fixed += a == i;
        neighbours += a + 1 == b || b + 1 == a;
    }
    ck_assert_uint_le(fixed, 7);
    ck_assert_uint_le(neighbours, 10);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("rng");
    TCase *tests = tcase_create("rng");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, philox_gives_the_published_words, 0,
                        (int)(sizeof known / sizeof *known));
    tcase_add_test(tests, streams_are_laid_out_as_documented);
    tcase_add_loop_test(tests, any_part_is_the_same_as_in_the_whole, 0, 3);
    tcase_add_test(tests, seeds_and_streams_differ);
    tcase_add_test(tests, uniforms_are_uniform);
    tcase_add_test(tests, uniforms_stay_off_the_ends);
    tcase_add_test(tests, normals_are_normal);
    tcase_add_test(tests, permutations_are_bijections);
    tcase_add_test(tests, permutations_of_huge_sets_stay_inside);
    tcase_add_test(tests, permutations_mix);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
