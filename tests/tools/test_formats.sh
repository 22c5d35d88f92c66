#!/bin/sh
# Where results go and where data comes from: formats by name, standard input and output, many rows in little memory. test_formats.sh PATH/TO/ddaebm
# shellcheck source=tests/tools/checks.sh
. "$(dirname "$0")/checks.sh"

# The numbers of an NPY file, one a line: numbers TYPE FILE
numbers() {
    tail -c +129 "$2" | od -An -v -t "$1" -w"${1#f}" | tr -d ' '
}

# close_to FILE FILE: the same numbers, but for what rounding to floats leaves
close_to() {
    tr ',' '\n' <"$1" >left
    tr ',' '\n' <"$2" >right
    [ "$(wc -l <left)" = "$(wc -l <right)" ] &&
        paste left right | awk '{ d = $1 - $2; s = $1 < 0 ? -$1 : $1; if (d < 0) d = -d; if (d > 1e-5 * (s + 1)) bad = 1 } END { exit bad }'
}

printf 'length,"width, cm",mass\n1,2.5,1000000001\n2,3.25,1000000002\n4,0.1,1000000005\n3,7,1000000003\n' >named.csv
train_small -d named.csv --steps 20 -o named.safetensors
train_small -d moons --steps 20 -o model.safetensors

# ---- Formats by name. ----

good sample -m model.safetensors -n 50 -s 3 -o a.npy
holds "rows are float64" sh -c "head -c 128 a.npy | grep -a -q \"'<f8'\""
for name in a.csv A.CSV b.Csv; do
    good sample -m model.safetensors -n 50 -s 3 -o $name
    holds "$name has a line a sample, and none of names where the model has none" [ "$(wc -l <$name)" = 50 ]
done
numbers f8 a.npy | paste -d, - - >numbers.csv
holds "CSV has the numbers of NPY" close_to a.csv numbers.csv
good data -d a.csv -n 50 -o back.npy
holds "bit for bit" cmp a.npy back.npy
good sample -m model.safetensors -n 50 -s 3 -o A.NPY
holds "capitals are small letters" cmp a.npy A.NPY
good sample -m named.safetensors -n 3 -o named-out.csv
holds "the first line has the model's names" [ "$(head -n 1 named-out.csv)" = 'length,"width, cm",mass' ]
holds "numbers are not rounded to float32" sh -c "awk -F, 'NR > 1 && \$3 != int(\$3) { fine = 1 } END { exit !fine }' named-out.csv"
good data -d named.csv -n 9 -o copy.csv
holds "data as it was" cmp named.csv copy.csv
good score -m model.safetensors -d a.csv -o scores.npy
good score -m model.safetensors -d a.csv -o scores.csv
numbers f4 scores.npy >numbers.csv
holds "a score a line" close_to scores.csv numbers.csv
good score -m named.safetensors -d named.csv -o scores.csv
holds "scores of named columns have a name" [ "$(head -n 1 scores.csv)" = energy ]
holds "and stay beside their rows" [ "$(wc -l <scores.csv)" = "$(wc -l <named.csv)" ]
good density -m model.safetensors --range -1:1 --grid 4 -o grid.npy
good density -m model.safetensors --range -1:1 --grid 4 -o grid.csv
numbers f4 grid.npy | paste -d, - - - - >numbers.csv
holds "a grid as text" close_to grid.csv numbers.csv
good density -m model.safetensors --range -1:1 --grid 4 -o grid.PNG
holds "a grid as an image" is_png grid.PNG
if "$ddaebm" sample -m model.safetensors -n 50 -s 3 -o a.csv.gz 2>/dev/null; then
    holds "packed text" sh -c 'gzip -dc a.csv.gz | cmp - a.csv'
    good sample -m model.safetensors -n 50 -s 3 -o b.Csv.GZ
    holds "the same file again" cmp a.csv.gz b.Csv.GZ
    good data -d a.csv.gz -n 50 -o back.npy
    holds "packed text is read back" cmp a.npy back.npy
fi
for name in never.txt never.npz never.gz never.npy.gz never.csv.bz2 never.jpg never never.csvx .csv; do
    bad 2 "out is '$name'; allowed: a name that ends in .npy, .csv, .csv.gz or .png, or --format" sample -m model.safetensors -n 3 -o "$name"
