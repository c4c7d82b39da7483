// `tidemark debug bundle`: what somebody who helps needs to see, in one file: health, quorum, brokers, partitions, configurations without
// their secrets, metrics and readiness of every node, versions, the ends of log files that are named. What cannot be got is said in the
// bundle instead; a broken cluster is what it is for. Every part and the whole are bounded.
import { Buffer } from 'node:buffer';
import { open, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Admin, ClusterDescription } from '@tidemark/client';
import { brokerConfigs, parseProperties, REDACTED } from '@tidemark/core';
import { withAdmin } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { tarArchive, type ArchivedFile } from '../output/tar-archive.ts';
import { VERSION } from '../program/program.ts';
import { lookTimeoutMs } from './cluster.ts';
import { hostPort } from './cluster-view.ts';

interface BundleOptions {
  readonly file?: string;
  readonly log?: readonly string[];
  readonly config?: readonly string[];
}

const MAX_PART_BYTES = 8 * 1024 * 1024;
const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;
const LOG_TAIL_BYTES = 1024 * 1024;
const HTTP_MS = 5_000;
const MAX_NODES = 100;

type Part = readonly [name: string, get: () => Promise<string | object>];

export async function debugBundle(
  context: CommandContext,
  _args: readonly string[],
  options: BundleOptions,
): Promise<undefined> {
  const nowMs = Date.now();
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const path = options.file ?? `tidemark-debug-${stamp}.tar.gz`;
  const folder = basename(path).replace(/\.t(ar\.)?gz$/, '');
  const timeoutMs = lookTimeoutMs(context.cluster);
  // Nobody may be there, and the bundle is made all the same.
  const cluster = { ...context.cluster, patient: true };
  const bundle = new Bundle(folder);
  await withAdmin(cluster, async (admin) => {
    await bundle.add('versions.json', () =>
      Promise.resolve({
        madeAt: new Date(nowMs).toISOString(),
        tidemark: VERSION,
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
        asked: context.cluster.brokers,
      }),
    );
    let described: ClusterDescription | undefined;
    await bundle.add('cluster.json', async () => {
      described = await admin.describeCluster({ timeoutMs, allowStale: true });
      return described;
    });
    for (const [name, get] of clusterParts(admin, timeoutMs, described)) await bundle.add(name, get);
    for (const [name, get] of nodeParts(described)) await bundle.add(name, get);
  });
  for (const [at, file] of (options.config ?? []).entries()) {
    await bundle.add(`config-${at + 1}-${basename(file)}`, async () =>
      redacted(await readEnd(file, MAX_PART_BYTES)),
    );
  }
  for (const [at, file] of (options.log ?? []).entries()) {
    await bundle.add(`log-${at + 1}-${basename(file)}`, () => readEnd(file, LOG_TAIL_BYTES));
  }
  const packed = await promisify(gzip)(tarArchive(bundle.files, nowMs));
  await writeFile(path, packed, { flag: 'wx', mode: 0o600 });
  await write(
    context.io.stdout,
    context.output === 'json'
      ? `${JSON.stringify({ file: path, bytes: packed.length, missing: bundle.missing })}\n`
      : `${path}  ${bundle.files.length} files, ${packed.length} bytes\n`,
  );
  for (const line of bundle.missing) context.io.stderr.write(`not in it: ${line}\n`);
  return undefined;
}

class Bundle {
  readonly files: ArchivedFile[] = [];
  readonly missing: string[] = [];
  readonly #folder: string;
  #bytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async add(name: string, get: () => Promise<string | object>): Promise<void> {
    const got = await get().catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.missing.push(`${name}: ${why}`);
      return `this could not be had: ${why}\n`;
    });
    const text = typeof got === 'string' ? got : `${JSON.stringify(got, undefined, 2)}\n`;
    const room = Math.max(0, Math.min(MAX_PART_BYTES, MAX_BUNDLE_BYTES - this.#bytes));
    const whole = Buffer.from(text);
    if (whole.length > room) this.missing.push(`${name}: cut at ${room} of ${whole.length} bytes`);
    const bytes = whole.subarray(0, room);
    this.#bytes += bytes.length;
    this.files.push({ name: `${this.#folder.slice(0, 40)}/${name.slice(-58)}`, bytes });
  }
}

function clusterParts(
  admin: Admin,
  timeoutMs: number,
  described: ClusterDescription | undefined,
): readonly Part[] {
  return [
    ['health.json', () => admin.clusterHealth({ timeoutMs })],
    ['quorum.json', () => admin.describeQuorum({ timeoutMs, allowStale: true })],
    ['partitions.json', () => admin.describePartitions([], { timeoutMs })],
    ['reassignments.json', () => admin.listPartitionReassignments([], { timeoutMs })],
    [
      'configs.json',
      async () => {
        const brokers = (described?.brokers ?? []).slice(0, MAX_NODES);
        const resources = brokers.map(({ id }) => ({ type: 'broker', name: String(id) }) as const);
        // Sensitive values never leave the broker.
        return resources.length === 0 ? [] : admin.describeConfigs(resources);
      },
    ],
  ];
}

function nodeParts(described: ClusterDescription | undefined): readonly Part[] {
  return (described?.nodes ?? []).slice(0, MAX_NODES).flatMap(({ id, endpoints }): readonly Part[] => {
    const http = endpoints.find(({ name }) => name === 'HTTP');
    if (http === undefined) return [];
    const from = (path: string) => () => httpText(`http://${hostPort(http)}${path}`);
    return [
      [`node-${id}-metrics.txt`, from('/metrics')],
      [`node-${id}-readyz.json`, from('/readyz')],
    ];
  });
}

async function httpText(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(HTTP_MS) });
  const text = await response.text();
  return response.ok || response.status === 503 ? text : `${response.status}\n${text}`;
}

async function readEnd(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const into = Buffer.alloc(Math.min(size, maxBytes));
    const { bytesRead } = await file.read(into, 0, into.length, size - into.length);
    return into.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A name that no table has may be a secret's, mistyped. */
function redacted(properties: string): string {
  const specs: Readonly<Record<string, { readonly sensitive: boolean }>> = brokerConfigs.specs;
  return parseProperties(properties)
    .map(({ name, value }) => `${name}=${specs[name]?.sensitive === false ? value : REDACTED}\n`)
    .join('');
}
