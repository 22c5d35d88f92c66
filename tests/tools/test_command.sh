#!/bin/sh
# The command from outside: every word at a tiny size, every bad input that it can meet. test_command.sh PATH/TO/ddaebm
# shellcheck source=tests/tools/checks.sh
. "$(dirname "$0")/checks.sh"

# ---- Words. ----

holds "--help" "$ddaebm" --help
holds "--version" sh -c "'$ddaebm' --version | grep -qE '^ddaebm [0-9]+\.[0-9]+\.[0-9]+$'"
for word in train sample score density data plot auroc info; do
    good "$word" --help
    holds "$word --help lists itself" grep -q "usage: ddaebm $word" out
    bad 2 "has no option --nonsense" "$word" --nonsense
    bad 2 "unexpected word 'stray'" "$word" stray
done
bad 2 "command is missing"
bad 2 "no command 'trian'; the nearest is train; known: train," trian
bad 2 "needs --data" train --out never.safetensors
bad 2 "needs --out" train --data moons
bad 2 "needs a value" train --out

# ---- Data. ----

good data --data 25gaussians --count 300 --seed 3 --out a.npy
good data --data 25gaussians --count 300 --seed 3 --out b.npy
good data --data 25gaussians --count 300 --seed 4 --out c.npy
holds "the same seed gives the same data" cmp a.npy b.npy
holds "another seed gives other data" differ a.npy c.npy
holds "rows of two" has_shape a.npy "300, 2"
for name in 8gaussians pinwheel swissroll moons circles rings 2spirals checkerboard; do
    good data --data $name --count 7 --out a.npy
done
bad 1 "no data set and no file 'nothing'" data --data nothing --count 3 --out never.npy
bad 2 "count is '0'" data --data moons --count 0 --out never.npy
bad 2 "count is '-1'" data --data moons --count -1 --out never.npy
bad 2 "count is '3x'" data --data moons --count 3x --out never.npy
bad 2 "seed is '99999999999999999999'" data --data moons --count 3 --seed 99999999999999999999 --out never.npy
bad 1 "there is no folder missing" data --data moons --count 3 --out missing/never.npy
bad 1 "folder.*it is a folder" data --data moons --count 3 --out folder
[ -w /dev/full ] && bad 1 "/dev/full.*No space" data --data moons --count 3 --out /dev/full
holds "a file that is there stays when the write fails" sh -c "cp c.npy kept.npy; ulimit -f 1; trap '' XFSZ
    ! '$ddaebm' data --data moons --count 100000 --out kept.npy 2>/dev/null && cmp c.npy kept.npy && ! ls .ddaebm-* 2>/dev/null"

# ---- Training. ----

differ_text() {
    ! grep -q "$1" "$2"
}
# shellcheck disable=SC2086
bad_train() {
    status=$1
    pattern=$2
    shift 2
    bad "$status" "$pattern" train $small --out never.safetensors --log never.csv --checkpoint never.checkpoint "$@"
}

train_small --data moons --steps 30 --out model.safetensors --log run.csv
train_small --data moons --steps 30 --out again.safetensors
train_small --data moons --steps 30 --seed 1 --out other.safetensors
holds "the same seed trains the same model" cmp model.safetensors again.safetensors
holds "another seed trains another" differ model.safetensors other.safetensors
holds "the log has a header and a row a step" [ "$(wc -l <run.csv)" = 31 ]
holds "progress without a terminal is plain lines" sh -c "'$ddaebm' train --config small.json --data moons --steps 30 --out m.safetensors 2>err;
    grep -q '30/30 steps' err && ! grep -q \"\$(printf '\\r')\" err"
printf 'a,b,c\n1,2,3\n2,3,5\n4,4,1\n0,1,1\n' >rows.csv
awk 'BEGIN { for (i = 0; i < 50; i++) print i / 50 + 0.01 "," i / 50 + sin(i + 1) / 50 "," 0.51 - i / 50 }' >rows50.csv
train_small --data rows.csv --steps 5 --out three.safetensors
good info --model three.safetensors --json
holds "the row's width comes from the data" grep -q '"data.width": 3' out
unset OMP_NUM_THREADS
good info --model three.safetensors
holds "info shows how many threads there are by default" grep -q "^threads by default: [1-9][0-9]* (.* in the affinity mask)" out
if command -v taskset >/dev/null; then
    one=$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')
    holds "of one processor, one" sh -c "taskset -c $one '$ddaebm' info --model three.safetensors |
        grep -q '^threads by default: 1 (1 processor in the affinity mask)'"