done
bad 2 "out is 'never.txt'; allowed: a name that ends in .npy, .csv or .csv.gz, or --format" score -m model.safetensors -d a.csv -o never.txt
bad 2 "out is 'never.PNG', and score writes numbers" score -m model.safetensors -d a.csv -o never.PNG
bad 2 "score writes numbers" score -m model.safetensors -d a.csv -o never.npy --format png
bad 2 "out is 'never.txt'" data -d moons -n 3 -o never.txt
bad 2 "out is 'never.txt'" density -m model.safetensors --range -1:1 --grid 4 -o never.txt
bad 2 "out is .never.txt.; allowed: a name that ends in .png" plot -m model.safetensors -d moons -o never.txt
good data -d named.csv -o all.csv
holds "without --count all rows of a file" cmp named.csv all.csv
bad 2 "format is 'text'; allowed: auto|npy|csv|csv.gz|png|wav" data -d moons -n 3 -o never.npy --format text
bad 1 "these rows are no images" data -d moons -n 3 -o never.PNG
good data -d moons -n 5 -o kept.dat --format csv
holds "--format is for any name" [ "$(wc -l <kept.dat)" = 5 ]

# Images: rows of numbers as well.
{ printf '\0\0\10\3\0\0\0\24\0\0\0\6\0\0\0\6'; head -c 720 model.safetensors; } >six.idx
good data -d six.idx -n 20 -o six.NPY
holds "images keep their shape" has_shape six.NPY "20, 6, 6, 1"
good data -d six.idx -n 20 -o six.csv
holds "an image is a line" sh -c "[ \"\$(wc -l <six.csv)\" = 20 ] && awk -F, 'NF != 36 { exit 1 }' six.csv"
numbers f4 six.NPY | paste -d, $(printf -- '- %.0s' $(seq 36)) >numbers.csv
holds "with its numbers" close_to six.csv numbers.csv
good data -d six.idx -n 7 -o six.PnG
holds "a grid of them" is_png six.PnG
train_small --preset vector -d six.idx --steps 2 -o six.safetensors
bad 1 "a grid of 31623 by 31623 images is larger than a PNG may be" sample -m six.safetensors -n 1e9 -o never.png
bad 1 "images is larger than a PNG may be" sample -m six.safetensors -n 1e9 -o never.npy --steps-out never.png
good sample -m six.safetensors -n 3 -o six-drawn.csv
holds "drawn images are lines, too" awk -F, 'NF != 36 { exit 1 }' six-drawn.csv

# ---- Standard input and output. ----

"$ddaebm" sample -m model.safetensors -n 50 -s 3 -o - >pipe.csv 2>err
holds "- is text on standard output" cmp a.csv pipe.csv
"$ddaebm" sample -m model.safetensors -n 50 -s 3 -o - --format npy >pipe.npy 2>err
holds "or what --format says" cmp a.npy pipe.npy
"$ddaebm" sample -m model.safetensors -n 50 -s 3 -o /dev/stdout >pipe.npy 2>err
holds "/dev/stdout is NPY" cmp a.npy pipe.npy
"$ddaebm" sample -m model.safetensors -n 50 -s 3 -o /dev/stdout | cat >pipe.npy
holds "in a pipe" cmp a.npy pipe.npy
"$ddaebm" data -d six.idx -n 7 -o - --format png >pipe.png 2>err
holds "an image on standard output" cmp six.PnG pipe.png
{
    echo before
    "$ddaebm" sample -m model.safetensors -n 50 -s 3 -o /dev/stdout --format csv
    echo after
} >around.csv 2>err
holds "standard output is written where it stands" sh -c '[ "$(wc -l <around.csv)" = 52 ] && [ "$(head -n 1 around.csv)" = before ] && [ "$(tail -n 1 around.csv)" = after ]'
"$ddaebm" sample -m model.safetensors -n 50 -s 3 -o /dev/fd/3 3>third.npy 2>err
holds "and so is another descriptor" cmp a.npy third.npy
mkfifo fifo
cat fifo >from-fifo.npy &
good sample -m model.safetensors -n 50 -s 3 -o fifo
wait
holds "a pipe with a name gets NPY" cmp a.npy from-fifo.npy
# Another user's file: it can be written through the descriptor alone.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && setpriv --reuid=65534 --regid=65534 --clear-groups "$ddaebm" --version >/dev/null 2>&1; then
    : >roots.csv
    chmod 600 roots.csv
    chmod 644 model.safetensors
    chmod 711 .
    setpriv --reuid=65534 --regid=65534 --clear-groups "$ddaebm" sample -m model.safetensors -n 50 -s 3 -o /dev/stdout --format csv >>roots.csv 2>err
    holds "another user's file is written through standard output" cmp a.csv roots.csv
    setpriv --reuid=65534 --regid=65534 --clear-groups "$ddaebm" data -d /dev/stdin -n 50 -o - <roots.csv >through.csv 2>err
    holds "and read through standard input" cmp a.csv through.csv
fi

