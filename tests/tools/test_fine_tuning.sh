#!/bin/sh
# A run that starts from a model has data with its columns; scores that are compared are of one kind. test_fine_tuning.sh PATH/TO/ddaebm
# shellcheck source=tests/tools/checks.sh
. "$(dirname "$0")/checks.sh"

awk 'BEGIN { print "a,b,c"; for (i = 0; i < 40; i++) print sin(i) "," cos(i) "," sin(3 * i) }' >abc.csv
sed 's/a,b,c/b,a,c/' abc.csv >bac.csv
sed 's/a,b,c/a,b,d/' abc.csv >abd.csv
sed 1d abc.csv >plain.csv
awk -F, '{ print $0 "," $1 }' plain.csv >four.csv
train_small --data abc.csv --steps 3 --out abc.st
bad 1 "column 1 of the data is 'b', the model's is 'a': the columns have another order" train -q --threads 1 --model abc.st --data bac.csv --steps 3 --out never.st
bad 1 "column 3 of the data is 'd', the model's is 'c'" train -q --threads 1 --model abc.st --data abd.csv --steps 3 --out never.st
bad 1 "column 3 of the data is 'd'" train -q --threads 1 --model abc.st --data abd.csv --set training.batch=8 --steps 3 --out never.st
bad 1 "four.csv has rows of 4 numbers, the model takes 3" train -q --threads 1 --model abc.st --data four.csv --steps 3 --out never.st
good train -q --threads 1 --model abc.st --data abc.csv --steps 3 --out tuned.st
good train -q --threads 1 --model abc.st --data plain.csv --steps 3 --out tuned.st
good train -q --threads 1 --model abc.st --data bac.csv --columns a,b,c --steps 3 --out tuned.st

# ---- Scores. ----

good score --model abc.st --data abc.csv --out energy.csv
good score --model abc.st --data abc.csv --score gradient --out gradient.csv
good score --model abc.st --data plain.csv --score gradient --out bare.csv
good score --model abc.st --data abc.csv --score reconstruction --out reconstruction.csv.gz
bad 1 "of two kinds: energy in --normal, gradient in --anomalous" auroc --normal energy.csv --anomalous gradient.csv
bad 1 "of two kinds: reconstruction in --normal, energy in --anomalous" auroc --normal reconstruction.csv.gz --anomalous energy.csv
good auroc --normal energy.csv --anomalous energy.csv
good auroc --normal energy.csv --anomalous bare.csv
good auroc --normal bare.csv --anomalous gradient.csv

finish