fi
export OMP_NUM_THREADS=7,2
good info --model three.safetensors
holds "info heeds OMP_NUM_THREADS" grep -q "^threads by default: 7 (OMP_NUM_THREADS; " out
good info --model three.safetensors --json
holds "in JSON, too" grep -q '"default_threads": 7, "default_threads_from": "OMP_NUM_THREADS; ' out
OMP_NUM_THREADS=7x # of which an OpenMP library that is linked complains as well
"$ddaebm" info --model three.safetensors >out 2>/dev/null
holds "but no nonsense there" differ_text "OMP_NUM_THREADS" out
unset OMP_NUM_THREADS
train_small --preset vector --data rows50.csv --set training.steps=40 --set energy.hidden_layers=[8] --out chosen.safetensors --checkpoint chosen.checkpoint
good info --model chosen.safetensors
holds "info says which weights a run chose" grep -q "^weights of step [0-9]*, the best by the rows held out (contrast 0\.[0-9]*)" out
holds "and the noise that was fitted" grep -q "diffusion.sigma_min  *0\.03" out
good info --model chosen.safetensors --json
holds "in JSON, too" grep -q '"best_step": [1-9][0-9]*, "held_out_contrast": 0\.' out
train_small --preset vector --data rows50.csv --set training.steps=40 --set energy.hidden_layers=[8] --resume chosen.checkpoint --out again.safetensors
holds "a run with fitted noise is resumed by the same words" cmp chosen.safetensors again.safetensors
good info --model model.safetensors --json
holds "--steps ends the run and leaves the configuration's schedule alone" differ_text '"training.steps": 30[,}]' out
train_small --preset points --data moons --set training.steps=7 --set objective.gamma=0.5 --batch 10 --log set.csv --out set.safetensors
holds "training.steps ends the run where --steps is left out" [ "$(wc -l <set.csv)" = 8 ]
good info --model set.safetensors --json
holds "--set and --batch reach the configuration" sh -c "grep -q '\"objective.gamma\": 0.5' out && grep -q '\"training.batch\": 10' out"

# Bad data.
printf '1,2\n3\n' >ragged.csv
printf '1,2\n3,x\n' >words.csv
printf '1,2\nnan,4\n' >nan.csv
: >empty.csv
head -c 100 c.npy >header.npy
head -c 1000 c.npy >cut.npy
bad_train 1 "no data set and no file 'nothing'" --data nothing
bad_train 1 "missing.csv.*No such file" --data missing.csv
bad_train 1 "ragged.csv.*line 2" --data ragged.csv
bad_train 1 "words.csv.*line 2.*x" --data words.csv
bad_train 1 "nan.csv.*line 2" --data nan.csv
bad_train 1 "empty.csv.*empty" --data empty.csv
bad_train 1 "header.npy.*cut off" --data header.npy
bad_train 1 "cut.npy" --data cut.npy
bad_train 1 "folder" --data folder
bad_train 1 "data.width" --data rows.csv --set data.width=2
# Bad configurations.
printf '{"training.stepz": 3}' >unknown.json
printf '{"training.steps": ' >syntax.json
bad_train 2 "no preset \"nothing\"; there are: toy" --data moons --preset nothing
bad_train 2 'no key "training.stepz".*training.steps' --data moons --set training.stepz=3
bad_train 2 "training.batch is 0; allowed: an integer from 2" --data moons --set training.batch=0
bad_train 2 "training.batch is \"x\"\|training.batch is x" --data moons --set training.batch=x
bad_train 2 "KEY=VALUE" --data moons --set training.batch
bad_train 2 "steps is '0'" --data moons --steps 0
bad_train 2 "threads is '0'" --data moons --threads 0
bad_train 2 "batch is '1'" --data moons --batch 1
bad 2 "checkpoint-every needs --checkpoint" train --data moons --out never.safetensors --checkpoint-every 3
bad 2 "same file" train --data moons --out never.safetensors --checkpoint never.safetensors
bad 1 'training.stepz' train --data moons --config unknown.json --out never.safetensors
bad 1 "syntax.json" train --data moons --config syntax.json --out never.safetensors
bad 1 "none.json.*No such file" train --data moons --config none.json --out never.safetensors
# Bad places.
bad 1 "there is no folder missing" train --data moons --steps 3 --out missing/never.safetensors
bad 1 "there is no folder missing" train --data moons --steps 3 --out never.safetensors --checkpoint missing/c
bad 1 "there is no folder missing" train --data moons --steps 3 --out never.safetensors --log missing/l.csv
bad 1 "rows.csv is not the log of a run" train --data moons --steps 3 --out never.safetensors --log rows.csv
holds "what is no log is left as it is" [ "$(wc -l <rows.csv)" = 5 ]
if [ -w /dev/full ]; then
    bad 1 "/dev/full.*No space" train --config small.json --quiet --data moons --steps 3 --out /dev/full
    bad 1 "log /dev/full.*No space" train --config small.json --quiet --data moons --steps 3 --out never.safetensors --log /dev/full