for file in a.csv a.npy six.idx six.NPY; do
    "$ddaebm" data -d $file -n 20 -o want.npy 2>err
    "$ddaebm" data -d - -n 20 -o got.npy <$file 2>err
    holds "- reads $file from standard input" cmp want.npy got.npy
    "$ddaebm" data -d /dev/stdin -n 20 -o got.npy <$file 2>err
    holds "and so does /dev/stdin" cmp want.npy got.npy
    # shellcheck disable=SC2002 # a pipe is meant
    cat $file | "$ddaebm" data --data=- -n 20 -o got.npy 2>err
    holds "and from a pipe" cmp want.npy got.npy
    gzip -c $file | "$ddaebm" data -d- -n 20 -o got.npy 2>err && holds "and packed" cmp want.npy got.npy
done
(
    read -r _
    "$ddaebm" data -d - -n 99 -o rest.csv
) <a.csv 2>err
holds "a pipe's rest is read from where it stands" [ "$(wc -l <rest.csv)" -le 50 ]
"$ddaebm" sample -m model.safetensors -n 50 -s 3 -o - | "$ddaebm" score -m model.safetensors -d - -o - >piped.csv 2>err
good score -m model.safetensors -d a.csv -o direct.csv
holds "commands in a pipeline" cmp direct.csv piped.csv
"$ddaebm" auroc --normal - --anomalous direct.csv <direct.csv >out 2>err
holds "scores from standard input" [ "$(cat out)" = 0.500000 ]
"$ddaebm" train --config small.json -q -j1 --steps 20 -d - -o piped.safetensors <a.csv 2>err
train_small --steps 20 -d a.csv -o direct.safetensors
good sample -m piped.safetensors -n 5 -o piped.npy
good sample -m direct.safetensors -n 5 -o direct.npy
holds "a run on standard input" cmp piped.npy direct.npy
bad 1 "/dev/stdin: it is empty" data -d - -n 3 -o never.npy </dev/null
if [ -w /dev/full ]; then
    holds "standard output that is full is a failure" sh -c "'$ddaebm' data -d moons -n 3 -o - >/dev/full 2>err; [ \$? = 1 ] && grep -q 'No space' err"
fi
holds "standard output that is closed is a failure" sh -c "'$ddaebm' data -d moons -n 3 -o - >&- 2>err; [ \$? = 1 ] && grep -q 'Bad file' err"
holds "a reader that goes away is a failure" sh -c "{ '$ddaebm' data -d moons -n 1e6 -o - 2>err; echo \$? >code; } | head -n 1 >/dev/null; [ \$(cat code) = 1 ] && [ \$(wc -l <err) = 1 ]"

# ---- From a sample on. ----

good sample -m model.safetensors -n 1000 -s 3 -o thousand.csv
for range in '1 1000' '8 993' '401 600' '991 10' '1000 1'; do
    # shellcheck disable=SC2086 # two words
    set -- $range
    good sample -m model.safetensors -n "$2" --first $(($1 - 1)) -s 3 -o some.csv
    sed -n "$1,\$p" thousand.csv >want.csv
    holds "samples from $1 on" close_to some.csv want.csv
done
good sample --deterministic -m model.safetensors -n 1000 -s 3 -o thousand.csv
good sample --deterministic -m model.safetensors -n 5 --first 777 -s 3 -o some.csv
sed -n '778,782p' thousand.csv >want.csv
holds "bit for bit where that is asked for" cmp some.csv want.csv
bad 2 "first is '-1'" sample -m model.safetensors -n 5 --first -1 -o never.npy

# ---- Refined samples. ----

# says PATTERN ARGUMENT...: success, and one line on stderr that matches.
says() {
    pattern=$1
    shift
    holds "$*: '$pattern'" sh -c '"$@" >out 2>err && [ $(wc -l <err) = 1 ] && grep -q -e "$0" err' "$pattern" "$ddaebm" "$@"
}

