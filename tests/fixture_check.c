/* fixture-check FILE...: compares the library with fixtures of format ddaebm-fixture-1. One JSON
 * line a file; exit status 0 if all hold, 1 if not, 2 without a file. */
#include "support/fixture.h"

#include <stdio.h>

int main(int count, char **arguments) {
    bool good = true;
    if (count < 2) {
        fprintf(stderr, "usage: fixture-check FILE...\n");
        return 2;
    }
    for (int i = 1; i < count; i++)
        good = test_fixture_check(arguments[i], stdout) && good;
    return good ? 0 : 1;
}
