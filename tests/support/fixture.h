/* Fixtures of format ddaebm-fixture-1: what the reference computed, and how close the library must
 * come. */
#ifndef TEST_FIXTURE_H
#define TEST_FIXTURE_H

#include "io/safetensors.h"

#include <ddaebm/ddaebm.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* What is judged separately. */
typedef enum test_kind {
    TEST_FORWARD,
    TEST_LOSSES,
    TEST_GRADIENTS,
    TEST_SAMPLES,
    TEST_WEIGHTS,
    TEST_TABLES,
    TEST_KINDS
} test_kind;

const char *test_kind_name(test_kind kind);

/* The comparison that came nearest to its limit, or furthest beyond. */
typedef struct test_worst {
    double error, limit;
    char tensor[160];
} test_worst;

typedef struct test_fixture {
    ddaebm_context *context;
    dd_safetensors *file;
    json_t *config, *errors, *null_gradients;
    bool *seen; /* [tensors]: read or compared */
    test_worst worst[TEST_KINDS];
    size_t compared;
    char problem[512]; /* the first thing that could not be done; "" for none */
    double largest[3]; /* largest gradient of each network */
} test_fixture;

/* Opens a file; a problem is noted in the fixture, which must be closed in any case. */
void test_fixture_open(test_fixture *fixture, const char *path);
void test_fixture_close(test_fixture *fixture);

__attribute__((format(printf, 2, 3))) void test_fixture_problem(test_fixture *fixture,
                                                                const char *format, ...);

/* Marks a tensor as seen; NULL and a problem if it is not there. */
const dd_tensor_entry *test_fixture_tensor(test_fixture *fixture, const char *name);

/* Element of a tensor of any type, as a double. */
double test_fixture_element(const dd_tensor_entry *entry, size_t index);

/* Copies a tensor to floats; the number of elements must be as given. Images are turned from the
 * files' channels first to ours last, here and in comparisons. */
void test_fixture_floats(test_fixture *fixture, const char *name, float *out, size_t count);

/* Compares with a tensor relative to its largest element (a vanishing gradient: to the largest of
 * its network), within the file's tolerance. */
void test_fixture_compare(test_fixture *fixture, test_kind kind, const char *name,
                          const float *values, size_t count);

/* Compares doubles relative to the largest element, within `limit`. */
void test_fixture_compare_doubles(test_fixture *fixture, test_kind kind, const char *name,
                                  const double *values, size_t count, double limit);

/* Notes the outcome of a comparison. */
void test_fixture_note(test_fixture *fixture, test_kind kind, const char *name, double error,
                       double limit);

/* Whether the parameter's gradient vanishes analytically. */
bool test_fixture_vanishes(const test_fixture *fixture, const char *parameter);

/* Checks one file of any family; prints a JSON line to `out` (NULL for silence). True if all holds.
 */
bool test_fixture_check(const char *path, FILE *out);

/* The same with a number of threads; 0 for the context's default. */
bool test_fixture_check_on(const char *path, int threads, FILE *out);

/* The families. */
void test_check_step(test_fixture *fixture);
void test_check_layers(test_fixture *fixture);
void test_check_schedules(test_fixture *fixture);
void test_check_optimizer(test_fixture *fixture);

#endif
