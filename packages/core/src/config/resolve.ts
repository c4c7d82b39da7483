// Makes a checked Config out of what the process was given. Precedence: flag > environment > file > default. Pure: the
// edge reads the file and the environment and hands them over. Every problem is collected before anything is refused.

import { Config, specOf, type ConfigKeys, type ConfigSetting, type ConfigTable } from './config.ts';
import type { ConfigSpecs, ConfigValue } from './descriptor.ts';
import { configNameOf, environmentName, isServiceLink } from './environment.ts';
import { nearestName, REDACTED, type ConfigProblem, type ConfigSource } from './problem.ts';
import { parseProperties } from './properties.ts';
import { formatConfigValue, parseConfigValue } from './value.ts';

export interface ConfigInputs {
  /** Text of a .properties file. */
  readonly file?: string;
  /** What the file is called in messages. */
  readonly fileName?: string;
  /** The process's environment; variables without our prefix are ignored. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Variables with our prefix that belong to somebody else, e.g. the CLI's own. */
  readonly ignoredVariables?: readonly string[];
  /** `--name value` of the command line. */
  readonly flags?: Readonly<Record<string, ConfigValue>>;
  /** A library caller's config object. Undefined values count as absent. */
  readonly options?: Readonly<Record<string, ConfigValue | undefined>>;
  /** Reads the file a `*_FILE` variable names; throws when it cannot. */
  readonly readSecretFile?: (path: string) => string;
}

export type ResolvedConfig<S extends ConfigSpecs> =
  | { readonly ok: true; readonly config: Config<S> }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

interface Given {
  readonly name: string;
  readonly value: ConfigValue;
  readonly source: ConfigSource;
}

export function resolveConfig<S extends ConfigSpecs>(
  table: ConfigTable<S>,
  inputs: ConfigInputs,
): ResolvedConfig<S> {
  const problems: ConfigProblem[] = [];
  const settings = new Map<string, ConfigSetting>();
  // Weakest first: a later layer overwrites. A bad value is refused even when a stronger layer hides it, since it would
  // surface on the day the stronger one is taken away.
  const layers = [
    fromFile(inputs, problems),
    fromEnvironment(table, inputs, problems),
    fromRecord(inputs.flags, 'flag', (name) => `flag --${name}`),
    fromRecord(inputs.options, 'option', () => 'config option'),
  ];
  for (const { name, value, source } of layers.flat()) {
    const checked = checkSetting(table, name, value, source);
    if ('cause' in checked) problems.push(checked);
    else settings.set(name, checked);
  }
  if (problems.length > 0) return { ok: false, problems };
  const config = new Config(table, settings);
  const contradictions = (table.rules ?? []).flatMap((rule) => rule(config));
  return contradictions.length > 0 ? { ok: false, problems: contradictions } : { ok: true, config };
}

/** One key and its value, checked by the table; a problem when the key is unknown or the value illegal. */
export function checkSetting(
  table: ConfigKeys,
  name: string,
  value: ConfigValue,
  source: ConfigSource,
): ConfigSetting | ConfigProblem {
  const spec = specOf(table, name);
  if (spec === undefined) return unknownKey(table, name, value, source);
  const parsed = parseConfigValue(spec, value);
  if (parsed.ok) return { value: parsed.value, source };
  const shown = spec.sensitive ? REDACTED : formatConfigValue(value);
  return { name, value: shown, source, cause: parsed.cause, remedy: parsed.remedy };
}

function unknownKey(
  table: ConfigKeys,
  name: string,
  value: ConfigValue,
  source: ConfigSource,
): ConfigProblem {
  const hint = table.elsewhere?.[name];
  const near = nearestName(name, Object.keys(table.specs));
  const remedy =
    hint ??
    (near === undefined
      ? 'Remove it; docs/configuration.md has every key.'
      : `Did you mean ${source.kind === 'environment' ? environmentName(near) : near}?`);
  // The value of a key nobody knows may be a secret under a mistyped name.
  const secret =
    (near !== undefined && table.specs[near]?.sensitive === true) ||
    /password|secret|token|credential|jaas|private/i.test(name);
  return {
    name,
    value: secret ? REDACTED : formatConfigValue(value),
    source,
    cause: `this version has no such ${table.title} config`,
    remedy,
  };
}

function fromFile({ file, fileName = 'config file' }: ConfigInputs, problems: ConfigProblem[]): Given[] {
  if (file === undefined) return [];
  const lines = new Map<string, number>();
  return parseProperties(file).flatMap(({ name, value, line }): Given[] => {
    const source: ConfigSource = { kind: 'file', where: `${fileName}:${line}` };
    const before = lines.get(name);
    if (before !== undefined) {
      const cause = `is already set in line ${before}`;
      problems.push({ name, value: undefined, source, cause, remedy: 'Keep one of the two lines.' });
      return [];
    }
    lines.set(name, line);
    return [{ name, value, source }];
  });
}

function fromEnvironment(table: ConfigKeys, inputs: ConfigInputs, problems: ConfigProblem[]): Given[] {
  const given: Given[] = [];
  const environment = inputs.environment ?? {};
  for (const variable of Object.keys(environment).sort()) {
    const value = environment[variable];
    const name = configNameOf(variable);
    if (name === undefined || value === undefined || inputs.ignoredVariables?.includes(variable)) continue;
    const source: ConfigSource = { kind: 'environment', where: `environment variable ${variable}` };
    if (specOf(table, name) !== undefined) given.push({ name, value, source });
    else if (secretName(table, variable) !== undefined)
      readSecret(table, variable, value, inputs, given, problems);
    else if (!isServiceLink(variable)) given.push({ name, value, source });
  }
  return given;
}

/** The sensitive key a `*_FILE` variable is for. */
function secretName(table: ConfigKeys, variable: string): string | undefined {
  const name = variable.endsWith('_FILE') ? configNameOf(variable.slice(0, -'_FILE'.length)) : undefined;
  return name !== undefined && specOf(table, name)?.sensitive === true ? name : undefined;
}

function readSecret(
  table: ConfigKeys,
  variable: string,
  path: string,
  inputs: ConfigInputs,
  given: Given[],
  problems: ConfigProblem[],
): void {
  const name = secretName(table, variable)!;
  const source: ConfigSource = { kind: 'environment', where: `environment variable ${variable}` };
  const refuse = (cause: string, remedy: string) =>
    problems.push({ name, value: undefined, source, cause, remedy });
  const direct = environmentName(name);
  if (inputs.environment?.[direct] !== undefined) {
    refuse(`${direct} is set too`, 'Keep one of the two variables.');
    return;
  }
  if (inputs.readSecretFile === undefined) {
    refuse('files with secrets cannot be read here', `Set ${direct}.`);
    return;
  }
  try {
    // Editors and `kubectl create secret` end the file with a newline that is not part of the secret.
    given.push({ name, value: inputs.readSecretFile(path).replace(/\r?\n$/, ''), source });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    refuse(`the file cannot be read: ${why}`, 'Give the path of a readable file.');
  }
}

function fromRecord(
  record: Readonly<Record<string, ConfigValue | undefined>> | undefined,
  kind: ConfigSource['kind'],
  where: (name: string) => string,
): Given[] {
  return Object.entries(record ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value, source: { kind, where: where(name) } }],
  );
}
