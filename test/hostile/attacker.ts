// Attacks in a process of their own, so that they have a processor and an event loop of their own: told by messages which, on whom and
// for how long; answers when each is over.
import { attacks, type Target } from './attacks.ts';

export interface AttackOrder {
  readonly name: string;
  readonly target: Target;
  readonly forMs: number;
}

// What the broker does to the attacker is the broker's right.
process.on('uncaughtException', (error) => process.stderr.write(`${String(error)}\n`));
process.on('disconnect', () => process.exit(0));
process.on('message', ({ name, target, forMs }: AttackOrder) => {
  const attack = attacks[name];
  if (attack === undefined) throw new RangeError(`there is no attack ${name}`);
  void attack(target, forMs).then(() => process.send!('over'));
});
process.send!('ready');
