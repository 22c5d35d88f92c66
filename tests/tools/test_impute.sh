#!/bin/sh
# Filling in tables: holes in CSV and NPY, names, draws, whole numbers, models that are kept. test_impute.sh PATH/TO/ddaebm
# shellcheck source=tests/tools/checks.sh
. "$(dirname "$0")/checks.sh" "$1"

quick="--config small.json --set training.steps=60 --set data.whiten=true --threads 1"

# y is 2 x + 1 and k a whole number; every third row lacks one of them.
awk 'BEGIN {
    print "x,y,k"
    for (i = 0; i < 60; i++) {
        x = (i * 37 % 60) / 10
        printf "%s,%s,%s\n", i % 9 == 3 ? "" : x, i % 9 == 6 ? "NA" : 2 * x + 1 + (i % 2) / 10, i % 9 == 0 ? "?" : i % 5
    }
}' >holes.csv
sed 's/NA/nan/' holes.csv >other.csv

bad 1 "'?' is a missing value" impute --data holes.csv --out never.csv
bad 1 'missing allow' train --data holes.csv --out never.safetensors
bad 1 'missing has an empty item' impute --data holes.csv --missing '?,,' --out never.csv
bad 1 'is a named set' impute --data rings --out never.csv
bad 2 'model fills in by a model that is there' impute --data holes.csv --missing '?' --model x --model-out y --out never.csv
bad 2 'draws' impute --data holes.csv --draws 0 --out never.csv

# shellcheck disable=SC2086 # options
{
    good impute --data holes.csv --missing '?' $quick --quiet --model-out m.safetensors --out full.csv
    good impute --data holes.csv --missing '?' $quick --quiet --out again.csv
    holds 'the same command fills in the same' cmp full.csv again.csv
    good impute --data holes.csv --missing '?' --model m.safetensors --threads 1 --quiet --out kept.csv
    holds 'the model that was kept fills in the same' cmp full.csv kept.csv
    good impute --data other.csv --missing '?' --model m.safetensors --threads 1 --quiet --integers --draws 3 --out draws.csv
    good impute --data other.csv --missing '?' --model m.safetensors --threads 1 --quiet --draws 3 --out draws.npy
    good train --data holes.csv --missing '?' $quick --quiet --preset impute --out trained.safetensors
}
holds 'names are kept' [ "$(head -1 full.csv)" = x,y,k ]
holds 'all rows are there' [ "$(wc -l <full.csv)" = 61 ]
holds 'of three draws too' [ "$(wc -l <draws.csv)" = 181 ]
holds 'NPY has an axis for draws' has_shape draws.npy '3, 60, 3'

# known values as they were; what is filled in is finite, and whole where that was asked for
cat >compare.awk <<'END'
BEGIN { FS = "," }
NR == FNR { line[FNR] = $0; next }
FNR > 1 {
    split(line[(FNR - 2) % 60 + 2], known, ",")
    for (j = 1; j <= 3; j++) {
        hole = known[j] == "" || known[j] == "NA" || known[j] == "?"
        if (!hole && known[j] + 0 != $j + 0) wrong = 1
        if (hole && ($j !~ /^-?[0-9.]+(e-?[0-9]+)?$/)) wrong = 1
        if (whole && j == 3 && $j != int($j)) wrong = 1
        if (hole && j == 2) { error += ($2 - 2 * $1 - 1) ^ 2; count++ }
    }
}
END { exit wrong || !count || error / count > 4 }
END
holds 'known values stay, others follow the line' awk -f compare.awk holes.csv full.csv
holds 'draws too, k whole' awk -v whole=1 -f compare.awk holes.csv draws.csv

# nothing is missing
good data --data moons --count 30 --out whole.csv
"$ddaebm" impute --data whole.csv --out same.csv 2>err
holds 'a whole table is copied' cmp whole.csv same.csv
holds 'with a note' grep -q 'no value of whole.csv is missing' err

# a column without a value, and a progress line
printf 'a,b\n1,\n2,\n3,\n' >empty.csv
bad 1 "column 2 ('b') of the data has no value" impute --data empty.csv --quiet --out never.csv
# shellcheck disable=SC2086
"$ddaebm" impute --data holes.csv --missing '?' $quick --out shown.csv 2>err
holds 'progress is shown' grep -q '60/60 steps' err

finish
