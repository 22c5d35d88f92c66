/* malloc that has nothing to give. A test that includes this is linked so that the library's and
 * its own calls of malloc pass here first (CMakeLists.txt). */
#ifndef TEST_NO_MEMORY_H
#define TEST_NO_MEMORY_H

/* From here on every call fails. */
void no_memory_begin(void);

/* Back to normal. */
void no_memory_end(void);

#endif