says '^ddaebm: refined by 5 steps: [0-9.]*% of the proposals were accepted$' sample -m model.safetensors -n 900 -s 3 --refine 5 -o refined.csv
good sample -m model.safetensors -n 900 -s 3 --refine 5 -q -o again.csv
holds "the same samples are refined in the same way" cmp refined.csv again.csv
good sample -m model.safetensors -n 900 -s 3 -o plain.csv
holds "refined samples are others" differ refined.csv plain.csv
good sample -m model.safetensors -n 900 -s 3 --refine 5 --refine-timesteps 2 --quiet -o deep.csv
holds "those of two timesteps, too" differ refined.csv deep.csv
good sample -m model.safetensors -n 400 --first 400 -s 3 --refine 5 -q -o some.csv
sed -n '401,800p' refined.csv >want.csv
holds "refined samples from a block on, bit for bit" cmp some.csv want.csv
good sample --deterministic -m model.safetensors -n 60 -s 3 --refine 5 -q -o few.csv
good sample --deterministic -j 1 -m model.safetensors -n 7 --first 31 -s 3 --refine 5 -q -o some.csv
sed -n '32,38p' few.csv >want.csv
holds "from any on where that is asked for" cmp some.csv want.csv
good convert --model model.safetensors --out half.safetensors --half
says 'refined by 10 steps' sample -m half.safetensors -n 3 --refine 10 -o half.csv
says 'refined by 4 steps' sample -m model.safetensors -n 3 --refine 4 -o /dev/null --format csv
bad 2 "refine is '0'" sample -m model.safetensors -n 3 --refine 0 -o never.npy
bad 2 "refine is '-1'" sample -m model.safetensors -n 3 --refine -1 -o never.npy
bad 2 "refine-timesteps needs --refine" sample -m model.safetensors -n 3 --refine-timesteps 2 -o never.npy
bad 2 "refine-timesteps: timesteps to refine are 999; allowed: 1 to" sample -m model.safetensors -n 3 --refine 3 --refine-timesteps 999 -o never.npy

# ---- Many rows. ----

# Blocks of a call are those of one call: 2^20 numbers at once, and what is left.
good sample -m model.safetensors -n 1060000 -s 3 -o many.npy
good sample -m model.safetensors -n 1048400 -s 3 -o fewer.npy
holds "the first of more samples are the same" sh -c 'tail -c +129 many.npy | head -c 16774400 >a; tail -c +129 fewer.npy | cmp - a'
rm -f a
# in a small address space: 40 million rows would take 640 MB
memory="ulimit -v 400000; OPENBLAS_NUM_THREADS=1; export OPENBLAS_NUM_THREADS"
if sh -c "$memory; '$ddaebm' sample -j1 -m model.safetensors -n 3 -o little.npy" 2>err; then
    holds "data takes no memory for its rows" sh -c "$memory; '$ddaebm' data -d moons -n 4e7 -o - --format npy | wc -c | grep -qx 640000128"
    holds "samples take none" sh -c "$memory; '$ddaebm' sample -j1 -m model.safetensors -n 1e12 -o - | head -n 1000000 | wc -l | grep -qx 1000000"
    holds "scores take none" sh -c "$memory; '$ddaebm' score -j1 -m model.safetensors -d moons -n 1e12 -o - | head -n 1000000 | wc -l | grep -qx 1000000"
else
    echo "SKIPPED: many rows in a small address space: the command does not start in one"
fi

# ---- What does not come to its end leaves nothing. ----

cp a.npy kept.npy
holds "a file as large as is allowed" sh -c "ulimit -f 2000; trap '' XFSZ
    ! '$ddaebm' sample -m model.safetensors -n 1e9 -o kept.npy 2>err && [ \$(wc -l <err) = 1 ] && cmp a.npy kept.npy && ! ls .ddaebm-* 2>/dev/null"
# begin SIGNALS FILE: a run in the background, $process, that has written something. A shell has such runs ignore SIGINT unless env undoes it.
begin() {
    env "$1" "$ddaebm" sample -j1 -m model.safetensors -n 1e9 -o "$2" 2>err &
    process=$!
    tries=0
    while [ -z "$(find . -maxdepth 1 -name '.ddaebm-*' -size +1000k)" ] && [ $tries -lt 3000 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
}
nothing_left() {
    [ -z "$(find . -name '.ddaebm-*')" ] && [ ! -e never.csv ] && cmp a.npy kept.npy
}
if env --default-signal=INT true 2>/dev/null; then
    for signal in INT:130 TERM:143 HUP:129; do
        for name in kept.npy never.csv; do
            begin --default-signal=INT,TERM,HUP $name
            kill -"${signal%:*}" $process
            wait $process
            holds "$signal is 128 and the signal's number" [ $? = "${signal#*:}" ]
            holds "$signal: one line" sh -c "[ \$(wc -l <err) = 1 ] && grep -q '^ddaebm: stopped by signal .*; $name is not written' err"
            holds "$signal: nothing is left of $name" nothing_left
        done
    done
    begin --ignore-signal=HUP never.csv
    kill -HUP $process
    sleep 0.2
    holds "a signal that is ignored stays so" kill -0 $process
    kill -TERM $process
    wait $process
    holds "until another comes" [ $? = 143 ]
    holds "and nothing is left" nothing_left
else
    echo "SKIPPED: signals: env has no --default-signal"
fi

finish
