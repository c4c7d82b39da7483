// How commands reach the cluster: the client's options out of the command's, and an admin client that is always closed.
import { Admin, type ClientOptions } from '@tidemark/client';
import { adminConfigs, consumerConfigs, producerConfigs } from '@tidemark/core';
import type { ClusterSettings } from './command-context.ts';
import { usageFailure } from './exit.ts';
import { requireListener } from './reachability.ts';

/** `config` is what the command's own flags say; `-X` is more exact and wins. */
export function clientOptions(
  cluster: ClusterSettings,
  config: Readonly<Record<string, string | number | boolean>>,
): ClientOptions {
  return { brokers: cluster.brokers, config: { ...config, ...cluster.clientConfig } };
}

/** `-X` is for the client that moves the records; of it the admin client takes what it knows. Unknown everywhere is refused. */
function adminOptions({ brokers, timeoutMs, clientConfig }: ClusterSettings): ClientOptions {
  const known = Object.entries(clientConfig).filter(([name]) => {
    if (name in adminConfigs.specs) return true;
    if (name in producerConfigs.specs || name in consumerConfigs.specs) return false;
    throw usageFailure(`-X ${name}: no client has a setting of this name`);
  });
  return {
    brokers,
    config: {
      'default.api.timeout.ms': timeoutMs,
      'request.timeout.ms': timeoutMs,
      ...Object.fromEntries(known),
    },
  };
}

export async function withAdmin<T>(cluster: ClusterSettings, body: (admin: Admin) => Promise<T>): Promise<T> {
  const options = adminOptions(cluster);
  if (!cluster.patient) await requireListener(cluster.brokers);
  const admin = new Admin(options);
  try {
    return await body(admin);
  } finally {
    await admin.close();
  }
}

/** The topic's partitions. Unlike a producer, which waits for a topic to appear, a command says at once that there is none. */
export function requireTopic(cluster: ClusterSettings, name: string): Promise<readonly number[]> {
  return withAdmin(cluster, async (admin) => {
    const topic = await admin.describeTopic(name);
    return topic.partitions.map(({ partition }) => partition);
  });
}
