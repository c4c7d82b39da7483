// The settings a cluster under test and its clients run with: those users have, or the fast profile of docs/failover.md.

type Settings = Readonly<Record<string, string>>;

const profiles = {
  default: { settings: {}, clientConfig: {} },
  /** Every time-out by which something is noticed, short; docs/failover.md says what each costs. */
  fast: {
    settings: {
      'broker.refused.timeout.ms': '100',
      'broker.heartbeat.interval.ms': '150',
      'broker.session.timeout.ms': '800',
      'controller.quorum.election.timeout.ms': '200',
      'controller.quorum.fetch.timeout.ms': '400',
    },
    clientConfig: { 'retry.backoff.ms': '20', 'reconnect.backoff.ms': '20' },
  },
} satisfies Readonly<Record<string, { settings: Settings; clientConfig: Settings }>>;

export type ProfileName = keyof typeof profiles;

export interface Profile {
  readonly name: ProfileName;
  readonly settings: Settings;
  readonly clientConfig: Settings;
  /** After so long without a heartbeat a broker is fenced. */
  readonly sessionMs: number;
}

export function profileOf(name: string): Profile {
  if (name !== 'default' && name !== 'fast') throw new Error(`no profile is called ${name}: default, fast`);
  const { settings, clientConfig }: { settings: Settings; clientConfig: Settings } = profiles[name];
  return { name, settings, clientConfig, sessionMs: Number(settings['broker.session.timeout.ms'] ?? 9_000) };
}
