/* Out-of-distribution detection: compares the scores of images with those of noise, constant,
 * upside-down, mirrored and inverted ones, and the digits of scikit-learn, by every kind of score.
 *
 *     06_out_of_distribution MODEL [IMAGES [DIGITS [COUNT]]]
 *
 * MODEL takes square grey images. IMAGES are of its distribution, and not its training data: a name
 * or path, fashion-mnist-test if left out. DIGITS is a table of 8 x 8 pixels from 0 to 16 a row,
 * and a label (Debian's python3-sklearn has one: digits.csv.gz). Prints the area under the ROC
 * curve, with in-distribution images scoring higher, for each kind and score; 0.5 is chance. */
#include <ddaebm/ddaebm.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 1000, SCORES = 4, DIGIT = 8 };

static void check(ddaebm_status status) {
    if (status == DDAEBM_OK)
        return;
    fprintf(stderr, "06_out_of_distribution: %s\n", ddaebm_error_message());
    exit(1);
}

static float *room(size_t numbers) {
    float *block = malloc(numbers * sizeof *block);
    if (!block)
        exit(1);
    return block;
}

/* Uniform on (0, 1), the same on every machine. */
static double uniform(void) {
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(state >> 32) + 0.5) / 4294967296.0;
}

static double normal(void) {
    return sqrt(-2 * log(uniform())) * cos(6.28318530717958648 * uniform());
}

/* --- Kinds of out-of-distribution images, [count, side, side] in [-1, 1]. --- */

static void fill_uniform(float *out, const float *in, size_t side) {
    (void)in;
    for (size_t i = 0; i < side * side; i++)
        out[i] = (float)(2 * uniform() - 1);
}

static void fill_normal(float *out, const float *in, size_t side) {
    (void)in;
    for (size_t i = 0; i < side * side; i++)
        out[i] = (float)fmax(-1, fmin(1, 0.5 * normal()));
}

static void fill_constant(float *out, const float *in, size_t side) {
    float grey = (float)(2 * uniform() - 1);
    (void)in;
    for (size_t i = 0; i < side * side; i++)
        out[i] = grey;
}

static void fill_upside_down(float *out, const float *in, size_t side) {
    for (size_t row = 0; row < side; row++)
        memcpy(out + row * side, in + (side - 1 - row) * side, side * sizeof *out);
}

static void fill_mirrored(float *out, const float *in, size_t side) {
    for (size_t i = 0; i < side * side; i++)
        out[i] = in[i / side * side + side - 1 - i % side];
}

static void fill_inverted(float *out, const float *in, size_t side) {
    for (size_t i = 0; i < side * side; i++)
        out[i] = -in[i];
}

/* A digit of 8 x 8 enlarged, between its pixels bilinearly. */
static void enlarge(float *out, const float *digit, size_t side) {
    for (size_t row = 0; row < side; row++)
        for (size_t column = 0; column < side; column++) {
            double y =
                fmax(0, fmin(DIGIT - 1.001, ((double)row + 0.5) * DIGIT / (double)side - 0.5));
            double x =
                fmax(0, fmin(DIGIT - 1.001, ((double)column + 0.5) * DIGIT / (double)side - 0.5));
            size_t i = (size_t)y, j = (size_t)x;
            double down = y - (double)i, across = x - (double)j;
            const float *at = digit + i * DIGIT + j;
            double above = (1 - across) * (double)at[0] + across * (double)at[1];
            double below = (1 - across) * (double)at[DIGIT] + across * (double)at[DIGIT + 1];
            out[row * side + column] = (float)(((1 - down) * above + down * below) / 8 - 1);
        }
}

/* --- Scores and areas. --- */

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Fraction of pairs in which the in-distribution image scores higher, ties one half; both sorted.
 */
static double area(const float *in_distribution, size_t in_count, const float *ood,
                   size_t out_count) {
    double wins = 0;
    size_t below = 0, up_to = 0;
    for (size_t i = 0; i < in_count; i++) {
        while (below < out_count && ood[below] < in_distribution[i])
            below++;
        while (up_to < out_count && ood[up_to] <= in_distribution[i])
            up_to++;
        wins += 0.5 * (double)(below + up_to);
    }
    return wins / ((double)in_count * (double)out_count);
}

