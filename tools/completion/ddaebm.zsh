#compdef ddaebm
# Completion for zsh. The command itself says what may follow: each line is a word, or a word, a tab and its meaning.
local -a lines candidates
lines=("${(@f)$(${words[1]} complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
candidates=("${(@)${(@)lines//:/\\:}/$'\t'/:}")
compset -P '--*='
if [[ -n ${candidates[1]} ]]; then
    _describe -V option candidates -S '' -r '' && return
fi
_files
