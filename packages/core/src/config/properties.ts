// The .properties format of Java, which is Kafka's: `key=value`, `key: value` or `key value`, `#` and `!` comments, a
// trailing backslash joins lines, \t \n \r \f \uXXXX and \<any> escapes. Keeps line numbers, so that a refusal can say
// where. Never fails: what is legal as a key is the table's business.

export interface Property {
  readonly name: string;
  readonly value: string;
  /** The line the key is on, from 1. */
  readonly line: number;
}

export function parseProperties(text: string): readonly Property[] {
  const properties: Property[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1;
    let logical = lines[at]!.trimStart();
    if (logical === '' || logical.startsWith('#') || logical.startsWith('!')) continue;
    while (endsInContinuation(logical)) {
      logical = logical.slice(0, -1);
      if (at + 1 >= lines.length) break;
      logical += lines[++at]!.trimStart();
    }
    properties.push({ ...splitAtSeparator(logical), line });
  }
  return properties;
}

/** An odd number of backslashes at the end. */
function endsInContinuation(line: string): boolean {
  let count = 0;
  while (count < line.length && line[line.length - 1 - count] === '\\') count++;
  return count % 2 === 1;
}

/** The key ends at the first unescaped `=`, `:` or blank; one `=` or `:` and the blanks around it are dropped. */
function splitAtSeparator(line: string): { name: string; value: string } {
  let end = 0;
  while (end < line.length && !/[=:\s]/.test(line[end]!)) end += line[end] === '\\' ? 2 : 1;
  const value = line.slice(end).replace(/^\s*[=:]?\s*/, '');
  return { name: unescapeText(line.slice(0, end)), value: unescapeText(value) };
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescapeText(text: string): string {
  return text.replaceAll(/\\(?:u([0-9a-fA-F]{4})|([\s\S]?))/g, (_, code?: string, character = '') =>
    code === undefined
      ? (ESCAPES[character as string] ?? (character as string))
      : String.fromCharCode(parseInt(code, 16)),
  );
}
