// Finds the raw FileDescriptorProto behind a file name or a fully qualified symbol. It reads just enough of the descriptor set
// to know names and dependencies; the bytes it hands out are the ones protoc wrote, which is what reflection clients expect.

import { MessageReader } from './protobuf-wire.ts';

export interface DescriptorFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly dependencies: readonly string[];
  readonly symbols: readonly string[];
  readonly services: readonly string[];
}

const qualified = (scope: string, name: string): string => (scope === '' ? name : `${scope}.${name}`);

/** EnumDescriptorProto: its values live in the scope that holds the enum. */
function enumSymbols(bytes: Buffer, scope: string, into: string[]): void {
  const reader = new MessageReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) into.push(qualified(scope, reader.string()));
    else if (reader.field === 2) {
      const value = reader.nested();
      while (value.next()) {
        if (value.field === 1) into.push(qualified(scope, value.string()));
        else value.skip();
      }
    } else reader.skip();
  }
}

/** DescriptorProto: name 1, nested messages 3, enums 4. */
function messageSymbols(bytes: Buffer, scope: string, into: string[]): void {
  const nested: Buffer[] = [];
  const enums: Buffer[] = [];
  let name = '';
  const reader = new MessageReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) name = reader.string();
    else if (reader.field === 3) nested.push(reader.bytes());
    else if (reader.field === 4) enums.push(reader.bytes());
    else reader.skip();
  }
  const self = qualified(scope, name);
  into.push(self);
  for (const message of nested) messageSymbols(message, self, into);
  for (const enumeration of enums) enumSymbols(enumeration, self, into);
}

/** ServiceDescriptorProto: name 1, methods 2. Answers the service's name. */
function serviceSymbols(bytes: Buffer, scope: string, into: string[]): string {
  const methods: string[] = [];
  let name = '';
  const reader = new MessageReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) name = reader.string();
    else if (reader.field === 2) {
      const method = reader.nested();
      while (method.next()) {
        if (method.field === 1) methods.push(method.string());
        else method.skip();
      }
    } else reader.skip();
  }
  const self = qualified(scope, name);
  into.push(self, ...methods.map((method) => qualified(self, method)));
  return self;
}

function readFile(bytes: Buffer): DescriptorFile {
  let name = '';
  let scope = '';
  const dependencies: string[] = [];
  const messages: Buffer[] = [];
  const enums: Buffer[] = [];
  const serviceBytes: Buffer[] = [];
  const reader = new MessageReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) name = reader.string();
    else if (reader.field === 2) scope = reader.string();
    else if (reader.field === 3) dependencies.push(reader.string());
    else if (reader.field === 4) messages.push(reader.bytes());
    else if (reader.field === 5) enums.push(reader.bytes());
    else if (reader.field === 6) serviceBytes.push(reader.bytes());
    else reader.skip();
  }
  const symbols: string[] = [];
  for (const message of messages) messageSymbols(message, scope, symbols);
  for (const enumeration of enums) enumSymbols(enumeration, scope, symbols);
  const services = serviceBytes.map((service) => serviceSymbols(service, scope, symbols));
  return { name, bytes, dependencies, symbols, services };
}

export class DescriptorIndex {
  readonly #byName = new Map<string, DescriptorFile>();
  readonly #bySymbol = new Map<string, DescriptorFile>();

  constructor(descriptorSet: Buffer) {
    const reader = new MessageReader(descriptorSet);
    while (reader.next()) {
      if (reader.field !== 1) {
        reader.skip();
        continue;
      }
      const file = readFile(reader.bytes());
      this.#byName.set(file.name, file);
      for (const symbol of file.symbols) this.#bySymbol.set(symbol, file);
    }
  }

  fileByName(name: string): DescriptorFile | undefined {
    return this.#byName.get(name);
  }

  fileBySymbol(symbol: string): DescriptorFile | undefined {
    return this.#bySymbol.get(symbol);
  }

  /** The file first, then everything it imports, each once. */
  withDependencies(file: DescriptorFile): readonly DescriptorFile[] {
    const found = new Set<DescriptorFile>([file]);
    for (const each of found) {
      for (const name of each.dependencies) {
        const dependency = this.#byName.get(name);
        if (dependency !== undefined) found.add(dependency);
      }
    }
    return [...found];
  }
}
