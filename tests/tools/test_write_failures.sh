#!/bin/sh
# What can be written is written, whatever else cannot be. test_write_failures.sh PATH/TO/ddaebm
# shellcheck source=tests/tools/checks.sh
. "$(dirname "$0")/checks.sh"

# runs STATUS LINES PATTERN ARGUMENT...: a training run with that exit status and so many lines on stderr, one of which matches
runs() {
    status=$1
    lines=$2
    pattern=$3
    shift 3
    # shellcheck disable=SC2086
    "$ddaebm" train $small --data moons "$@" >out 2>err
    got=$?
    if [ $got = "$status" ] && [ "$(wc -l <err)" = "$lines" ] && grep -q -e "$pattern" err && [ -z "$(find . -name '.ddaebm-*')" ]; then
        ok
    else
        wrong "train $*: expected status $status and $lines lines with '$pattern', got $got and $(wc -l <err)"
    fi
}

train_small --steps 20 --data moons --out whole.st --checkpoint whole_run.st --log whole.csv
if [ ! -w /dev/full ]; then
    echo "SKIPPED: there is no /dev/full"
    finish
    exit
fi

# ---- Checkpoints. ----

runs 1 1 "cannot write /dev/full: No space" --steps 20 --out m.st --checkpoint /dev/full
holds "the model is written" cmp m.st whole.st
runs 1 3 "step 9: cannot write /dev/full.*; the run goes on (failure 1 of 3 in a row)" --steps 20 --out m2.st --checkpoint /dev/full --checkpoint-every 9
holds "after failures on the way as well" cmp m2.st whole.st
runs 1 4 "step 12: cannot write /dev/full.*; the run stops (failure 3 of 3 in a row)" --steps 20 --out m3.st --checkpoint /dev/full --checkpoint-every 4
holds "and when the run stops, which is said" grep -q "stopped after step 12, and the run is not saved; the model so far is in m3.st" err
good info --model m3.st
train_small --steps 12 --data moons --out twelve.st
holds "it is the model of the steps done" sh -c "[ -s m3.st ] && '$ddaebm' sample --model m3.st --count 3 --out a.npy && '$ddaebm' sample --model twelve.st --count 3 --out b.npy && cmp a.npy b.npy"
runs 1 1 "No space" --steps 20 --out m4.st --resume whole_run.st --checkpoint /dev/full
holds "a resumed run that has nothing to do likewise" cmp m4.st whole.st

# A folder that is gone for a while: failures that are not in a row.
mkdir there
(
    # shellcheck disable=SC2086
    "$ddaebm" train $small --data moons --steps 4000 --out long.st --checkpoint there/run.st --checkpoint-every 50 --log long.csv 2>err
    echo $? >code
) &
tries=0
while [ ! -s there/run.st ] && [ $tries -lt 1000 ]; do
    tries=$((tries + 1))
    sleep 0.01
done
mv there away
tries=0
while [ ! -s err ] && [ $tries -lt 1000 ]; do
    tries=$((tries + 1))
    sleep 0.01
done
mkdir there 2>/dev/null
wait
if [ "$(cat code)" = 0 ]; then
    holds "a checkpoint that fails on the way is a warning" sh -c 'grep -q "warning: step .*there/run.st.*the run goes on (failure 1 of 3 in a row)" err && [ -s there/run.st ] && [ -s long.st ]'
else
    holds "or the run stops with a model" sh -c 'grep -q "the run stops (failure 3 of 3 in a row)" err && [ -s long.st ]'
fi

# ---- Models. ----

runs 1 1 "cannot write /dev/full: No space" --steps 20 --out /dev/full --checkpoint kept_run.st
holds "the checkpoint is written" cmp kept_run.st whole_run.st
runs 1 2 "cannot write /dev/full: No space" --steps 20 --out /dev/full --checkpoint /dev/full --log full.csv
holds "and the log" cmp full.csv whole.csv

# ---- Logs. ----

mkfifo pipe
head -n 3 pipe >taken &
runs 1 1 "warning: step .*cannot write the log pipe: Broken pipe; the run goes on without it" --steps 2000 --out piped.st --log pipe --checkpoint piped_run.st
wait
train_small --steps 2000 --data moons --out unpiped.st --checkpoint unpiped_run.st
holds "a log that breaks off costs nothing else" sh -c 'cmp piped.st unpiped.st && cmp piped_run.st unpiped_run.st && [ "$(wc -l <taken)" = 3 ]'
holds "nor does one that is as large as is allowed" sh -c "ulimit -f 100
    '$ddaebm' train $small --data moons --steps 2000 --out limited.st --log limited.csv 2>err; [ \$? = 1 ] && [ \$(wc -l <err) = 1 ] && grep -q 'without it' err && cmp limited.st unpiped.st"
holds "nor standard error whose reader has gone" sh -c "'$ddaebm' train --config small.json --threads 1 --data moons --steps 2000 --out silent.st 2>&1 >/dev/null | true; sleep 1; cmp silent.st unpiped.st"

# ---- Previews. ----

printf '\000\000\010\003\000\000\000\004\000\000\000\010\000\000\000\010' >four.idx
head -c 256 /dev/zero | tr '\0' '\107' >>four.idx
mkdir p-00000002.png
for step in 5 6 7 8 9; do mkdir q-0000000$step.png; done
# shellcheck disable=SC2086
"$ddaebm" train $small --preset vector --data four.idx --steps 4 --preview-every 1 --out p.safetensors --checkpoint p_run.st 2>err
holds "a preview that fails is a failure" [ $? = 1 ]
holds "which is said once" sh -c '[ $(wc -l <err) = 1 ] && grep -q "p-00000002.png: Is a directory" err'
holds "and the others are there" sh -c '[ -s p-00000001.png ] && [ -s p-00000003.png ] && [ -s p-00000004.png ] && [ -s p.safetensors ] && [ -s p_run.st ]'
# shellcheck disable=SC2086
"$ddaebm" train $small --preset vector --data four.idx --steps 10 --preview-every 1 --out q.safetensors 2>err
holds "three in a row end previews, not the run" sh -c '[ -s q.safetensors ] && [ $(wc -l <err) = 4 ] && grep -q "3 previews in a row have failed" err && [ ! -e q-00000010.png ]'
cp four.idx r-00000002.png
# shellcheck disable=SC2086
"$ddaebm" train $small --preset vector --data r-00000002.png --steps 3 --preview-every 1 --out r.safetensors 2>err
holds "no preview is written over what is read" sh -c '[ $? = 1 ]; grep -q "would write over r-00000002.png" err && cmp r-00000002.png four.idx && [ -s r.safetensors ]'

# ---- Two outputs of other commands. ----

"$ddaebm" sample --model p.safetensors --count 2 --out /dev/full --steps-out steps.png 2>err
holds "the steps of samples that could not be written" sh -c '[ $(wc -l <err) = 1 ] && [ -s steps.png ]'
mkdir gone.png
"$ddaebm" sample --model p.safetensors --count 2 --out samples.npy --steps-out loose/steps.png 2>err
holds "places that are not there are seen before anything is drawn" sh -c '[ $(wc -l <err) = 1 ] && [ ! -e samples.npy ]'
ln -s nowhere loose.st
bad 1 "loose.st: it is a symbolic link to what is not there" train --data moons --steps 3 --out loose.st
bad 1 "loose.st: it is a symbolic link to what is not there" train --data moons --steps 3 --out never.st --checkpoint loose.st

finish
