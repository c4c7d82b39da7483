// One attack in a process of its own: `attacker.ts NAME HOST PORT SASL_PORT MS`.
import { attacks } from './attacks.ts';

const [name = '', host = '', port, saslPort, ms] = process.argv.slice(2);
const attack = attacks[name];
if (attack === undefined) throw new RangeError(`there is no attack ${name}`);
// What the broker does to the attacker is the broker's right.
process.on('uncaughtException', (error) => process.stderr.write(`${String(error)}\n`));
await attack({ host, port: Number(port), saslPort: Number(saslPort) }, performance.now() + Number(ms));
process.exit(0);
