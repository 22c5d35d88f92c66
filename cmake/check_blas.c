/* Whether a CBLAS does what the library asks of it, and takes integers as wide as its header says.
 * Exit status: 0 if so, 1 if its results are wrong or it crashes, 2 if the library's integers have
 * 64 bits and the header's 32, 3 if it is the other way round. */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include DDAEBM_CBLAS_HEADER

typedef float dot_32(int, const float *, int, const float *, int);
typedef void product_64(int, int, int, int64_t, int64_t, int64_t, float, const float *, int64_t,
                        const float *, int64_t, float, float *, int64_t);

enum { HEADER_BITS = __builtin_types_compatible_p(__typeof__(cblas_sdot), dot_32) ? 32 : 64 };

/* Rows are longer than what is in them. */
enum { M = 2, N = 3, K = 4, LDA = 5, LDB = 7, LDC = 6, SIZE = 32 };
static float a[SIZE], b[SIZE], c[SIZE];

static void fill(void) {
    for (int i = 0; i < SIZE; i++) {
        a[i] = (float)(i % 11) - 3;
        b[i] = (float)(i % 13) - 5;
        c[i] = (float)i;
    }
}

/* c + 2 op(a) op(b), and nothing written beside it. */
static int is_product(int transpose_a, int transpose_b) {
    for (int i = 0; i < SIZE; i++) {
        int row = i / LDC, column = i % LDC;
        float expected = (float)i;
        for (int l = 0; row < M && column < N && l < K; l++)
            expected += 2 * (transpose_a ? a[l * LDA + row] : a[row * LDA + l]) *
                        (transpose_b ? b[column * LDB + l] : b[l * LDB + column]);
        if (c[i] != expected)
            return 0;
    }
    return 1;
}

/* As the library calls it: through the header. */
static int gives_products(void) {
    for (int i = 0; i < 4; i++) {
        int transpose_a = i & 1, transpose_b = i >> 1;
        fill();
        cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                    transpose_b ? CblasTrans : CblasNoTrans, M, N, K, 2.0f, a, LDA, b, LDB, 1.0f, c,
                    LDC);
        if (!is_product(transpose_a, transpose_b))
            return 0;
    }
    float x[] = {1, 2, 3, 4}, y[] = {1, 1};
    fill();
    cblas_sgemv(CblasRowMajor, CblasNoTrans, M, K, 1.0f, a, LDA, x, 1, 1.0f, y, 1);
    return y[0] == -9 && y[1] == 41;
}

/* With what compilers leave in the upper half of a register that holds 32 bits: a library that
 * reads 64 finds no such matrix. */
static int reads_32_bits(void) {
    const int64_t beyond = (int64_t)1 << 40;
    product_64 *product = (product_64 *)(void (*)(void))cblas_sgemm;
    fill();
    product(CblasRowMajor, CblasNoTrans, CblasNoTrans, M + beyond, N + beyond, K + beyond, 2.0f, a,
            LDA, b, LDB, 1.0f, c, LDC);
    return is_product(0, 0);
}

/* In a process of its own: the BLAS may abort, or read what is not there, or never come back. */
static int succeeds(int (*trial)(void)) {
    int status = 1;
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        _exit(!trial());
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(void) {
    int has_registers_of_64 = sizeof(void *) == 8,
        reads_32 = !has_registers_of_64 || succeeds(reads_32_bits);
    if (HEADER_BITS == 32 && !reads_32 && succeeds(gives_products))
        return 2;
    if (!succeeds(gives_products))
        return 1;
    return HEADER_BITS == 64 && has_registers_of_64 && reads_32 ? 3 : 0;
}
