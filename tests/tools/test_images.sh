#!/bin/sh
# Images as people have them: shapes, ranges, sizes, folders, files that are damaged a little. test_images.sh PATH/TO/ddaebm CORPORA
# CORPORA is the folder of the fuzz targets' inputs.
# shellcheck disable=SC2086 # options are several words
corpus=$(cd "$2" && pwd)
# shellcheck source=tests/tools/checks.sh
. "$(dirname "$0")/checks.sh"

tiny='--set energy.channels=16 --set generator.channels=16 --set encoder.channels=16 --steps 1 --batch 2 --threads 1 --quiet'

# array FILE TYPE SHAPE: an NPY file of the bytes on standard input
array() {
    header="{'descr': '$2', 'fortran_order': False, 'shape': ($3), }"
    { printf '\223NUMPY\1\0\166\0%-117s\n' "$header" && cat; } >"$1"
}

# says PATTERN ARGUMENT...: exit status 0, one line on stderr, which matches
says() {
    pattern=$1
    shift
    if "$ddaebm" "$@" >out 2>err && [ "$(wc -l <err)" = 1 ] && grep -q -e "$pattern" err; then ok; else
        wrong "ddaebm $*: expected success and one line with '$pattern'"
    fi
}

# The numbers of an NPY file, one a line.
numbers() {
    tail -c +129 "$1" | od -An -v -t f4 -w4 | tr -d ' '
}

# Bytes of every value, as in images of 28 x 28; the same as other types.
awk 'BEGIN { for (i = 0; i < 3 * 784; i++) print (i * 37 + int(i / 97)) % 256 }' >levels
bytes_of() {
    LC_ALL=C awk -v form="$1" 'BEGIN { for (i = 0; i < 256; i++) octal[i] = sprintf("\\%03o", i) }
        form == "u1" { printf "%s", octal[$1] } form == "i8" { printf "%s\\0\\0\\0\\0\\0\\0\\0", octal[$1] }
        form == "b1" { printf "%s", octal[$1 % 2] }' levels
}
printf "$(bytes_of u1)" >bytes
printf "$(bytes_of i8)" | array i8.npy '<i8' '3, 28, 28'
printf "$(bytes_of b1)" | array b1.npy '|b1' '3, 28, 28'
array u1.npy '|u1' '3, 28, 28' <bytes
"$ddaebm" data --data u1.npy --count 3 --out signed.npy # floats of -1 to 1

# ---- Ranges. ----

says 'its numbers are from 0 to 255: 0 is read as black, 255 as white; --range says otherwise' data --data i8.npy --count 3 --out i8.read.npy
holds "64-bit integers of 0 to 255 are bytes" cmp i8.read.npy signed.npy
says 'from -1 to 1: -1 is read as black, 1 as white' data --data signed.npy --count 3 --out again.npy
holds "what is written is read" cmp again.npy signed.npy
good data --data signed.npy --range -1:1 --count 3 --out again.npy
holds "a range that is given needs no note" cmp again.npy signed.npy
good data --data b1.npy --count 3 --out b1.read.npy
numbers b1.read.npy | sort | uniq -c | awk '{ print $2 }' | tr '\n' ' ' >shades
holds "Booleans are black and white" grep -qx -e '-1 1 ' shades
"$ddaebm" data --data u1.npy --range 0:510 --count 3 --out half.npy # from -1 to 0
bad 1 'its numbers are from -1 to 0, far beyond the range 0.9:1 ' data --data half.npy --range 0.9:1 --count 3 --out never.npy
head -c 384 bytes | tr '\000-\377' '\000-\017\000-\017\000-\017\000-\017\000-\017\000-\017\000-\017\000-\017\000-\017\000-\017\000-\017\000-\017\000-\017\000-\017\000-\017\000-\017' >digits
od -An -v -t u1 -w1 digits | awk '{ printf "\\%03o\\0\\0\\0", $1 }' >octal
printf "$(cat octal)" | array digits.npy '<i4' '6, 8, 8'
bad 1 'its numbers are from 0 to 15; the ranges of images are .*--range LO:HI, the same for every file' data --data digits.npy --count 6 --out never.npy
good data --data digits.npy --range 0:15 --count 6 --out digits.read.npy
holds "digits are black and white, too" sh -c "tail -c +129 digits.read.npy | od -An -v -t f4 -w4 | awk '{ if (\$1 > h) h = \$1; if (\$1 < l) l = \$1 } END { exit !(l == -1 && h == 1) }'"
good data --data digits.npy --layout rows --count 6 --out digits.rows.npy
holds "or rows of their numbers" has_shape digits.rows.npy '6, 64'

