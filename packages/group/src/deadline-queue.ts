// Which group is due next: a binary heap in which a group may stand several times; only its newest entry counts, the others are dropped
// when they come up.

interface Entry {
  readonly deadlineMs: number;
  readonly groupId: string;
}

export class DeadlineQueue {
  readonly #heap: Entry[] = [];
  readonly #current = new Map<string, number>();

  /** Infinity: never. */
  set(groupId: string, deadlineMs: number): void {
    if (this.#current.get(groupId) === deadlineMs) return;
    if (deadlineMs === Infinity) {
      this.#current.delete(groupId);
      return;
    }
    this.#current.set(groupId, deadlineMs);
    this.#push({ deadlineMs, groupId });
    // At most as many outdated entries as current ones, so that the heap stays in proportion to the groups.
    if (this.#heap.length > 2 * this.#current.size + 64) this.#rebuild();
  }

  get nextDeadlineMs(): number {
    this.#dropOutdated();
    return this.#heap[0]?.deadlineMs ?? Infinity;
  }

  /** Takes out the one that is due first, if any is. */
  takeDue(nowMs: number): string | undefined {
    if (this.nextDeadlineMs > nowMs) return undefined;
    const { groupId } = this.#pop();
    this.#current.delete(groupId);
    return groupId;
  }

  #dropOutdated(): void {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#current.get(top.groupId) === top.deadlineMs) return;
      this.#pop();
    }
  }

  #rebuild(): void {
    this.#heap.length = 0;
    for (const [groupId, deadlineMs] of this.#current) this.#push({ deadlineMs, groupId });
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.deadlineMs <= entry.deadlineMs) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.deadlineMs < heap[child]!.deadlineMs) child++;
      if (heap[child]!.deadlineMs >= last.deadlineMs) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
