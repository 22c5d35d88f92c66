#!/bin/sh
# The man pages: free of warnings, and ddaebm(1) names exactly the commands and options that --help prints. test_man.sh DDAEBM FOLDER-OF-PAGES
set -u
ddaebm=$1
pages=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
code=0

complain() {
    echo "FAILED: $1" >&2
    code=1
}

if command -v groff >/dev/null; then
    for page in "$pages/ddaebm.1" "$pages/libddaebm.3"; do
        warnings=$(groff -man -ww -Tutf8 -rHY=0 -rLL=100n -z "$page" 2>&1)
        [ -z "$warnings" ] || complain "groff warns of $page: $warnings"
    done
else
    echo "SKIPPED: no groff here to read the man pages"
fi

# Options in bold at the start of an item of a command's section; roff writes - as \-.
section_options() {
    awk -v wanted="$1" '/^\.S[SH] /{ inside = ($1 == ".SS" && $2 == wanted) } inside && /^\.BI? \\-\\-/ { print $2 }' "$pages/ddaebm.1" |
        sed 's/\\-/-/g' | sort
}

commands=$("$ddaebm" --help | sed -n '/^  ddaebm/d; s/^  \([a-z]*\)  *[A-Z].*/\1/p')
[ "$(echo "$commands" | wc -w)" -ge 8 ] || complain "--help lists fewer commands than there were: $commands"
for command in $commands; do
    "$ddaebm" "$command" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | grep -vx -e --help | sort >"$work/help"
    [ -s "$work/help" ] || complain "$command --help lists no option"
    section_options "$command" >"$work/page"
    diff -u "$work/help" "$work/page" >&2 || complain "ddaebm(1) and ddaebm $command --help name different options (+ page alone, - help alone)"
done
sed -n 's/^\.SS //p' "$pages/ddaebm.1" | sort >"$work/sections"
echo "$commands" | sort | diff -u - "$work/sections" >&2 || complain "ddaebm(1) and ddaebm --help name different commands"
exit $code
