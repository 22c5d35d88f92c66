#!/bin/sh
# A run is resumed with its own data, whatever file it comes in; other data is refused unless --resume-data says so. test_resume_data.sh PATH/TO/ddaebm
# shellcheck source=tests/tools/checks.sh
. "$(dirname "$0")/checks.sh"

awk 'BEGIN { for (i = 1; i <= 40; i++) printf "%.17g,%.17g\n", sin(i), cos(3 * i) }' >rows.csv
awk -F, '{ printf "%.17g,%.17g\n", $1 + 3, $2 }' rows.csv >mean.csv
sort rows.csv >order.csv
head -n 39 rows.csv >fewer.csv
(cat rows.csv && echo 1,2) >more.csv
awk -F, 'NR == 17 { $2 = $2 + 1e-15 } { printf "%.17g,%.17g\n", $1, $2 }' rows.csv >last_digit.csv
awk -F, '{ print $2 "," $1 }' rows.csv >swapped.csv
(echo a,b && cat rows.csv) >named.csv
tr , '\t' <rows.csv >rows.tsv
gzip -c rows.csv >rows.csv.gz
(awk -F, '{ print "7," $0 }' rows.csv) >wide.csv
good data --data rows.csv --count 40 --out rows.npy

train_small --data rows.csv --steps 10 --out whole.st --checkpoint run.st --set training.held_out=0.2
cp run.st kept.st

# ---- Other data. ----

other() {
    pattern=$1
    shift
    bad 1 "$pattern.*--resume-data other" train --quiet --threads 1 --steps 20 --resume run.st --checkpoint run.st --out never.st "$@"
    holds "the checkpoint is as it was after: $*" cmp run.st kept.st
}
other "40 rows of 2 numbers, but other numbers" --data mean.csv
other "or the same in another order" --data order.csv
other "40 rows of 2 numbers, but other numbers" --data last_digit.csv
other "40 rows of 2 numbers, but other numbers" --data swapped.csv
other "has 39 rows, and that of the run to resume 40" --data fewer.csv
other "has 41 rows, and that of the run to resume 40" --data more.csv
other "is the named set moons with seed .*had a set of 40 rows" --data moons
bad 1 "rows of 3 numbers, that of the run to resume had rows of 2" train --quiet --steps 20 --resume run.st --out never.st --data wide.csv
bad 1 "rows of 3 numbers, that of the run to resume had rows of 2" train --quiet --steps 20 --resume run.st --out never.st --data wide.csv --resume-data other
bad 2 "resume-data is 'same\|--resume-data is .*; allowed" train --quiet --steps 20 --resume run.st --out never.st --data rows.csv --resume-data new
bad 2 "resume-data is for --resume" train --quiet --steps 20 --out never.st --data rows.csv --resume-data other

# ---- The same data. ----

good train --quiet --threads 1 --steps 20 --data rows.csv --resume run.st --out same.st
for data in rows.npy rows.tsv rows.csv.gz; do
    good train --quiet --threads 1 --steps 20 --data $data --resume run.st --out again.st
    holds "$data is the same data" cmp same.st again.st
done
good train --quiet --threads 1 --steps 20 --data wide.csv --drop 1 --resume run.st --out again.st
holds "as are the same columns of a wider table" cmp same.st again.st
good train --quiet --threads 1 --steps 20 --data rows.csv --resume run.st --resume-data other --out again.st
holds "and --resume-data other changes nothing about it" cmp same.st again.st

# ---- Other data that is asked for. ----

"$ddaebm" train --threads 1 --steps 20 --data mean.csv --resume run.st --checkpoint new.st --resume-data other --out other.st 2>err
holds "other data is taken" [ $? = 0 ]
holds "which is said" grep -q "note: the data is other than the run had; mean and standard deviation of its columns stay" err
holds "and is another run" differ same.st other.st
holds "which knows its new data" "$ddaebm" train --quiet --threads 1 --steps 25 --data mean.csv --resume new.st --out new_model.st
bad 1 "other numbers" train --quiet --steps 25 --data rows.csv --resume new.st --out never.st
good train --quiet --threads 1 --steps 20 --data moons --resume run.st --resume-data other --out other.st

# ---- Sets without end, and images. ----

train_small --data moons --steps 5 --out model.st --checkpoint moons.st
bad 1 "is the named set circles with seed .*had the named set moons" train --quiet --steps 9 --data circles --resume moons.st --out never.st
bad 1 "is a set of 40 rows.*had the named set moons" train --quiet --steps 9 --data rows.csv --resume moons.st --out never.st
good train --quiet --threads 1 --steps 9 --data moons --resume moons.st --out model.st

printf '\000\000\010\003\000\000\000\004\000\000\000\010\000\000\000\010' >four.idx
head -c 255 /dev/zero | tr '\0' '\107' >>four.idx
cp four.idx pixel.idx
printf '\107' >>four.idx
printf '\110' >>pixel.idx
gzip -c four.idx >four.idx.gz
train_small --preset vector --data four.idx --steps 3 --out images.st --checkpoint images_run.st
bad 1 "4 rows of 64 numbers, but other numbers" train --quiet --steps 5 --data pixel.idx --resume images_run.st --out never.st
good train --quiet --threads 1 --steps 5 --data four.idx.gz --resume images_run.st --out images.st

# ---- Steps. ----

bad 2 "has done 10 steps, and --steps is 9; allowed: --steps 10 or above" train --quiet --data rows.csv --resume run.st --steps 9 --checkpoint run.st --out never.st
bad 2 "has done 10 steps, and training.steps is 3" train --quiet --data rows.csv --resume run.st --set training.steps=3 --out never.st
holds "and nothing is written" cmp run.st kept.st
good train --quiet --threads 1 --data rows.csv --resume run.st --checkpoint run.st --steps 10 --out again.st
holds "the steps done are enough: the same model" cmp whole.st again.st
holds "and the same checkpoint" cmp run.st kept.st

# ---- What the run keeps. ----

bad 2 "seed is 99, and the run to resume has 0; a run keeps its seed" train --quiet --data rows.csv --resume run.st --steps 12 --seed 99 --out never.st
bad 2 "seed is 1, and the run to resume has 0; a run keeps its seed" train --quiet --data moons --resume moons.st --steps 12 -s=1 --out never.st
good train --quiet --threads 1 --data rows.csv --resume run.st --steps 20 --seed 0 --out again.st
holds "its own seed may be repeated" cmp same.st again.st
train_small --data moons --steps 5 --seed 7 --out seven.st --checkpoint seven_run.st
bad 2 "seed is 0, and the run to resume has 7" train --quiet --data moons --resume seven_run.st --steps 6 --seed 0 --out never.st

# ---- Steps beyond the end of the rates. ----

rates="note: the learning rates end at training.steps"
"$ddaebm" train --threads 1 --config small.json --data moons --set training.steps=4 --steps 6 --out long.st --checkpoint long_run.st 2>err
holds "steps beyond training.steps are noted" grep -q "$rates, 4, before --steps 6; --set training.steps=6 moves their end" err
"$ddaebm" train --threads 1 --data moons --resume long_run.st --steps 8 --out long.st 2>err
holds "in a resumed run, too" [ "$(grep -c "$rates, 4, before --steps 8" err)" = 1 ]
"$ddaebm" train --threads 1 --data moons --resume long_run.st --set training.steps=8 --out long.st 2>err
holds "and not where their end is moved" sh -c '! grep -q "learning rates" err'

finish
