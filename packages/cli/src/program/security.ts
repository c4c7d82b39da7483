// `tidemark user|acl|quota ...`.
import { scramMechanisms } from '@tidemark/core';
import { Argument, Option, type Command } from 'commander';
import { collect, countArgument, runs, withCluster, type Host } from './command.ts';

const loadUsers = () => import('../commands/user.ts');
const loadAcls = () => import('../commands/acl.ts');
const loadQuotas = () => import('../commands/quota.ts');

export function declareSecurity(host: Host, program: Command): void {
  declareUsers(host, program.command('user').description('users and their passwords (SCRAM)'));
  declareAcls(host, program.command('acl').description('who may do what'));
  declareQuotas(host, program.command('quota').description('how fast clients may be'));
}

const mechanism = (): Option =>
  new Option('--mechanism <name>', scramMechanisms.join(' or ')).choices(scramMechanisms);

function declareUsers(host: Host, group: Command): void {
  runs(
    host,
    withCluster(group.command('create'))
      .description('give a user a password, in the place of the one before')
      .addArgument(new Argument('<user>', 'the name'))
      .option('--password-file <file>', 'where the password is (default: the first line of standard input)')
      .addOption(mechanism().default('SCRAM-SHA-256'))
      .option('--iterations <count>', '4096 to 16384', countArgument('--iterations', 1), 4096)
      .addHelpText(
        'after',
        `
The password never leaves this command: the cluster is told the keys that come of it (RFC 5802).

Example:
  tidemark user create ann --password-file ann.password`,
      ),
    async () => (await loadUsers()).createUser,
  );
  runs(
    host,
    withCluster(group.command('delete').alias('rm'))
      .description('take a user’s password away; who is connected with it is sent away')
      .addArgument(new Argument('<user>', 'the name'))
      .addOption(mechanism()),
    async () => (await loadUsers()).deleteUser,
  );
  runs(
    host,
    withCluster(group.command('list').alias('ls')).description('users and how they prove themselves'),
    async () => (await loadUsers()).listUsers,
  );
}

/** The resource and who, as `add` sets them and `list` and `remove` look for them. */
function withBinding(command: Command): Command {
  return command
    .option('--topic <name>', 'a topic, or * for all')
    .option('--group <name>', 'a consumer group, or * for all')
    .option('--transactional-id <id>', 'a transactional id, or * for all')
    .option('--cluster', 'the cluster itself')
    .option('--prefixed', 'every name that begins so')
    .option('--allow <principal>', 'User:NAME, or User:* for everybody; repeat for more', collect)
    .option('--deny <principal>', 'as --allow; denying wins', collect)
    .option('--operation <name>', 'read, write, create, ... or all; repeat for more', collect)
    .option('--host <address>', 'where calls come from (default: anywhere)');
}

function declareAcls(host: Host, group: Command): void {
  runs(
    host,
    withBinding(withCluster(group.command('add')))
      .description('allow or deny operations on a resource')
      .addHelpText(
        'after',
        `
Operations: read, write, create, delete, alter, describe, describe-configs, alter-configs, cluster-action, idempotent-write, all.
Whoever may read, write, delete or alter a thing may describe it.

Examples:
  tidemark acl add --allow User:ann --topic orders --operation write
  tidemark acl add --allow User:bob --topic app- --prefixed --operation read
  tidemark acl add --allow User:bob --group app- --prefixed --operation read`,
      ),
    async () => (await loadAcls()).addAcls,
  );
  runs(
    host,
    withBinding(withCluster(group.command('remove').alias('rm')))
      .description('take away every ACL that fits what is given')
      .option('-y, --yes', 'do not ask'),
    async () => (await loadAcls()).removeAcls,
  );
  runs(
    host,
    withBinding(withCluster(group.command('list').alias('ls'))).description(
      'the ACLs that fit what is given',
    ),
    async () => (await loadAcls()).listAcls,
  );
}

function declareQuotas(host: Host, group: Command): void {
  runs(
    host,
    withCluster(group.command('set'))
      .description('limit how fast a user or client may be, on each broker')
      .option('--user <name>', 'the user')
      .option('--default-user', 'every user without a quota of his own')
      .option('--client-id <name>', 'the client.id')
      .option('--default-client-id', 'every client.id without a quota of its own')
      .option('--set <name=value>', 'repeat for more', collect)
      .option('--unset <name>', 'no such limit any more; repeat for more', collect)
      .addHelpText(
        'after',
        `
Limits: producer_byte_rate and consumer_byte_rate (bytes a second, e.g. 5MB), request_percentage (of one processor's time, so 50 is
half of one), controller_mutation_rate (partitions created or deleted a second). The most exact one counts: user and client id, user,
client id, then the defaults.

Example:
  tidemark quota set --user ann --set producer_byte_rate=5MB`,
      ),
    async () => (await loadQuotas()).setQuota,
  );
  runs(
    host,
    withCluster(group.command('list').alias('ls')).description('the quotas there are'),
    async () => (await loadQuotas()).listQuotas,
  );
}
