#!/bin/sh
# Tables as people have them: units, headers, row numbers, columns that are chosen, constant ones. test_tables.sh PATH/TO/ddaebm
set -u
ddaebm=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0
failed=0

# holds WHAT COMMAND...
holds() {
    what=$1
    shift
    if "$@" >/dev/null; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what" >&2
        cat err >&2
    fi
}

small='--set energy.hidden_layers=[8] --set generator.hidden_layers=[8] --set encoder.hidden_layers=[8] --set training.batch=8'
small="$small --set training.steps=20 --set data.standardize=files --preset vector --threads 1 --quiet"

# train DATA MODEL OPTION...: notes and warnings go to err
train() {
    data=$1
    model=$2
    shift 2
    # shellcheck disable=SC2086 # options
    "$ddaebm" train --data "$data" $small --out "$model" "$@" 2>err
}

# The numbers of an NPY file, one a line: numbers TYPE FILE
numbers() {
    tail -c +129 "$2" | od -An -v -t "$1" -w8 | tr -d ' '
}

# refuses PATTERN COMMAND...: exit status 1 and one line
refuses() {
    pattern=$1
    shift
    "$@" 2>err
    status=$?
    holds "status 1 of $*" [ $status = 1 ]
    holds "one line of $*" [ "$(wc -l <err)" = 1 ]
    holds "'$pattern' of $*" grep -q -- "$pattern" err
}

# ---- Units. ----

awk 'BEGIN { print "x,y"; for (i = 0; i < 60; i++) printf "%.17g,%.17g\n", sin(i), cos(3 * i) }' >plain.csv
awk -F, 'NR == 1 { print; next } { printf "%.17g,%.17g\n", $1 * 1.6e-19, $2 * 1e12 }' plain.csv >units.csv
awk -F, 'NR == 1 { print; next } { printf "%.17g,%.17g\n", 1.7e9 + 1800 * $1, 48.1 + 1e-5 * $2 }' plain.csv >places.csv
for table in plain units places; do
    train $table.csv $table.safetensors
    holds "$table: no warning" [ ! -s err ]
    "$ddaebm" score --model $table.safetensors --data $table.csv --threads 1 --out $table.npy
    "$ddaebm" sample --model $table.safetensors --count 50 --threads 1 --out $table.samples.npy
    numbers f8 $table.samples.npy >$table.samples
done
paste plain.samples units.samples >both
holds "samples come in their own units" awk 'BEGIN { scale[1] = 1.6e-19; scale[0] = 1e12 } { d = $2 / scale[NR % 2] - $1; if (d * d > 1e-6) bad++ }
    END { exit bad > 0 || NR != 100 }' both
holds "and near the place and the hour" awk 'NR % 2 && ($1 < 1.69999e9 || $1 > 1.70001e9) || !(NR % 2) && ($1 < 48 || $1 > 48.2) { bad++ } END { exit bad > 0 }' places.samples
"$ddaebm" auroc --normal plain.npy --anomalous units.npy >out
holds "scores do not depend on units" awk '{ exit !($1 > 0.499 && $1 < 0.501) }' out

# ---- Constant columns. ----

awk 'BEGIN { for (i = 0; i < 40; i++) print sin(i) "," 0.1 "," cos(i) "," 7 }' >constant.csv
train constant.csv constant.safetensors
holds "one warning" [ "$(cat err)" = "ddaebm: warning: columns 2, 4 of the data are constant" ]
"$ddaebm" sample --model constant.safetensors --count 5 --threads 1 --out c.npy
numbers f8 c.npy >c.numbers
holds "samples have the constants" awk 'NR % 4 == 2 && $1 != 0.1 || NR % 4 == 0 && $1 != 7 { bad++ } END { exit bad > 0 || NR != 20 }' c.numbers
printf '0.5,0.1,0.5,7\n0.5,0.2,0.5,7\n0.5,0.2,0.5,8\n' >strange.csv
"$ddaebm" score --model constant.safetensors --data strange.csv --threads 1 --out s.npy
holds "a row that differs loses log(42)" sh -c "tail -c +129 s.npy | od -An -v -t f4 -w4 |
    awk '{ s[NR] = \$1 } END { l = log(42); exit !((s[1]-s[2]-l)^2 < 1e-6 && (s[1]-s[3]-2*l)^2 < 1e-6) }'"

# twice_40 FORMAT FORMAT: two formats of printf, in turn, 40 in all
twice_40() {
    i=0
    while [ $i -lt 20 ]; do
        # shellcheck disable=SC2059 # they are formats
        printf "$1$2"
        i=$((i + 1))
    done
}

# Rows of 0.5, 0.1 and 1, 0.1, as text and as float32
twice_40 '0.5,0.1\n' '1,0.1\n' >exact.csv
{
    printf '\223NUMPY\1\0v\0%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 2), }"
    twice_40 '\0\0\0\077\315\314\314\075' '\0\0\200\077\315\314\314\075'
} >rounded.npy
train exact.csv exact.safetensors
train rounded.npy rounded.safetensors
for model in exact rounded; do
    for data in exact.csv rounded.npy; do
        "$ddaebm" score --model $model.safetensors --data $data --threads 1 --out $data.scores.csv 2>err
    done
    holds "$model: a constant in another precision is the same" sh -c "paste exact.csv.scores.csv rounded.npy.scores.csv |
        awk '{ d = \$1 - \$2 } d * d > 0.01 { bad++ } END { exit bad > 0 || NR != 40 }'"
done

# ---- Headers, row numbers, columns. ----

