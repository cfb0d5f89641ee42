import { COMMON_OPTIONS, UsageError, type Command } from '../command.ts'

/** Completion scripts, made from the same table as the help. */
export function completionCommand(commands: () => readonly Command[], programs: readonly string[]): Command {
  const words = () => [...programs, ...commands().map((command) => command.name)].join(' ')
  const flags = (command: Command) =>
    Object.keys({ ...command.options, ...COMMON_OPTIONS })
      .map((flag) => `--${flag}`)
      .join(' ')
  const scripts: Readonly<Record<string, () => string>> = {
    bash: () => `_lambent() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${words()}" -- "$word")); return; fi
  case "\${COMP_WORDS[1]}" in
${commands()
  .map((command) => `    ${command.name}) COMPREPLY=($(compgen -W "${flags(command)}" -f -- "$word")) ;;`)
  .join('\n')}
  esac
}
complete -o default -F _lambent lambent`,
    zsh: () => `#compdef lambent
_lambent() {
  if (( CURRENT == 2 )); then compadd ${words()}; return; fi
  case "$words[2]" in
${commands()
  .map((command) => `    ${command.name}) compadd -- ${flags(command)}; _files ;;`)
  .join('\n')}
  esac
}
compdef _lambent lambent`,
    fish: () =>
      [
        `complete -c lambent -n __fish_use_subcommand -f -a '${words()}'`,
        ...commands().flatMap((command) =>
          Object.keys({ ...command.options, ...COMMON_OPTIONS }).map(
            (flag) => `complete -c lambent -n '__fish_seen_subcommand_from ${command.name}' -l ${flag}`,
          ),
        ),
      ].join('\n'),
  }
  return {
    name: 'completion',
    usage: 'bash|zsh|fish',
    summary: 'Prints the completion script of a shell.',
    positionals: { min: 1, max: 1 },
    options: {},
    examples: [
      'source <(lambent completion bash)',
      'lambent completion fish > ~/.config/fish/completions/lambent.fish',
    ],
    run({ positionals, out }) {
      const make = scripts[positionals[0] ?? '']
      if (!make) throw new UsageError(`There are completion scripts for ${Object.keys(scripts).join(', ')}`)
      out.line(make())
      return Promise.resolve(0)
    },
  }
}
