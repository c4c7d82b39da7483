// Text to typed value and back, by a descriptor. The text is what a .properties file, an environment variable or
// AlterConfigs carries; a library caller may also hand over the typed value itself.

import { unreachable } from '../invariant.ts';
import type { ConfigSpec, ConfigValue } from './descriptor.ts';

export type ParsedValue =
  | { readonly ok: true; readonly value: ConfigValue }
  | { readonly ok: false; readonly cause: string; readonly remedy: string };

/** Kafka's Long.MAX_VALUE, which people write for "no limit". */
const MAX_INT64 = 2n ** 63n - 1n;

/** Parses and checks type, bounds, allowed values and the descriptor's own check. */
export function parseConfigValue(spec: ConfigSpec, input: ConfigValue): ParsedValue {
  const typed = typedValue(spec, input);
  if (!typed.ok) return typed;
  const wrong = outsideBounds(spec, typed.value) ?? spec.check?.(typed.value);
  return wrong === undefined ? typed : { ok: false, ...wrong };
}

/** The text form; `parseConfigValue` reads it back. */
export function formatConfigValue(value: ConfigValue): string {
  return typeof value === 'object' ? value.join(',') : String(value);
}

/** What a legal value looks like, as an instruction: `Give a whole number from 0 to 2147483647 (bytes).` */
export function legalValues(spec: ConfigSpec): string {
  switch (spec.type) {
    case 'boolean':
      return 'Give true or false.';
    case 'int':
    case 'long':
    case 'double':
      return `Give a ${spec.type === 'double' ? '' : 'whole '}number${range(spec)}${spec.unit === undefined ? '' : ` (${spec.unit})`}.`;
    case 'enum':
      return `Give ${orList(spec.values ?? [])}.${note(spec)}`;
    case 'list':
      return spec.values === undefined
        ? 'Give names separated by commas.'
        : `Give one or more of ${spec.values.join(', ')}, separated by commas.${note(spec)}`;
    case 'string':
    case 'password':
      return 'Give a text.';
    default:
      return unreachable(spec.type);
  }
}

function note(spec: ConfigSpec): string {
  return spec.valuesNote === undefined ? '' : ` ${spec.valuesNote}`;
}

function range({ min, max }: ConfigSpec): string {
  const unbounded = max === undefined || max === Number.MAX_SAFE_INTEGER;
  if (min === undefined) return unbounded ? '' : ` of at most ${max}`;
  return unbounded ? ` of at least ${min}` : ` from ${min} to ${max}`;
}

function orList(values: readonly string[]): string {
  return values.length < 2
    ? values.join('')
    : `${values.slice(0, -1).join(', ')} or ${values[values.length - 1]!}`;
}

function typedValue(spec: ConfigSpec, input: ConfigValue): ParsedValue {
  const refuse = (cause: string): ParsedValue => ({ ok: false, cause, remedy: legalValues(spec) });
  const text = formatConfigValue(input).trim();
  switch (spec.type) {
    case 'boolean': {
      const lower = text.toLowerCase();
      if (lower !== 'true' && lower !== 'false') return refuse('is neither true nor false');
      return { ok: true, value: lower === 'true' };
    }
    case 'int':
    case 'long': {
      if (!/^[+-]?\d{1,20}$/.test(text)) return refuse('is not a whole number');
      const exact = BigInt(text);
      if (exact > MAX_INT64 || exact < -MAX_INT64 - 1n) return refuse('does not fit into 64 bits');
      const value = Number(exact);
      // A longer time or larger size than 2^53 - 1 does not exist: both mean "no limit".
      if (spec.type === 'long' && value > Number.MAX_SAFE_INTEGER) {
        return { ok: true, value: Number.MAX_SAFE_INTEGER };
      }
      return { ok: true, value };
    }
    case 'double': {
      const value = Number(text);
      if (text === '' || !Number.isFinite(value)) return refuse('is not a number');
      return { ok: true, value };
    }
    case 'list': {
      const members = text === '' ? [] : text.split(',').map((member) => member.trim());
      if (members.includes('')) return refuse('has an empty member');
      const alien = members.find((member) => spec.values?.includes(member) === false);
      if (alien !== undefined) return refuse(`${JSON.stringify(alien)} is not one of the values it can have`);
      const seen = new Set<string>();
      const twice = members.find((member) => seen.size === seen.add(member).size);
      if (twice !== undefined) return refuse(`names ${JSON.stringify(twice)} twice`);
      return { ok: true, value: members };
    }
    case 'enum': {
      const value = spec.values?.find((known) => known.toLowerCase() === text.toLowerCase());
      if (value === undefined) return refuse('is not one of the values it can have');
      return { ok: true, value };
    }
    case 'string':
      return { ok: true, value: text };
    case 'password':
      // A secret may begin or end with a blank.
      return { ok: true, value: formatConfigValue(input) };
    default:
      return unreachable(spec.type);
  }
}

function outsideBounds(spec: ConfigSpec, value: ConfigValue): { cause: string; remedy: string } | undefined {
  if (typeof value !== 'number') return undefined;
  const { min, max } = spec;
  const remedy = legalValues(spec);
  if (min !== undefined && value < min) return { cause: `is below the smallest value, ${min}`, remedy };
  if (max !== undefined && value > max) return { cause: `is above the largest value, ${max}`, remedy };
  return undefined;
}
