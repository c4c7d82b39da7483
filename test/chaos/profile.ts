// The settings a cluster under test runs with: those users have, or faster ones.
import { HASTY } from '../integration/cluster.ts';

const profiles = {
  default: {},
  /** Every time-out by which something is noticed, short. */
  fast: HASTY,
} satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;

export type ProfileName = keyof typeof profiles;

export interface Profile {
  readonly name: ProfileName;
  readonly settings: Readonly<Record<string, string>>;
  /** After so long without a heartbeat a broker is fenced. */
  readonly sessionMs: number;
}

export function profileOf(name: string): Profile {
  if (name !== 'default' && name !== 'fast') throw new Error(`no profile is called ${name}: default, fast`);
  const settings: Readonly<Record<string, string>> = profiles[name];
  return { name, settings, sessionMs: Number(settings['broker.session.timeout.ms'] ?? 9_000) };
}
