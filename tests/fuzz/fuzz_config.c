/* A configuration's JSON. What is accepted comes back as text that means the same; what is refused
 * changes nothing, and the text of a failure depends on the input alone. */
#include "config/config.h"
#include "config/settings_check.h"
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_ROOM = 16384, MESSAGE_ROOM = 512, STACK = 16384 };

static void get_text(const ddaebm_config *config, char text[TEXT_ROOM]) {
    FUZZ_REQUIRE(ddaebm_config_text(config, NULL, text, TEXT_ROOM, NULL) == DDAEBM_OK);
}

/* What a careless function would find on the stack. */
static __attribute__((noinline)) void scribble(int with) {
    volatile char stack[STACK];
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = (char)with;
}

/* Another than what a text begins with, made once. */
static ddaebm_config *cifar10(void) {
    static ddaebm_config *made;
    if (!made)
        FUZZ_REQUIRE(ddaebm_config_create(&made, fuzz_context(), "cifar10") == DDAEBM_OK);
    return made;
}

/* Refused by a configuration that exists, too, with the same words, and that stays what it was. */
static void refuse_again(const char *text, size_t size, ddaebm_status before, const char *message) {
    const dd_settings was = *dd_config_settings(cifar10());
    scribble('b');
    FUZZ_REQUIRE(ddaebm_config_parse(cifar10(), text, size) == before);
    FUZZ_REQUIRE(strcmp(ddaebm_error_message(), message) == 0);
    FUZZ_REQUIRE(memcmp(dd_config_settings(cifar10()), &was, sizeof was) == 0);
}

static void set_each_key(ddaebm_config *config) {
    ddaebm_key_info info = DDAEBM_KEY_INFO_INIT;
    for (size_t i = 0; ddaebm_config_key_info(i, &info) == DDAEBM_OK; i++) {
        char value[MESSAGE_ROOM];
        FUZZ_REQUIRE(ddaebm_config_text(config, info.name, value, sizeof value, NULL) == DDAEBM_OK);
        FUZZ_REQUIRE(ddaebm_config_set(config, info.name, value) == DDAEBM_OK);
    }
}

/* As text and as single values. */
static void go_round(ddaebm_config *config) {
    static char first[TEXT_ROOM], second[TEXT_ROOM];
    ddaebm_config *again = fuzz_unset();
    get_text(config, first);
    ddaebm_status status = dd_config_create_from_json(&again, fuzz_context(), first, strlen(first));
    FUZZ_REQUIRE(fuzz_made(status, again));
    get_text(again, second);
    FUZZ_REQUIRE(strcmp(first, second) == 0);
    set_each_key(again);
    get_text(again, second);
    FUZZ_REQUIRE(strcmp(first, second) == 0);
    ddaebm_config_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ddaebm_config *config = fuzz_unset();
    char message[MESSAGE_ROOM];
    (void)cifar10();
    fuzz_begin();
    scribble('a');
    ddaebm_status status =
        dd_config_create_from_json(&config, fuzz_context(), (const char *)data, size);
    (void)snprintf(message, sizeof message, "%s", ddaebm_error_message());
    if (fuzz_made(status, config)) {
        go_round(config);
        status = dd_settings_check(dd_config_settings(config));
        (void)fuzz_judge(status, status == DDAEBM_OK);
        ddaebm_config_free(config);
    } else {
        refuse_again((const char *)data, size, status, message);
    }
    fuzz_end();
    return 0;
}