fi

# ---- Stopping and going on. ----

long=${DDAEBM_TEST_STEPS:-3000}
train_small --data moons --steps "$long" --seed 7 --out whole.safetensors --log whole.csv
# A shell has runs in the background ignore SIGINT unless env undoes it.
signal=INT
env --default-signal=INT true 2>/dev/null || signal=TERM
# shellcheck disable=SC2086
env $([ $signal = INT ] && echo --default-signal=INT) "$ddaebm" train $small --data moons --steps "$long" --seed 7 --out part.safetensors --log part.csv \
    --checkpoint part.checkpoint 2>err &
process=$!
tries=0
while [ ! -f part.csv ] || [ "$(wc -l <part.csv)" -le 20 ]; do
    tries=$((tries + 1))
    [ $tries -gt 3000 ] && break
    sleep 0.02
done
kill -$signal $process
wait $process
code=$?
holds "Ctrl-C ends with status 130, SIGTERM with 143" [ $code = $([ $signal = INT ] && echo 130 || echo 143) ]
# shellcheck disable=SC2016 # the inner shell counts
holds "and one line that says how to go on" sh -c '[ "$(wc -l <err)" = 1 ] && grep -q "^ddaebm: stopped after step .* --resume part.checkpoint" err'
holds "and no model" [ ! -e part.safetensors ]
holds "and a checkpoint" [ -s part.checkpoint ]
holds "before the end" [ "$(wc -l <part.csv)" -le "$long" ]
holds "the log is of whole lines" sh -c 'tail -n 1 part.csv | grep -qE "^[0-9]+(,[-+.e0-9]+){10}$"'
echo 99999,torn >>part.csv
good train --threads 1 --quiet --data moons --steps "$long" --out part.safetensors --log part.csv --resume part.checkpoint
holds "a resumed run ends with the same model, bit for bit" cmp whole.safetensors part.safetensors
holds "and the same log" cmp whole.csv part.csv
train_small --data moons --steps 20 --out every.safetensors --checkpoint every.checkpoint --checkpoint-every 6
good train --threads 1 --quiet --data moons --steps 20 --out every2.safetensors --resume every.checkpoint
holds "a checkpoint is saved at the end as well" cmp every.safetensors every2.safetensors
good info --model every.checkpoint
bad 1 "model.safetensors.*checkpoint" train --data moons --out never.safetensors --resume model.safetensors
bad 1 "no.checkpoint.*No such file" train --data moons --out never.safetensors --resume no.checkpoint
bad 1 "rows of 3 numbers, that of the run to resume had rows of 2" train --data rows.csv --out never.safetensors --resume every.checkpoint
train_small --preset points --data moons --steps 20 --batch 20 --seed 0 --out every3.safetensors --resume every.checkpoint
holds "a resumed run may repeat its command line" cmp every.safetensors every3.safetensors
train_small --preset points --data moons --set training.steps=24 --steps 12 --out part4.safetensors --checkpoint part4.checkpoint
train_small --preset points --data moons --out rest4.safetensors --resume part4.checkpoint --log rest4.csv
holds "and a preset that it names again does not move its end" sh -c '[ "$(tail -1 rest4.csv | cut -d, -f1)" = 24 ]'
good train --threads 1 --quiet --data moons --out longer.safetensors --log longer.csv --resume every.checkpoint --set training.steps=25
holds "a resumed run may end at another step" sh -c 'tail -n 1 longer.csv | grep -q "^25,"'
holds "and the rates with it" awk -F, 'NR == 2 { first = $2 } { last = $2 } END { exit !(last + 0 < first + 0) }' longer.csv
bad 2 "training.batch is 20 in the run to resume, and 30 here" train --data moons --out never.safetensors --resume every.checkpoint --batch 30
bad 2 "objective.gamma is" train --data moons --out never.safetensors --resume every.checkpoint --set objective.gamma=3
bad 2 "energy.*layers is .* in the run" train --data moons --out never.safetensors --resume every.checkpoint --preset points

