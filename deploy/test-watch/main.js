#!/usr/bin/env node
// `make test-watch`: a real Prometheus scrapes three real servers under load and evaluates our alerts; every query of every panel is
// asked of it and must have data. Then a node is killed: the alerts that speak of it must fire, and be quiet again when it is back.
// Needs `prometheus` and `promtool` (Debian: prometheus); without them it says so and is skipped. Nothing is left behind.
/* global fetch, AbortController, URLSearchParams */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Admin, Consumer } from '@tidemark/client';
import { freePorts } from '@tidemark/cli';
import { DemoNode } from '../demo/server.js';
import { Load, readAll } from '../test-compose/load.js';
import { pause, run, say, step, until } from '../test-compose/steps.js';

const deployed = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const TOPIC = 'orders';
const PARTITIONS = 6;
const PER_SECOND = 1_000;
const SCRAPE_SECONDS = 1;
/** Rates look back a minute; `increase` over less has data, too, but only what happened in between. */
const WATCH_MS = 45_000;
/** What a dead broker must set off within a minute and a half, with the times in the rules. */
const EXPECTED = ['TidemarkNodeDown', 'TidemarkBrokerFenced'];
const ALERT_FOR = '20s';

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => stopping.abort(new Error(`ended by ${signal}`)));
}
const stop = stopping.signal;

for (const tool of ['prometheus', 'promtool']) {
  try {
    await run([tool, '--version'], { signal: stop });
  } catch (error) {
    say(`skipped: no ${tool} here. ${error.message.split('\n', 1)[0]}`);
    process.exit(0);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'tidemark-watch-'));
const [prometheusPort, ...peerPorts] = await freePorts(4);
const voters = peerPorts.map((port, at) => `${at + 1}@127.0.0.1:${port}`).join(',');
const nodes = peerPorts.map(
  (port, at) =>
    new DemoNode(
      at + 1,
      join(folder, `n${at + 1}`),
      port,
      ['cluster.id=watch', `controller.quorum.voters=${voters}`, 'offsets.topic.num.partitions=3'],
      { HTTP: '127.0.0.1:0' },
    ),
);
let prometheus;
let load;
let group;
let failure;

async function ask(path, parameters = {}) {
  const url = `http://127.0.0.1:${prometheusPort}/api/v1/${path}?${new URLSearchParams(parameters)}`;
  const answer = await (await fetch(url, { signal: stop })).json();
  if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
  return answer.data;
}

const firing = async () => {
  const { alerts } = await ask('alerts');
  return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname);
};

/** The rules with shorter patience, so that a test need not wait two minutes for what an operator may. */
function hastyRules() {
  const rules = readFileSync(deployed('prometheus/alerts.yml'), 'utf8');
  return rules.replaceAll(/^( +)for: (?:30s|1m|2m)$/gm, `$1for: ${ALERT_FOR}`);
}

