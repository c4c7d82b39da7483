// `tidemark completion SHELL` and the hidden `tidemark __complete` that its scripts call.
import { Argument, type Command } from 'commander';
import { runs, withOutput, type Host } from './command.ts';

export function declareCompletion(host: Host, program: Command): void {
  const completion = withOutput(program.command('completion'), ['table', 'json'])
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
  bash  source <(tidemark completion bash)
  zsh   source <(tidemark completion zsh)
  fish  tidemark completion fish | source`,
    );
  runs(host, completion, async () => (await import('../commands/completion.ts')).printCompletion);

  const complete = program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption(true)
    .helpOption(false);
  runs(host, complete, async () => {
    const { complete: run } = await import('../commands/complete.ts');
    return (context, words) => run(context, words, program);
  });
}
