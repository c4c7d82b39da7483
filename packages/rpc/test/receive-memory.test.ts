import { expect } from 'chai';
import { ReceiveMemory, type Received } from '@tidemark/rpc';

interface Call extends Received {
  readonly name: string;
}

describe('the memory for requests on their way in', () => {
  let ended: string[];
  const call = (name: string, address: string, connection: object): Call => ({
    name,
    address,
    connection,
    giveUp: () => ended.push(name),
  });

  beforeEach(() => {
    ended = [];
  });

  it('gives up the largest call of the largest connection of the address that holds the most', () => {
    const memory = new ReceiveMemory(100);
    const [first, second, third] = [{}, {}, {}];
    const large = call('large but alone', '10.0.0.1', first);
    const half = call('half', '10.0.0.2', second);
    const small = call('small', '10.0.0.2', second);
    const other = call('other', '10.0.0.2', third);
    memory.change(large, 40);
    memory.change(half, 20);
    memory.change(small, 15);
    memory.change(other, 25);
    expect([memory.usedBytes, ended]).to.deep.equal([100, []]);
    // From another address than the one with the most, and it pays nothing for it.
    memory.change(large, 5);
    expect(ended).to.deep.equal(['half']);
    expect([memory.usedBytes, memory.givenUpCount]).to.deep.equal([85, 1]);
  });

  it('gives up who asks when he holds the most, and as many others as it takes', () => {
    const memory = new ReceiveMemory(100);
    const [one, two, three] = ['one', 'two', 'three'].map((name) => call(name, '10.0.0.1', {}));
    memory.change(one!, 50);
    memory.change(two!, 45);
    memory.change(three!, 120);
    expect(ended).to.deep.equal(['three']);
    memory.change(two!, 60);
    expect(ended).to.deep.equal(['three', 'two']);
    expect(memory.usedBytes).to.equal(50);
  });

  it('knows nothing any more of calls that gave everything back or ended', () => {
    const memory = new ReceiveMemory(10);
    const [back, over] = [call('back', '10.0.0.1', {}), call('over', '10.0.0.1', {})];
    memory.change(back, 9);
    memory.change(back, -9);
    memory.change(over, 10);
    memory.end(over);
    memory.end(over);
    expect([memory.usedBytes, ended]).to.deep.equal([0, []]);
  });
});
