/* What a context has reported: the last line, its level, and how many lines there were. */
#ifndef TEST_HEARD_H
#define TEST_HEARD_H

#include "support/harness.h"

static char heard_line[512];
static ddaebm_log_level heard_level;
static size_t heard_lines;

static inline void keep_line(void *user, ddaebm_log_level level, const char *text) {
    (void)user;
    snprintf(heard_line, sizeof heard_line, "%s", text);
    heard_level = level;
    heard_lines++;
}

static inline void hear_context(ddaebm_context *of) {
    ASSERT_OK(ddaebm_context_set_log(of, keep_line, NULL, DDAEBM_LOG_INFO));
    heard_lines = 0;
    *heard_line = '\0';
}

#endif
