// What the disk did: how long every fdatasync took. One figure says what a slow produce is usually about.

import type { Exposition } from './exposition.ts';
import { LatencyHistogram } from './latency-histogram.ts';

export class StorageMetrics {
  readonly fsync = new LatencyHistogram();

  write(page: Exposition): void {
    const fsync = 'tidemark_log_fsync_latency_seconds';
    page.family(
      fsync,
      'histogram',
      'Time of one fdatasync of a log file, index or checkpoint.',
      this.fsync.rows(fsync, ''),
    );
  }
}