# ---- Layouts. ----

head -c 1536 bytes | array planes.npy '|u1' '2, 3, 16, 16'
says '\[2, 3, 16, 16\] is read as \[N, C, H, W\] (layout nchw)' data --data planes.npy --count 2 --out planes.read.npy
holds "channels come first" has_shape planes.read.npy '2, 16, 16, 3'
good data --data planes.npy --layout nchw --count 2 --out planes.asked.npy
holds "and may be said to" cmp planes.read.npy planes.asked.npy
head -c 36 bytes | array both.npy '|u1' '2, 3, 2, 3'
bad 1 'may be \[N, H, W, C\] or \[N, C, H, W\]: --layout nhwc' data --data both.npy --count 2 --out never.npy
good data --data both.npy --layout nhwc --range 0:255 --count 2 --out both.read.npy
head -c 1024 bytes | array deep.npy '|u1' '2, 8, 8, 8'
bad 1 'is not one of images.*--layout rows' data --data deep.npy --count 2 --out never.npy
bad 2 'auto|nhwc|nchw|rows' data --data deep.npy --layout chw --count 2 --out never.npy

# ---- Sizes. ----

head -c 1680 bytes | array tall.npy '|u1' '3, 28, 20'
head -c 2187 bytes | array odd.npy '|u1' '3, 27, 27'
{ cat bytes bytes bytes bytes bytes bytes bytes bytes bytes bytes bytes; cat bytes bytes bytes bytes bytes bytes bytes bytes bytes bytes bytes; } |
    head -c 51200 | array large.npy '|u1' '2, 160, 160'
bad 1 'tall.npy: its images are 20 pixels wide and 28 high; .*--resize 28 ' train --data tall.npy $tiny --out never.st
bad 1 'odd.npy: its images are 27 pixels wide and 27 high; .*--resize 28 ' train --data odd.npy $tiny --out never.st
bad 1 'large.npy: its images are 160 pixels wide and 160 high; .*--resize 128 ' train --data large.npy $tiny --out never.st
bad 1 'tall.npy: its images .*--resize 28 ' train --data tall.npy --preset cifar10 $tiny --out never.st
good train --data tall.npy --resize 8 $tiny --out small.st
good info --model small.st
holds "the model is of images" grep -q '8 x 8 x 1' out
good score --model small.st --data large.npy --resize 8 --threads 1 --out scores.npy
bad 1 'the model takes 8 x 8 x 1; --resize 8 brings' score --model small.st --data tall.npy --out never.npy
good data --data tall.npy --resize 28 --count 3 --out square.npy
numbers square.npy | awk 'NR % 28 >= 1 && NR % 28 <= 4 || NR % 28 == 0 || NR % 28 > 24 { if ($1 != -1) exit 1 }'
holds "borders are black" [ $? = 0 ]
good data --data large.npy --resize 80 --count 2 --out halved.npy
numbers halved.npy | head -1 >first
od -An -v -t u1 -j 128 -N 2 large.npy >corner
od -An -v -t u1 -j 288 -N 2 large.npy >>corner
holds "areas are averaged" awk 'NR == FNR { sum += $1 + $2; next } { want = int(sum / 4 + 0.5) / 127.5 - 1; exit !(($1 - want) ^ 2 < 1e-10) }' corner first
bad 2 'whole number from 1 to 1024' data --data tall.npy --resize 0 --count 2 --out never.npy
printf '5,2\n' >table.csv
bad 1 'resize is an option of images' data --data table.csv --resize 8 --count 2 --out never.npy
awk 'BEGIN { for (i = 0; i < 4; i++) { for (j = 0; j < 783; j++) printf "%d,", (i * j) % 256; print i } }' >mnist.csv
"$ddaebm" data --data mnist.csv --count 4 --out mnist.npy 2>err
holds "images set as CSV are rows" has_shape mnist.npy '4, 784'