# ---- A run from another run's weights. ----
# Without averages: d w + (1 - d) w is w but for its rounding.
still="--set optimizer.energy_rate=0 --set optimizer.generator_rate=0 --set optimizer.final_rate=0 --set optimizer.ema_decay=0"
# shellcheck disable=SC2086 # options
good train --threads 1 --quiet --data moons --out still.safetensors --steps 3 --seed 5 --model every.safetensors $still
good score --model every.safetensors --data moons --count 50 --seed 9 --out every.npy
good score --model still.safetensors --data moons --count 50 --seed 9 --out still.npy
holds "a run at rate 0 from a model's weights is that model" cmp every.npy still.npy
good train --threads 1 --quiet --data moons --out other.safetensors --steps 3 --seed 5 --model every.safetensors
good score --model other.safetensors --data moons --count 50 --seed 9 --out other.npy
holds "and another one at its own rate" differ every.npy other.npy
bad 2 "give one of them" train --data moons --out never.safetensors --model every.safetensors --resume every.checkpoint
bad 1 "start from has .* tensors\|tensor" train --data moons --out never.safetensors --model every.safetensors --preset points
bad 1 "rows of 3 numbers, the model takes 2" train --data rows.csv --out never.safetensors --model every.safetensors
bad 1 "none.safetensors.*No such file" train --data moons --out never.safetensors --model none.safetensors

# ---- Samples and scores. ----

for threads in 1 2; do
    good sample --deterministic --threads $threads --model model.safetensors --count 500 --seed 5 --out deterministic-$threads.npy
    good score --deterministic --threads $threads --model model.safetensors --data deterministic-1.npy --out scores-$threads.npy
    good train --deterministic --threads $threads --quiet --data moons --out trained-$threads.safetensors --steps 3 --set training.batch=500
done
holds "the same draws with any number of threads" cmp deterministic-1.npy deterministic-2.npy
holds "the same scores" cmp scores-1.npy scores-2.npy
holds "the same run" cmp trained-1.safetensors trained-2.safetensors

good sample --model model.safetensors --count 100 --seed 5 --out a.npy
good sample --model model.safetensors --count 100 --seed 5 --out b.npy
good sample --model model.safetensors --count 100 --seed 6 --out c.npy
holds "the same seed draws the same samples" cmp a.npy b.npy
holds "another seed draws others" differ a.npy c.npy
holds "samples are rows" has_shape a.npy "100, 2"
good score --model model.safetensors --data a.npy --out scores.npy
holds "a score a row" has_shape scores.npy "100,"
good score --model model.safetensors --data a.npy --timestep 3 --out scores3.npy
holds "timesteps differ" differ scores.npy scores3.npy
good score --model model.safetensors --data a.npy --level 3 --out earlier_name.npy
holds "an option's earlier name is taken" cmp scores3.npy earlier_name.npy
good score --model model.safetensors --data moons --count 12 --out named.npy
holds "a named set is scored for as many rows as asked" has_shape named.npy "12,"
bad 2 timestep score --model model.safetensors --data a.npy --timestep 999 --out never.npy
bad 1 "rows of 3 numbers, the model takes 2" score --model model.safetensors --data rows.csv --out never.npy
bad 1 "nan.csv" score --model model.safetensors --data nan.csv --out never.npy
bad 1 "there is no folder missing" score --model model.safetensors --data a.npy --out missing/never.npy
bad 1 "there is no folder missing" sample --model model.safetensors --count 3 --out missing/never.npy

# Bad models.
head -c 3000 model.safetensors >cut.safetensors
LC_ALL=C sed 's/\(energy.hidden_layers[^[]*\)\[16\]/\1[17]/' model.safetensors >damaged.safetensors
# Another program's: of version 1, without a checksum.
LC_ALL=C sed 's/"checksum"/"former_1"/; s/"version":"3"/"version":"1"/' damaged.safetensors >widened.safetensors
for word in sample score density plot; do
    case $word in
    sample) rest="--count 3 --out never.npy" ;;
    score) rest="--data a.npy --out never.npy" ;;
    density) rest="--range -2:2 --grid 5 --out never.npy" ;;
    plot) rest="--data moons --out never.png" ;;
    esac
    # shellcheck disable=SC2086
    {
        bad 1 "none.safetensors.*No such file" $word --model none.safetensors $rest
        bad 1 "cut.safetensors" $word --model cut.safetensors $rest
        bad 1 "empty.csv" $word --model empty.csv $rest
        bad 1 "rows.csv" $word --model rows.csv $rest
        bad 1 "damaged.safetensors.*checksum" $word --model damaged.safetensors $rest
        bad 1 "widened.safetensors.*energy" $word --model widened.safetensors $rest
    }
done

# ---- Images. ----

