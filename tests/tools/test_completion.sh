#!/bin/sh
# Completion: every option of every command is offered, with what its values are, and bash and zsh offer it. test_completion.sh DDAEBM FOLDER-OF-SCRIPTS
scripts=$(cd "$2" && pwd)
# shellcheck source=tests/tools/checks.sh
. "$(dirname "$0")/checks.sh"

# offers WORD... -- CANDIDATE...: each of the candidates follows the words
offers() {
    line=
    while [ "$1" != -- ]; do
        line="$line '$1'"
        shift
    done
    shift
    eval "good complete $line"
    cut -f 1 out >offered
    for word in "$@"; do
        holds "$line: $word" grep -q -x -F -e "$word" offered
    done
}

# ---- The command's own words. ----

offers '' -- train sample score density data plot auroc convert normalise evaluate restore info --help --version
commands=$("$ddaebm" --help | sed -n '/^  ddaebm/d; s/^  \([a-z]*\)  *[A-Z].*/\1/p')
for command in $commands; do
    "$ddaebm" "$command" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | sort >wanted
    good complete "$command" --
    cut -f 1 out | sort >offered
    holds "all options of $command, and no other" cmp wanted offered
    holds "each has its meaning" sh -c '! grep -v "$(printf "\t")." out'
done
offers data --data '' -- moons checkerboard fashion-mnist
offers data -d '' -- moons
offers data --data=mo -- moons
offers data --data = -- moons
offers data --data = mo -- moons
offers train --preset '' -- points vector fashion toy
offers score --score '' -- energy gradient reconstruction typicality
offers sample --format '' -- auto npy csv csv.gz png
offers train --set '' -- training.steps= energy.hidden_layers=
offers train --set tr -- training.steps=
offers train --data moons '' -- --out
offers train --quiet '' -- --out --log
offers train --quiet -- --out
for line in 'sample --model' 'sample --out' 'data -o' 'train --config'; do
    # shellcheck disable=SC2086 # words
    good complete $line ''
    holds "names of files are the shell's: $line" [ ! -s out ]
done
good complete nothing ''
holds "nothing follows an unknown command" [ ! -s out ]
good complete

# ---- Shells. ----

mkdir bin files
ln -s "$ddaebm" bin/ddaebm
: >files/first.npy
: >files/second.npy
PATH=$work/bin:$PATH
export PATH
cat >ask.bash <<'END'
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_ddaebm ddaebm
printf '%s\n' "${COMPREPLY[@]}"
END
# bash_offers CANDIDATES WORD...: exactly those
bash_offers() {
    want=$1
    shift
    bash ask.bash "$scripts/ddaebm.bash" ddaebm "$@" >offered 2>err
    holds "bash: $*" [ "$(tr '\n' ' ' <offered)" = "$want " ]
}
if command -v bash >/dev/null; then
    bash_offers 'sample score' s
    bash_offers '--checkpoint --checkpoint-every' train --ch
    bash_offers 'moons' data --data mo
    bash_offers 'moons' data --data = mo
    bash_offers 'npy' data --format n
    bash_offers 'training.steps=' train --set training.s
    bash_offers '' sample --model files/
    bash_offers '' nothing ''
    holds "bash completes the command" bash -c "source '$scripts/ddaebm.bash' && complete -p ddaebm | grep -q -- '-F _ddaebm ddaebm'"
else
    echo "SKIPPED: no bash here to complete in"
fi

# What zsh lists for a line, of a terminal of its own.
cat >ask.zsh <<'END'
zmodload zsh/zpty
zpty -b shell zsh -f -i
send() { zpty -w shell "$1"; sleep 0.05 }
send "PS1=; stty -echo; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; LISTMAX=1000; setopt no_beep no_list_beep; cd $2; PATH=$3:\$PATH"
send "zstyle ':completion:*' list-grouped no; unsetopt automenu; bindkey '^I' complete-word; bindkey '^X' list-choices; echo rea''dy"
zpty -r shell line '*ready*' || exit 1
zpty -w -n shell "$4"$'\t'$'\C-x'
sleep 2
zpty -w -n shell $'\C-a'"echo '"$'\C-e'"'"
zpty -w -n shell $'\n'
zpty -w shell "echo zq''zq"
text=
while zpty -r shell line; do text+=$line; [[ $text == *zqzq* ]] && break; done
print -r -- "$text"
zpty -d shell
END
# zsh_offers PATTERN LINE: after a tab the terminal shows it
zsh_offers() {
    timeout 60 zsh -f ask.zsh "$work/functions" "$work/files" "$work/bin" "$2" >offered 2>err
    holds "zsh: $2" grep -a -q -e "$1" offered
}
if command -v zsh >/dev/null; then
    holds "zsh reads the script" zsh -n "$scripts/ddaebm.zsh"
    mkdir functions
    cp "$scripts/ddaebm.zsh" functions/_ddaebm
    zsh_offers 'ddaebm auroc' 'ddaebm au'
    zsh_offers 'checkpoint-every .*save it after every N steps' 'ddaebm train --ch'
    zsh_offers '--data moons' 'ddaebm data --data mo'
    zsh_offers '--data=moons' 'ddaebm data --data=mo'
    zsh_offers '--model first.npy' 'ddaebm sample --model fi'
    zsh_offers '--data second.npy' 'ddaebm data --data se'
else
    echo "SKIPPED: no zsh here to complete in"
fi

finish