# ---- Folders. ----

mkdir images images/cats images/dogs
"$ddaebm" data --data square.npy --range -1:1 --count 1 --out images/a.png 2>err
if grep -q libpng err; then # no folder of PNG can be made or read
    finish
    exit
fi
for name in images/b images/cats/c images/cats/d images/dogs/e; do
    cp images/a.png $name.png
done
echo words | tee images/notes.txt >images/cats/more.txt
says 'passed over: 1 file .*(1 .txt); 3 images in 2 folders below, which --recursive reads' data --data images --count 9 --out two.npy
holds "its own images are read" has_shape two.npy '2, 28, 28, 1'
says 'passed over: 2 files .*(2 .txt)' data --data images --recursive --count 9 --out five.npy
holds "and those below" has_shape five.npy '5, 28, 28, 1'
rm images/notes.txt images/cats/more.txt
ln -s .. images/cats/up
says '1 link back to a folder' data --data images --recursive --count 9 --out loop.npy
holds "a loop is no more than what is in it" cmp loop.npy five.npy
rm images/cats/up
good train --data images --recursive --resize 8 $tiny --out folder.st
mkdir classes
mv images/cats images/dogs classes
bad 1 'classes: this folder has no images of its own, and 3 in 2 folders below: --recursive reads those' data --data classes --count 9 --out never.npy
good data --data images --count 9 --out two.npy
ln -s nowhere/f.png images/f.png
bad 1 'images/f.png: it is a link to nowhere/f.png, which is not there' data --data images --count 9 --out never.npy
rm images/f.png
printf 'x' >>images/b.png
says 'b.png has 1 byte after the end of its image: passed over' data --data images --count 9 --out more.npy
holds "a byte after the end changes nothing" cmp more.npy two.npy
cp "$corpus/jpeg/grey" images/g.jpg
if "$ddaebm" data --data images --resize 16 --count 9 --out mixed.npy 2>err; then
    holds "JPEG is read beside PNG" has_shape mixed.npy '3, 16, 16, 1'
    bad 1 'g.jpg: it is 16 pixels wide, 16 high and grey; a.png is 28 wide.*--resize' data --data images --count 9 --out never.npy
    cp "$corpus/jpeg/cut" images/g.jpg
    bad 1 'g.jpg: it is damaged or cut off' data --data images --resize 16 --count 9 --out never.npy
else
    holds "without libjpeg that is said" grep -q 'g.jpg: this build has no libjpeg' err
fi

rm images/g.jpg
bad 1 'layout is an option of arrays' data --data classes/cats --layout nchw --count 2 --out never.npy
bad 1 'range is an option of arrays' data --data classes/cats --range 0:1 --count 2 --out never.npy
bad 1 'recursive is an option of folders' data --data u1.npy --recursive --count 2 --out never.npy

for array in tall large; do
    mkdir $array
    "$ddaebm" data --data $array.npy --count 1 --out $array/a.png 2>err
done
bad 1 'tall: its images are 20 pixels wide and 28 high; .*--resize 28 ' train --data tall $tiny --out never.st
bad 1 'large: its images are 160 pixels wide and 160 high; .*--resize 128 ' train --data large $tiny --out never.st
good data --data large --resize 128 --count 1 --out fits.npy
holds "which --resize brings to a size" has_shape fits.npy '1, 128, 128, 1'
bad 1 'the model takes 8 x 8 x 1; --resize 8 brings' score --model small.st --data tall --out never.npy

# ---- Text that has the size of images. ----