printf '2001,2002\n1,2\n3,4\n' >years.csv
"$ddaebm" data --data years.csv --count 9 --out y.npy 2>err
holds "years are names" grep -q "^ddaebm: note: line 1 is unlike all below it, and was read as the columns' names" err
holds "above two rows" [ "$(numbers f8 y.npy | wc -l)" = 4 ]
"$ddaebm" data --data years.csv --header no --count 9 --out y.npy 2>err
holds "unless they are none" sh -c '[ "$(tail -c +129 y.npy | wc -c)" = 48 ] && [ ! -s err ]'
sed 's/^/,/; 1s/^,/,/' plain.csv | awk 'NR > 1 { print NR - 2 $0; next } 1' >pandas.csv
train pandas.csv pandas.safetensors
holds "an index is left out" grep -q "note: column 1 has no name and counts the rows: it is left out" err
holds "and makes no difference" cmp plain.safetensors pandas.safetensors
awk -F, -v OFS=, 'NR == 1 { print "id", $0, "name"; next } { print "n" NR, $0, "\"A, B\"" }' plain.csv >names.csv
train names.csv names.safetensors --drop id,name
holds "columns are dropped by name" cmp plain.safetensors names.safetensors
train names.csv names.safetensors --columns 2-3
holds "and chosen by number" cmp plain.safetensors names.safetensors
refuses "line 2, column 1 ('id'): 'n2' is not a number" "$ddaebm" score --model plain.safetensors --data names.csv --out never.npy
awk -F, -v OFS=, '{ print $2, $1 }' plain.csv >swapped.csv
refuses "swapped.csv: column 1 of the data is 'y', the model's is 'x': the columns have another order; --columns x,y puts them in the model's" "$ddaebm" score --model plain.safetensors --data swapped.csv --out never.npy
"$ddaebm" score --model plain.safetensors --data swapped.csv --columns x,y --threads 1 --out back.npy
holds "the order may be asked for" cmp plain.npy back.npy
train plain.csv run.safetensors --steps 10 --checkpoint run.checkpoint
# shellcheck disable=SC2086 # options
refuses "column 1 of the data is 'y'" "$ddaebm" train --data swapped.csv $small --out never.safetensors --resume run.checkpoint
sed '1s/^/# /' plain.csv >numpy.csv
train numpy.csv numpy.safetensors
holds "a comment has the names" grep -q "note: line 1, a comment, was read as the columns' names; --header no keeps it a comment" err
holds "and makes no difference" cmp plain.safetensors numpy.safetensors
sed '1s/^/#/' swapped.csv >swapped_numpy.csv
"$ddaebm" score --model plain.safetensors --data swapped_numpy.csv --out never.npy 2>err
holds "and shows another order" grep -q "the columns have another order" err
refuses "no column is named 'X'; the nearest is 'x'" "$ddaebm" data --data plain.csv --columns X --count 3 --out never.npy
refuses "no column is named 'z'" "$ddaebm" data --data plain.csv --columns z --count 3 --out never.npy
refuses "moons is a named set" "$ddaebm" data --data moons --columns 1 --count 3 --out never.npy
gzip -c plain.csv | gzip -c >twice.gz
refuses "twice.gz: it is \(packed by gzip twice: unpack it once\|compressed, and this build has no zlib\)" \
    "$ddaebm" data --data twice.gz --count 3 --out never.npy
holds "nothing was written" [ ! -e never.npy ]

# ---- Reasons. ----

awk 'BEGIN { print "x,\"y, z\",w"; for (i = 0; i < 60; i++) printf "%.17g,%.17g,%.17g\n", sin(i), cos(3 * i), sin(5 * i) }' >three.csv
train three.csv three.safetensors
awk -F, -v OFS=, 'NR == 8 { $2 = 40 } 1' three.csv | sed '1s/.*/x,"y, z",w/' >wrong.csv
score() {
    "$ddaebm" score --model three.safetensors --data wrong.csv --threads 1 "$@" 2>err
}
score --out all.csv
score --lowest 3 --explain 2 --out lowest.csv
holds "columns of a file of reasons" grep -qx "row,score,column_1,value_1,expected_1,contribution_1,column_2,value_2,expected_2,contribution_2" lowest.csv
holds "one line a row" [ "$(wc -l <lowest.csv)" = 4 ]
holds "the wrong row is the lowest, and the wrong column its first reason" grep -q '^7,[-0-9.e+]*,"y, z",40,' lowest.csv
holds "scores ascend" sh -c "sed 1d lowest.csv | cut -d, -f2 | sort -g -c"
score --lowest 60 --out ranked.csv
holds "they are the scores of the rows" sh -c "sed 1d ranked.csv | sort -n | cut -d, -f2 >again; sed 1d all.csv | paste - again |
    awk '{ d = \$1 - \$2 } d * d > 1e-8 { bad++ } END { exit bad > 0 || NR != 60 }'"
score --explain 1 --out all.npy
holds "an array has the columns' numbers, of all rows in order" [ "$(numbers f8 all.npy | awk 'NR == 6 * 6 + 1 || NR == 6 * 6 + 3' | tr '\n' ' ')" = "7 2 " ]
for wrong in '--explain 4' '--explain 1 --score gradient'; do
    # shellcheck disable=SC2086 # options
    score $wrong --out never.csv
    status=$?
    holds "status 2 of $wrong" [ $status = 2 ]
done
holds "nothing was written" [ ! -e never.csv ]
echo "$passed passed, $failed failed"
[ $failed = 0 ]
