#!/usr/bin/env node
// `make test-compose`: the compose files as a user brings them up, and then what a machine room does to them. A client writes from
// outside all the while; at the end every acknowledged record must be there once, through kill, pause, cut network, restart, and
// `down` and `up`. Exit code 0 and "passed", 1 and what differed, or 0 and "skipped" where no engine runs: never "passed" unseen.
// Whatever happens, SIGINT included, the project's containers, networks, volumes and image are removed.
/* global AbortController, AbortSignal */
import { missingEngine, Project } from './engine.js';
import { Load, readAll, requireKept } from './load.js';
import { pause, run, say, step, until } from './steps.js';

const TOPIC = 'orders';
const PARTITIONS = 6;
const PER_SECOND = 500;
/** Longer than broker.session.timeout.ms (9 s), so that the cluster gives the node up. */
const AWAY_MS = 12_000;
const NODES = ['node1', 'node2', 'node3'];

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => stopping.abort(new Error(`ended by ${signal}`)));
}
const stop = stopping.signal;

const lines = (count, what) => Array.from({ length: count }, (_, at) => `${what}-${at}\t${at}\n`).join('');
const sorted = (text) => text.split('\n').sort().join('\n').trim();

function requireSame(what, sent, read) {
  if (sorted(sent) !== sorted(read)) throw new Error(`${what}: what was read is not what was sent`);
}

/** Every node answers its health check and every replica is in sync. */
async function allWell(project, signal, services = NODES) {
  for (const service of services) {
    await until(`${service} is healthy`, signal, async () => {
      return (await project.inspect(service, '{{.State.Health.Status}}', { signal })) === 'healthy';
    });
  }
  // Inside: where controllers are apart, only clients in the network reach them.
  await until('`tidemark cluster health` finds nothing', signal, async () => {
    const { code } = await project.inside(services.at(-1), ['cluster', 'health'], { signal });
    return code === 0;
  });
}

/** As a crash: the container's process is killed from outside, so that `restart:` has to bring it back. */
async function crash(project, service, signal) {
  const pid = Number(await project.inspect(service, '{{.State.Pid}}', { signal }));
  try {
    process.kill(pid, 'SIGKILL');
    return `process ${pid} killed, its restart policy has to bring it back`;
  } catch (error) {
    if (error.code !== 'ESRCH' && error.code !== 'EPERM') throw error;
    // The engine is in another machine, or another user's: its own kill, which counts as the operator's and restarts nothing.
    await project.compose(['kill', service], { signal });
    await project.compose(['start', service], { signal });
    return 'killed and started by the engine';
  }
}

const pauseOf = (load) => `longest pause of the writer ${(load.takePauseMs() / 1_000).toFixed(1)} s`;

async function threeNodes(project) {
  await step('build the image', 900_000, stop, async (signal) => {
    const show = process.env['VERBOSE'] !== undefined;
    await project.compose(['build', '--build-arg', 'REVISION=test'], { signal, show });
  });
  await step('up: three nodes, wait until healthy', 240_000, stop, async (signal) => {
    await project.compose(['up', '-d', '--wait'], { signal });
  });
  await step('the container: user, root file system, labels, version', 60_000, stop, async (signal) => {
    const { stdout: user } = await project.compose(['exec', '-T', 'node1', 'id', '-u'], { signal });
    if (user.trim() !== '1000') throw new Error(`it runs as ${user}`);
    const write = await project.compose(['exec', '-T', 'node1', 'sh', '-c', 'echo > /app/x'], {
      signal,
      codes: [0, 1, 2],
    });
    if (write.code === 0) throw new Error('the root file system can be written to');
    const label = await project.inspect(
      'node1',
      '{{index .Config.Labels "org.opencontainers.image.title"}}',
      {
        signal,
      },
    );
    if (label !== 'Tidemark') throw new Error(`its title is "${label}"`);
    const { stdout: version } = await project.inside('node1', ['--version'], { signal });
    return `uid 1000, read-only, tidemark ${version.trim()}`;
  });
  await step('create a topic from outside', 30_000, stop, async (signal) => {
    await project.outside(['topic', 'create', TOPIC, '-p', `${PARTITIONS}`, '-r', '3'], { signal });
    await project.outside(['topic', 'create', 'letters', '-p', '3', '-r', '3'], { signal });
  });
  const fromOutside = lines(1_000, 'outside');
  const fromInside = lines(1_000, 'inside');
  const format = ['-f', '%k\t%v\n'];
  const readLetters = ['consume', 'letters', '--from', 'start', '-e', ...format];
  await step('produce outside, consume inside', 60_000, stop, async (signal) => {
    await project.outside(['produce', 'letters', ...format], { signal, input: fromOutside });
    const { stdout } = await project.inside('node2', readLetters, { signal });
    requireSame('inside', fromOutside, stdout);
    return '1,000 records';
  });
  await step('produce inside, consume outside', 60_000, stop, async (signal) => {
    await project.inside('node3', ['produce', 'letters', ...format], { signal, input: fromInside });
    const { stdout } = await project.outside(readLetters, { signal });
    requireSame('outside', fromOutside + fromInside, stdout);
    return '2,000 records';
  });

  const load = new Load(project.brokers, TOPIC, PER_SECOND);
  try {
    await step('a client writes from now on', 30_000, stop, async (signal) => {
      await until('100 acknowledged', signal, () => load.acknowledged.size >= 100);
      load.takePauseMs();
      return `${PER_SECOND} records a second`;
    });
    await step('crash node1 (SIGKILL)', 180_000, stop, async (signal) => {
      const how = await crash(project, 'node1', signal);
      await pause(3_000, signal);
      await allWell(project, signal);
      const restarts = await project.inspect('node1', '{{.RestartCount}}', { signal });
      return `${how}; restarts ${restarts}; all in sync again; ${pauseOf(load)}`;
    });
    await step(`pause node2 for ${AWAY_MS / 1_000} s`, 180_000, stop, async (signal) => {
      await project.compose(['pause', 'node2'], { signal });
      await pause(AWAY_MS, signal);
      await project.compose(['unpause', 'node2'], { signal });
      await allWell(project, signal);
      return `all in sync again; ${pauseOf(load)}`;
    });
    await step(`cut node3 off the network for ${AWAY_MS / 1_000} s`, 240_000, stop, async (signal) => {
      const id = await project.container('node3', { signal });
      await run(['docker', 'network', 'disconnect', project.network, id], { signal });
      await pause(AWAY_MS, signal);
      await run(['docker', 'network', 'connect', '--alias', 'node3', project.network, id], { signal });
      await allWell(project, signal);
      return `all in sync again; ${pauseOf(load)}`;
    });
    for (const service of NODES) {
      await step(`restart ${service} (SIGTERM)`, 180_000, stop, async (signal) => {
        await project.compose(['stop', service], { signal });
        const code = await project.inspect(service, '{{.State.ExitCode}}', { signal });
        if (code !== '0') throw new Error(`it ended with ${code} instead of 0`);
        await project.compose(['start', service], { signal });
        await allWell(project, signal);
        return `exit code 0; all in sync again; ${pauseOf(load)}`;
      });
    }
  } finally {
    await load.stop();
  }
  await step('every acknowledged record is there once', 120_000, stop, async () => {
    if (load.errors.length > 0)
      throw new Error(`the client saw ${load.errors.length} errors, the first: ${load.errors[0]}`);
    requireKept(load.acknowledged, await readAll(project.brokers, TOPIC, PARTITIONS));
    return `${load.acknowledged.size} of ${load.sent} sent, errors seen by the client: 0`;
  });
  await step('down, volumes kept', 180_000, stop, async (signal) => {
    await project.compose(['down'], { signal });
  });
  await step('up again: the data is there', 240_000, stop, async (signal) => {
    await project.compose(['up', '-d', '--wait'], { signal });
    await allWell(project, signal);
    requireKept(load.acknowledged, await readAll(project.brokers, TOPIC, PARTITIONS));
    const { stdout } = await project.outside(readLetters, { signal });
    requireSame('after down and up', fromOutside + fromInside, stdout);
    return `${load.acknowledged.size + 2_000} records`;
  });
}

