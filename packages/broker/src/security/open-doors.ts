// What a configuration leaves open although it closes something else: said once, at the start. A node that asks nothing of anybody says
// nothing; that is how it comes.

import { brokerListeners, isSasl, isTls, listenerProtocol, type BrokerConfig } from '@tidemark/core';

/** Sentences for the log. */
export function openDoors(config: BrokerConfig): readonly string[] {
  const listeners = brokerListeners(config);
  const clients = listeners.filter(({ kind }) => kind === 'CLIENT').map(({ name }) => name);
  const protocolOf = (name: string) => listenerProtocol(config, name);
  const asks =
    config.get('authorizer.class.name') !== '' || clients.some((name) => protocolOf(name) !== 'PLAINTEXT');
  if (!asks) return [];
  const peer = listeners.find(({ kind }) => kind === 'PEER')?.name;
  return [
    ...(peer === undefined || isTls(protocolOf(peer))
      ? []
      : [
          `${peer} speaks no TLS: whoever reaches it can pose as a node, whatever is asked of clients; make it SSL, or see to it that only nodes reach it`,
        ]),
    ...clients
      .filter((name) => isSasl(protocolOf(name)) && !isTls(protocolOf(name)))
      .map(
        (name) =>
          `${name} is SASL_PLAINTEXT: tokens go over the wire in the clear, and who sees one is its user`,
      ),
  ];
}
