import { expect } from 'chai';
import fc from 'fast-check';
import { placeReplicas, type BrokerImage } from '@tidemark/controller';
import { seededPrng } from './cluster.ts';

interface Layout {
  readonly id: number;
  readonly rack?: string;
  readonly fenced?: boolean;
}

const broker = ({ id, rack = '', fenced = false }: Layout) => ({ id, rack, fenced }) as BrokerImage;
const place = (layout: readonly Layout[], partitions: number, factor: number, seed = 1) =>
  placeReplicas(layout.map(broker), partitions, factor, seededPrng(seed)) as readonly (readonly number[])[];

function counts(ids: readonly number[], layout: readonly Layout[]): number[] {
  return layout.map(({ id }) => ids.filter((other) => other === id).length);
}
const spread = (numbers: readonly number[]) => Math.max(...numbers) - Math.min(...numbers);

describe('placing replicas (rule 18)', () => {
  const layouts = fc
    .record({ racks: fc.integer({ min: 1, max: 4 }), perRack: fc.integer({ min: 1, max: 4 }) })
    .map(({ racks, perRack }) =>
      Array.from({ length: racks * perRack }, (_, i): Layout => ({ id: i, rack: `r${i % racks}` })),
    );

  it('gives each partition different brokers in as many racks as there are', () => {
    fc.assert(
      fc.property(
        layouts,
        fc.integer({ min: 1, max: 30 }),
        fc.nat(4),
        fc.nat(),
        (layout, partitions, more, seed) => {
          const factor = Math.min(layout.length, 1 + more);
          const racks = new Set(layout.map(({ rack }) => rack)).size;
          for (const replicas of place(layout, partitions, factor, seed)) {
            expect(new Set(replicas).size).to.equal(factor);
            const used = new Set(replicas.map((id) => layout[id]!.rack));
            expect(used.size).to.equal(Math.min(factor, racks));
          }
        },
      ),
    );
  });

  it('evens out leaders and replicas when the racks are alike', () => {
    fc.assert(
      fc.property(
        layouts,
        fc.integer({ min: 1, max: 60 }),
        fc.nat(4),
        fc.nat(),
        (layout, partitions, more, seed) => {
          const factor = Math.min(layout.length, 1 + more);
          const placed = place(layout, partitions, factor, seed);
          expect(
            spread(
              counts(
                placed.map(([first]) => first!),
                layout,
              ),
            ),
          ).to.be.at.most(1);
          expect(spread(counts(placed.flat(), layout))).to.be.at.most(2);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('does not send all of a lost leader’s partitions to one broker', () => {
    const layout = [1, 2, 3, 4].map((id) => ({ id }));
    const seconds = place(layout, 120, 3)
      .filter(([first]) => first === 1)
      .map(([, second]) => second!);
    for (const share of counts(seconds, layout.slice(1))) expect(share).to.be.at.least(5);
  });

  it('starts somewhere else each time, so that topics of one partition do not pile up', () => {
    const layout = [1, 2, 3].map((id) => ({ id }));
    const firsts = Array.from({ length: 90 }, (_, seed) => place(layout, 1, 1, seed)[0]![0]!);
    for (const share of counts(firsts, layout)) expect(share).to.be.at.least(15);
  });

  it('never lets a fenced broker lead, and takes it as a replica last in its rack', () => {
    const layout = [
      { id: 1, rack: 'a', fenced: true },
      { id: 2, rack: 'a' },
      { id: 3, rack: 'b' },
      { id: 4, rack: 'b' },
      { id: 5, rack: 'c', fenced: true },
    ];
    for (const replicas of place(layout, 20, 3)) {
      expect(replicas[0]).not.to.be.oneOf([1, 5]);
      expect(replicas).not.to.include(1);
      expect(replicas, 'the only broker of rack c').to.include(5);
    }
  });
});
