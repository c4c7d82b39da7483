// What nodes make of the committed log: equal images at equal offsets, nothing applied that is not committed, nothing taken back.
// A digest costs as much as the image is large, so only some offsets are compared, the same ones on every node.

import { type ImageView } from './simulated-node.ts';
import { type Report } from './violations.ts';

export interface ImageChecksOptions {
  readonly report: Report;
  /** Exclusive: nothing at or above is committed. */
  readonly committedOffset: () => number;
  /** One offset in so many is compared. Default 64. */
  readonly compareOneIn?: number;
}

export interface ImageWatch {
  /** The node has a new image, made from the one before by replay. */
  changed(image: ImageView): void;
  /** The next image comes from a snapshot. */
  replaced(): void;
}

export class ImageChecks {
  readonly #options: ImageChecksOptions;
  readonly #compareOneIn: number;
  readonly #digests = new Map<number, { readonly digest: string; readonly node: string }>();
  /** The newest offset any node has had an image of: only what is newer has rules that nobody has checked yet. */
  #newestOffset = -1;

  constructor(options: ImageChecksOptions) {
    this.#options = options;
    this.#compareOneIn = options.compareOneIn ?? 64;
  }

  /** For one incarnation. */
  watch(node: string): ImageWatch {
    let previous: ImageView | undefined;
    let last = -1;
    return {
      changed: (image) => {
        const { report, committedOffset } = this.#options;
        if (image.offset < last) {
          report(
            'state-machine-safety',
            `${node} went back from an image at ${last} to one at ${image.offset}`,
          );
        }
        last = image.offset;
        if (image.offset >= committedOffset()) {
          report(
            'state-machine-safety',
            `${node} applied offset ${image.offset}; only what is below ${committedOffset()} is committed`,
          );
        }
        if (isChosen(image.offset, this.#compareOneIn)) this.compare(node, image);
        this.#checkRules(node, image, previous);
        previous = image;
      },
      replaced: () => {
        previous = undefined;
      },
    };
  }

  compare(node: string, image: ImageView): void {
    const digest = image.digest();
    const known = this.#digests.get(image.offset);
    if (known === undefined) this.#digests.set(image.offset, { digest, node });
    else if (known.digest !== digest) {
      this.#options.report(
        'image-equality',
        `at offset ${image.offset} ${known.node} has ${known.digest} and ${node} has ${digest}`,
      );
    }
  }

  #checkRules(node: string, image: ImageView, previous: ImageView | undefined): void {
    if (image.offset <= this.#newestOffset) return;
    this.#newestOffset = image.offset;
    const problems = image.problems(previous);
    if (problems.length > 0) {
      this.#options.report(
        'controller-invariants',
        `${node} at offset ${image.offset}: ${problems.join('; ')}`,
      );
    }
  }
}

function isChosen(offset: number, oneIn: number): boolean {
  const mixed = Math.imul(offset + 1, 0x9e3779b1);
  return (mixed >>> 8) % oneIn === 0;
}
