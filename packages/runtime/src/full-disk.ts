// What a broker does about a full disk: it asks the controller to fence it, so that others lead and nobody's acks=all waits for it, and
// comes back by itself once there is room. Contract: it stays where it would leave a partition without a leader, for what is there can
// be read; the disk is looked at once a second while it is full, and never else.

import type { MetadataImage } from '@tidemark/controller';
import type { BrokerId, Clock, Timer } from '@tidemark/core';

export interface FullDiskOptions {
  readonly self: BrokerId;
  readonly clock: Clock;
  readonly image: () => MetadataImage;
  /** Whether a megabyte finds room. */
  readonly hasRoom: () => Promise<boolean>;
  /** `wantsFence` may be another. */
  readonly onChange: () => void;
  /** There is room again. */
  readonly onRoom: () => void;
  /** It is full, or no longer: for the process's log. */
  readonly onTold: (isFull: boolean) => void;
  /** A bug: the process ends. */
  readonly onFatal: (cause: unknown) => void;
}

const LOOK_EVERY_MS = 1_000;

export class FullDisk {
  readonly #options: FullDiskOptions;
  #isFull = false;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: FullDiskOptions) {
    this.#options = options;
  }

  /** Others can take over all that it leads. */
  get wantsFence(): boolean {
    const { self, image } = this.#options;
    return this.#isFull && !isNeeded(self, image());
  }

  /** A write found no room. */
  met(): void {
    if (this.#isFull || this.#isClosed) return;
    this.#isFull = true;
    const { onTold, onChange } = this.#options;
    onTold(true);
    onChange();
    this.#look();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #look(): void {
    const { clock, hasRoom, onChange, onRoom, onTold, onFatal } = this.#options;
    const look = async (): Promise<void> => {
      const isRoomy = await hasRoom();
      if (this.#isClosed) return;
      this.#isFull = !isRoomy;
      if (isRoomy) {
        onTold(false);
        onRoom();
      } else this.#look();
      onChange();
    };
    this.#timer = clock.setTimer(LOOK_EVERY_MS, () => {
      look().catch(onFatal);
    });
  }
}

/** It leads a partition that nobody else may lead. */
function isNeeded(self: BrokerId, image: MetadataImage): boolean {
  if (image.holdings(self).leads === 0) return false;
  const mayLead = (id: BrokerId): boolean => id !== self && image.isActive(id);
  for (const { partitions } of image.topics()) {
    if (partitions.some(({ leader, isr }) => leader === self && !isr.some(mayLead))) return true;
  }
  return false;
}