# Width and height of a PNG, from its header.
png_size() {
    head -c 24 "$1" | tail -c 8 | od -An -tu1 | awk '{ print $3 * 256 + $4, $7 * 256 + $8 }'
}
# idx FILE AXES: images as IDX files have them; AXES are octal escapes of the big-endian sizes.
idx() {
    # shellcheck disable=SC2059 # escapes are meant
    { printf '\0\0\10\3'; printf "$2"; head -c "$3" model.safetensors; } >"$1"
}
idx six.idx '\0\0\0\24\0\0\0\6\0\0\0\6' 720
good data --data six.idx --count 7 --out six.npy
holds "images have rows, columns and channels" has_shape six.npy "7, 6, 6, 1"
good data --data six.idx --count 7 --out six.png
holds "7 images are a grid of 3 by 3" [ "$(png_size six.png)" = "22 22" ]
good data --data six.idx --count 100 --out all.npy
holds "all of a smaller set" has_shape all.npy "20, 6, 6, 1"
bad 1 "these rows are no images" data --data moons --count 3 --out never.png
train_small --preset vector --data six.idx --steps 12 --preview-every 5 --set data.flip=true --log six.csv --out six.safetensors
holds "previews are written beside the model" is_png six-00000005.png
holds "and compare" [ "$(png_size six-00000010.png)" = "62 62" ]
holds "where they are asked for" [ ! -e six-00000012.png ]
train_small --preset vector --data six.idx --steps 12 --set data.flip=true --out plain.safetensors
holds "previews do not change the run" cmp six.safetensors plain.safetensors
good info --model six.safetensors
holds "info knows images" grep -q "images of 6 x 6 x 1" out
good info --model six.safetensors --json
holds "and so does its JSON" grep -q '"width": 36, "image": \[6, 6, 1\]' out
train_small --preset vector --data six.idx --steps 5 --set data.image_size=8 --set data.padding=1 --out padded.safetensors
good sample --model padded.safetensors --count 5 --seed 3 --out drawn.npy --steps-out steps.png
holds "samples are cut" has_shape drawn.npy "5, 6, 6, 1"
holds "a row a sample, a column a step" [ "$(png_size steps.png)" = "38 38" ]
good sample --model padded.safetensors --count 5 --seed 3 --out drawn.png
holds "samples as a grid" [ "$(png_size drawn.png)" = "22 14" ]
good score --model padded.safetensors --data six.idx --out six-scores.npy
holds "images are scored" has_shape six-scores.npy "20,"
good score --model padded.safetensors --data drawn.npy --range -1:1 --out drawn-scores.npy
mkdir pngs
for seed in 1 2 3; do
    good data --data six.idx --count $seed --out drawn.npy
    good sample --model padded.safetensors --count 1 --seed $seed --out pngs/$seed.png
done
train_small --preset vector --data pngs --steps 3 --batch 4 --out pngs.safetensors
good data --data pngs --count 9 --out pngs.npy
holds "a folder of PNG" has_shape pngs.npy "3, 6, 6, 1"
"$ddaebm" train --preset vector --config small.json --data six.idx --steps 3 --out m.safetensors 2>err
holds "progress counts images" grep -q 'images/s.*energy.*adversarial.*latent.*divergence.*reconstruction' err

convolutional="--set energy.channels=4 --set generator.channels=4 --set encoder.channels=4 --set energy.multipliers=[1,1]
 --set generator.multipliers=[1,1] --set network.time_width=8 --set network.latent_embedding=8 --set network.latent_width=4 --batch 4"
# shellcheck disable=SC2086 # several words
train_small $convolutional --data six.idx --steps 2 --preview-every 2 --out deep.safetensors
good info --model deep.safetensors --json
holds "images are put on a border for networks that halve them" grep -q '"data.image_size": 8.*"data.padding": 1' out
holds "which is cut from samples" [ "$(png_size deep-00000002.png)" = "62 62" ]
good score --model deep.safetensors --data six.idx --out deep.npy
holds "and not scored" has_shape deep.npy "20,"