try {
  await step('promtool: our rules and configuration', 30_000, stop, async (signal) => {
    const { stdout } = await run(['promtool', 'check', 'rules', deployed('prometheus/alerts.yml')], {
      signal,
    });
    await run(['promtool', 'test', 'rules', deployed('prometheus/alerts.test.yml')], { signal });
    await run(['promtool', 'check', 'config', '--syntax-only', deployed('prometheus/prometheus.yml')], {
      signal,
    });
    return /\d+ rules found/.exec(stdout)?.[0];
  });
  await step('three servers', 60_000, stop, () =>
    Promise.all(nodes.map((node) => node.start())).then(() => undefined),
  );
  await step('promtool: the page of each', 30_000, stop, async (signal) => {
    for (const { listeners } of nodes) {
      const page = await (await fetch(`http://${listeners.HTTP}/metrics`, { signal })).text();
      // kafka_exporter's two sums over a topic are gauges whose names promtool keeps for histograms.
      const lines = page.split('\n').filter((line) => !/kafka_consumergroup_\w+_sum\b/.test(line));
      await run(['promtool', 'check', 'metrics'], { signal, input: lines.join('\n') });
    }
  });
  await step('a topic, a producer, a consumer, Prometheus', 60_000, stop, async (signal) => {
    const brokers = nodes.map(({ address }) => address);
    const admin = new Admin({ brokers });
    await admin.createTopics([{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 3 }]);
    await admin.close();
    load = new Load(brokers, TOPIC, PER_SECOND);
    group = new Consumer({ brokers, groupId: 'watchers', config: { 'auto.commit.interval.ms': 1_000 } });
    group.subscribe([TOPIC]);
    writeFileSync(join(folder, 'alerts.yml'), hastyRules());
    const targets = nodes.map(({ listeners }) => `'${listeners.HTTP}'`);
    writeFileSync(
      join(folder, 'prometheus.yml'),
      `global: { scrape_interval: ${SCRAPE_SECONDS}s, evaluation_interval: 1s }
rule_files: [alerts.yml]
scrape_configs:
  - job_name: tidemark
    static_configs: [{ targets: [${targets}] }]
`,
    );
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'tsdb')}`,
        `--web.listen-address=127.0.0.1:${prometheusPort}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    await until('three targets are up', signal, async () => {
      const { activeTargets } = await ask('targets');
      return activeTargets.filter(({ health }) => health === 'up').length === 3;
    });
  });
  await step(`watch for ${WATCH_MS / 1_000} s`, WATCH_MS + 60_000, stop, async (signal) => {
    const endMs = Date.now() + WATCH_MS;
    const brokers = nodes.map(({ address }) => address);
    let read = 0;
    const reading = (async () => {
      while (Date.now() < endMs) read += (await group.poll({ timeoutMs: 500 })).length;
    })();
    while (Date.now() < endMs) {
      await readAll(brokers, TOPIC, PARTITIONS);
      await pause(2_000, signal);
    }
    await reading;
    return `${load.acknowledged.size} records acknowledged, ${load.errors.length} errors, ${read} read by a group`;
  });
  await step('every query of every panel has data', 60_000, stop, async () => {
    const { panels } = JSON.parse(readFileSync(deployed('grafana/dashboards/tidemark.json'), 'utf8'));
    const empty = [];
    let count = 0;
    for (const { title, targets = [] } of panels) {
      for (const { expr } of targets) {
        const { result } = await ask('query', { query: expr.replaceAll('$instance', '.*') });
        const values = result.map(({ value }) => Number(value[1])).filter((value) => !Number.isNaN(value));
        const shown = `${values.length} series, ${Math.min(...values).toPrecision(3)} to ${Math.max(...values).toPrecision(3)}`;
        say(`    ${title.padEnd(34)} ${values.length === 0 ? 'NO DATA' : shown}`);
        if (values.length === 0) empty.push(`${title}: ${expr}`);
        count++;
      }
    }
    if (empty.length > 0) throw new Error(`no data for ${empty.join('; ')}`);
    return `${count} queries of ${panels.filter(({ type }) => type !== 'row').length} panels`;
  });
  await group.close();
  await step('all rules are evaluated, none fires', 60_000, stop, async () => {
    const { groups } = await ask('rules');
    const rules = groups.flatMap((group) => group.rules);
    const wrong = rules.filter(({ health }) => health !== 'ok');
    if (wrong.length > 0) throw new Error(`${wrong[0].name}: ${wrong[0].lastError}`);
    const names = await firing();
    if (names.length > 0) throw new Error(`${names.join(', ')} fired on a cluster that is well`);
    return `${rules.length} rules`;
  });
  await step('node 3 is killed: its alerts fire', 120_000, stop, async (signal) => {
    await nodes[2].end('SIGKILL');
    await until(`${EXPECTED.join(' and ')} fire`, signal, async () => {
      const names = await firing();
      return EXPECTED.every((name) => names.includes(name));
    });
    return (await firing()).join(', ');
  });
  await step('node 3 is back: quiet again', 120_000, stop, async (signal) => {
    await nodes[2].start();
    await until('no alert fires', signal, async () => (await firing()).length === 0);
    const { result } = await ask('query', {
      query: 'sum(increase(tidemark_isr_shrinks_total[5m])) + sum(increase(tidemark_isr_expands_total[5m]))',
    });
    const changes = Number(result[0]?.value[1] ?? 0);
    if (!(changes > 0)) throw new Error('no change of in-sync replicas was counted');
    return `in-sync replicas shrank and expanded ${Math.round(changes)} times`;
  });
  await load.stop();
  if (load.errors.length > 0) throw new Error(`the producer saw ${load.errors[0]}`);
} catch (error) {
  failure = error;
} finally {
  prometheus?.kill('SIGKILL');
  await Promise.all(nodes.map((node) => node.end('SIGKILL')));
  rmSync(folder, { recursive: true, force: true });
}
say(failure === undefined ? 'passed' : `FAILED: ${failure.message}`);
process.exit(failure === undefined ? 0 : stop.aborted ? 130 : 1);
