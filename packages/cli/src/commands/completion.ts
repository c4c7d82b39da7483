// The completion scripts. They know nothing about the commands: each asks `tidemark __complete` with the words so far, so the
// tree, the options and the names of topics are always those of the installed version and the cluster.
import { write, type CommandContext } from '../command-context.ts';
import { usageFailure, type ExitCode } from '../exit.ts';

const scripts: Readonly<Record<string, string>> = {
  bash: `# bash completion for tidemark; load it with: source <(tidemark completion bash)
_tidemark() {
  local IFS=$'\\n' line
  COMPREPLY=()
  while read -r line; do COMPREPLY+=("\${line%%$'\\t'*}"); done < <(
    tidemark __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null
  )
}
complete -o default -F _tidemark tidemark
`,
  zsh: `#compdef tidemark
# zsh completion for tidemark; load it with: source <(tidemark completion zsh)
_tidemark() {
  local -a candidates
  local line
  while IFS= read -r line; do
    candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}")
  done < <(tidemark __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then _describe 'tidemark' candidates; else _files; fi
}
compdef _tidemark tidemark
`,
  fish: `# fish completion for tidemark; load it with: tidemark completion fish | source
function __tidemark_complete
  set -l words (commandline -opc) (commandline -ct)
  tidemark __complete -- $words[2..-1] 2>/dev/null
end
complete -c tidemark -f -a '(__tidemark_complete)'
complete -c tidemark -n '__fish_seen_argument -l file -l config -l dir; or __fish_seen_subcommand_from dump' -F
`,
};

export async function printCompletion(
  { io, output }: CommandContext,
  [shell]: readonly string[],
): Promise<ExitCode | undefined> {
  const script = scripts[shell ?? ''];
  if (script === undefined) throw usageFailure('choose one of bash, zsh, fish');
  await write(io.stdout, output === 'json' ? `${JSON.stringify({ shell, script })}\n` : script);
  return undefined;
}
