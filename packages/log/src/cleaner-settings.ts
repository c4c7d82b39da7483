// What the cleaner of a folder may take, with Kafka's defaults (CleanerConfig). Contract: plain values; the owner of the folder
// decides when it runs (`log.cleaner.backoff.ms`) and whether (`log.cleaner.enable`).

export interface CleanerSettings {
  /** `log.cleaner.dedupe.buffer.size`: memory for the keys of one cleaning, in bytes, entries and key bytes together. */
  readonly dedupeBufferBytes: number;
  /** `log.cleaner.io.max.bytes.per.second`, read and written together. */
  readonly ioBytesPerSecond: number;
  /** What one compressed batch may inflate to. */
  readonly maxInflatedBytes: number;
}

export const defaultCleanerSettings: CleanerSettings = {
  dedupeBufferBytes: 128 * 1024 * 1024,
  ioBytesPerSecond: Infinity,
  maxInflatedBytes: 64 * 1024 * 1024,
};