cp six.png pngs/4.png
bad_train 1 "4.png: it is 22 pixels wide, 22 high and grey; 1.png is 6 wide, 6 high" --data pngs
rm pngs/4.png
printf '\0\0\10\1\0\0\0\1\7' >labels.idx
idx cut.idx '\0\0\0\24\0\0\0\6\0\0\0\6' 719
idx vast.idx '\377\377\377\377\0\0\4\0\0\0\4\0' 9
idx five.idx '\0\0\0\24\0\0\0\5\0\0\0\5' 500
idx oblong.idx '\0\0\0\24\0\0\0\6\0\0\0\10' 960
idx large.idx '\0\0\0\1\0\0\0\202\0\0\0\202' 16900
{ printf '\0\1'; tail -c +3 six.idx; } >magic.idx
mkdir hollow
bad_train 1 "labels.idx.*these are labels" --data labels.idx
bad_train 1 "cut.idx.*asks for 720 bytes of pixels, the file has 719" --data cut.idx
bad_train 1 "vast.idx.*bytes allowed" --data vast.idx
bad_train 1 "six.png.*single image; give the folder" --data six.png
bad_train 1 "hollow: this folder has no images" --data hollow
bad_train 1 "images of 6 x 6 x 1 (height, width, channels), the model takes 8 x 8 x 1" --preset vector --data six.idx --set data.image_size=8
bad_train 1 "magic.idx: byte 0 is 0: it is neither NPY nor IDX nor text" --data magic.idx
fits="networks of images take squares of an even side up to 128: --resize"
bad_train 1 "five.idx: its images are 5 pixels wide and 5 high; $fits 6 " --data five.idx
bad_train 1 "oblong.idx: its images are 8 pixels wide and 6 high; $fits 8 " --preset fashion --data oblong.idx
bad_train 1 "large.idx: its images are 130 pixels wide and 130 high; $fits 128 " --preset fashion --data large.idx
bad_train 1 "data.image_size is 12.*it must be 8, 16, 32, 64 or 128" --preset fashion --data six.idx --set data.image_size=12 --set data.padding=3
bad_train 1 "there is no folder missing" --data six.idx --steps 2 --preview-every 1 --out missing/never.safetensors
bad 1 "there is no folder missing" sample --model six.safetensors --count 2 --out missing/never.png
bad 1 "there is no folder missing" sample --model six.safetensors --count 2 --out never.npy --steps-out missing/never.png
if [ -w /dev/full ]; then
    bad 1 "/dev/full.*No space" sample --model six.safetensors --count 2 --out /dev/full
fi
bad_train 1 "data.image_size is 6 and data.padding 3" --preset vector --data six.idx --set data.padding=3
if gzip -c six.idx >six.idx.gz 2>/dev/null && "$ddaebm" data --data six.idx.gz --count 20 --out packed.npy 2>/dev/null; then
    holds "a packed file is the same data" cmp packed.npy all.npy
    head -c 300 six.idx.gz >cut.idx.gz
    bad_train 1 "cut.idx.gz: its gzip data is cut off" --data cut.idx.gz
fi
bad 1 "images of 5 x 5 x 1.*the model takes 6 x 6 x 1" score --model six.safetensors --data five.idx --out never.npy
bad 1 "rows of 2 numbers, the model takes images of 6 x 6 x 1" score --model six.safetensors --data moons --out never.npy
bad 1 "these rows are no images" sample --model model.safetensors --count 3 --out never.png
bad 1 "these rows are no images" sample --model model.safetensors --count 3 --out never.npy --steps-out never.png
bad 2 "ends in .png" sample --model six.safetensors --count 3 --out never.npy --steps-out never2.npy
bad 1 "these rows are no images" train --data moons --steps 3 --preview-every 2 --out never.safetensors

# ---- Density, images, areas, information. ----

good density --model model.safetensors --range -2:3 --grid 9 --out grid.npy
holds "a grid is square" has_shape grid.npy "9, 9"
good density --model model.safetensors --range=-2:3 --grid 9 --out grid.png
holds "a grid as an image" is_png grid.png
bad 2 "ends in .npy, .csv, .csv.gz or .png" density --model model.safetensors --range -2:3 --grid 9 --out never.txt
bad 2 "range is '3:-2'" density --model model.safetensors --range 3:-2 --grid 9 --out never.npy
bad 2 "range is '3'" density --model model.safetensors --range 3 --grid 9 --out never.npy
bad 2 "range is 'nan:1'" density --model model.safetensors --range nan:1 --grid 9 --out never.npy
bad 2 "grid is '1'" density --model model.safetensors --range -2:3 --grid 1 --out never.npy
bad 1 "rows of 3 numbers" density --model three.safetensors --range -2:3 --grid 9 --out never.npy
good plot --model model.safetensors --data moons --count 500 --out plot.png
holds "the demo's image" is_png plot.png
bad 1 "rows of 3 numbers" plot --model three.safetensors --data rows.csv --out never.png
bad 1 "there is no folder missing" plot --model model.safetensors --data moons --out missing/never.png

