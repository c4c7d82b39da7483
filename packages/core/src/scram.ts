// The SCRAM mechanisms there are (RFC 5802, RFC 7677): what each is called, its hash, and how long its keys are.

export const scramMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
export type ScramMechanism = (typeof scramMechanisms)[number];

/** As `node:crypto` calls it. */
export const scramHash = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const satisfies Readonly<
  Record<ScramMechanism, string>
>;
/** Of StoredKey and ServerKey. */
export const scramKeyBytes: Readonly<Record<ScramMechanism, number>> = {
  'SCRAM-SHA-256': 32,
  'SCRAM-SHA-512': 64,
};

export function isScramMechanism(name: string): name is ScramMechanism {
  return (scramMechanisms as readonly string[]).includes(name);
}
