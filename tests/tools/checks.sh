# What the tests of the command share; read by them, after their first argument is the command. They end with `finish`.
# shellcheck shell=sh
set -u
ddaebm=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir folder
passed=0
failed=0

ok() {
    passed=$((passed + 1))
}

wrong() {
    failed=$((failed + 1))
    echo "FAILED: $1" >&2
    sed 's/^/    /' err why 2>/dev/null >&2
    rm -f why
}

# good ARGUMENT...: exit status 0 and not a word on stderr.
good() {
    if "$ddaebm" "$@" >out 2>err && [ ! -s err ]; then ok; else wrong "ddaebm $*: expected success without a word"; fi
}

# bad STATUS PATTERN ARGUMENT...: that exit status, one line on stderr that matches, nothing left at the names below.
bad() {
    status=$1
    pattern=$2
    shift 2
    "$ddaebm" "$@" >out 2>err
    got=$?
    lines=$(wc -l <err)
    left=$(ls -d never.* .ddaebm-* folder/.ddaebm-* folder/* 2>/dev/null)
    if [ $got = "$status" ] && [ "$lines" = 1 ] && grep -q '^ddaebm: ' err && grep -q -e "$pattern" err && [ -z "$left" ] && [ ! -s out ]; then
        ok
    else
        wrong "ddaebm $*: expected status $status and one line with '$pattern'; got status $got, $lines lines, left behind: $left"
        rm -f never.*
    fi
}

# holds DESCRIPTION COMMAND...
holds() {
    description=$1
    shift
    if "$@" >said 2>why; then ok; else wrong "$description"; fi
}

differ() {
    ! cmp -s "$1" "$2"
}

# has_shape FILE.npy SHAPE, as the header spells it
has_shape() {
    head -c 128 "$1" | tr -d '\0' | grep -a -q -F "'shape': ($2)"
}

is_png() {
    [ "$(head -c 4 "$1" | tail -c 3)" = PNG ]
}

# Networks that train in no time.
cat >small.json <<'END'
{"energy.hidden_layers": [16], "energy.feature_layers": [4], "generator.hidden_layers": [16], "generator.feature_layers": [4],
 "encoder.hidden_layers": [16], "encoder.feature_layers": [4], "training.batch": 20}
END
small="--config small.json --threads 1 --quiet"
# shellcheck disable=SC2086 # $small is several words
train_small() {
    good train $small "$@"
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
