/* How far two models are apart, a line a network; with a bound, fails if any of their weights
 * differ by more: compare A.safetensors B.safetensors [BOUND] */
#include <ddaebm/ddaebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Leaves the function if a call failed. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != DDAEBM_OK)                                                                   \
            goto cleanup;                                                                          \
    } while (0)

/* Largest difference of a weight (0) and of a running statistic (1), a network. */
typedef struct differences {
    double of[3][2];
} differences;

static ddaebm_status compare(differences *out, const ddaebm_model *a, const ddaebm_model *b) {
    ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
    ddaebm_status status = DDAEBM_OK;
    float *x = NULL, *y = NULL;
    for (size_t i = 0; i < ddaebm_model_parameter_count(a); i++) {
        TRY(ddaebm_model_parameter_info(a, i, &info));
        x = realloc(x, info.elements * sizeof *x);
        y = realloc(y, info.elements * sizeof *y);
        TRY(x && y ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY);
        TRY(ddaebm_model_parameter(a, info.name, x, info.elements));
        TRY(ddaebm_model_parameter(b, info.name, y, info.elements));
        double *most = &out->of[info.network][!info.trained];
        for (size_t j = 0; j < info.elements; j++)
            *most = fmax(*most, fabs((double)x[j] - (double)y[j]));
    }
cleanup:
    free(x);
    free(y);
    return status;
}

int main(int argc, char **argv) {
    static const char *const names[] = {"energy", "generator", "encoder"};
    differences found = {{{0}}};
    ddaebm_model *a = NULL, *b = NULL;
    ddaebm_status status;
    if (argc < 3) {
        fprintf(stderr, "usage: compare A.safetensors B.safetensors [BOUND]\n");
        return 2;
    }
    double bound = argc > 3 ? strtod(argv[3], NULL) : HUGE_VAL;
    int beyond = 0;
    TRY(ddaebm_model_load(&a, NULL, argv[1]));
    TRY(ddaebm_model_load(&b, NULL, argv[2]));
    TRY(compare(&found, a, b));
    for (int n = 0; n < 3; n++) {
        printf("%s: weights differ by at most %.2g, running statistics by %.2g\n", names[n],
               found.of[n][0], found.of[n][1]);
        beyond = beyond || found.of[n][0] > bound;
    }
    if (beyond)
        fprintf(stderr, "weights differ by more than %g\n", bound);
cleanup:
    if (status != DDAEBM_OK)
        fprintf(stderr, "%s\n", ddaebm_error_message());
    ddaebm_model_free(a);
    ddaebm_model_free(b);
    return status != DDAEBM_OK || beyond;
}
