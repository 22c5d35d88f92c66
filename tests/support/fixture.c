#include "support/fixture.h"

#include "base/context.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double least_limit = 1e-5, over_float32 = 10;

const char *test_kind_name(test_kind kind) {
    static const char *const names[TEST_KINDS] = {"forward", "losses",  "gradients",
                                                  "samples", "weights", "tables"};
    return names[kind];
}

void test_fixture_problem(test_fixture *fixture, const char *format, ...) {
    if (fixture->problem[0])
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fixture->problem, sizeof fixture->problem, format, arguments);
    va_end(arguments);
}

static json_t *metadata(test_fixture *fixture, const char *key) {
    const char *text = dd_safetensors_metadata(fixture->file, key);
    return text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

/* The norms are a check of the reader, and of the file. */
static void check_norms(test_fixture *fixture) {
    json_t *norms = metadata(fixture, "norms");
    for (size_t i = 0; i < dd_safetensors_count(fixture->file); i++) {
        const dd_tensor_entry *entry = dd_safetensors_entry(fixture->file, i);
        double sum = 0, expected = json_number_value(json_object_get(norms, entry->name));
        for (size_t j = 0; j < entry->elements; j++)
            sum += test_fixture_element(entry, j) * test_fixture_element(entry, j);
        if (norms && isfinite(expected) && fabs(sqrt(sum) - expected) > 1e-6 * expected + 1e-30)
            test_fixture_problem(fixture, "%s has norm %.9g, not %.9g", entry->name, sqrt(sum),
                                 expected);
    }
    json_decref(norms);
}

static void find_largest_gradients(test_fixture *fixture) {
    static const char *const prefixes[3] = {"grad.energy.", "grad.generator.", "grad.encoder."};
    for (size_t i = 0; i < dd_safetensors_count(fixture->file); i++) {
        const dd_tensor_entry *entry = dd_safetensors_entry(fixture->file, i);
        for (int n = 0; n < 3; n++)
            if (strncmp(entry->name, prefixes[n], strlen(prefixes[n])) == 0)
                for (size_t j = 0; j < entry->elements; j++)
                    fixture->largest[n] =
                        fmax(fixture->largest[n], fabs(test_fixture_element(entry, j)));
    }
}

void test_fixture_open(test_fixture *fixture, const char *path) {
    const ddaebm_reader reader = dd_reader_of_file(path);
    *fixture = (test_fixture){0};
    if (ddaebm_context_create(&fixture->context, NULL) != DDAEBM_OK ||
        dd_safetensors_open(&fixture->file, fixture->context, &reader) != DDAEBM_OK) {
        test_fixture_problem(fixture, "%s", ddaebm_error_message());
        return;
    }
    const char *format = dd_safetensors_metadata(fixture->file, "format");
    if (!format || strcmp(format, "ddaebm-fixture-1") != 0)
        test_fixture_problem(fixture, "%s is no fixture of format ddaebm-fixture-1", path);
    fixture->config = metadata(fixture, "config");
    fixture->errors = metadata(fixture, "float32_error");
    fixture->null_gradients = metadata(fixture, "null_gradients");
    fixture->seen =
        dd_alloc_zero(fixture->context, dd_safetensors_count(fixture->file), sizeof *fixture->seen);
    if (!json_is_object(fixture->config))
        test_fixture_problem(fixture, "%s has no config", path);
    check_norms(fixture);
    find_largest_gradients(fixture);
}

void test_fixture_close(test_fixture *fixture) {
    json_decref(fixture->config);
    json_decref(fixture->errors);
    json_decref(fixture->null_gradients);
    dd_safetensors_free(fixture->file);
    if (fixture->context)
        dd_free(fixture->context, fixture->seen);
    ddaebm_context_free(fixture->context);
}

static size_t index_of(const test_fixture *fixture, const dd_tensor_entry *entry) {
    size_t i = 0;
    while (dd_safetensors_entry(fixture->file, i) != entry)
        i++;
    return i;
}

const dd_tensor_entry *test_fixture_tensor(test_fixture *fixture, const char *name) {
    const dd_tensor_entry *entry = dd_safetensors_find(fixture->file, name);
    if (entry)
        fixture->seen[index_of(fixture, entry)] = true;
    else
        test_fixture_problem(fixture, "the file has no tensor %s", name);
    return entry;
}

double test_fixture_element(const dd_tensor_entry *entry, size_t index) {
    switch (entry->dtype) {
    case DD_STORED_F64:
        return ((const double *)entry->data)[index];
    case DD_STORED_F32:
        return (double)((const float *)entry->data)[index];
    case DD_STORED_I64:
        return (double)((const int64_t *)entry->data)[index];
    default:
        return NAN;
    }
}

/* Data and what networks make of it; weights of four axes are left as they are. */
static bool is_images(const dd_tensor_entry *entry) {
    const char *name = entry->name, *last = strrchr(name, '.');
    bool of_step = strncmp(name, "in.", 3) == 0 || strncmp(name, "out.", 4) == 0;
    bool of_layer = strstr(name, ".in.") ||
                    (last && (strcmp(last, ".out") == 0 || strcmp(last, ".cotangent") == 0));
    return entry->rank >= 4 && (of_step || of_layer);
}

/* The place in the file of a tensor's element i. Images are [..., C, H, W] there, [..., H, W, C]
 * here. */
static size_t place_of(const dd_tensor_entry *entry, size_t i) {
    if (!is_images(entry))
        return i;
    size_t channels = entry->shape[entry->rank - 3],
           pixels = entry->shape[entry->rank - 2] * entry->shape[entry->rank - 1];
    size_t image = i / (channels * pixels), within = i % (channels * pixels);
    return image * channels * pixels + within % channels * pixels + within / channels;
}

void test_fixture_floats(test_fixture *fixture, const char *name, float *out, size_t count) {
    const dd_tensor_entry *entry = test_fixture_tensor(fixture, name);
    if (entry && entry->elements != count)
        test_fixture_problem(fixture, "%s has %zu elements, not %zu", name, entry->elements, count);
    for (size_t i = 0; entry && i < count && i < entry->elements; i++)
        out[i] = (float)test_fixture_element(entry, place_of(entry, i));
}

void test_fixture_note(test_fixture *fixture, test_kind kind, const char *name, double error,
                       double limit) {
    test_worst *worst = &fixture->worst[kind];
    fixture->compared++;
    if (!(error / limit < worst->error / (worst->limit > 0 ? worst->limit : 1)) ||
        !worst->tensor[0]) {
        worst->error = isfinite(error) ? error : 1e300;
        worst->limit = limit;
        (void)snprintf(worst->tensor, sizeof worst->tensor, "%s", name);
    }
}

bool test_fixture_vanishes(const test_fixture *fixture, const char *parameter) {
    size_t index;
    json_t *name;
    json_array_foreach(fixture->null_gradients, index, name) {
        if (strcmp(json_string_value(name), parameter) == 0)
            return true;
    }
    return false;
}

static double largest_element(const dd_tensor_entry *entry) {
    double largest = 0;
    for (size_t i = 0; i < entry->elements; i++)
        if (isfinite(test_fixture_element(entry, i)))
            largest = fmax(largest, fabs(test_fixture_element(entry, i)));
    return largest;
}

/* The largest gradient of a layer, if the one named "<case>.grad.<of what>" vanishes; else 0. */
static double scale_in_layer(const test_fixture *fixture, const char *name) {
    const char *grad = strstr(name, ".grad.");
    char leaf[256];
    double largest = 0;
    if (!grad)
        return 0;
    int length = (int)(grad - name), with_grad = length + (int)strlen(".grad.");
    (void)snprintf(leaf, sizeof leaf, "%.*s.%s", length, name, name + with_grad);
    for (size_t i = 0;
         test_fixture_vanishes(fixture, leaf) && i < dd_safetensors_count(fixture->file); i++)
        if (strncmp(dd_safetensors_entry(fixture->file, i)->name, name, (size_t)with_grad) == 0)
            largest = fmax(largest, largest_element(dd_safetensors_entry(fixture->file, i)));
    return largest;
}

/* What an error is relative to. */
static double scale_of(const test_fixture *fixture, const dd_tensor_entry *entry) {
    const char *name = entry->name;
    if (strncmp(name, "grad.", 5) == 0 && test_fixture_vanishes(fixture, name + 5))
        return fixture->largest[name[5] == 'g' ? 1 : name[6] == 'n' && name[7] == 'e' ? 0 : 2];
    double largest = fmax(largest_element(entry), scale_in_layer(fixture, name));
    return largest > 0 ? largest : 1;
}

void test_fixture_compare_doubles(test_fixture *fixture, test_kind kind, const char *name,
                                  const double *values, size_t count, double limit) {
    const dd_tensor_entry *entry = test_fixture_tensor(fixture, name);
    if (!entry)
        return;
    if (entry->elements != count) {
        test_fixture_problem(fixture, "%s has %zu elements, not %zu", name, entry->elements, count);
        return;
    }
    double worst = 0;
    for (size_t i = 0; i < count; i++) {
        double expected = test_fixture_element(entry, place_of(entry, i));
        double error = expected == values[i] ? 0 : fabs(values[i] - expected);
        worst = error <= worst ? worst : error; /* NaN counts as worst */
    }
    test_fixture_note(fixture, kind, name, worst / scale_of(fixture, entry), limit);
}

void test_fixture_compare(test_fixture *fixture, test_kind kind, const char *name,
                          const float *values, size_t count) {
    double *wide = dd_alloc(fixture->context, count * sizeof *wide);
    double limit = over_float32 * json_number_value(json_object_get(fixture->errors, name));
    for (size_t i = 0; wide && i < count; i++)
        wide[i] = (double)values[i];
    if (wide)
        test_fixture_compare_doubles(fixture, kind, name, wide, count, fmax(limit, least_limit));
    dd_free(fixture->context, wide);
}

static bool holds(const test_fixture *fixture) {
    bool good = !fixture->problem[0] && fixture->compared > 0;
    for (int kind = 0; kind < TEST_KINDS; kind++)
        good = good && (!fixture->worst[kind].tensor[0] ||
                        fixture->worst[kind].error <= fixture->worst[kind].limit);
    return good;
}

static void print_result(const test_fixture *fixture, const char *path, FILE *out) {
    json_t *line = json_object();
    json_object_set_new(line, "file", json_string(path));
    for (int kind = 0; kind < TEST_KINDS; kind++) {
        const test_worst *worst = &fixture->worst[kind];
        if (worst->tensor[0])
            json_object_set_new(line, test_kind_name((test_kind)kind),
                                json_pack("{s:f, s:f, s:s}", "error", worst->error, "limit",
                                          worst->limit, "tensor", worst->tensor));
    }
    json_object_set_new(line, "compared", json_integer((json_int_t)fixture->compared));
    if (fixture->problem[0])
        json_object_set_new(line, "problem", json_string(fixture->problem));
    json_object_set_new(line, "ok", json_boolean(holds(fixture)));
    char *text = json_dumps(line, JSON_REAL_PRECISION(4) | JSON_COMPACT);
    fprintf(out, "%s\n", text ? text : "{\"ok\":false}");
    free(text);
    json_decref(line);
}

bool test_fixture_check_on(const char *path, int threads, FILE *out) {
    test_fixture fixture;
    test_fixture_open(&fixture, path);
    if (threads > 0 && fixture.context &&
        ddaebm_context_set_threads(fixture.context, threads) != DDAEBM_OK)
        test_fixture_problem(&fixture, "%s", ddaebm_error_message());
    const char *family = json_string_value(json_object_get(fixture.config, "family"));
    if (!fixture.problem[0]) {
        if (family && (strcmp(family, "toy") == 0 || strcmp(family, "image") == 0))
            test_check_step(&fixture);
        else if (family && strcmp(family, "layers") == 0)
            test_check_layers(&fixture);
        else if (family && strcmp(family, "schedules") == 0)
            test_check_schedules(&fixture);
        else if (family && strcmp(family, "optimizer") == 0)
            test_check_optimizer(&fixture);
        else
            test_fixture_problem(&fixture, "family \"%s\" is not known here", family ? family : "");
    }
    for (size_t i = 0; !fixture.problem[0] && i < dd_safetensors_count(fixture.file); i++)
        if (!fixture.seen[i])
            test_fixture_problem(&fixture, "%s was not compared",
                                 dd_safetensors_entry(fixture.file, i)->name);
    if (out)
        print_result(&fixture, path, out);
    bool good = holds(&fixture);
    test_fixture_close(&fixture);
    return good;
}

bool test_fixture_check(const char *path, FILE *out) {
    return test_fixture_check_on(path, 0, out);
}
