// Numbers of which there may be millions: eight bytes each, and room that doubles.
export class NumberList {
  #numbers = new Float64Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    this.set(this.#length, value);
  }

  /** NaN where nothing has been set. */
  at(index: number): number {
    return index < this.#length ? this.#numbers[index]! : Number.NaN;
  }

  set(index: number, value: number): void {
    if (index >= this.#numbers.length) {
      const larger = new Float64Array(Math.max(index + 1, 2 * this.#numbers.length));
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    if (index >= this.#length) {
      this.#numbers.fill(Number.NaN, this.#length, index);
      this.#length = index + 1;
    }
    this.#numbers[index] = value;
  }

  /** Where `value` is among numbers that only grow; -1: nowhere. */
  indexOf(value: number): number {
    let low = 0;
    let high = this.#length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#numbers[middle]!;
      if (found === value) return middle;
      if (found < value) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
