// A digest of an image: 16 hexadecimal digits over its entries, equal for equal images whatever their histories. For tests and
// simulations that compare replicas after every commit; it finds mistakes, it does not withstand an adversary.
//
// Each entry is hashed by itself and the hashes are added up, so that no order is needed, and a topic that has not changed
// since the last digest is not looked at again.

import type { KeyValueEntry } from '@tidemark/core';
import { clusterEntries, topicEntries } from './image-entries.ts';
import type { MetadataImage, TopicImage } from './metadata-image.ts';

interface Digest {
  readonly low: number;
  readonly high: number;
}

/** Remembers the digests of topics as long as their images live. One for all replicas that are compared is best. */
export class ImageDigester {
  readonly #topics = new WeakMap<TopicImage, Digest>();

  /** 16 hexadecimal digits. */
  digest(image: MetadataImage): string {
    let { low, high } = digestOf(clusterEntries(image));
    for (const topic of image.topics()) {
      const digest = this.#ofTopic(topic);
      low = (low + digest.low) >>> 0;
      high = (high + digest.high) >>> 0;
    }
    return hex(high) + hex(low);
  }

  #ofTopic(topic: TopicImage): Digest {
    let digest = this.#topics.get(topic);
    if (digest === undefined) {
      digest = digestOf(topicEntries(topic));
      this.#topics.set(topic, digest);
    }
    return digest;
  }
}

/** The digest of one image; whoever makes many keeps an `ImageDigester`. */
export function imageDigest(image: MetadataImage): string {
  return new ImageDigester().digest(image);
}

function digestOf(entries: Iterable<KeyValueEntry>): Digest {
  let low = 0;
  let high = 0;
  for (const { key, value } of entries) {
    const lanes: Lanes = { low: 0x811c9dc5, high: 0x1b873593 };
    // The length in front of each, so that no byte can move from one to the other unnoticed.
    mix(lanes, key);
    mix(lanes, value);
    low = (low + finished(lanes.low)) >>> 0;
    high = (high + finished(lanes.high)) >>> 0;
  }
  return { low, high };
}

interface Lanes {
  low: number;
  high: number;
}

/** Two lanes of FNV-1a with different offsets and primes. */
function mix(lanes: Lanes, bytes: Uint8Array): void {
  let low = Math.imul(lanes.low ^ bytes.length, 0x01000193);
  let high = Math.imul(lanes.high ^ bytes.length, 0x85ebca6b);
  for (const byte of bytes) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x85ebca6b);
    high ^= high >>> 13;
  }
  lanes.low = low;
  lanes.high = high;
}

/** Murmur3's finalizer: sums of FNV hashes of similar entries would be similar. */
function finished(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}
