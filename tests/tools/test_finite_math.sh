#!/bin/sh
# No source compiles with flags that remove the checks for what is not finite. test_finite_math.sh COMPILER SOURCES
set -u
compiler=$1
cd "$2" || exit 1
passed=0
failed=0
for source in $(find lib -name '*.c') $(grep -l '"console.h"' tools/*.c); do
    flags=-ffinite-math-only
    case $source in lib/base/*) flags='-ffinite-math-only -ffast-math -Ofast' ;; esac
    for flag in $flags; do
        if "$compiler" -std=c11 -Iinclude -Ilib $flag -E "$source" 2>&1 >/dev/null | grep -q 'error.*looks for NaN'; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAILED: $source is compiled with $flag" >&2
        fi
    done
    # as the build has it, behind a host's flag
    if "$compiler" -std=c11 -Iinclude -Ilib -ffast-math -fno-fast-math -fno-finite-math-only -E "$source" 2>&1 >/dev/null | grep -q 'looks for NaN'; then
        failed=$((failed + 1))
        echo "FAILED: $source is refused though the flag is undone" >&2
    else
        passed=$((passed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 200 ]
