// `tidemark group describe --watch`: a group again and again until Ctrl-C, with what has changed since the look before. On a screen it is
// drawn anew each time; into a file or a pipe goes a line for each look and each change; `-o json` and `jsonl` print one document a
// line. A coordinator that moves or does not answer is one more thing to be told, not the end.
import type { Admin } from '@tidemark/client';
import { TidemarkError } from '@tidemark/core';
import { setTimeout } from 'node:timers/promises';
import { write, type CommandContext } from '../command-context.ts';
import { formatCount } from '../output/quantity.ts';
import { renderDocument } from '../output/report.ts';
import { groupChanges, groupRates, type GroupChange, type GroupRates } from './group-changes.ts';
import { groupSituation, type GroupSituation } from './group-situation.ts';
import { explainGroup, groupView, memberTable } from './group-view.ts';

export interface GroupLook {
  readonly atMs: number;
  readonly group: GroupSituation;
  /** Undefined at the first look. */
  readonly rates: GroupRates | undefined;
  readonly changes: readonly GroupChange[];
}

/** Changes a screen still shows. */
const REMEMBERED = 12;
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

/** The looks at one group, and what came of the one before each. */
export class GroupWatch {
  #last: { readonly atMs: number; readonly group: GroupSituation } | undefined;
  #isSilent = false;
  #remembered: { readonly atMs: number; readonly text: string }[] = [];

  get isBegun(): boolean {
    return this.#last !== undefined;
  }

  /** The latest changes, oldest first. */
  get remembered(): readonly { readonly atMs: number; readonly text: string }[] {
    return this.#remembered;
  }

  seen(group: GroupSituation, atMs: number): GroupLook {
    const last = this.#last;
    const changes: GroupChange[] = last === undefined ? [] : [...groupChanges(last.group, group)];
    if (this.#isSilent) changes.unshift({ type: 'answers-again', text: 'the coordinator answers again' });
    this.#isSilent = false;
    const rates = last === undefined ? undefined : groupRates(last.group, group, atMs - last.atMs);
    this.#last = { atMs, group };
    this.#remember(changes, atMs);
    return { atMs, group, rates, changes };
  }

  /** What was known before, and that nobody tells more; undefined before anything is known. */
  unanswered({ message }: TidemarkError, atMs: number): GroupLook | undefined {
    if (this.#last === undefined) return undefined;
    const changes: GroupChange[] = this.#isSilent
      ? []
      : [{ type: 'no-answer', text: `no answer: ${message}` }];
    this.#isSilent = true;
    this.#remember(changes, atMs);
    return { atMs, group: this.#last.group, rates: undefined, changes };
  }

  #remember(changes: readonly GroupChange[], atMs: number): void {
    this.#remembered.push(...changes.map(({ text }) => ({ atMs, text })));
    this.#remembered = this.#remembered.slice(-REMEMBERED);
  }
}

export async function watchGroups(
  context: CommandContext,
  admin: Admin,
  groupIds: readonly string[],
  intervalMs: number,
): Promise<void> {
  const { signal } = context.interruption;
  const watches = new Map(groupIds.map((groupId) => [groupId, new GroupWatch()]));
  while (!signal.aborted) {
    const texts: string[] = [];
    for (const [groupId, watch] of watches) texts.push(await lookText(context, admin, groupId, watch));
    const isScreen = isOnScreen(context);
    if (
      !(await write(context.io.stdout, `${isScreen ? CLEAR_SCREEN : ''}${texts.join(isScreen ? '\n' : '')}`))
    )
      return;
    // Rejects when it is aborted, and then the loop ends.
    await setTimeout(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}

function isOnScreen({ io, output }: CommandContext): boolean {
  return io.stdout.isTTY === true && (output === undefined || output === 'table' || output === 'wide');
}

async function lookText(
  context: CommandContext,
  admin: Admin,
  groupId: string,
  watch: GroupWatch,
): Promise<string> {
  const wasSeen = watch.isBegun;
  const look = await groupSituation(admin, groupId).then(
    (group) => watch.seen(group, Date.now()),
    (error: unknown) => {
      const told = error instanceof TidemarkError ? watch.unanswered(error, Date.now()) : undefined;
      if (told === undefined) throw error;
      return told;
    },
  );
  if (isOnScreen(context))
    return screenView(look, watch.remembered, context.output === 'wide', context.io.stdout.rows);
  const { output } = context;
  if (output === undefined)
    return wasSeen
      ? lineView(look)
      : `${groupView(look.group, false, look.atMs).join('\n')}\n${lineView(look)}`;
  if (output === 'table' || output === 'wide') {
    return `--- ${timeOf(look.atMs)} UTC\n${screenView(look, watch.remembered, output === 'wide', undefined)}\n`;
  }
  // One document a line, whatever reads it.
  const format = output === 'json' ? 'jsonl' : output;
  return `${format === 'yaml' ? '---\n' : ''}${renderDocument(format, documentOf(look), () => [])}`;
}

function documentOf({ atMs, group, rates, changes }: GroupLook): object {
  return { at: new Date(atMs).toISOString(), ...group, ...(rates ?? {}), changes };
}

const timeOf = (atMs: number): string => new Date(atMs).toISOString().slice(11, 19);

/** As much as `rows` lines show: the partitions furthest behind come first then, and the rest is counted. */
export function screenView(
  { atMs, group, rates }: GroupLook,
  remembered: readonly { readonly atMs: number; readonly text: string }[],
  wide: boolean,
  rows: number | undefined,
): string {
  const memberRows = memberTable(explainGroup(group).members);
  const changes =
    remembered.length === 0
      ? ''
      : `Changes:\n${remembered.map((each) => `  ${timeOf(each.atMs)}  ${each.text}\n`).join('')}`;
  const [head = ''] = groupView(group, wide, atMs);
  const around = lines(head) + lines(memberRows) + lines(changes) + BLANK_LINES;
  const room = rows === undefined ? Infinity : Math.max(LEAST_PARTITIONS, rows - around);
  const isCut = group.partitions.length > room;
  const shown = isCut
    ? [...group.partitions].sort((one, other) => other.lag - one.lag).slice(0, room - 1)
    : group.partitions;
  const [, table = ''] = groupView({ ...group, partitions: shown }, wide, atMs);
  const more = isCut ? `${group.partitions.length - shown.length} more, none further behind\n` : '';
  const speed = rates === undefined ? '' : `SPEED        ${speedText(rates)}\n`;
  return [`${head}${speed}`, memberRows, `${table}${more}`, changes].filter((text) => text !== '').join('\n');
}

const LEAST_PARTITIONS = 5;
/** Between the parts, under the last, the head of the table and the speed. */
const BLANK_LINES = 6;
const lines = (text: string): number => text.split('\n').length - 1;

const speedText = ({ readPerSecond, writtenPerSecond }: GroupRates): string =>
  `reads ${rate(readPerSecond)}, written ${rate(writtenPerSecond)}`;
const rate = (perSecond: number): string =>
  `${perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond)}/s`;

/** A line for the look, and one for each change. */
export function lineView({ atMs, group, rates, changes }: GroupLook): string {
  const time = timeOf(atMs);
  const speed = rates === undefined ? '' : `  ${speedText(rates)}`;
  const { length } = group.members;
  const line = `${time}  ${group.groupId}  ${group.state}  generation ${group.generation}  ${length} ${length === 1 ? 'member' : 'members'}  lag ${group.totalLag}${speed}\n`;
  return `${changes.map(({ text }) => `${time}  ${group.groupId}  ${text}\n`).join('')}${line}`;
}
