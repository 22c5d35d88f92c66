#!/bin/sh
# What schedulers and terminals send: a run saves and ends with 128 and the signal's number, or saves and goes on. test_signals.sh PATH/TO/ddaebm
# shellcheck source=tests/tools/checks.sh
. "$(dirname "$0")/checks.sh"

if ! env --default-signal=INT true 2>/dev/null; then
    echo "SKIPPED: env has no --default-signal" # a shell has what runs in the background ignore SIGINT
    exit 0
fi
long=1000000

# begin ENV-OPTION ARGUMENT...: a run in the background, $process, that has done some steps
begin() {
    option=$1
    shift
    rm -f log.csv
    # shellcheck disable=SC2086
    env "$option" "$ddaebm" train $small --data moons --set training.steps=$long --seed 3 --out never.st --log log.csv "$@" 2>err &
    process=$!
    wait_for 20
}
# wait_for LINES of the log
wait_for() {
    tries=0
    while [ "$(cat log.csv 2>/dev/null | wc -l)" -le "$1" ] && [ $tries -lt 3000 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
}
wait_for_file() {
    tries=0
    while [ ! -s "$1" ] && [ $tries -lt 3000 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
}
# ends STATUS
ends() {
    wait $process
    code=$?
    holds "$2 ends with $1, not $code" [ $code = "$1" ]
    holds "$2: no model and no temporary file" sh -c '[ ! -e never.st ] && [ -z "$(find . -name ".ddaebm-*")" ]'
}
all=--default-signal=INT,TERM,HUP,USR1,USR2,XCPU

# ---- Ending. ----

for signal in INT:130 TERM:143 HUP:129 USR2:140 XCPU:152; do
    rm -f run.st
    begin $all --checkpoint run.st
    kill -"${signal%:*}" $process
    ends "${signal#*:}" "SIG${signal%:*}"
    holds "SIG${signal%:*}: one line, and how to go on" sh -c '[ "$(wc -l <err)" = 1 ] && grep -q "^ddaebm: stopped after step .*, saved in run.st; continue with --resume run.st" err'
    step=$(sed 's/.*after step \([0-9]*\).*/\1/' err)
    # shellcheck disable=SC2086
    good train $small --data moons --set training.steps=$long --resume run.st --steps "$step" --out saved.st --checkpoint saved_run.st
    # shellcheck disable=SC2086
    good train $small --data moons --set training.steps=$long --seed 3 --steps "$step" --out whole.st --checkpoint whole_run.st
    holds "SIG${signal%:*}: nothing is lost" cmp saved_run.st whole_run.st
done
begin $all
kill -TERM $process
ends 143 "SIGTERM without a checkpoint"
holds "without a checkpoint that is said" grep -q "nothing saved; give --checkpoint FILE" err
if [ -w /dev/full ]; then
    begin $all --checkpoint /dev/full
    kill -TERM $process
    wait $process
    holds "a run that cannot be saved is a failure" [ $? = 1 ]
    holds "and leaves its model" sh -c '[ -s never.st ] && grep -q "the model so far is in never.st" err'
    rm -f never.st
fi
begin $all --checkpoint run.st
kill -TERM $process
kill -TERM $process 2>/dev/null # as timeout(1) does
ends 143 "a signal sent twice at once"
holds "and the run is saved" grep -q "saved in run.st" err
# shellcheck disable=SC2086
timeout 2 "$ddaebm" train $small --data moons --set training.steps=$long --out never.st --checkpoint timed.st 2>err
holds "timeout(1) ends a run that is saved" sh -c '[ -s timed.st ] && grep -q "saved in timed.st" err'

# ---- At once. ----

# A checkpoint larger than a pipe takes, and nobody reads: the first signal waits for the save.
for second in INT:130 TERM:143 USR2:140; do
    rm -f pipe log.csv
    mkfifo pipe
    exec 9<>pipe
    # shellcheck disable=SC2086
    env $all "$ddaebm" train $small --data moons --set energy.hidden_layers=[300,300] --steps 50 --checkpoint-every 5 --checkpoint pipe --out never.st --log log.csv 2>err &
    process=$!
    wait_for 5
    sleep 0.3
    kill -INT $process
    sleep 0.3
    holds "a run in the midst of a save goes on with it" kill -0 $process
    kill -XCPU $process
    sleep 0.1
    holds "SIGXCPU, which the system repeats, is no second wish" kill -0 $process
    kill -"${second%:*}" $process
    ends "${second#*:}" "a second signal, SIG${second%:*}, at once"
    exec 9<&-
done

# ---- Saving and going on. ----

rm -f run.st
begin $all --checkpoint run.st
kill -USR1 $process
wait_for_file run.st
holds "SIGUSR1 saves" [ -s run.st ]
good info --model run.st
lines=$(wc -l <log.csv)
wait_for $((lines + 20))
holds "and the run goes on" kill -0 $process
rm -f run.st
kill -USR1 $process
wait_for_file run.st
holds "as often as is asked" [ -s run.st ]
holds "without a word" [ ! -s err ]
kill -TERM $process
ends 143 "SIGTERM after SIGUSR1"
begin $all
kill -USR1 $process
wait_for_file err
holds "without a checkpoint SIGUSR1 is a warning" grep -q "warning: signal for a save, and nothing to save to; give --checkpoint FILE" err
lines=$(wc -l <log.csv)
wait_for $((lines + 20))
holds "and the run goes on all the same" kill -0 $process
kill -TERM $process
ends 143 "SIGTERM after that"
# shellcheck disable=SC2086
env $all "$ddaebm" train $small --data moons --set training.steps=$long --steps 3000 --seed 3 --out plain.st
rm -f log.csv
# shellcheck disable=SC2086
env $all "$ddaebm" train $small --data moons --set training.steps=$long --steps 3000 --seed 3 --out asked.st --log log.csv --checkpoint run.st &
process=$!
wait_for 5
for i in 1 2 3 4 5 6; do
    kill -USR1 $process 2>/dev/null
    sleep 0.02
done
wait $process
holds "saves on request change nothing" sh -c "[ $? = 0 ] && cmp plain.st asked.st"

# ---- What the parent ignores. ----

for signal in INT HUP USR1 USR2 TERM; do
    rm -f run.st
    begin --ignore-signal=$signal --checkpoint run.st
    kill -$signal $process
    lines=$(wc -l <log.csv)
    wait_for $((lines + 20))
    holds "SIG$signal that is ignored stays so" kill -0 $process
    holds "and saves nothing" [ ! -e run.st ]
    last=TERM
    [ $signal = TERM ] && last=USR2
    kill -$last $process
    wait $process
done
rm -f run.st
begin --default-signal=HUP --checkpoint run.st
kill -TERM $process
ends 143 "SIGTERM"
rm -f log.csv
# shellcheck disable=SC2086
nohup "$ddaebm" train $small --data moons --set training.steps=$long --out never.st --log log.csv --checkpoint run.st >nohup.log 2>&1 </dev/null &
process=$!
wait_for 20
kill -HUP $process
lines=$(wc -l <log.csv)
wait_for $((lines + 20))
holds "nohup keeps a run" kill -0 $process
kill -TERM $process
wait $process
holds "until it is ended" [ $? = 143 ]

# ---- Other commands. ----

good data --data moons --count 5 --out rows.csv
for signal in USR1:138 USR2:140 XCPU:152; do
    env $all "$ddaebm" sample -j1 -m whole.st -n 1e9 -o never.npy 2>err &
    process=$!
    tries=0
    while [ -z "$(find . -maxdepth 1 -name '.ddaebm-*' -size +100k)" ] && [ $tries -lt 3000 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
    kill -"${signal%:*}" $process
    wait $process
    code=$?
    holds "sample: SIG${signal%:*} ends with ${signal#*:}, not $code" [ $code = "${signal#*:}" ]
    holds "sample: nothing is left" sh -c '[ ! -e never.npy ] && [ -z "$(find . -name ".ddaebm-*")" ]'
done

# catches_interrupt PROCESS: it has a handler for SIGINT, signal 2
catches_interrupt() {
    case $(sed -n 's/^SigCgt:.*\(.\)$/\1/p' "/proc/$1/status" 2>/dev/null) in
        [2367abef]) return 0 ;;
        *) return 1 ;;
    esac
}
env $all "$ddaebm" normalise -j1 -m whole.st --samples 100000 --steps 100000 -o never.st 2>err &
process=$!
tries=0
while ! catches_interrupt $process && [ $tries -lt 3000 ]; do
    tries=$((tries + 1))
    sleep 0.02
done
kill -INT $process
ends 130 "normalise: SIGINT"
holds "normalise: says so" grep -q "stopped by signal 2; never.st is not written" err

finish
