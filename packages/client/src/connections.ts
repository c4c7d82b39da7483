// One channel per address, made on first use and shared by everything in a client. Closing closes them all.
import { TidemarkError } from '@tidemark/core';
import { Channel } from '@tidemark/rpc';
import type { ChannelOptions } from '@tidemark/rpc';

export class Connections {
  readonly #options: ChannelOptions;
  readonly #channels = new Map<string, Channel>();
  #closed = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** `address` is `host:port`. */
  channel(address: string): Channel {
    if (this.#closed) throw new TidemarkError('NETWORK_EXCEPTION', 'the client is closed');
    let channel = this.#channels.get(address);
    if (channel === undefined) {
      channel = new Channel(address, this.#options);
      this.#channels.set(address, channel);
    }
    return channel;
  }

  close(): void {
    this.#closed = true;
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }
}
