#!/bin/sh
# The command line as people type it: short options, values after an equals sign, numbers with exponents, settings as options, names that are cut
# or misspelt. test_typing.sh PATH/TO/ddaebm
# shellcheck source=tests/tools/checks.sh
. "$(dirname "$0")/checks.sh"

# same FILE ARGUMENT...: the arguments write never.npy, the same as the file
same() {
    file=$1
    shift
    good "$@"
    holds "ddaebm $*: the same as $file" cmp "$file" never.npy
    rm -f never.npy
}

# ---- Options. ----

good data --data moons --count 100 --seed 5 --out plain.npy
same plain.npy data -d moons -n 100 -s 5 -o never.npy
same plain.npy data -d=moons -n=100 -s=5 -o=never.npy
same plain.npy data -d moons -n +100 -s=+5 -o never.npy
same plain.npy data -d moons -n +1e2 --seed=+5. -o never.npy
same plain.npy data -dmoons -n100 -s5 -onever.npy
same plain.npy data --data=moons --count=100 --seed=5 --out=never.npy
same plain.npy data --data moons --cou=100 --se 5 -o never.npy
same plain.npy data -n 1e2 -s 0.5e1 -d moons -o never.npy
same plain.npy data -n 100. -s 5.0 -d moons -o never.npy
same plain.npy data -n 1E+2 -s 50e-1 -d moons -o never.npy
same plain.npy data -n 1000 --count 100 -d moons -s 5 -o never.npy
for number in 1.5 1e-1 1e99 0x10 -5 1e 1e2.5 . e5 1,000 ' 5' inf nan 1e400 100x; do
    bad 2 "count is '$number'; allowed: a whole number" data -d moons -o never.npy -n "$number"
done
for number in + ++3 +-3 -+3 =3 +x; do
    bad 2 "count is '$number'; allowed: a whole number" data -d moons -o never.npy -n "$number"
done
bad 2 "count is '=3'; allowed" data -d moons -o never.npy -n==3
bad 2 "out is empty" data -d moons -n 3 -o=
bad 2 "seed is '18446744073709551616'" data -d moons -n 1 -o never.npy -s 18446744073709551616
bad 2 "seed is '1.9e19'" data -d moons -n 1 -o never.npy -s 1.9e19
good data -d moons -n 3 -s 18446744073709551615 -o most.npy
good data -d moons -n 3 -s 18446744073709551614 -o less.npy
holds "whole numbers keep all their digits" differ most.npy less.npy

train_small -d moons --steps=20 -o model.safetensors
# shellcheck disable=SC2086 # several words
good train -q -j1 --config small.json -d moons --steps 2e1 -omodel2.safetensors
holds "-q and -j are --quiet and --threads" cmp model.safetensors model2.safetensors
good info -m model.safetensors
good density -m model.safetensors --range .5:1. --grid 3 -o grid.npy
for word in train sample score density data plot auroc convert normalise evaluate restore info; do
    good "$word" --help
    mv out long
    good "$word" -h
    holds "-h is --help of $word" cmp long out
done
good --help
mv out long
good -h
holds "-h is --help" cmp long out
good --version
mv out long
good -V
holds "-V is --version" cmp long out
for word in train score auroc convert; do
    good "$word" --help
    mv out long
    good help "$word"
    holds "help $word is $word --help" cmp long out
done
good --help
mv out long
good help
holds "help is --help" cmp long out
bad 2 "no command 'sampel'; the nearest is sample; known: train," sampel
bad 2 "no command 'scroe'; the nearest is score;" help scroe
bad 2 "no command 'xyzzy'; known: train," help xyzzy
bad 2 "unexpected word 'score' after help" help train score
good data -h
holds "the help shows short names" grep -q '^  --out, -o FILE' out

# ---- Options that are none, or several, or flags with a value. ----

bad 2 "^ddaebm: --check could be --checkpoint or --checkpoint-every; write more of it; see ddaebm train --help$" train --check x
bad 2 "^ddaebm: --s could be --seed or --steps-out;" sample --s=5 -o never.npy
bad 2 "^ddaebm: --co could be --columns or --count;" data --co 5 -o never.npy
bad 2 "^ddaebm: data has no option --cuont; the nearest is --count;" data --cuont 5
bad 2 "^ddaebm: train has no option --checkpiont=c; the nearest is --checkpoint;" train --checkpiont=c
bad 2 "^ddaebm: sample has no option --wonderful;" sample --wonderful
bad 2 "^ddaebm: data has no option -x; a long name has two dashes" data -x
bad 2 "^ddaebm: data has no option -c;" data -count 5
bad 2 "^ddaebm: --quiet takes no value; leave '=1' out;" train --quiet=1
bad 2 "^ddaebm: --deterministic takes no value; leave '=true' out;" sample --det=true
bad 2 "^ddaebm: --help takes no value; leave '=x' out;" info --help=x
bad 2 "^ddaebm: --count needs a value, N;" data -d moons -n
bad 2 "^ddaebm: --out needs a value, FILE;" data -d moons --out
bad 2 "^ddaebm: --out is empty;" data -d moons -n 3 --out=

# ---- Settings. ----

good info --preset points --set training.steps=1e2 --json
mv out one
for way in --training.steps=1e2 training.steps=100 --training.steps=100. training.steps=+100 --set=training.steps=0.1e3; do
    good info --preset points "$way" --json
    holds "$way is --set training.steps=100" cmp one out