printf '4\n2\n3\n' >normal.csv
printf '2\n1\n' >anomalous.csv
good auroc --normal normal.csv --anomalous anomalous.csv
holds "5.5 of 6 pairs" [ "$(cat out)" = 0.916667 ]
good auroc --ordinary normal.csv --anomalous anomalous.csv
holds "by the option's earlier name, too" [ "$(cat out)" = 0.916667 ]
good auroc --normal scores.npy --anomalous scores.npy
holds "a set against itself" [ "$(cat out)" = 0.500000 ]
bad 1 "rows.csv has rows of 3 numbers" auroc --normal rows.csv --anomalous anomalous.csv
bad 1 "none.npy.*No such file" auroc --normal normal.csv --anomalous none.npy
bad 1 "nan.csv" auroc --normal nan.csv --anomalous anomalous.csv

for preset in points vector; do
    good info --preset $preset
    holds "info names the memory of a step" grep -q "memory of a training step" out
done
good info --preset points --json
holds "info counts parameters" grep -qE '"parameters": \{"energy": [0-9]+, "generator": [0-9]+, "encoder": [0-9]+' out
holds "the published schedule draws a warning" sh -c "'$ddaebm' info --preset toy 2>&1 >out | grep -q '^ddaebm: warning: '"
good info >out
holds "info alone tells of the build and the machine" grep -q '^threads by default: [0-9]' out
good info --json >out
holds "as JSON, too" grep -q '^{"version": ".*"default_threads": [0-9]*, .*}$' out
good convert --model model.safetensors --out whole.safetensors
holds "a model written again is the same" cmp model.safetensors whole.safetensors
good convert --model model.safetensors --out half.safetensors --half
holds "half a model is smaller" [ "$(wc -c <half.safetensors)" -lt "$(wc -c <model.safetensors)" ]
good sample --model half.safetensors --count 3 --out half.npy
bad 1 "none.safetensors" convert --model none.safetensors --out never.safetensors
bad 2 "convert needs --out" convert --model model.safetensors
good normalise --model model.safetensors --samples 64 --quiet --out normalised.safetensors
good info --model normalised.safetensors >out
holds "a normaliser is told with its error" grep -q '^normalised: log Z .*, standard error ' out
good evaluate --model normalised.safetensors --data a.npy >out
holds "a log-likelihood has an interval" grep -q '^log-likelihood .* nats a row, 95% interval ' out
good evaluate --model normalised.safetensors --data a.npy --json >out
holds "as JSON, too" grep -q '^{"rows": 100, "log_likelihood": .*}$' out
good score --model normalised.safetensors --data a.npy --out normalised.npy
holds "scores of a normalised model differ" differ scores.npy normalised.npy
good data --data a.npy --count 1 --out one.npy
"$ddaebm" convert --model normalised.safetensors --half --out no_z.safetensors 2>err
holds "half precision loses the normaliser, with a warning" grep -q 'warning: no_z.safetensors is not normalised' err
good evaluate --model normalised.safetensors --data one.npy >out
holds "one row has no interval" grep -q '^log-likelihood .* nats a row, 1 row, of which there is no interval' out
good evaluate --model normalised.safetensors --data one.npy --json >out
holds "nor has its JSON" grep -q '"standard_error": null, "interval": null, ' out
bad 1 "is not normalised" evaluate --model model.safetensors --data a.npy

# Rows so far away that f overflows have the lowest score that a file of scores can hold.
printf '1e300,1\n1e30,-1\n-1e308,1e308\n0.1,0.2\n' >far.csv
for name in energy gradient; do
    good score --model model.safetensors --data far.csv --score $name --out far_scores.csv
    holds "$name of far rows is finite, and lower than of near ones" awk '!($1 > -4e38 && $1 < 4e38) { bad = 1 } { v[NR] = $1 } END { exit bad || NR != 4 || !(v[1] < v[4]) || !(v[3] < v[4]) }' far_scores.csv
    good auroc --normal scores.npy --anomalous far_scores.csv
