// The demo's input: real text, line by line, with a key to keep in order. It is the prose and code of Node's own API
// documentation as @types/node carries it, a package every clone has at the same version, so that every run has the
// same lines and the same SHA-256. The key of a line is the file it comes from.
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * @typedef {object} InputLine
 * @property {string} key
 * @property {string} value  the line without its end
 */

/** @returns {{ name: string, lines: InputLine[], sha256: string, bytes: number }} */
export function readInput() {
  const manifest = createRequire(import.meta.url).resolve('@types/node/package.json');
  const folder = dirname(manifest);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.d.ts'))
    .map((name) => name.replaceAll('\\', '/'))
    .sort();
  const texts = names.map((name) => readFileSync(join(folder, name), 'utf8').split(/\r?\n/));
  /** @type {InputLine[]} */
  const lines = [];
  // One line of each file in turn, as if all of them were being written at once: keys interleave like live traffic.
  const longest = Math.max(...texts.map((text) => text.length));
  for (let at = 0; at < longest; at++) {
    texts.forEach((text, file) => {
      if (at < text.length) lines.push({ key: names[file], value: text[at] });
    });
  }
  const hash = createHash('sha256');
  let bytes = 0;
  for (const { key, value } of lines) {
    const line = `${key}\t${value}\n`;
    hash.update(line);
    bytes += Buffer.byteLength(line);
  }
  return { name: `@types/node ${version}, ${names.length} files`, lines, sha256: hash.digest('hex'), bytes };
}
