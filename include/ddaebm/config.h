/** @file config.h
 *  Holds every hyperparameter under a dotted name; each has a type, bounds and a description.
 *
 *  Values come from a preset, from JSON, or one at a time. A name that does not exist, or a value
 *  out of its bounds, is an error that says what is allowed, and changes nothing.
 *  ddaebm_config_key_info lists all names with bounds and descriptions.
 */
#ifndef DDAEBM_CONFIG_H
#define DDAEBM_CONFIG_H

#include <ddaebm/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A configuration; opaque. One thread at a time may change it. */
typedef struct ddaebm_config ddaebm_config;

/** Type of a hyperparameter. */
typedef enum ddaebm_type {
    DDAEBM_TYPE_BOOLEAN = 0,  /**< JSON true or false */
    DDAEBM_TYPE_INTEGER = 1,  /**< JSON integer */
    DDAEBM_TYPE_REAL = 2,     /**< JSON number, kept as a double */
    DDAEBM_TYPE_CHOICE = 3,   /**< JSON string, one of a list */
    DDAEBM_TYPE_INTEGERS = 4, /**< JSON array of integers */
    DDAEBM_TYPE_REALS = 5     /**< JSON array of numbers, kept as doubles */
} ddaebm_type;

/** Description of a hyperparameter. All strings are constants. */
typedef struct ddaebm_key_info {
    size_t struct_size;   /**< set by the caller to sizeof(ddaebm_key_info) */
    const char *name;     /**< dotted, for instance "diffusion.timesteps" */
    const char *meaning;  /**< one sentence */
    ddaebm_type type;     /**< its type */
    double least;         /**< smallest value, or smallest element of an array;
                               meaningless for booleans and choices */
    double most;          /**< largest value, likewise */
    size_t most_elements; /**< most elements of an array; 0 for other types */
    const char *choices;  /**< the words of a choice, separated by '|'; else NULL */
} ddaebm_key_info;

/** Initialiser of a ddaebm_key_info. */
#define DDAEBM_KEY_INFO_INIT                                                                       \
    { sizeof(ddaebm_key_info), NULL, NULL, DDAEBM_TYPE_BOOLEAN, 0, 0, 0, NULL }

/** Makes a configuration from a preset.
 *
 *  The presets, which ddaebm_config_preset lists, are:
 *  - "toy": two-dimensional data, as published;
 *  - "points": two-dimensional data, the best configuration found for it;
 *  - "vector": rows of any width; the noise is fitted to the data;
 *  - "impute": tables with missing values, small ones among them; columns are decorrelated;
 *  - "fashion": 28 x 28 grey images;
 *  - "fashion-small": the same with smaller networks, for a few processor cores;
 *  - "cifar10": 32 x 32 colour images, as published;
 *  - "celeba64": 64 x 64 colour images, as published;
 *  - "lsun128": 128 x 128 colour images, as published.
 *
 *  @param[out] out the new configuration, to be freed with ddaebm_config_free
 *  @param context NULL for the defaults
 *  @param preset name of the preset; NULL for "points"
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND (the text lists the presets)
 *          or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_create(ddaebm_config **out,
                                                             ddaebm_context *context,
                                                             const char *preset);

/** Frees a configuration.
 *  @param config may be NULL
 */
DDAEBM_API void ddaebm_config_free(ddaebm_config *config);

/** Copies a configuration.
 *  @param[out] out the copy, to be freed with ddaebm_config_free
 *  @param config the original
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_copy(ddaebm_config **out,
                                                           const ddaebm_config *config);

/** Sets a value of any type from JSON text, such as "4", "0.1", "true", "vp" or "[300, 300]".
 *  The quotes of a choice may be left out.
 *  @param config changed on success alone
 *  @param key dotted name
 *  @param value the text
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND (no such key),
 *          ::DDAEBM_FORMAT (not of the key's type), ::DDAEBM_OUT_OF_RANGE or
 *          ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_set(ddaebm_config *config, const char *key,
                                                          const char *value);

/** Sets values from a JSON object such as {"diffusion.timesteps": 4}; keys that it does not name
 *  keep their values.
 *  @param config changed on success alone
 *  @param text JSON; a NUL at the end is not needed
 *  @param length of @p text in bytes
 *  @return as ddaebm_config_set; the text of ::DDAEBM_FORMAT names the line of a syntax error.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_parse(ddaebm_config *config, const char *text,
                                                            size_t length);

/** Sets values from a JSON file, as ddaebm_config_parse does.
 *  @param config changed on success alone
 *  @param path of a file of at most 1 MiB
 *  @return as ddaebm_config_parse, or ::DDAEBM_NOT_FOUND or ::DDAEBM_IO for the file.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_load(ddaebm_config *config, const char *path);

/** Sets an integer.
 *  @param config changed on success alone
 *  @param key dotted name
 *  @param value within the key's bounds
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT (also: the key is of another type),
 *          ::DDAEBM_NOT_FOUND or ::DDAEBM_OUT_OF_RANGE.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_set_integer(ddaebm_config *config,
                                                                  const char *key, int64_t value);

/** Sets a real number.
 *  @param config changed on success alone
 *  @param key dotted name
 *  @param value within the key's bounds
 *  @return as ddaebm_config_set_integer.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_set_real(ddaebm_config *config,
                                                               const char *key, double value);

/** Reads an integer, or a boolean as 0 or 1.
 *  @param config the configuration
 *  @param key dotted name
 *  @param[out] value of the key
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT (also: the key is of another type) or
 *          ::DDAEBM_NOT_FOUND.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_integer(const ddaebm_config *config,
                                                              const char *key, int64_t *value);

/** Reads a real number.
 *  @param config the configuration
 *  @param key dotted name
 *  @param[out] value of the key
 *  @return as ddaebm_config_integer.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_real(const ddaebm_config *config,
                                                           const char *key, double *value);

/** Writes a value of any type as JSON text.
 *  @param config the configuration
 *  @param key dotted name; NULL for the whole configuration as one JSON object, its keys in the
 *         order of ddaebm_config_key_info
 *  @param[out] text ends with a NUL; may be NULL if @p capacity is 0
 *  @param capacity bytes at @p text
 *  @param[out] needed bytes that the text and its NUL take; may be NULL
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND, ::DDAEBM_OUT_OF_MEMORY, or
 *          ::DDAEBM_OUT_OF_RANGE if @p capacity is too small (@p needed is set all the same).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_text(const ddaebm_config *config,
                                                           const char *key, char *text,
                                                           size_t capacity, size_t *needed);

/** Describes the index-th hyperparameter.
 *  @param index from 0
 *  @param[in,out] info its struct_size set by the caller
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, or ::DDAEBM_NOT_FOUND past the last.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_key_info(size_t index, ddaebm_key_info *info);

/** Name of the index-th preset.
 *  @param index from 0
 *  @return a constant string, or NULL past the last.
 */
DDAEBM_API const char *ddaebm_config_preset(size_t index);

/** Computes the memory that training by a configuration takes: weights, moments, averages, the
 *  batch, and the working memory of a step. Nothing is trained.
 *  @param config the configuration
 *  @param context whose number of threads counts; NULL for the defaults
 *  @param[out] bytes that a trainer holds after its first step
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_config_training_memory(const ddaebm_config *config,
                                                                      ddaebm_context *context,
                                                                      size_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
