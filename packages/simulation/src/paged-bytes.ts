// PagedBytes: the content of one simulated file, as 4 KiB pages. A page nobody wrote is a hole that reads as zeros and takes
// no space. `clone` shares the pages; whoever writes to a shared page first copies it, so a snapshot of a disk is cheap.

export const PAGE_BYTES = 4096;

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
      if (page === undefined) into.fill(0, done, done + chunk);
      else into.set(page.subarray(inPage, inPage + chunk), done);
      done += chunk;
    }
    return length;
  }

  /** Overwrites and grows; a gap before `position` reads as zeros. */
  write(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;) {
      const inPage = (position + done) % PAGE_BYTES;
      const chunk = Math.min(bytes.length - done, PAGE_BYTES - inPage);
      this.#writable(Math.floor((position + done) / PAGE_BYTES)).set(
        bytes.subarray(done, done + chunk),
        inPage,
      );
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
      if (inPage > 0 && this.#pages[kept - 1] !== undefined) this.#writable(kept - 1).fill(0, inPage);
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

  #writable(index: number): Uint8Array {
    let page = this.#pages[index];
    if (page === undefined || this.#own[index] !== true) {
      if (page === undefined) this.#allocated++;
      page = page === undefined ? new Uint8Array(PAGE_BYTES) : page.slice();
      this.#pages[index] = page;
      this.#own[index] = true;
    }
    return page;
  }
}
