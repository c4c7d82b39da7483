// A table of descriptors, and a checked configuration over it: typed values that remember where they came from.
// A Config is immutable; `overlaid` makes another one with a layer of settings on top.

import { invariant } from '../invariant.ts';
import type {
  ConfigDescriptor,
  ConfigName,
  ConfigSpec,
  ConfigSpecs,
  ConfigType,
  ConfigValue,
  NamesOfType,
  ValueOf,
} from './descriptor.ts';
import { REDACTED, type ConfigProblem, type ConfigSource } from './problem.ts';
import { formatConfigValue } from './value.ts';

/** A check across keys. Answers the contradictions, each with its cause and remedy. */
export type ConfigRule<S extends ConfigSpecs> = (config: Config<S>) => readonly ConfigProblem[];

/** A table without what depends on the types of its keys. */
export interface ConfigKeys {
  /** `broker`, `producer`, ...: whose configuration this is. */
  readonly title: string;
  readonly specs: ConfigSpecs;
  /** Keys whose names are made of others, such as those of one listener: the row for a name, if it is one. */
  readonly family?: (name: string) => ConfigSpec | undefined;
  /** Names that people bring along from Kafka and this version does not have: what to do instead. */
  readonly elsewhere?: Readonly<Record<string, string>>;
}

export interface ConfigTable<S extends ConfigSpecs> extends ConfigKeys {
  readonly specs: S;
  /** Defaults computed from other keys, for keys nobody set. May read only keys that have no such default. */
  readonly derived?: { readonly [N in ConfigName<S>]?: (config: Config<S>) => ValueOf<S[N]> };
  readonly rules?: readonly ConfigRule<S>[];
}

export interface ConfigSetting {
  readonly value: ConfigValue;
  readonly source: ConfigSource;
}

/** One key as it is shown to people and by DescribeConfigs. */
export interface ConfigEntry {
  readonly name: string;
  /** The text form; hidden when sensitive. */
  readonly value: string;
  readonly source: ConfigSource;
  readonly descriptor: ConfigDescriptor;
}

const DEFAULT_SOURCE: ConfigSource = { kind: 'default', where: 'default' };

export function configTable<S extends ConfigSpecs>(table: ConfigTable<S>): ConfigTable<S> {
  return table;
}

/** The row of a name: one of the table's, or of its family. */
export function specOf(table: ConfigKeys, name: string): ConfigSpec | undefined {
  return Object.hasOwn(table.specs, name) ? table.specs[name] : table.family?.(name);
}

/** The table's descriptors in the order they are written. */
export function descriptors(table: ConfigKeys): readonly ConfigDescriptor[] {
  return Object.entries(table.specs).map(([name, spec]) => ({ ...spec, name }));
}

export class Config<S extends ConfigSpecs> {
  readonly table: ConfigTable<S>;
  readonly #settings: ReadonlyMap<string, ConfigSetting>;

  /** `settings` hold checked values of the table's keys; `resolveConfig` makes them. */
  constructor(table: ConfigTable<S>, settings: ReadonlyMap<string, ConfigSetting>) {
    this.table = table;
    this.#settings = settings;
  }

  get<N extends ConfigName<S>>(name: N): ValueOf<S[N]> {
    const set = this.#settings.get(name);
    if (set !== undefined) return set.value as ValueOf<S[N]>;
    const derive = this.table.derived?.[name];
    if (derive !== undefined) return derive(this);
    return this.#spec(name).default as ValueOf<S[N]>;
  }

  /** For `int` and `long`. */
  getInt(name: NamesOfType<S, 'int' | 'long'>): number {
    return this.#typed(name, ['int', 'long']) as number;
  }

  getDouble(name: NamesOfType<S, 'double'>): number {
    return this.#typed(name, ['double']) as number;
  }

  getBoolean(name: NamesOfType<S, 'boolean'>): boolean {
    return this.#typed(name, ['boolean']) as boolean;
  }

  getString(name: NamesOfType<S, 'string' | 'enum' | 'password'>): string {
    return this.#typed(name, ['string', 'enum', 'password']) as string;
  }

  getList(name: NamesOfType<S, 'list'>): readonly string[] {
    return this.#typed(name, ['list']) as readonly string[];
  }

  /** Whether somebody gave the key, rather than leaving it to its default. */
  isSet(name: ConfigName<S>): boolean {
    return this.#settings.has(name);
  }

  source(name: ConfigName<S>): ConfigSource {
    return this.#settings.get(name)?.source ?? DEFAULT_SOURCE;
  }

  /** Another configuration in which `settings` win over what is set here. */
  overlaid(settings: ReadonlyMap<string, ConfigSetting>): Config<S> {
    if (settings.size === 0) return this;
    return new Config(this.table, new Map([...this.#settings, ...settings]));
  }

  /** The key's setting, if somebody gave it. */
  setting(name: ConfigName<S>): ConfigSetting | undefined {
    return this.#settings.get(name);
  }

  /** The setting of a key of the table or of its family, if somebody gave it. */
  settingOf(name: string): ConfigSetting | undefined {
    return this.#settings.get(name);
  }

  /** The names of all that was given, those of the family included. */
  names(): readonly string[] {
    return [...this.#settings.keys()];
  }

  /** Every key with its value in force, and those of the family that were given. Safe to show: secrets are hidden. */
  entries(): readonly ConfigEntry[] {
    const given = this.names()
      .filter((name) => !Object.hasOwn(this.table.specs, name))
      .sort()
      .map((name) => ({ ...this.#spec(name), name }));
    return [...descriptors(this.table), ...given].map((descriptor) => ({
      name: descriptor.name,
      value: this.shown(descriptor.name as ConfigName<S>),
      source: this.source(descriptor.name as ConfigName<S>),
      descriptor,
    }));
  }

  /** The value as it may be shown. */
  shown(name: ConfigName<S>): string {
    const { sensitive, type } = this.#spec(name);
    const value = this.get(name);
    // Kafka's spelling of "no limit", so that a tool that compares what it set with what it reads sees no difference.
    if (type === 'long' && (value as number) === Number.MAX_SAFE_INTEGER) return '9223372036854775807';
    const text = formatConfigValue(value);
    return sensitive && text !== '' ? REDACTED : text;
  }

  /** A problem of a rule, with the value and source of the key it is reported on. */
  problem(name: ConfigName<S>, cause: string, remedy: string): ConfigProblem {
    return this.problemOf(name, cause, remedy);
  }

  /** The same for a key of the family. */
  problemOf(name: string, cause: string, remedy: string): ConfigProblem {
    const known = name as ConfigName<S>;
    return { name, value: this.shown(known), source: this.source(known), cause, remedy };
  }

  #spec(name: string) {
    const spec = specOf(this.table, name);
    invariant(spec !== undefined, 'no such config key', { table: this.table.title, name });
    return spec;
  }

  #typed(name: string, types: readonly ConfigType[]): ConfigValue {
    invariant(types.includes(this.#spec(name).type), 'config key read as another type', { name, types });
    return this.get(name);
  }
}
