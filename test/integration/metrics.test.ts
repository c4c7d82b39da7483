// What dashboards, alerts and probes rely on: every metric they name is on the page of a live node, with its help and its type.
import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runCommand, startServer, type ServerProcess } from './start-server.ts';

const deployed = (path: string): Promise<string> =>
  readFile(fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url)), 'utf8');

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}

/** The expressions of every panel, by its title. */
async function dashboardQueries(): Promise<readonly (readonly [string, string])[]> {
  const { panels } = JSON.parse(await deployed('grafana/dashboards/tidemark.json')) as {
    panels: readonly Panel[];
  };
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const));
}

/** The expressions of every alert, by its name. */
async function alertQueries(): Promise<readonly (readonly [string, string])[]> {
  const text = await deployed('prometheus/alerts.yml');
  const alerts = [...text.matchAll(/- alert: (\w+)\n\s+expr: *(?:>-\n)?((?:.|\n)*?)\n\s+for:/g)];
  return alerts.map(([, name, expr]) => [name!, expr!]);
}

class Page {
  readonly types = new Map<string, string>();
  readonly helps = new Set<string>();
  /** Names of families that have a sample. */
  readonly sampled = new Set<string>();
  readonly #samples: string[] = [];

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
      if (kind === 'TYPE') this.types.set(name!, rest!);
      else if (kind === 'HELP' && rest !== '') this.helps.add(name!);
      else if (/^\w/.test(line)) this.#samples.push(/^\w+/.exec(line)![0]);
    }
    for (const sample of this.#samples) this.sampled.add(this.familyOf(sample));
  }

  /** A histogram's samples have other names than the family. */
  familyOf(sample: string): string {
    const family = sample.replace(/_(bucket|sum|count)$/, '');
    return this.types.get(family) === 'histogram' ? family : sample;
  }
}

const metricsIn = (expr: string): readonly string[] =>
  [...expr.matchAll(/\b(?:tidemark|kafka|process|nodejs)_\w+/g)].map(([name]) => name);

/** `what: metric` for each metric of the queries that the page does not have. */
function missing(page: Page, queries: readonly (readonly [string, string])[]): readonly string[] {
  return queries.flatMap(([what, expr]) =>
    metricsIn(expr).flatMap((name) => (page.types.has(page.familyOf(name)) ? [] : [`${what}: ${name}`])),
  );
}

async function pageOf(server: ServerProcess): Promise<Page> {
  const response = await fetch(`http://${server.listeners.HTTP!}/metrics`);
  expect(response.status).to.equal(200);
  expect(response.headers.get('content-type')).to.contain('text/plain; version=0.0.4');
  return new Page(await response.text());
}

describe('the metrics of a live node', function () {
  this.timeout(60_000);
  let server: ServerProcess;

  before(async () => {
    server = await startServer();
    const cli = (args: readonly string[], input?: string) => server.cli(args, input);
    expect((await cli(['topic', 'create', 'orders', '-p', '2'])).code).to.equal(0);
    expect((await cli(['produce', 'orders'], 'a\nb\n')).code).to.equal(0);
    expect((await cli(['consume', 'orders', '--from', 'start', '-e'])).code).to.equal(0);
  });
  after(() => server.dispose());

  it('have a help and a type each, and samples only under a declared name', async () => {
    const page = await pageOf(server);
    expect([...page.sampled].filter((name) => !page.types.has(name))).to.deep.equal([]);
    expect([...page.types.keys()].filter((name) => !page.helps.has(name))).to.deep.equal([]);
    expect(page.types.size).to.be.greaterThan(60);
  });

  it('are all that the dashboard and the alerts ask for', async () => {
    const page = await pageOf(server);
    const panels = await dashboardQueries();
    const alerts = await alertQueries();
    expect(panels.length).to.be.greaterThan(40);
    expect(alerts.length).to.be.greaterThan(20);
    expect(alerts.every(([, expr]) => /\w{4}/.test(expr))).to.equal(true);
    expect(missing(page, [...panels, ...alerts])).to.deep.equal([]);
    // The check itself: a name that is not there is found.
    expect(missing(page, [['planted', 'rate(tidemark_no_such_metric_total[1m])']])).to.deep.equal([
      'planted: tidemark_no_such_metric_total',
    ]);
  });

  it('name what was done: requests, stages of a produce, fsyncs, offsets, and kafka_exporter’s names', async () => {
    const response = await fetch(`http://${server.listeners.HTTP!}/metrics`);
    const text = await response.text();
    const sample = (name: string): number => {
      const found = text.split('\n').find((line) => line.startsWith(`${name} `));
      expect(found, name).not.to.equal(undefined);
      return Number(found!.slice(name.length + 1));
    };
    for (const stage of ['append', 'replicate', 'high_watermark']) {
      expect(sample(`tidemark_produce_stage_latency_seconds_count{stage="${stage}"}`)).to.be.at.least(1);
    }
    expect(sample('tidemark_log_fsync_latency_seconds_count')).to.be.at.least(1);
    const offsets = [0, 1].map((partition) =>
      sample(`kafka_topic_partition_current_offset{topic="orders",partition="${partition}"}`),
    );
    expect(offsets[0]! + offsets[1]!).to.equal(2);
    expect(sample('kafka_topic_partitions{topic="orders"}')).to.equal(2);
    expect(sample('kafka_brokers')).to.equal(1);
    expect(sample('tidemark_leader_partitions')).to.equal(2);
    expect(sample('tidemark_active_controller')).to.equal(1);
    expect(sample('tidemark_ready')).to.equal(1);
  });
});

describe('metrics.max.partitions', function () {
  this.timeout(60_000);

  it('keeps the page small: above it, and with 0, only sums are shown', async () => {
    for (const [limit, shown] of [
      ['0', 0],
      ['2', 0],
      ['3', 1],
    ] as const) {
      const server = await startServer({ settings: { 'metrics.max.partitions': limit } });
      try {
        await runCommand(['topic', 'create', 'many', '-p', '3', '--brokers', server.address]);
        const text = await (await fetch(`http://${server.listeners.HTTP!}/metrics`)).text();
        expect(text).to.contain(`tidemark_partition_metrics_shown ${shown}\n`);
        expect(text.match(/^kafka_topic_partition_leader\{/gm)?.length ?? 0, limit).to.equal(3 * shown);
        expect(text).to.contain('tidemark_hosted_partitions 3\n');
      } finally {
        await server.dispose();
      }
    }
  });
});
