// Sentences in lines of a readable width, each under the one before.

const LINE_WIDTH = 80;

/** `head`, then `text` in words; lines after the first stand under the text. */
export function hanging(head: string, text: string, lineWidth = LINE_WIDTH): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && head.length + line.length + 1 + word.length > lineWidth) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  const indent = ' '.repeat(head.length);
  return lines.map((each, at) => `${at === 0 ? head : indent}${each}`.trimEnd() + '\n').join('');
}
