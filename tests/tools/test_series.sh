#!/bin/sh
# Series and their windows: a chirp, sin(2 pi (n / 80 + n^2 / 40000)), of 2000 samples. test_series.sh PATH/TO/ddaebm
# shellcheck source=tests/tools/checks.sh
. "$(dirname "$0")/checks.sh"

chirp='BEGIN { pi = atan2(0, -1); for (n = 0; n < 2000; n++) { x = sin(2 * pi * (n / 80 + n * n / 40000)); if (flat && n >= 1200 && n < 1216) x = 0.9; printf "%.9g\n", x } }'
awk "$chirp" >chirp.csv
awk -v flat=1 "$chirp" >wrong.csv

good data -d chirp.csv --window 16 --hop 5 -o windows.npy
holds "windows, one more at the end" has_shape windows.npy "398, 16"
good data -d chirp.csv --window 16 -o windows.npy
holds "a quarter apart" has_shape windows.npy "497, 16"

good train -d chirp.csv --window 16 --hop 1 --preset vector --set training.steps=300 --set training.batch=64 \
    --set 'energy.hidden_layers=[32]' -q -o model.safetensors
good score -m model.safetensors -d wrong.csv --window 16 --hop 2 -o scores.csv
holds "a score a sample" [ "$(wc -l <scores.csv)" = 2000 ]
lowest=$(awk 'NR == 1 || $1 < least { least = $1; at = NR - 1 } END { print at }' scores.csv)
holds "the flat stretch scores lowest, not sample $lowest" [ "$lowest" -ge 1192 ] && [ "$lowest" -lt 1224 ]

# ---- Restoring. ----

awk 'BEGIN { srand(3) } { u = rand(); v = rand(); printf "%.9g\n", $1 + 0.3 * sqrt(-2 * log(1 - u)) * cos(6.2831853 * v) }' chirp.csv >noisy.csv
awk '{ print (NR > 1000 && NR <= 1008 ? 0 : 1) }' chirp.csv >known.csv
# error FILE: the sum of its squared differences from the chirp
error() {
    paste chirp.csv "$1" | awk '{ sum += ($1 - $2) ^ 2 } END { print int(1000 * sum), NR }'
}
holds "restored" "$ddaebm" restore -m model.safetensors -d noisy.csv --window 16 --hop 4 --noise 0.3 --draws 4 -q -o clean.csv
before=$(error noisy.csv | cut -d' ' -f1)
after=$(error clean.csv | cut -d' ' -f1)
holds "less noise, not $after of $before" [ "$after" -lt "$before" ]
holds "of all samples" [ "$(error clean.csv | cut -d' ' -f2)" = 2000 ]
holds "with a gap" "$ddaebm" restore -m model.safetensors -d noisy.csv --window 16 --mask known.csv --noise 0.3 --draws 2 -q -o filled.npy --deviation-out deviation.npy
holds "the signal's deviation" has_shape deviation.npy "2000, 1"
bad 2 'leave it out with --window' restore -m model.safetensors -d noisy.csv --window 16 --samples-out never.npy -o never.csv
for samples in 1999 1997; do
    head -$samples known.csv >short.csv
    bad 1 "short.csv has $samples samples of 1 channels, the data 2000 of 1" restore -m model.safetensors -d noisy.csv --window 16 --mask short.csv --noise 0.3 -q -o never.csv
done
bad 2 '.--deviation-out needs --draws 2' restore -m model.safetensors -d noisy.csv --window 16 --noise 0.3 --draws 1 -o never.csv --deviation-out never.npy
awk 'NR == 30 { print "NA"; next } { print }' chirp.csv >gap.csv
bad 1 "values of the series are missing" train -d gap.csv --missing allow --window 16 -o never.safetensors

# ---- Channels. ----

awk -v OFS=, 'BEGIN { print "l", "r" } { print $1, -$1 }' chirp.csv >named.csv
good train -d named.csv --window 8 --preset vector --set training.steps=5 -q -o named.safetensors
good score -m named.safetensors -d named.csv --window 8 -o never.npy
rm never.npy
bad 1 "columns" score -m named.safetensors -d named.csv --columns r,l --window 8 -o never.npy
bad 1 "column" score -m named.safetensors -d chirp.csv --window 16 -o never.npy
bad 1 "column" score -m model.safetensors -d named.csv --window 8 -o never.npy

# ---- WAV. ----

if "$ddaebm" data -d wrong.csv -o wrong.wav 2>err; then
    good data -d wrong.wav -o back.csv
    holds "WAV has the samples, as float32" sh -c "paste wrong.csv back.csv | awk '{ d = \$1 - \$2; if (d * d > 1e-13) bad = 1 } END { exit bad || NR != 2000 }'"
    good score -m model.safetensors -d wrong.wav --window 16 --hop 2 -o heard.csv
    holds "and scores nearly alike" sh -c "paste scores.csv heard.csv | awk '{ d = \$1 - \$2; if (d * d > 1e-3 * (1 + \$1 * \$1)) bad = 1 } END { exit bad || NR != 2000 }'"
    awk -v OFS=, '{ print $1, -$1 }' chirp.csv >stereo.csv
    good data -d stereo.csv -o stereo.wav
    good data -d stereo.wav --columns 2 -o second.csv
    holds "a channel of two" sh -c "paste chirp.csv second.csv | awk '{ d = \$1 + \$2; if (d * d > 1e-11) bad = 1 } END { exit bad }'"
    head -c 30 stereo.wav >cut.wav
    bad 1 'cut.wav: it is a damaged WAV' data -d cut.wav -o never.npy
else
    holds "without libsndfile that is said" grep -q 'wrong.wav: this build has no libsndfile' err
fi
bad 2 'score writes no sound' score -m model.safetensors -d chirp.csv -o never.wav

# ---- What makes no sense. ----

bad 1 'the window is 2001 samples; allowed: 1 to 2000' train -d chirp.csv --window 2001 -o never.safetensors
bad 1 'the hop is 17 samples; allowed: 1 to 16' train -d chirp.csv --window 16 --hop 17 -o never.safetensors
bad 2 'hop' train -d chirp.csv --window 16 --hop 0 -o never.safetensors
printf '1\n2\nnan\n4\n' >nan.csv
bad 1 'nan.csv: line 3' data -d nan.csv --window 2 -o never.npy
bad 1 'hop needs --window' train -d chirp.csv --hop 4 -o never.safetensors
bad 1 'the model takes 16.*--window' score -m model.safetensors -d chirp.csv -o never.npy
bad 2 'leave out --count' score -m model.safetensors -d chirp.csv --window 16 --count 3 -o never.npy
bad 1 'windows are of a series with an end' data -d moons --window 4 -o never.npy
awk -v OFS=, '{ print $1, -$1 }' chirp.csv >stereo.csv
bad 1 'rows of 32 numbers, the model takes 16' score -m model.safetensors -d stereo.csv --window 16 -o never.npy
good score -m model.safetensors -d stereo.csv --columns 1 --window 16 --hop 2 -o mono.csv
good score -m model.safetensors -d chirp.csv --window 16 --hop 2 -o scores.csv
holds "a channel may be chosen" cmp mono.csv scores.csv
finish
