#include "tensor/kernels/onednn.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define NAME_OF(major) "libdnnl.so." TEXT_OF(major)
#define TEXT_OF(number) #number

static dd_onednn functions;
static bool is_loaded;

/* C has no conversion from what dlsym gives to a function's address; POSIX promises that both have
 * one representation. */
static bool find(void *library, const char *name, void *function, size_t size) {
    void *address = dlsym(library, name);
    memcpy(function, &address, size);
    return address != NULL;
}

static bool is_compiled_against(void *library) {
    const dnnl_version_t *(*version)(void);
    if (!find(library, "dnnl_version", &version, sizeof version))
        return false;
    return version()->major == DNNL_VERSION_MAJOR &&
           version()->cpu_runtime == DNNL_CPU_THREADING_RUNTIME;
}

/* Finds all functions in the library. */
static bool find_all(void *library) {
    bool found = true;
#define FIND(name)                                                                                 \
    found = find(library, "dnnl_" #name, &functions.name, sizeof functions.name) && found;
    DD_ONEDNN_FUNCTIONS(FIND)
#undef FIND
    if (DNNL_CPU_THREADING_RUNTIME != DNNL_RUNTIME_SEQ) { /* OpenMP, which came with it */
        found = find(library, "omp_set_num_threads", &functions.omp_set_num_threads,
                     sizeof functions.omp_set_num_threads) &&
                found;
        found = find(library, "omp_get_max_threads", &functions.omp_get_max_threads,
                     sizeof functions.omp_get_max_threads) &&
                found;
    }
    return found;
}

static void load(void) {
    void *library = dlopen(NAME_OF(DNNL_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return;
    is_loaded = is_compiled_against(library) && find_all(library);
    if (!is_loaded)
        dlclose(library);
}

const dd_onednn *dd_onednn_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded ? &functions : NULL;
}
