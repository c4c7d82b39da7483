// One row of a config table: name, type, default, bounds, unit, documentation. The file, the environment, the flags,
// DescribeConfigs and docs/configuration.md are all driven by these rows, so nothing about a key is written twice.
// Names and defaults are Kafka's unless the row says otherwise.

export type ConfigType = 'boolean' | 'int' | 'long' | 'double' | 'string' | 'list' | 'enum' | 'password';

/** `int`, `long` and `double` are numbers, `list` is an array of strings, the rest are strings. */
export type ConfigValue = boolean | number | string | readonly string[];

export interface ConfigSpec<T extends ConfigType = ConfigType, V extends string = string> {
  readonly type: T;
  readonly default: ConfigValue;
  /** How the default comes about when it is computed from other keys; `default` is then its usual value. */
  readonly derivedDefault?: string;
  /** Smallest and largest number, inclusive. */
  readonly min?: number;
  readonly max?: number;
  /** Of an `enum`, or of the members of a `list`. */
  readonly values?: readonly V[];
  /** What a user who asked for a value outside `values` should know; e.g. why a value of Kafka's is missing. */
  readonly valuesNote?: string;
  readonly unit?: 'ms' | 'bytes' | 'messages';
  readonly doc: string;
  /** Where it may be set: only for a broker, only for a topic, for a broker with a topic override, or in a client. */
  readonly scope: 'broker' | 'topic' | 'both' | 'client';
  /** The topic config that overrides this broker config, when scope is `both`. */
  readonly topicOverride?: string;
  /** The broker config that gives a topic config its default. */
  readonly brokerDefault?: string;
  /** May be changed while the process runs, through AlterConfigs. */
  readonly dynamic: boolean;
  /** Redacted wherever it is shown, and may come from a file named by `*_FILE`. */
  readonly sensitive: boolean;
  /** Not a name of Kafka's. */
  readonly own: boolean;
  /** What is wrong with a well-typed value and what to do, or undefined. For syntax that type and bounds cannot say. */
  readonly check?: (value: ConfigValue) => { readonly cause: string; readonly remedy: string } | undefined;
}

export interface ConfigDescriptor<
  N extends string = string,
  T extends ConfigType = ConfigType,
  V extends string = string,
> extends ConfigSpec<T, V> {
  readonly name: N;
}

export type ConfigSpecs = Readonly<Record<string, ConfigSpec>>;
export type ConfigName<S extends ConfigSpecs> = keyof S & string;

/** The JavaScript type of a key's value. */
export type ValueOf<D extends ConfigSpec> =
  D extends ConfigSpec<infer T, infer V>
    ? T extends 'boolean'
      ? boolean
      : T extends 'int' | 'long' | 'double'
        ? number
        : T extends 'list'
          ? readonly V[]
          : V
    : never;

/** The names of the keys of certain types. */
export type NamesOfType<S extends ConfigSpecs, T extends ConfigType> = {
  [N in ConfigName<S>]: S[N]['type'] extends T ? N : never;
}[ConfigName<S>];

type Extra = Partial<
  Pick<
    ConfigSpec,
    'derivedDefault' | 'dynamic' | 'sensitive' | 'own' | 'check' | 'topicOverride' | 'brokerDefault' | 'scope'
  >
> & { readonly doc: string };
type Bounds = Pick<ConfigSpec, 'min' | 'max' | 'unit'>;

const MAX_INT32 = 2 ** 31 - 1;

/** `scope` is `broker` unless given, or `both` when there is a topic override. */
function spec<T extends ConfigType, V extends string>(
  type: T,
  value: ConfigValue,
  rest: Extra & Partial<ConfigSpec<T, V>>,
): ConfigSpec<T, V> {
  const scope = rest.topicOverride === undefined ? 'broker' : 'both';
  return { dynamic: false, sensitive: false, own: false, scope, ...rest, type, default: value };
}

/** Never below -1 unless `min` says so: -1 is Kafka's "none" where a key has one. */
export function int(value: number, rest: Extra & Bounds): ConfigSpec<'int'> {
  return spec('int', value, { min: 0, max: MAX_INT32, ...rest });
}

/** A Kafka `long`. Held as a number, so the largest value is 2^53 - 1; anything above is read as that. */
export function long(value: number, rest: Extra & Bounds): ConfigSpec<'long'> {
  return spec('long', value, { min: 0, max: Number.MAX_SAFE_INTEGER, ...rest });
}

export function double(value: number, rest: Extra & Bounds): ConfigSpec<'double'> {
  return spec('double', value, rest);
}

export function boolean(value: boolean, rest: Extra): ConfigSpec<'boolean'> {
  return spec('boolean', value, rest);
}

export function string(value: string, rest: Extra): ConfigSpec<'string'> {
  return spec('string', value, rest);
}

export function password(value: string, rest: Extra): ConfigSpec<'password'> {
  return spec('password', value, { ...rest, sensitive: true });
}

export function list<V extends string = string>(
  value: readonly NoInfer<V>[],
  rest: Extra & { readonly values?: readonly V[]; readonly valuesNote?: string },
): ConfigSpec<'list', V> {
  return spec('list', value, rest);
}

export function oneOf<const V extends string>(
  values: readonly V[],
  value: NoInfer<V>,
  rest: Extra & { readonly valuesNote?: string },
): ConfigSpec<'enum', V> {
  return spec('enum', value, { ...rest, values });
}
