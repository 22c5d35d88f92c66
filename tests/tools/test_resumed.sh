#!/bin/sh
# A run of 200 steps is, to the bit, one of k steps, a checkpoint, and the rest in a new process: weights, moments, averages, and what draws noise and
# data. test_resumed.sh PATH/TO/ddaebm
set -eu
ddaebm=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
passed=0
failed=0

# 37 rows and batches of 8: epochs end within batches, and no k but a multiple of 37 ends with one.
awk 'BEGIN { for (i = 0; i < 37; i++) print sin(i) "," cos(3 * i) }' >rows.csv
small='--set energy.hidden_layers=[8] --set generator.hidden_layers=[8] --set encoder.hidden_layers=[8] --set training.batch=8
    --set training.held_out=0.2 --set diffusion.fit=true'

# run DATA THREADS CHECKPOINT OPTION...
run() {
    data=$1
    threads=$2
    checkpoint=$3
    shift 3
    # shellcheck disable=SC2086 # options
    "$ddaebm" train --data "$data" --preset points $small --set training.steps=200 --seed 4 --threads "$threads" --quiet --out model.safetensors \
        --checkpoint "$checkpoint" "$@"
}

sum_of() {
    sha256sum <"$1" | cut -d' ' -f1
}

for data in rows.csv moons; do
    for threads in 1 2; do
        run $data $threads whole.checkpoint
        whole=$(sum_of whole.checkpoint)
        model=$(sum_of model.safetensors)
        for k in 1 50 99 100 150; do
            run $data $threads part.checkpoint --steps $k
            run $data $threads part.checkpoint --resume part.checkpoint
            if [ "$(sum_of part.checkpoint)" = "$whole" ] && [ "$(sum_of model.safetensors)" = "$model" ]; then
                passed=$((passed + 1))
            else
                failed=$((failed + 1))
                echo "FAILED: $data, $threads threads: $k steps and the rest are not the whole" >&2
            fi
        done
        echo "$data, $threads threads, 200 steps: $whole"
    done
done
# Another seed is another run, or all this says nothing.
run moons 2 other.checkpoint --seed 5
[ "$(sum_of other.checkpoint)" != "$whole" ] && passed=$((passed + 1)) || failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ $failed = 0 ]