async function rolesApart(project) {
  const services = ['controller1', 'controller2', 'controller3', 'broker4', 'broker5', 'broker6'];
  await step('up: three controllers and three brokers', 240_000, stop, async (signal) => {
    await project.compose(['up', '-d', '--wait', '--no-build'], { signal });
  });
  await step('a controller crashes, metadata and records go on', 120_000, stop, async (signal) => {
    await project.outside(['topic', 'create', TOPIC, '-p', '3', '-r', '3'], { signal });
    const { stdout } = await project.outside(['quorum', 'status', '-o', 'json'], { signal });
    const leader = /"leaderId":\s*(\d)/.exec(stdout)?.[1];
    const victim = `controller${leader ?? 1}`;
    await crash(project, victim, signal);
    await project.outside(['topic', 'create', 'after', '-p', '3', '-r', '3'], { signal });
    const sent = lines(1_000, 'apart');
    await project.outside(['produce', 'after', '-f', '%k\t%v\n'], { signal, input: sent });
    const read = await project.inside(
      'broker5',
      ['consume', 'after', '--from', 'start', '-e', '-f', '%k\t%v\n'],
      { signal },
    );
    requireSame('with a controller gone', sent, read.stdout);
    await allWell(project, signal, services);
    return `${victim} ${leader === undefined ? '' : '(which led) '}was killed and is back; 1,000 records`;
  });
}

const image = `tidemark:test-${process.pid}`;
const project = await Project.make({
  file: 'docker-compose.yml',
  name: `tidemark-test-${process.pid}`,
  image,
});
const apart = await Project.make({
  file: 'docker-compose.separate.yml',
  name: `tidemark-apart-${process.pid}`,
  image,
});

const missing = await missingEngine(stop);
if (missing !== undefined) {
  say(`skipped: no Docker engine with compose answers here. ${missing}`);
  process.exit(0);
}

let failure;
try {
  await threeNodes(project);
  await project.compose(['down', '-v', '--timeout', '5'], { signal: stop });
  await rolesApart(apart);
} catch (error) {
  failure = error;
  say(`FAILED: ${error.message}`);
  if (!stop.aborted) {
    for (const each of [project, apart]) {
      const { stdout } = await each.compose(['ps', '-a'], { codes: [0, 1] });
      process.stdout.write(stdout);
      const logs = await each.compose(['logs', '--no-color', '--tail', '25'], { codes: [0, 1] });
      process.stdout.write(logs.stdout.slice(-16_384));
    }
  }
}
say('remove containers, networks, volumes and the image');
for (const each of [project, apart]) {
  const args = ['--profile', '*', 'down', '-v', '--remove-orphans', '--timeout', '5'];
  const removed = await each.compose(args, { signal: AbortSignal.timeout(120_000), codes: [0, 1] });
  if (removed.code !== 0) failure ??= new Error('not everything could be removed');
}
await run(['docker', 'image', 'rm', '-f', image], { codes: [0, 1] });
say(failure === undefined ? 'passed' : `failed: ${failure.message.split('\n', 1)[0]}`);
process.exit(failure === undefined ? 0 : stop.aborted ? 130 : 1);
