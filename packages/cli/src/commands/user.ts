// `tidemark user ...`: users and their passwords.
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { ScramMechanism } from '@tidemark/core';
import { withAdmin } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { CommandFailure, exitCodes, usageFailure } from '../exit.ts';
import { renderList } from '../output/report.ts';

interface CreateOptions {
  readonly passwordFile?: string;
  readonly mechanism: ScramMechanism;
  readonly iterations: number;
}

/** Longer than any; what is read of standard input is bounded. */
const MAX_PASSWORD = 4096;

/** The first line. A password on the command line would be in every list of processes. */
async function passwordOf(context: CommandContext, file: string | undefined): Promise<string> {
  let text = '';
  if (file !== undefined) text = await readFile(file, 'utf8');
  else {
    if (context.io.stdin.isTTY === true) return askHidden(context);
    for await (const chunk of context.io.stdin as AsyncIterable<Buffer | string>) {
      text += chunk.toString();
      if (text.includes('\n') || text.length > MAX_PASSWORD) break;
    }
  }
  const [password = ''] = text.split(/\r?\n/, 1);
  if (password === '' || password.length > MAX_PASSWORD) {
    throw usageFailure('there is no password', 'give --password-file, or the password on standard input');
  }
  return password;
}

/** Typed by a person, and not shown. */
async function askHidden({ io }: CommandContext): Promise<string> {
  io.stderr.write('password: ');
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // As a terminal it takes keys itself, so that nobody else echoes them.
  const lines = createInterface({ input: io.stdin, output: nowhere, terminal: true });
  try {
    const password = await new Promise<string>((resolve) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => resolve(''));
      lines.once('close', () => resolve(''));
    });
    if (password === '' || password.length > MAX_PASSWORD) throw usageFailure('there is no password');
    return password;
  } finally {
    lines.close();
    io.stderr.write('\n');
  }
}

export async function createUser(
  context: CommandContext,
  [user]: readonly string[],
  { passwordFile, mechanism, iterations }: CreateOptions,
): Promise<undefined> {
  const password = await passwordOf(context, passwordFile);
  await withAdmin(context.cluster, (admin) =>
    admin.security.upsertCredential({ user: user!, password, mechanism, iterations }),
  );
  await write(context.io.stdout, `user ${user!} has a password (${mechanism}, ${iterations} iterations)\n`);
}

export async function deleteUser(
  context: CommandContext,
  [user]: readonly string[],
  { mechanism }: { readonly mechanism?: ScramMechanism },
): Promise<undefined> {
  await withAdmin(context.cluster, async (admin) => {
    const found = (await admin.security.describeCredentials([user!])).filter(
      (each) => mechanism === undefined || each.mechanism === mechanism,
    );
    if (found.length === 0) {
      throw new CommandFailure(`there is no user ${user!}`, {
        exitCode: exitCodes.notFound,
        hint: 'see who there is with `tidemark user list`',
      });
    }
    for (const each of found) await admin.security.deleteCredential(user!, each.mechanism as ScramMechanism);
  });
  await write(context.io.stdout, `user ${user!} has no password any more\n`);
}

export async function listUsers(context: CommandContext): Promise<undefined> {
  const users = await withAdmin(context.cluster, (admin) => admin.security.describeCredentials());
  await write(
    context.io.stdout,
    renderList(context.output ?? 'table', users, [
      { header: 'user', cell: ({ user }) => user },
      { header: 'mechanism', cell: (each) => each.mechanism },
      { header: 'iterations', cell: ({ iterations }) => iterations, align: 'right' },
    ]),
  );
}
