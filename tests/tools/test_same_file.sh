#!/bin/sh
# No file that is read is written over, and no two outputs are one file, whatever their names. test_same_file.sh PATH/TO/ddaebm
# shellcheck source=tests/tools/checks.sh
. "$(dirname "$0")/checks.sh"

train_small --data moons --steps 3 --out model.st --checkpoint run.st
good data --data moons --count 30 --out rows.csv
good score --model model.st --data rows.csv --out scores.csv
ln -s model.st link.st
ln -s "$work/folder/../link.st" long.st
ln model.st hard.st
ln -s rows.csv rows.link
ln -s run.st run.link
ln -s folder other
ln -s never.st loose1
ln -s "$work/other/../never.st" loose2
cp model.st kept.st
cp rows.csv kept.csv
cp scores.csv kept.scores

# refused PATTERN ARGUMENT...: wrong usage, and every file as it was
refused() {
    pattern=$1
    shift
    bad 2 "$pattern" "$@"
    holds "files are as they were after: $*" sh -c 'cmp model.st kept.st && cmp rows.csv kept.csv && cmp scores.csv kept.scores'
}

# ---- Two outputs. ----

for name in ./never.st "$work/never.st" folder/../never.st "$work/./never.st" other/../never.st; do
    bad 2 "the same file" train --data moons --out never.st --checkpoint "$name"
    bad 2 "the same file" train --data moons --out "$name" --log never.st
    bad 2 "the same file" train --data moons --out never2.st --checkpoint "$name" --log never.st
done
bad 2 "the same file" train --data moons --out folder/never --checkpoint other/never
bad 2 "the same file" train --data moons --out never.st --checkpoint loose1
bad 2 "the same file" train --data moons --out loose1 --log loose2
refused "the same file" train --data moons --out model.st --checkpoint link.st
refused "the same file" train --data moons --out link.st --checkpoint long.st
refused "the same file" train --data moons --out hard.st --checkpoint model.st
refused "the same file" sample --model run.st --count 1 --out never.png --steps-out ./never.png

# ---- What is read. ----

for name in rows.csv ./rows.csv rows.link folder/../rows.csv "$work/rows.csv"; do
    refused "write over the file of --data" train --data rows.csv --out "$name"
    refused "write over the file of --data" train --data rows.csv --out never.st --checkpoint "$name"
    refused "write over the file of --data" train --data "$name" --out never.st --log rows.csv
    refused "write over the file of --data" score --model model.st --data rows.csv --out "$name"
    refused "write over the file of --data" data --data "$name" --count 3 --out rows.csv
    refused "write over the file of --data" plot --model model.st --data rows.csv --out "$name"
done
for name in model.st link.st long.st hard.st; do
    refused "write over the file of --model" sample --model model.st --count 3 --out "$name" --format npy
    refused "write over the file of --model" score --model "$name" --data rows.csv --out model.st --format npy
    refused "write over the file of --model" density --model model.st --range 0:1 --grid 3 --out "$name" --format npy
    refused "write over the file of --model" plot --model model.st --data rows.csv --out "$name"
    refused "write over the file of --model" convert --model model.st --out "$name"
    refused "write over the file of --model" train --model model.st --data moons --out "$name"
done
refused "write over the file of --config" train --data moons --config small.json --out small.json
refused "write over the file of --config" train --data moons --config small.json --out never.st --log ./small.json
refused "write over the file of --resume" train --data moons --resume run.st --out run.link
refused "write over the file of --resume" train --data moons --resume run.link --out never.st --log run.st

# Whatever an option is called: one whose value is a file is an output, unless it is known to be read.
good data --data rows.csv --out rows.npy --count 4
cp rows.npy mask.npy
printf 'a,b\n1,2\n,3\n2,1\n' >holes.csv
cp holes.csv kept.holes
for name in mask.npy "$work/mask.npy"; do
    refused "write over the file of --mask" restore --model model.st --data rows.npy --noise 1 --mask mask.npy --out "$name"
    refused "write over the file of --mask" restore --model model.st --data rows.npy --noise 1 --mask mask.npy --out r.npy --deviation-out "$name"
    refused "write over the file of --data" restore --model model.st --data mask.npy --noise 1 --out r.npy --deviation-out "$name"
    refused "write over the file of --data" restore --model model.st --data mask.npy --noise 1 --out r.npy --samples-out "$name"
