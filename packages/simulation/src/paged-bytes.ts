// PagedBytes: the content of one simulated file, as 4 KiB pages. A page nobody wrote is a hole that reads as zeros and takes
// no space. `clone` shares the pages; whoever writes to a shared page first copies it, so a snapshot of a disk is cheap. A page has
// memory only as far as it was written: most files of a simulation are a line or two.

export const PAGE_BYTES = 4096;
const LEAST_PAGE_BYTES = 64;

export class PagedBytes {
  #sizeBytes = 0;
  #pages: (Uint8Array | undefined)[] = [];
  /** Whether the page of the same index belongs to this content alone. */
  #own: boolean[] = [];
  #allocated = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Bytes of space taken: whole pages, holes not counted. */
  get allocatedBytes(): number {
    return this.#allocated * PAGE_BYTES;
  }

  /** Bytes of new pages a write of this range would need. */
  missingBytes(position: number, length: number): number {
    let missing = 0;
    const end = Math.ceil((position + length) / PAGE_BYTES);
    for (let page = Math.floor(position / PAGE_BYTES); page < end; page++) {
      if (this.#pages[page] === undefined) missing += PAGE_BYTES;
    }
    return missing;
  }

  read(into: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(into.length, this.#sizeBytes - position));
    for (let done = 0; done < length;) {
      const inPage = (position + done) % PAGE_BYTES;
      const chunk = Math.min(length - done, PAGE_BYTES - inPage);
      const page = this.#pages[Math.floor((position + done) / PAGE_BYTES)];
      const held = page === undefined ? 0 : Math.max(0, Math.min(chunk, page.length - inPage));
      if (held > 0) into.set(page!.subarray(inPage, inPage + held), done);
      if (held < chunk) into.fill(0, done + held, done + chunk);
      done += chunk;
    }
    return length;
  }

  /** Overwrites and grows; a gap before `position` reads as zeros. */
  write(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;) {
      const inPage = (position + done) % PAGE_BYTES;
      const chunk = Math.min(bytes.length - done, PAGE_BYTES - inPage);
      const page = this.#writable(Math.floor((position + done) / PAGE_BYTES), inPage + chunk);
      page.set(chunk === bytes.length ? bytes : bytes.subarray(done, done + chunk), inPage);
      done += chunk;
    }
    if (bytes.length > 0) this.#sizeBytes = Math.max(this.#sizeBytes, position + bytes.length);
  }

  /** Cuts or zero-extends. What is cut does not come back when the file grows again. */
  resize(sizeBytes: number): void {
    if (sizeBytes < this.#sizeBytes) {
      const kept = Math.ceil(sizeBytes / PAGE_BYTES);
      for (let page = kept; page < this.#pages.length; page++) {
        if (this.#pages[page] !== undefined) this.#allocated--;
      }
      this.#pages.length = Math.min(this.#pages.length, kept);
      this.#own.length = this.#pages.length;
      const inPage = sizeBytes % PAGE_BYTES;
      if (inPage > 0 && (this.#pages[kept - 1]?.length ?? 0) > inPage) {
        this.#writable(kept - 1, inPage).fill(0, inPage);
      }
    }
    this.#sizeBytes = sizeBytes;
  }

  clone(): PagedBytes {
    const copy = new PagedBytes();
    copy.#sizeBytes = this.#sizeBytes;
    copy.#pages = this.#pages.slice();
    copy.#allocated = this.#allocated;
    this.#own = [];
    return copy;
  }

  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#sizeBytes);
    this.read(bytes, 0);
    return bytes;
  }

  /** A page of this content alone, with memory for its first `bytes` at least. */
  #writable(index: number, bytes: number): Uint8Array {
    const known = this.#pages[index];
    if (known !== undefined && this.#own[index] === true && known.length >= bytes) return known;
    if (known === undefined) this.#allocated++;
    let size = Math.max(LEAST_PAGE_BYTES, known?.length ?? 0);
    while (size < bytes) size *= 2;
    const page = new Uint8Array(size);
    if (known !== undefined) page.set(known);
    this.#pages[index] = page;
    this.#own[index] = true;
    return page;
  }
}
