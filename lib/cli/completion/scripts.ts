/**
 * What each shell loads once. The words come from the program at every press of Tab, so they are those of the installed
 * version and of the accounts there are; they reach the shell as data, on lines of their own (a word, then what it is), and
 * are quoted by it: a name is never read as code. The program is looked for in the search path and not under the name that
 * was typed, since a folder that is merely visited may hold one of that name.
 */
export const SCRIPTS = {
  bash: `_oc_codex_multi_auth() {
  local word help
  local -a words
  COMPREPLY=()
  # Inside quotes nothing is offered: what is inserted there could end them.
  case "\${COMP_WORDS[COMP_CWORD]}" in [\\"\\']*) return ;; esac
  words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  words=("\${words[@]//\\\\/}")
  while IFS= read -r word; do
    if [ "$word" = ':files' ]; then
      compopt -o default 2>/dev/null
      return
    fi
    IFS= read -r help
    printf -v word '%q' "$word"
    COMPREPLY+=("$word")
  done < <(command oc-codex-multi-auth completion --words -- "\${words[@]}" </dev/null 2>/dev/null)
}
complete -F _oc_codex_multi_auth oc-codex-multi-auth
`,
  zsh: `#compdef oc-codex-multi-auth
_oc_codex_multi_auth() {
  local word help
  local -a offered shown
  while IFS= read -r word; do
    if [[ "$word" == ':files' ]]; then
      _files
      return
    fi
    IFS= read -r help
    offered+=("$word")
    shown+=("$word\${help:+  ($help)}")
  done < <(command oc-codex-multi-auth completion --words -- "\${(@Q)words[2,CURRENT]}" </dev/null 2>/dev/null)
  compadd -l -d shown -a -- offered
}
if [[ "\${funcstack[1]}" == _oc_codex_multi_auth ]]; then
  _oc_codex_multi_auth "$@"
else
  compdef _oc_codex_multi_auth oc-codex-multi-auth
fi
`,
  fish: `function __oc_codex_multi_auth
    set -l given (commandline -opc)
    set -l current (commandline -ct)
    command oc-codex-multi-auth completion --words -- $given[2..-1] "$current" </dev/null 2>/dev/null | while read -l word
        if test "$word" = ':files'
            __fish_complete_path "$current"
            return
        end
        read -l help
        printf '%s\\t%s\\n' "$word" "$help"
    end
end
complete -c oc-codex-multi-auth -f -a '(__oc_codex_multi_auth)'
`,
} as const
