#include "base/ieee.h"

#include <ddaebm/version.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *ddaebm_version_text(void) {
    return TEXT(DDAEBM_VERSION_MAJOR) "." TEXT(DDAEBM_VERSION_MINOR) "." TEXT(DDAEBM_VERSION_PATCH);
}

int ddaebm_version_number(void) {
    return DDAEBM_VERSION_MAJOR * 10000 + DDAEBM_VERSION_MINOR * 100 + DDAEBM_VERSION_PATCH;
}
