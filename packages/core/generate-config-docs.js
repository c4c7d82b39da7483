// Writes docs/configuration.md from the config tables in dist/ (run `tsc -b packages/core` first). `--check` writes
// nothing and exits 1 when the committed page is out of step.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import {
  adminConfigs,
  brokerConfigs,
  consumerConfigs,
  descriptors,
  environmentName,
  formatConfigValue,
  producerConfigs,
  topicConfigs,
} from './dist/index.js';

const page = fileURLToPath(new URL('../../docs/configuration.md', import.meta.url));

const code = (text) => '`' + text + '`';

function bounds({ type, min, max }) {
  if (!['int', 'long', 'double'].includes(type)) return undefined;
  const open = max === undefined || max === Number.MAX_SAFE_INTEGER || max === 2 ** 31 - 1;
  if (min === undefined) return open ? undefined : `at most ${max}`;
  return open ? `at least ${min}` : `${min} to ${max}`;
}

function defaultText(descriptor) {
  if (descriptor.derivedDefault !== undefined) return `default ${descriptor.derivedDefault}`;
  if (descriptor.default === Number.MAX_SAFE_INTEGER) return 'default no limit';
  const text = formatConfigValue(descriptor.default);
  return text === '' ? 'default empty' : `default ${code(text)}`;
}

function facts(descriptor, withEnvironment) {
  const { type, unit, values, topicOverride, brokerDefault, dynamic, own, scope } = descriptor;
  return [
    unit === undefined ? type : `${type}, ${unit}`,
    brokerDefault === undefined ? defaultText(descriptor) : `overrides ${code(brokerDefault)}`,
    bounds(descriptor),
    values === undefined ? undefined : `${type === 'list' ? 'any' : 'one'} of ${values.map(code).join(', ')}`,
    topicOverride === undefined ? undefined : `topic override ${code(topicOverride)}`,
    scope === 'broker' || scope === 'both'
      ? dynamic
        ? 'changeable at run time'
        : 'needs a restart'
      : undefined,
    withEnvironment ? code(environmentName(descriptor.name)) : undefined,
    own ? 'Tidemark’s own' : undefined,
  ]
    .filter((fact) => fact !== undefined)
    .join(' · ');
}

function section(title, introduction, table, withEnvironment = false) {
  const entries = descriptors(table).map(
    (descriptor) =>
      `- ${code(descriptor.name)}: ${descriptor.doc.replaceAll('<', '\\<')}\n\n  _${facts(descriptor, withEnvironment)}_\n`,
  );
  return `## ${title}\n\n${introduction}\n\n${entries.join('\n')}`;
}

const client = 'Given to the client as its `config` object, or to the command line as `-X name=value`.';
const text = `# Configuration

<!-- Generated from packages/core/src/config by packages/core/generate-config-docs.js; do not edit. -->

Names and values are Kafka's, except for those marked as Tidemark's own, the limits that keep memory bounded, and the four
defaults with which Kafka may lose data: \`default.replication.factor\`, \`min.insync.replicas\`, \`flush.policy\` and
\`auto.create.topics.enable\`.

A node takes its configuration from flags (\`--name value\`), the environment, a \`.properties\` file and the defaults; the
first of these that has a key wins. An environment variable is \`TIDEMARK_\` and the name with \`.\` as \`_\`, \`_\` as \`__\` and
\`-\` as \`___\`; for a secret, the same with \`_FILE\` names a file that holds it. A key this version does not know, a value out
of bounds and a contradiction between keys each refuse to start, all at once, with the place they came from.

${section('Node', 'In the file, the environment or as flags of `tidemark server`.', brokerConfigs, true)}
${section('Topic', 'Set with CreateTopics or AlterConfigs; a topic without its own value has the node’s.', topicConfigs)}
${section('Producer', client, producerConfigs)}
${section('Consumer', client, consumerConfigs)}
${section('Admin client', client, adminConfigs)}`;

const formatted = await format(text, { ...(await resolveConfig(page)), parser: 'markdown' });
if (!process.argv.includes('--check')) {
  writeFileSync(page, formatted);
} else if (!existsSync(page) || readFileSync(page, 'utf8') !== formatted) {
  process.stderr.write(
    'docs/configuration.md is out of step; run: node packages/core/generate-config-docs.js\n',
  );
  process.exitCode = 1;
}
