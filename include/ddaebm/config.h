/** @file config.h
 *  Every hyperparameter, under a dotted name: typed, bounded and documented.
 *
 *  Values come from a preset, from JSON, or one at a time. A name that does not exist or a value
 * out of its bounds is an error that says what is allowed, and changes nothing. ddaebm_config_key
 * lists all of them with bounds and meaning. */
#ifndef DDAEBM_CONFIG_H
#define DDAEBM_CONFIG_H

#include <ddaebm/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A configuration; opaque. One thread at a time may change it. */
typedef struct ddaebm_config ddaebm_config;

/** Type of a hyperparameter. @since 0.1 */
typedef enum ddaebm_type {
    DDAEBM_TYPE_BOOLEAN = 0, /**< JSON true or false */
    DDAEBM_TYPE_INTEGER = 1, /**< JSON integer */
    DDAEBM_TYPE_REAL = 2,    /**< JSON number, kept as a double */
    DDAEBM_TYPE_CHOICE = 3,  /**< JSON string, one of a list */
    DDAEBM_TYPE_INTEGERS = 4 /**< JSON array of integers */
} ddaebm_type;

/** What is known of a hyperparameter. All strings are constants. */
typedef struct ddaebm_key_info {
    size_t struct_size;  /**< set by the caller to sizeof(ddaebm_key_info) */
    const char *name;    /**< dotted, for instance "diffusion.timesteps" */
    const char *meaning; /**< one sentence */
    ddaebm_type type;    /**< its type */
    double least; /**< smallest value (of an element, for integers); meaningless for booleans and
                     choices */
    double most;  /**< largest value, likewise */
    size_t most_elements; /**< longest array, 0 for types other than integers */
    const char *choices;  /**< the words of a choice, separated by '|'; else NULL */
} ddaebm_key_info;

/** Initialiser of a ddaebm_key_info. */
#define DDAEBM_KEY_INFO_INIT                                                                       \
    { sizeof(ddaebm_key_info), NULL, NULL, DDAEBM_TYPE_BOOLEAN, 0, 0, 0, NULL }

/** Makes a configuration from a preset: "toy" (published, two-dimensional), "points" (the best
 * found for two dimensions), "vector" (rows of any width, fitted to them), "fashion" (28 x 28 grey
 * images), "cifar10", "celeba64" and "lsun128" (published, for images).
 *  @param[out] out the new configuration, to be freed with ddaebm_config_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param preset its name; NULL for "points"
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND (the text lists the presets)
 * or ::DDAEBM_OUT_OF_MEMORY.
 *  @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_create(ddaebm_config **out,
                                                             ddaebm_context *context,
                                                             const char *preset);

/** Frees a configuration. @param config may be NULL. @since 0.1 */
DDAEBM_API void ddaebm_config_free(ddaebm_config *config);

/** Copies a configuration.
 *  @param[out] out the copy, to be freed with ddaebm_config_free; untouched on failure
 *  @param config the original
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_MEMORY. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_copy(ddaebm_config **out,
                                                           const ddaebm_config *config);

/** Sets one value from text as it stands in JSON; the quotes of a choice may be left out: "4",
 * "0.1", "true", "vp", "[300, 300]".
 *  @param config changed on success alone
 *  @param key dotted name
 *  @param value the text
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND (no such key),
 * ::DDAEBM_FORMAT (not of the key's type),
 *          ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_set(ddaebm_config *config, const char *key,
                                                          const char *value);

/** Sets values from a JSON object, {"diffusion.timesteps": 4, ...}; what it does not name stays.
 *  @param config changed on success alone
 *  @param text JSON, not necessarily ended by a NUL
 *  @param length of @p text in bytes
 *  @return as ddaebm_config_set; ::DDAEBM_FORMAT names the line of a syntax error. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_parse(ddaebm_config *config, const char *text,
                                                            size_t length);

/** ddaebm_config_parse on a file of at most 1 MiB.
 *  @param config changed on success alone
 *  @param path of the file
 *  @return as ddaebm_config_parse, or ::DDAEBM_NOT_FOUND or ::DDAEBM_IO for the file. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_load(ddaebm_config *config, const char *path);

/** Sets an integer. @param config changed on success alone @param key dotted name @param value
 * within the key's bounds
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT (also: the key is of another type),
 * ::DDAEBM_NOT_FOUND or ::DDAEBM_OUT_OF_RANGE.
 *  @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_set_integer(ddaebm_config *config,
                                                                  const char *key, int64_t value);

/** Sets a real. @param config changed on success alone @param key dotted name @param value within
 * the key's bounds
 *  @return as ddaebm_config_set_integer. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_set_real(ddaebm_config *config,
                                                               const char *key, double value);

/** Reads an integer or a boolean (0 or 1). @param config the configuration @param key dotted name
 *  @param[out] value untouched on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT (also: the key is of another type) or
 * ::DDAEBM_NOT_FOUND. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_get_integer(const ddaebm_config *config,
                                                                  const char *key, int64_t *value);

/** Reads a real. @param config the configuration @param key dotted name @param[out] value untouched
 * on failure
 *  @return as ddaebm_config_get_integer. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_get_real(const ddaebm_config *config,
                                                               const char *key, double *value);

/** Writes any value as JSON text.
 *  @param config the configuration
 *  @param key dotted name; NULL for the whole configuration as one JSON object, keys in the order
 * of ddaebm_config_key
 *  @param[out] text NUL-terminated; may be NULL if @p capacity is 0. Untouched on failure
 *  @param capacity bytes at @p text
 *  @param[out] needed bytes that the text and its NUL take; may be NULL
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND, ::DDAEBM_OUT_OF_MEMORY, or
 * ::DDAEBM_OUT_OF_RANGE if
 *          @p capacity is too small (@p needed is set all the same). @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_get_text(const ddaebm_config *config,
                                                               const char *key, char *text,
                                                               size_t capacity, size_t *needed);

/** What is known of the index-th hyperparameter.
 *  @param index from 0
 *  @param[in,out] info its struct_size set by the caller; untouched on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, or ::DDAEBM_NOT_FOUND past the last. @since 0.1
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_key(size_t index, ddaebm_key_info *info);

/** Name of the index-th preset. @param index from 0 @return a constant string, or NULL past the
 * last. @since 0.1 */
DDAEBM_API const char *ddaebm_config_preset(size_t index);

#ifdef __cplusplus
}
#endif

#endif