done
good evaluate --model model.safetensors --data moons --quality --count 300 >out
holds "samples are measured" grep -q '^sliced Wasserstein-1: .* times the .* between two sets of 300 rows' out
holds "so are their scores" grep -q '^low scores: ' out
holds "and the density" grep -q '^total variation of the density: ' out
good data --data 25gaussians --count 1000 --seed 5 --out modes.npy
good evaluate --sampled modes.npy --data 25gaussians --json >out
holds "samples need no model, and those of the set have its modes" grep -q '^{"samples": 1000, .*"modes": 25, ' out
printf 'a,b\n' >order_a.csv
printf 'b,a\n' >order_b.csv
awk 'BEGIN { for (i = 0; i < 250; i++) print i "," i % 7 }' | tee -a order_a.csv >>order_b.csv
bad 1 "column 1 of order_b.csv is 'b', that of order_a.csv 'a'" evaluate --sampled order_b.csv --data order_a.csv
bad 2 "needs --model, --sampled or both" evaluate --data a.npy
bad 1 "the least that can be compared" evaluate --model model.safetensors --data moons --quality --count 50
bad 1 "rows of 3 numbers" evaluate --sampled rows.csv --data moons
printf 'run,error\n"a, b",1.5\nc,2\n"a, b",3\nc,\n' >runs.csv
good plot --table runs.csv --label run --value error --log --out runs.png
holds "a table's image" is_png runs.png
bad 1 "has no column 'none'" plot --table runs.csv --label run --value none --out never.png
bad 1 "is no finite number" plot --table runs.csv --label error --value run --out never.png
bad 2 "needs --table, --label and --value" plot --table runs.csv --out never.png
bad 2 "of --model and --data, or of a --table" plot --model model.safetensors --table runs.csv --label run --value error --out never.png
good train --data moons --preset toy --set objective.kind=logistic --set diffusion.beta_max=20 --set training.steps=3 --quiet --out gan.safetensors
good sample --model gan.safetensors --count 3 --out gan.npy
bad 1 "no energy" score --model gan.safetensors --data moons --out never.npy
bad 1 "no energy" normalise --model gan.safetensors --quiet --out never.safetensors
bad 2 "samples is '1'" normalise --model model.safetensors --samples 1 --out never.safetensors
good data --data moons --count 20 --seed 1 --out y.npy
good data --data moons --count 9 --seed 1 --out short.npy
awk 'BEGIN { for (i = 0; i < 20; i++) print (i + 1) % 2 "," 1 }' >mask.csv
awk 'BEGIN { for (i = 0; i < 20; i++) print i % 2 "," 0.5 }' >half_mask.csv
good restore --model model.safetensors --data y.npy --noise 0.2 --draws 3 --quiet --out x.npy --samples-out draws.npy --deviation-out spread.npy
holds "restored rows have the shape of the data" has_shape x.npy "20, 2"
holds "so have their deviations" has_shape spread.npy "20, 2"
holds "draws come first" has_shape draws.npy "3, 20, 2"
good restore --model model.safetensors --data y.npy --noise 0.2 --draws 3 --quiet --out again.npy
holds "the same seed restores the same" cmp x.npy again.npy
good restore --model model.safetensors --data y.npy --noise 0.2 --draws 3 --seed 1 --quiet --out again.npy
holds "another seed restores otherwise" differ x.npy again.npy
good restore --model model.safetensors --data y.npy --noise 0 --mask mask.csv --draws 2 --quiet --out filled.csv
holds "filled rows as CSV" [ "$(wc -l <filled.csv)" = 20 ]
holds "noise that is not given is estimated" sh -c "'$ddaebm' restore --model model.safetensors --data y.npy --draws 2 --quiet --out x.npy 2>&1 |
    grep -q 'deviation is estimated as 0[.]'"
bad 2 "noise is 'much'" restore --model model.safetensors --data y.npy --noise much --out never.npy
bad 2 "noise is '-1'" restore --model model.safetensors --data y.npy --noise -1 --out never.npy
bad 2 "noise is 'inf'" restore --model model.safetensors --data y.npy --noise inf --out never.npy
bad 2 "draws is '0'" restore --model model.safetensors --data y.npy --noise 1 --draws 0 --out never.npy
bad 2 "samples-out is 'draws.csv'" restore --model model.safetensors --data y.npy --noise 1 --out never.npy --samples-out draws.csv
bad 1 "has 9 rows of 2 numbers, the data 20 of 2" restore --model model.safetensors --data y.npy --noise 1 --mask short.npy --out never.npy
bad 1 "half_mask.csv: row 1, number 2.*is 0.5" restore --model model.safetensors --data y.npy --noise 1 --mask half_mask.csv --out never.npy
bad 1 "rows of 3 numbers, the model takes 2" restore --model model.safetensors --data rows.csv --noise 1 --out never.npy
bad 1 "moons has no end" restore --model model.safetensors --data moons --noise 1 --out never.npy
bad 2 "restore needs --data" restore --model model.safetensors --out never.npy
bad 2 "normalise needs --out" normalise --model model.safetensors
bad 2 "no preset" info --preset nothing
bad 2 "leave --preset" info --model model.safetensors --preset points
bad 1 "none.safetensors" info --model none.safetensors
if [ -w /dev/full ]; then
    holds "output that does not arrive is a failure" sh -c "'$ddaebm' --help >/dev/full 2>err; [ \$? = 1 ]"
fi

finish
