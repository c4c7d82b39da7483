// YAML for `-o yaml`: block style, only what JSON can say. A string is left bare only when no YAML 1.1 or 1.2 reader could take
// it for anything else; otherwise it is quoted as JSON, which is valid YAML.

const BARE = /^[A-Za-z_/][A-Za-z0-9_./-]*$/;
const RESERVED = /^(?:true|false|yes|no|on|off|y|n|null|nan|inf)$/i;

function scalar(value: unknown): string {
  if (typeof value === 'string')
    return BARE.test(value) && !RESERVED.test(value) ? value : JSON.stringify(value);
  return value === undefined ? 'null' : JSON.stringify(value);
}

function isComposite(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function lines(value: object, indent: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown) => {
      if (!isComposite(item) || Object.keys(item).length === 0) return [`${indent}- ${empty(item)}`];
      const [first, ...rest] = lines(item, `${indent}  `);
      return [`${indent}- ${first!.slice(indent.length + 2)}`, ...rest];
    });
  }
  return Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .flatMap(([key, item]: [string, unknown]) =>
      isComposite(item) && Object.keys(item).length > 0
        ? [`${indent}${scalar(key)}:`, ...lines(item, Array.isArray(item) ? indent : `${indent}  `)]
        : [`${indent}${scalar(key)}: ${empty(item)}`],
    );
}

function empty(value: unknown): string {
  if (!isComposite(value)) return scalar(value);
  return Array.isArray(value) ? '[]' : '{}';
}

/** One document with a final newline. `value` holds what `JSON.stringify` would accept. */
export function toYaml(value: unknown): string {
  if (!isComposite(value) || Object.keys(value).length === 0) return `${empty(value)}\n`;
  return `${lines(value, '').join('\n')}\n`;
}