done
good info --preset points --json --optimizer.energy_rate=.001 optimizer.beta1=0. --energy.hidden_layers='[1e2, 50.0]'
holds "numbers without a zero before the point" grep -q '"optimizer.energy_rate": 0.001[,}]' out
holds "and in lists" grep -q '"energy.hidden_layers": \[100, 50\]' out
train_small -d moons --training.steps=7 training.batch=10 --log settings.csv -o settings.safetensors
holds "settings of a run" [ "$(wc -l <settings.csv)" = 8 ]
bad 2 'no key "training.stepz"; the nearest is "training.steps"' train -d moons --training.stepz=3 -o never.safetensors
bad 2 'training.steps is 1.5; allowed: an integer' train -d moons training.steps=1.5 -o never.safetensors
bad 2 'training.steps is 1e-3; allowed: an integer\|training.steps is 0.001; allowed: an integer' train -d moons training.steps=1e-3 -o never.safetensors
bad 2 'optimizer.beta1 is ..5; allowed: a number' train -d moons --optimizer.beta1=..5 -o never.safetensors
bad 2 "data has no option --training.steps=3" data -d moons --training.steps=3
bad 2 "unexpected word 'training.steps=3'" data -d moons training.steps=3
bad 2 "unexpected word 'steps=3'" train -d moons steps=3
bad 2 "unexpected word '.=3'" train -d moons .=3

# ---- A configuration that was saved with a byte-order mark. ----

printf '\357\273\277{"training.steps": 1e2}\r\n' >mark.json
good info --preset points --config mark.json --json
holds "a byte-order mark is passed over" cmp one out
printf '\357\273\277' >mark.json
bad 1 "mark.json" info --preset points --config mark.json
printf '{"training.steps": \357\273\277 5}' >mark.json
bad 1 "mark.json" info --preset points --config mark.json

# ---- Standard output. ----

# shellcheck disable=SC2086 # several words
piped() {
    file=$1
    shift
    "$ddaebm" "$@" 2>err | cat >never.npy
    holds "ddaebm $*: the same as $file" cmp "$file" never.npy
    holds "without a file called -" [ ! -e ./- ]
    rm -f never.npy
}
# shellcheck disable=SC2086 # several words
piped model.safetensors train $small -d moons --steps=20 -o -
good convert -m model.safetensors --half -o half.safetensors
piped half.safetensors convert -m model.safetensors --half -o -
piped half.safetensors convert -m model.safetensors --half -o=-
good plot -m model.safetensors -d moons -n 50 -o plot.png
piped plot.png plot -m model.safetensors -d moons -n 50 -o -
good density -m model.safetensors --range 0:1 --grid 3 -o density.png
piped density.png density -m model.safetensors --range 0:1 --grid 3 -o - --format png
good density -m model.safetensors --range 0:1 --grid 3 -o density.csv
piped density.csv density -m model.safetensors --range 0:1 --grid 3 -o -
# shellcheck disable=SC2086 # several words
good train $small -d moons --steps=5 --log log.csv -o never.log.safetensors
rm -f never.*
# shellcheck disable=SC2086 # several words
piped log.csv train $small -d moons --steps=5 --log - -o logged.safetensors
bad 2 "checkpoint is '-'; a checkpoint is replaced as a whole: give the name of a file" train -d moons --checkpoint - -o never.safetensors
bad 2 "out and --log are both standard output" train -d moons --log - -o -
bad 2 "preview-every writes images beside the model, and --out is standard output" train -d grid.npy --preview-every 5 -o -
if [ -c /dev/ptmx ] && [ -w /dev/ptmx ]; then
    bad 2 "out is a terminal" convert -m model.safetensors -o /dev/ptmx
    bad 2 "out is a terminal" plot -m model.safetensors -d moons -o /dev/ptmx
    bad 2 "out is a terminal" train -d moons -o /dev/ptmx
    bad 2 "out is a terminal" data -d moons -n 3 --format npy -o /dev/ptmx
fi

# ---- What is no model. ----

seq 100 >table.csv
bad 1 "table.csv: it is not a model: it is not a safetensors file" score -m table.csv -d moons -o never.npy
bad 1 "plain.npy: it is not a model: it is not a safetensors file" info -m plain.npy
printf '\0\0\0\0\377\0\0\0{' >large.st
bad 1 "large.st: its header claims 1095216660480 bytes, at most" info -m large.st
printf '\0\0\0\0\377\0\0\0' >short.st
bad 1 "short.st: it is not a model: it is not a safetensors file" info -m short.st

# ---- Sizes. ----

printf '7,2\n3,4\n5,6\n' >rows.csv
for size in 12 1K 1k 1KiB 2M 3G 1T 0.5K 1e3 1e3B 16G; do
    good data -d rows.csv -n 9 --data-limit "$size" -o sized.npy
done
bad 1 "rows.csv: it has 12 bytes; at most 11 are allowed; raise the limit of bytes (--data-limit" data -d rows.csv -n 9 --data-limit 11 -o never.npy
bad 1 "larger than the 3 bytes allowed; raise" data -d /dev/stdin -n 9 --data-limit 3 -o never.npy <<END
1,2
3,4
END
for size in 0 K 1X 1KK 1.2345 -1 8E 99999999T 1GB1 ''; do
    bad 2 "data-limit is" data -d rows.csv -n 9 --data-limit "$size" -o never.npy
done
# A sparse file beyond 4 GiB is refused before it is read, and begun to be read where that is allowed.
if truncate -s 5G huge.csv 2>/dev/null; then
    bad 1 "huge.csv: it has 5368709120 bytes; at most 4294967296 are allowed; raise" data -d huge.csv -n 9 -o never.npy
    rm -f huge.csv
fi
for word in train score data plot auroc; do
    good "$word" --help
    holds "$word has --data-limit" grep -q -- '--data-limit SIZE' out
done

finish
