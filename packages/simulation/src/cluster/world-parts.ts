// What the machines of a simulated cluster share.

import { type VoterSet } from '@tidemark/raft';
import { type SimClock } from '../sim-clock.ts';
import { type SimNetwork } from '../sim-network.ts';
import { type SimPrng } from '../sim-prng.ts';
import { type ClusterChecks } from './cluster-checks.ts';
import { type ImageChecks } from './image-checks.ts';
import { type SimHost } from './sim-host.ts';
import { type ClusterTiming, type NodeFactory } from './simulated-node.ts';
import { type Violations } from './violations.ts';

export interface WorldParts {
  readonly clock: SimClock;
  readonly network: SimNetwork;
  readonly prng: SimPrng;
  readonly violations: Violations;
  readonly checks: ClusterChecks;
  readonly images: ImageChecks;
  readonly initialVoters: VoterSet;
  readonly timing: ClusterTiming;
  readonly factory: NodeFactory;
  /** A node has begun to lead a partition, or moved its high watermark. */
  readonly committed: (topic: string, partition: number) => void;
  /** A node sends a Raft message of this type. */
  readonly sent: (host: SimHost, type: number) => void;
}
