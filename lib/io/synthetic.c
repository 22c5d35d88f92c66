#include "io/synthetic.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

/* The parameters are those of the toy data of FFJORD (Grathwohl et al., ICLR 2019) and of the
 * experiments that followed it. Here each row is drawn on its own: classes are drawn where that
 * code has equal numbers of each, and angles are uniform where it takes equal steps. */

enum {
    UNIFORMS = 4,
    NUMBERS = 8 /* uniform numbers per row, and as many normal ones */
};
static const double pi = 3.14159265358979323846;

/* The random numbers of a row: u uniform on (0, 1), z standard normal. */
struct chance {
    double u[UNIFORMS];
    float z[2];
};

struct dd_synthetic {
    const char *name;
    void (*draw)(double out[2], const struct chance *chance);
};

/* Returns one of 0 .. count - 1, all equally likely. */
static int choose(double u, int count) {
    return (int)(u * count);
}

/* Gaussians on a 5 x 5 grid of step 2, standard deviation 0.1, scaled to about unit variance. */
static void draw_25gaussians(double out[2], const struct chance *chance) {
    int mode = choose(chance->u[0], 25);
    out[0] = (2 * (mode / 5 - 2) + 0.1 * (double)chance->z[0]) / 2.828;
    out[1] = (2 * (mode % 5 - 2) + 0.1 * (double)chance->z[1]) / 2.828;
}

/* Eight Gaussians on a circle of radius 4, standard deviation 0.5, scaled down. */
static void draw_8gaussians(double out[2], const struct chance *chance) {
    double angle = choose(chance->u[0], 8) * pi / 4;
    out[0] = (4 * cos(angle) + 0.5 * (double)chance->z[0]) / 1.414;
    out[1] = (4 * sin(angle) + 0.5 * (double)chance->z[1]) / 1.414;
}

/* Five Gaussian blades, each rotated by an angle that grows with the distance from the centre. */
static void draw_pinwheel(double out[2], const struct chance *chance) {
    double radial = 1 + 0.3 * (double)chance->z[0], tangential = 0.1 * (double)chance->z[1];
    double angle = 2 * pi * choose(chance->u[0], 5) / 5 + 0.25 * exp(radial);
    out[0] = 2 * (radial * cos(angle) + tangential * sin(angle));
    out[1] = 2 * (tangential * cos(angle) - radial * sin(angle));
}

static void draw_swissroll(double out[2], const struct chance *chance) {
    double angle = 1.5 * pi * (1 + 2 * chance->u[0]);
    out[0] = (angle * cos(angle) + (double)chance->z[0]) / 5;
    out[1] = (angle * sin(angle) + (double)chance->z[1]) / 5;
}

/* Two interleaving half circles. */
static void draw_moons(double out[2], const struct chance *chance) {
    double angle = pi * chance->u[1], x = cos(angle), y = sin(angle);
    if (choose(chance->u[0], 2)) {
        x = 1 - x;
        y = 0.5 - y;
    }
    out[0] = 2 * (x + 0.1 * (double)chance->z[0]) - 1;
    out[1] = 2 * (y + 0.1 * (double)chance->z[1]) - 0.2;
}

/* Circles of radius 1 and 1/2 with noise, scaled by 3. */
static void draw_circles(double out[2], const struct chance *chance) {
    double angle = 2 * pi * chance->u[1], radius = choose(chance->u[0], 2) ? 0.5 : 1.0;
    out[0] = 3 * (radius * cos(angle) + 0.08 * (double)chance->z[0]);
    out[1] = 3 * (radius * sin(angle) + 0.08 * (double)chance->z[1]);
}

/* Circles of radius 3/4 to 3 in four steps, with noise after the scaling. */
static void draw_rings(double out[2], const struct chance *chance) {
    double angle = 2 * pi * chance->u[1], radius = 0.75 * (1 + choose(chance->u[0], 4));
    out[0] = radius * cos(angle) + 0.08 * (double)chance->z[0];
    out[1] = radius * sin(angle) + 0.08 * (double)chance->z[1];
}

/* Two spiral arms of one and a half turns, uniform in the square of the angle; the second is the
 * first rotated by pi. */
static void draw_2spirals(double out[2], const struct chance *chance) {
    double angle = 3 * pi * sqrt(chance->u[1]), side = choose(chance->u[0], 2) ? -1.0 : 1.0;
    out[0] = side * (0.5 * chance->u[2] - angle * cos(angle)) / 3 + 0.1 * (double)chance->z[0];
    out[1] = side * (0.5 * chance->u[3] + angle * sin(angle)) / 3 + 0.1 * (double)chance->z[1];
}

/* Eight of the sixteen squares of side 2 on [-4, 4]^2. */
static void draw_checkerboard(double out[2], const struct chance *chance) {
    double x = 4 * chance->u[0] - 2, shift = choose(chance->u[2], 2) * 2;
    out[0] = 2 * x;
    out[1] = 2 * (chance->u[1] - shift + (fmod(floor(x) + 2, 2) > 0 ? 1 : 0));
}

/* The index of a set is part of what its rows depend on: add at the end. */
static const dd_synthetic sets[] = {
    {"25gaussians", draw_25gaussians},
    {"8gaussians", draw_8gaussians},
    {"pinwheel", draw_pinwheel},
    {"swissroll", draw_swissroll},
    {"moons", draw_moons},
    {"circles", draw_circles},
    {"rings", draw_rings},
    {"2spirals", draw_2spirals},
    {"checkerboard", draw_checkerboard},
};

const dd_synthetic *dd_synthetic_find(const char *name) {
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (strcmp(sets[i].name, name) == 0)
            return &sets[i];
    return NULL;
}

const char *dd_synthetic_name_of(const dd_synthetic *set) {
    return set->name;
}

const char *dd_synthetic_name(size_t index) {
    return index < sizeof sets / sizeof *sets ? sets[index].name : NULL;
}

void dd_synthetic_read(const dd_synthetic *set, uint64_t seed, uint64_t first, size_t count,
                       float *out) {
    uint64_t stream = dd_stream(DD_STREAM_DATA, (uint64_t)(set - sets));
    for (size_t i = 0; i < count; i++) {
        struct chance chance;
        uint64_t at = (first + i) * NUMBERS;
        uint32_t words[UNIFORMS];
        double row[DD_SYNTHETIC_WIDTH];
        dd_rng_words(words, seed, stream, at, UNIFORMS);
        dd_rng_normals(chance.z, seed, stream, at + UNIFORMS, 2);
        for (size_t k = 0; k < UNIFORMS; k++)
            chance.u[k] = ((double)words[k] + 0.5) * 0x1p-32;
        set->draw(row, &chance);
        out[i * DD_SYNTHETIC_WIDTH] = (float)row[0];
        out[i * DD_SYNTHETIC_WIDTH + 1] = (float)row[1];
    }
}
