// The lexer both format languages share: `%k\t%v\n` becomes fields and literal bytes. What a field means is decided by
// `output-format.ts` (consume) and `input-format.ts` (produce).
import { usageFailure } from '../exit.ts';

export type Piece =
  | { readonly kind: 'literal'; readonly bytes: Buffer }
  | { readonly kind: 'field'; readonly letter: string; readonly modifier: string | undefined };

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' };

const fail = (pattern: string, at: number, why: string): Error =>
  usageFailure(
    `the format is not understood at position ${at + 1} of "${pattern}": ${why}`,
    'see `--format help`',
  );

/** Throws a usage failure that names the position. Adjacent literals are joined. */
export function parsePattern(pattern: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let literal: Buffer[] = [];
  const endLiteral = (): void => {
    if (literal.length > 0) pieces.push({ kind: 'literal', bytes: Buffer.concat(literal) });
    literal = [];
  };
  let at = 0;
  while (at < pattern.length) {
    const character = String.fromCodePoint(pattern.codePointAt(at)!);
    if (character === '\\') {
      const [bytes, length] = parseEscape(pattern, at);
      literal.push(bytes);
      at += length;
    } else if (character === '%') {
      const letter = pattern[at + 1];
      if (letter === undefined) throw fail(pattern, at, 'a letter must follow %');
      at += 2;
      if (letter === '%') {
        literal.push(Buffer.from('%'));
        continue;
      }
      if (!/[A-Za-z]/.test(letter)) throw fail(pattern, at - 2, `there is no %${letter}`);
      let modifier: string | undefined;
      if (pattern[at] === '{' && /^\{[a-z0-9]+\}/.test(pattern.slice(at))) {
        const end = pattern.indexOf('}', at);
        modifier = pattern.slice(at + 1, end);
        at = end + 1;
      }
      endLiteral();
      pieces.push({ kind: 'field', letter, modifier });
    } else {
      literal.push(Buffer.from(character));
      at += character.length;
    }
  }
  endLiteral();
  return pieces;
}

function parseEscape(pattern: string, at: number): [Buffer, number] {
  const letter = pattern[at + 1];
  if (letter === 'x') {
    const digits = pattern.slice(at + 2, at + 4);
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) throw fail(pattern, at, 'two hexadecimal digits must follow \\x');
    return [Buffer.from(digits, 'hex'), 4];
  }
  const plain = letter === undefined ? undefined : ESCAPES[letter];
  if (plain === undefined) throw fail(pattern, at, 'known escapes are \\n \\t \\r \\0 \\\\ \\xHH');
  return [Buffer.from(plain), 2];
}

/** For errors about a field the language does not have. */
export function describeField(piece: {
  readonly letter: string;
  readonly modifier: string | undefined;
}): string {
  return `%${piece.letter}${piece.modifier === undefined ? '' : `{${piece.modifier}}`}`;
}
