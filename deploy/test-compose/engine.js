// One compose project of this run: its own name, image, free ports; the commands of docker and of the `tidemark` of this checkout.
import { fileURLToPath } from 'node:url';
import { freePorts } from '@tidemark/cli';
import { run } from './steps.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CLI = `${root}packages/cli/dist/main.js`;

/** Why no test can be made here; undefined when an engine with compose answers. */
export async function missingEngine(signal) {
  for (const command of [
    ['docker', 'info', '--format', '{{.ServerVersion}}'],
    ['docker', 'compose', 'version'],
  ]) {
    try {
      await run(command, { signal });
    } catch (error) {
      return error.message.split('\n').slice(0, 2).join(' ').trim();
    }
  }
  return undefined;
}

export class Project {
  #name;
  #file;
  #environment;
  /** As seen from this machine. */
  brokers;
  httpPorts;

  /** @param {{ readonly file: string, readonly name: string, readonly image: string }} options */
  static async make({ file, name, image }) {
    const ports = await freePorts(8);
    const project = new Project();
    project.#name = name;
    project.#file = `${root}deploy/${file}`;
    project.#environment = { ...process.env, TIDEMARK_IMAGE: image, TIDEMARK_CLUSTER: name };
    for (const [at, port] of ports.entries()) {
      const which = (at % 4) + 1;
      project.#environment[at < 4 ? `TIDEMARK_PORT_${which}` : `TIDEMARK_HTTP_PORT_${which}`] = `${port}`;
    }
    project.brokers = ports.slice(0, 3).map((port) => `127.0.0.1:${port}`);
    project.httpPorts = ports.slice(4, 7);
    return project;
  }

  compose(args, options = {}) {
    const command = [
      'docker',
      'compose',
      '-p',
      this.#name,
      '-f',
      this.#file,
      '--ansi',
      'never',
      '--progress',
      'plain',
      ...args,
    ];
    return run(command, { environment: this.#environment, ...options });
  }

  /** `tidemark ARGS` in a container: a client in the cluster's own network. */
  inside(service, args, options = {}) {
    return this.compose(['exec', '-T', service, 'tidemark', ...args], options);
  }

  /** `tidemark ARGS` on this machine, through the published ports. */
  outside(args, options = {}) {
    const kept = Object.entries(process.env).filter(([name]) => !/^TIDEMARK_|^NODE_OPTIONS$/.test(name));
    const environment = { ...Object.fromEntries(kept), TIDEMARK_BROKERS: this.brokers.join(',') };
    return run([process.execPath, CLI, ...args], { environment, ...options });
  }

  async container(service, options = {}) {
    const { stdout } = await this.compose(['ps', '-a', '-q', service], options);
    return stdout.trim();
  }

  async inspect(service, format, options = {}) {
    const id = await this.container(service, options);
    const { stdout } = await run(['docker', 'inspect', '-f', format, id], options);
    return stdout.trim();
  }

  get network() {
    return `${this.#name}_tidemark`;
  }
}