awk 'BEGIN { printf "\tx\ty\n"; for (i = 0; i < 510; i++) printf "%d\t1\t2\n", i % 10; printf "0\t1\t222\n" }' >table
holds "a table of 3,073 bytes" [ "$(wc -c <table)" = 3073 ]
"$ddaebm" data --data table --count 999 --out table.npy 2>err
holds "is a table" has_shape table.npy '511, 3'
cp table table.bin
"$ddaebm" data --data table.bin --count 999 --out named.npy 2>err
holds "whatever its name" cmp named.npy table.npy

# ---- gzip. ----

if command -v gzip >/dev/null && printf '5,2\n' | gzip -c >one.gz && "$ddaebm" data --data one.gz --count 9 --out one.npy 2>err; then
    { gzip -c table.csv && printf '3,4\n' | gzip -c; } >members.csv.gz
    good data --data members.csv.gz --count 9 --out members.npy
    holds "members are put together" has_shape members.npy '2, 2'
    { cat members.csv.gz && printf '\037\213\010\004\0\0\0\0\0\377\006\0\102\103\002\0\033\0\003\0\0\0\0\0\0\0\0\0'; } >bgzip.csv.gz
    good data --data bgzip.csv.gz --count 9 --out bgzip.npy
    holds "as bgzip's blocks are" cmp bgzip.npy members.npy
    { cat members.csv.gz && head -c 512 /dev/zero; } >zeros.csv.gz
    "$ddaebm" data --data - --count 9 --out zeros.npy <zeros.csv.gz >out 2>err
    holds "zeros are passed over in a stream" cmp zeros.npy members.npy
    holds "and in silence" [ ! -s err ]
    { cat members.csv.gz && printf 'garbage'; } >garbage.csv.gz
    says '7 bytes follow its gzip data that are none; they are passed over' data --data garbage.csv.gz --count 9 --out garbage.npy
    holds "as zcat does" cmp garbage.npy members.npy
    { gzip -c <u1.npy | head -c 99999 && head -c 3 /dev/zero; } >u1.npy.gz
    good data --data u1.npy.gz --count 3 --out packed.npy
    holds "arrays, too" cmp packed.npy signed.npy
fi
# ---- Images and rows are two kinds. ----

kind='--steps 2 --threads 1 --quiet --config small.json --preset vector'
awk 'BEGIN { for (i = 0; i < 20; i++) for (j = 0; j < 64; j++) printf "%d%s", (i * 64 + j) * 37 % 256, j < 63 ? "," : "\n" }' >bytes.csv
awk -F, '{ for (j = 1; j <= 64; j++) printf "%.9g%s", $j / 127.5 - 1, j < 64 ? "," : "\n" }' bytes.csv >signed.csv
awk -F, '{ for (j = 1; j <= 64; j++) printf "%.9g%s", $j / 255, j < 64 ? "," : "\n" }' bytes.csv >unit.csv
awk -F, '{ for (j = 1; j <= 64; j++) printf "%.9g%s", ($j / 127.5 - 1) * 1.09, j < 64 ? "," : "\n" }' bytes.csv >sampled.csv
{ printf '\000\000\010\003\000\000\000\024\000\000\000\010\000\000\000\010' && head -c 1280 bytes; } >grey.idx
{ printf '\000\000\010\003\000\000\000\024\000\000\000\004\000\000\000\020' && head -c 1280 bytes; } >flat.idx
good train $kind -d grey.idx -o images.st --checkpoint images_run.st
good train $kind -d bytes.csv -o rows.st --checkpoint rows_run.st
good train $kind -d flat.idx -o flat.st
words="the data are images, the model was trained on rows: read them as rows (--layout rows"
bad 1 "$words" score -m rows.st -d grey.idx -o never.npy
bad 1 "$words" score -m rows.st -d flat.idx -o never.npy
bad 1 "$words" score -m rows_run.st -d flat.idx -o never.npy
bad 1 "$words" train -q --steps 4 --model rows.st -d grey.idx -o never.st
bad 1 "$words" train -q --steps 4 --resume rows_run.st --resume-data other -d grey.idx -o never.st
head -c 1280 bytes | array grey.npy '|u1' '20, 8, 8'
good score -m rows.st -d grey.npy --layout rows -o scores.npy
good score -m images.st -d grey.idx -o scores.npy
good score -m flat.st -d flat.idx -o scores.npy
words="model's images go from -1 (black) to 1 (white): give the data as an array \[N, 8, 8\] of images (--layout"
bad 1 "row 1, column 2 (both from 1) is 37; the $words" score -m images.st -d bytes.csv -o never.npy
bad 1 "$words" score -m images_run.st -d bytes.csv --score gradient -o never.npy
bad 1 "$words" train -q --steps 4 --model images.st -d bytes.csv -o never.st
bad 1 "$words" train -q --steps 4 --resume images_run.st --resume-data other -d bytes.csv -o never.st
bad 1 "array \[N, height, width\] of images" score -m flat.st -d bytes.csv -o never.npy
good score -m images.st -d signed.csv -o scores.npy
good score -m images.st -d sampled.csv -o scores.npy
says 'note: no number of the first rows is negative, and the model' score -m images.st -d unit.csv -o scores.npy
says 'note: no number of the first rows is negative, and the model' score -m flat.st -d unit.csv -o scores.npy
good score -m rows.st -d unit.csv -o scores.npy
head -c 720 bytes | array small.npy '|u1' '20, 6, 6'
bad 1 "small.npy has images of 6 x 6 x 1.*; --resize 8 brings them to that" score -m images.st -d small.npy -o never.npy
bad 1 "rows of 2 numbers, the model takes images of 8 x 8 x 1.*--resize 8" score -m images.st -d moons -o never.npy
bad 1 "has images of 36 numbers, the model takes rows of 64" score -m flat.st -d small.npy -o never.npy
bad 1 "preset cifar10 is for images, the data has rows of 64 numbers; leave --preset out or name another" train -d bytes.csv --preset cifar10 -o never.st
bad 1 "preset fashion is for images, the data has rows of 2 numbers" train -d moons --preset fashion -o never.st

