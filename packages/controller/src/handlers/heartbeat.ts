// Heartbeat: a broker says that it is there, what it has applied and what it wants; it is told how it stands. The states are
// those of Kafka's BrokerHeartbeatManager (KIP-631): fenced, unfenced, in controlled shutdown, and free to stop.

import type { BrokerId } from '@tidemark/core';
import type { HeartbeatCommand, HeartbeatResponse } from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import type { BrokerImage } from '../metadata-image.ts';
import type { MetadataRecord } from '../metadata-record.ts';
import { isUnsettled, settleBroker } from '../partition-settling.ts';
import { checkedBroker, fencingRecords } from './brokers.ts';

type State = Omit<HeartbeatResponse, 'caughtUp'>;

const FENCED: State = { fenced: true, inControlledShutdown: false, shouldShutDown: false };
const UNFENCED: State = { fenced: false, inControlledShutdown: false, shouldShutDown: false };
const LEAVING: State = { fenced: false, inControlledShutdown: true, shouldShutDown: false };
const MAY_STOP: State = { fenced: true, inControlledShutdown: false, shouldShutDown: true };

export function heartbeat(command: HeartbeatCommand, context: CommandContext): Handled<HeartbeatResponse> {
  const broker = checkedBroker(context.image, command.brokerId, command.brokerEpoch);
  if ('error' in broker) return broker;
  const caughtUp = command.appliedOffset > broker.epoch;
  const state = nextState(broker, command, context);
  return handled({ ...state, caughtUp }, stateRecords(broker, state, context));
}

function nextState(broker: BrokerImage, command: HeartbeatCommand, context: CommandContext): State {
  const { wantFence, wantShutDown, appliedOffset } = command;
  const { image } = context;
  if (broker.fenced) {
    if (wantShutDown || broker.inControlledShutdown) return MAY_STOP;
    // It must know of its own registration, else it could act on what it was before; and what it had must be dealt with.
    const isReady = appliedOffset > broker.epoch && !isUnsettled(image, broker.id);
    return wantFence || !isReady ? FENCED : UNFENCED;
  }
  if (wantFence) return wantShutDown ? MAY_STOP : FENCED;
  if (broker.inControlledShutdown) return isReleased(broker, context) ? MAY_STOP : LEAVING;
  return wantShutDown ? LEAVING : UNFENCED;
}

/** It holds nothing, and all who could still turn to it for something have seen that. */
function isReleased({ id, controlledShutdownOffset }: BrokerImage, context: CommandContext): boolean {
  const { image, sessions, nowMs } = context;
  if (isUnsettled(image, id)) return false;
  const isThere = (other: BrokerId) => image.isActive(other) && (sessions.deadlineMs(other) ?? 0) > nowMs;
  return image
    .brokers()
    .filter((other) => other.id !== id && isThere(other.id))
    .every((other) => (sessions.appliedOffset(other.id) ?? 0) > controlledShutdownOffset);
}

function stateRecords(
  broker: BrokerImage,
  { fenced, inControlledShutdown }: State,
  context: CommandContext,
): readonly MetadataRecord[] {
  if (broker.fenced !== fenced) return fencingRecords(broker, fenced, context);
  if (!inControlledShutdown || broker.inControlledShutdown) return [];
  const { id: brokerId, epoch: brokerEpoch } = broker;
  return [
    { type: 'brokerChange', brokerId, brokerEpoch, inControlledShutdown },
    ...settleBroker(context.image, context.config, { brokerId, isActive: false }),
  ];
}
