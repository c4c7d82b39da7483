// `ssl.principal.mapping.rules` (KIP-371): the subject of a certificate becomes the name of a principal. `RULE:pattern/replacement/`
// with an optional L or U for small or capital letters, and `DEFAULT` for the subject as it is. The pattern must fit the whole
// subject; `$1` in the replacement is its first group. A slash within either is written `\/`.

interface MappingRule {
  /** Undefined for DEFAULT. */
  readonly pattern: RegExp | undefined;
  readonly replacement: string;
  readonly letters: '' | 'L' | 'U';
}

const RULE = /\s*(?:(DEFAULT)|RULE:((?:\\.|[^\\/])*)\/((?:\\.|[^\\/])*)\/([LU]?))\s*(?:,|$)/y;

/** A pattern this long is nobody's, and subjects are short: what matching costs stays bounded. */
const MAX_SUBJECT = 1024;

function parseRules(text: string): readonly MappingRule[] | string {
  const rules: MappingRule[] = [];
  RULE.lastIndex = 0;
  const trimmed = text.trim();
  while (RULE.lastIndex < trimmed.length) {
    const at = RULE.lastIndex;
    const match = RULE.exec(trimmed);
    if (match === null) return `${JSON.stringify(trimmed.slice(at))} is no rule`;
    if (match[1] !== undefined) {
      rules.push({ pattern: undefined, replacement: '', letters: '' });
      continue;
    }
    try {
      rules.push({
        pattern: new RegExp(`^(?:${match[2]!.replaceAll('\\/', '/')})$`, 'u'),
        replacement: match[3]!.replaceAll('\\/', '/'),
        letters: match[4] as '' | 'L' | 'U',
      });
    } catch (cause) {
      return `${JSON.stringify(match[2])} is no pattern: ${cause instanceof Error ? cause.message : String(cause)}`;
    }
  }
  return rules;
}

export function checkMappingRules(text: string): { cause: string; remedy: string } | undefined {
  const rules = parseRules(text);
  if (typeof rules !== 'string') return undefined;
  return { cause: rules, remedy: 'Give rules like RULE:^CN=([^,]+),.*$/$1/L,DEFAULT.' };
}

export class PrincipalMapper {
  readonly #rules: readonly MappingRule[];

  /** `text` was accepted by `checkMappingRules`. */
  constructor(text: string) {
    const rules = parseRules(text);
    if (typeof rules === 'string') throw new RangeError(rules);
    this.#rules = rules;
  }

  /** Undefined when no rule fits: then the caller is nobody's. `subject` as RFC 2253 writes it. */
  nameOf(subject: string): string | undefined {
    if (subject.length > MAX_SUBJECT) return undefined;
    for (const { pattern, replacement, letters } of this.#rules) {
      if (pattern === undefined) return subject;
      if (!pattern.test(subject)) continue;
      const name = subject.replace(pattern, replacement);
      return letters === 'L' ? name.toLowerCase() : letters === 'U' ? name.toUpperCase() : name;
    }
    return undefined;
  }
}