done
refused "the same file" restore --model model.st --data rows.npy --noise 1 --out r.npy --samples-out ./r.npy
refused "the same file" restore --model model.st --data rows.npy --noise 1 --out r.npy --deviation-out r.npy
refused "the same file" restore --model model.st --data rows.npy --noise 1 --out r.npy --deviation-out d.npy --samples-out d.npy
refused "write over the file of --data" impute --data holes.csv --out full.csv --model-out holes.csv
refused "write over the file of --config" impute --data holes.csv --out full.csv --config small.json --model-out small.json
refused "the same file" impute --data holes.csv --out full.csv --model-out full.csv
holds "tables and masks are as they were" sh -c 'cmp holes.csv kept.holes && cmp rows.npy mask.npy && [ ! -e r.npy ] && [ ! -e full.csv ]'

# Through descriptors: the file behind standard input or output.
holds "data of standard input" sh -c "'$ddaebm' data --data - --count 3 --out rows.csv <rows.csv 2>err; [ \$? = 2 ] && grep -q 'write over' err"
holds "the same by name" sh -c "'$ddaebm' score --model model.st --data /dev/stdin --out ./rows.link --format csv <rows.csv 2>err; [ \$? = 2 ] && grep -q 'write over' err"
holds "added to what is read" sh -c "'$ddaebm' score --model model.st --data rows.csv --out - >>rows.csv 2>err; [ \$? = 2 ] && grep -q 'write over' err"
holds "and nothing was" cmp rows.csv kept.csv

# ---- What is no conflict. ----

train_small --data moons --steps 5 --out model.st --resume run.st --checkpoint run.st
train_small --data moons --steps 7 --out model.st --resume run.link --checkpoint run.st
train_small --data moons --steps 3 --out model.st
train_small --data moons --steps 3 --out new.st --checkpoint folder/new.st
train_small --data moons --steps 3 --out /dev/null --checkpoint /dev/null --log /dev/null
holds "outputs on one pipe" sh -c "'$ddaebm' train --config small.json --threads 1 --quiet --data moons --steps 3 --out new.st --log /dev/stdout --checkpoint /dev/null 2>err | grep -q ^step"
holds "from a pipe to a pipe" sh -c "cat rows.csv | '$ddaebm' data --data - --count 3 --out - 2>err | grep -q ,"
holds "from a file to a pipe" sh -c "'$ddaebm' score --model model.st --data rows.csv --out - 2>err | grep -q ."
holds "from a file to another" sh -c "'$ddaebm' data --data - --count 3 --out - <rows.csv >copy.csv 2>err && [ -s copy.csv ]"
cp rows.csv moons
good data --data moons --count 3 --out moons --format csv # the set, not the file
holds "a set's name is no file" sh -c '! cmp -s moons rows.csv'
rm -f folder/new.st moons

# ---- A folder of images. ----

printf '\000\000\010\003\000\000\000\004\000\000\000\010\000\000\000\010' >four.idx
head -c 256 /dev/urandom >>four.idx
mkdir images images/below elsewhere
good data --data four.idx --count 1 --out images/1.png
good data --data four.idx --count 1 --out images/2.png
cp images/1.png kept.png
ln -s images alias
bad 2 "would be one of the images of --data" data --data images --count 2 --out images/1.png
bad 2 "would be one of the images of --data" data --data images --count 2 --out images/new.PNG
bad 2 "would be one of the images of --data" data --data images --count 2 --out alias/new.png
bad 2 "would be one of the images of --data" data --data alias --count 2 --out "$work/images/new.png"
bad 2 "would be one of the images of --data" data --data images --recursive --count 2 --out images/below/new.png
holds "images are as they were" sh -c 'cmp images/1.png kept.png && [ "$(ls images | tr "\n" " ")" = "1.png 2.png below " ]'
cp images/1.png real.png
ln -s ../real.png images/3.png
ln images/2.png hard.png

bad 2 "would be one of the images of --data" data --data images --count 2 --out real.png
bad 2 "would be one of the images of --data" data --data images --count 2 --out hard.png
bad 2 "would be one of the images of --data" data --data images --count 2 --out images/data_batch_1.bin --format npy
holds "nor are those that links lead to written" sh -c 'cmp real.png kept.png && cmp hard.png images/2.png'
rm images/3.png
good data --data images --count 2 --out elsewhere/new.png
good data --data images --count 2 --out images/array.npy
rm images/array.npy # which would be passed over with a note
good data --data images --count 2 --out images/below/new.png
if "$ddaebm" train --preset vector --config small.json --quiet --data four.idx --steps 2 --preview-every 1 --out elsewhere/m.st 2>err; then
    rm elsewhere/*
    good data --data four.idx --count 1 --out elsewhere/1.png
    bad 1 "previews .* would be images of the data" train --preset vector --config small.json --quiet --data elsewhere --steps 2 --preview-every 1 --out elsewhere/m.st
else
    wrong "previews of small images"
fi

finish