static float *sorted_scores(ddaebm_scorer *scorer, ddaebm_score score, const float *images,
                            size_t count) {
    float *scores = room(count);
    check(ddaebm_scorer_score(scorer, score, images, count, 0, scores));
    qsort(scores, count, sizeof *scores, ascending);
    return scores;
}

typedef struct table {
    ddaebm_scorer *scorer;
    float *in_distribution[SCORES]; /* scores, sorted */
    size_t count;
} table;

static void print_row(const table *t, const char *name, const float *images, size_t count) {
    printf("%-24s", name);
    for (int s = 0; s < SCORES; s++) {
        float *scores = sorted_scores(t->scorer, (ddaebm_score)s, images, count);
        printf("  %14.3f", area(t->in_distribution[s], t->count, scores, count));
        free(scores);
    }
    printf("\n");
}

static void print_digits(const table *t, const char *path, size_t side) {
    ddaebm_dataset *digits = NULL;
    check(ddaebm_dataset_open(&digits, NULL, path));
    size_t width = ddaebm_dataset_width(digits), count = (size_t)ddaebm_dataset_rows(digits);
    if (width < DIGIT * DIGIT) {
        fprintf(stderr, "06_out_of_distribution: %s has rows of %zu numbers, not of %d pixels\n",
                path, width, DIGIT * DIGIT);
        exit(1);
    }

    float *row = room(width), *images = room(count * side * side);
    for (size_t i = 0; i < count; i++) {
        check(ddaebm_dataset_read(digits, i, 1, row));
        enlarge(images + i * side * side, row, side);
    }
    print_row(t, "digits", images, count);
    free(row);
    free(images);
    ddaebm_dataset_free(digits);
}

static ddaebm_dataset *open_images(const char *name) {
    ddaebm_dataset *images = NULL;
    for (size_t i = 0; ddaebm_dataset_name(i); i++)
        if (strcmp(ddaebm_dataset_name(i), name) == 0) {
            check(ddaebm_dataset_create_named(&images, NULL, name, 0));
            return images;
        }
    check(ddaebm_dataset_open(&images, NULL, name));
    return images;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*fill)(float *out, const float *in, size_t side);
    } kinds[] = {{"uniform noise", fill_uniform}, {"Gaussian noise", fill_normal},
                 {"constant", fill_constant},     {"upside down", fill_upside_down},
                 {"mirrored", fill_mirrored},     {"inverted", fill_inverted}};
    if (argc < 2 || argc > 5) {
        fprintf(stderr, "usage: 06_out_of_distribution MODEL [IMAGES [DIGITS [COUNT]]]\n");
        return 2;
    }

    ddaebm_model *model = NULL;
    size_t side = 0, width = 0, channels = 0;
    check(ddaebm_model_load(&model, NULL, argv[1]));
    ddaebm_model_image_shape(model, &side, &width, &channels);
    ddaebm_dataset *data = open_images(argc > 2 ? argv[2] : "fashion-mnist-test");
    table t = {.count = argc > 4 ? strtoull(argv[4], NULL, 10) : COUNT};
    if (t.count > ddaebm_dataset_rows(data))
        t.count = (size_t)ddaebm_dataset_rows(data);
    if (channels != 1 || ddaebm_dataset_width(data) != side * side || t.count == 0) {
        fprintf(stderr, "06_out_of_distribution: the model and the images must both be grey, "
                        "square and of one size\n");
        return 1;
    }

    float *in_distribution = room(t.count * side * side), *ood = room(t.count * side * side);
    check(ddaebm_dataset_read(data, 0, t.count, in_distribution));
    check(ddaebm_scorer_create(&t.scorer, model));

    for (int s = 0; s < SCORES; s++)
        t.in_distribution[s] = sorted_scores(t.scorer, (ddaebm_score)s, in_distribution, t.count);

    printf("%-24s", "");
    for (int s = 0; s < SCORES; s++)
        printf("  %14s", ddaebm_score_name((size_t)s));
    printf("\n");

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t i = 0; i < t.count; i++)
            kinds[k].fill(ood + i * side * side, in_distribution + i * side * side, side);
        print_row(&t, kinds[k].name, ood, t.count);
    }

    if (argc > 3)
        print_digits(&t, argv[3], side);

    for (int s = 0; s < SCORES; s++)
        free(t.in_distribution[s]);
    free(in_distribution);
    free(ood);
    ddaebm_scorer_free(t.scorer);
    ddaebm_dataset_free(data);
    ddaebm_model_free(model);
    return 0;
}
