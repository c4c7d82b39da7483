// How a gauge is declared: its samples are read when the page is asked for.

export interface Reading {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export type AddGauge = (
  name: string,
  help: string,
  labelNames: readonly string[],
  read: () => Iterable<Reading> | Promise<Iterable<Reading>>,
) => void;

export const one = (value: number): Iterable<Reading> => [{ labels: {}, value }];
