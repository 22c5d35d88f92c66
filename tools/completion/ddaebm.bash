# Completion for bash. The command itself says what may follow: each line is a word, or a word, a tab and its meaning.
_ddaebm() {
    local IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]}
    [[ $word == = ]] && word=
    # shellcheck disable=SC2207 # candidates have no blanks
    COMPREPLY=($(compgen -W "$("$1" complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1)" -- "$word"))
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o default -F _ddaebm ddaebm