# ---- Samples against data. ----

# squares SEED SHADE: 240 grey images of 10 x 10, each a square of the shade at a random place.
squares() {
    LC_ALL=C awk -v seed="$1" -v shade="$2" 'BEGIN {
        srand(seed)
        for (n = 0; n < 240; n++) {
            row = int(7 * rand()); column = int(7 * rand())
            for (i = 0; i < 10; i++)
                for (j = 0; j < 10; j++)
                    printf "%c", (i >= row && i < row + 3 && j >= column && j < column + 3 ? shade : 1)
        }
    }'
}
squares 1 240 | array squares.npy '|u1' '240, 10, 10'
squares 2 240 | array others.npy '|u1' '240, 10, 10'
squares 2 90 | array dim.npy '|u1' '240, 10, 10'
# measured SAMPLES: the Frechet distance over that of the data, precision and recall
measured() {
    "$ddaebm" evaluate --sampled "$1" --data squares.npy --count 120 --json |
        sed 's/.*"frechet": \([^,]*\), "frechet_floor": \([^,]*\), "precision": \([^,]*\), "recall": \([^},]*\).*/\1 \2 \3 \4/'
}
holds "images are as the data where they are the data" [ "$(measured squares.npy | awk '{ print ($1 < 1e-4 * $2), $3, $4 }')" = "1 1 1" ]
holds "others like them are near" [ "$(measured others.npy | awk '{ print ($1 < 3 * $2), ($3 > 0.8), ($4 > 0.8) }')" = "1 1 1" ]
holds "dim ones are not" [ "$(measured dim.npy | awk '{ print ($1 > 10 * $2), ($3 < 0.5) }')" = "1 1" ]
head -c 24000 /dev/zero | array flat.npy '|u1' '240, 10, 10'
good evaluate --sampled flat.npy --data flat.npy --count 120 --json >out
holds "no distance between images that are all alike" grep -q '"sw1": 0, "sw1_floor": 0, "sw1_floors": null' out
good evaluate --sampled dim.npy --data squares.npy --count 120 >out
holds "the measures are named" grep -q '^Frechet distance: .* times the .* between two sets of data$' out
holds "so are the others" grep -q '^precision 0\.[0-9]*, recall [01]\.[0-9]*$' out

finish
