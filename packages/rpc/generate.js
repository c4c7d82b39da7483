// Regenerates packages/rpc/src/generated from proto/: the types of proto-loader and the descriptor set that the process
// loads and serves by reflection. `--check` writes nothing and exits 1 when the committed files are out of step.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, existsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import protobuf from 'protobufjs';

const root = new URL('../..', import.meta.url).pathname;
const committed = join(root, 'packages/rpc/src/generated');
const out = mkdtempSync(join(tmpdir(), 'tidemark-proto-'));
const bin = (name) => join(root, 'node_modules/.bin', name);

function files(dir) {
  return existsSync(dir)
    ? readdirSync(dir, { recursive: true })
        .map(String)
        .filter((f) => statSync(join(dir, f)).isFile())
        .sort()
    : [];
}

try {
  const protos = files(join(root, 'proto')).filter((f) => f.endsWith('.proto'));
  execFileSync(
    bin('proto-loader-gen-types'),
    [
      '--longs=Number',
      '--enums=String',
      '--defaults',
      '--oneofs',
      '--arrays',
      '--grpcLib=@grpc/grpc-js',
      '--importFileExtension=.ts',
      '--inputTemplate=%s',
      '--outputTemplate=%sOutput',
      `--outDir=${out}`,
      '-I',
      join(root, 'proto'),
      '--',
      ...protos,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  for (const entry of readdirSync(out)) if (entry.endsWith('.ts')) rmSync(join(out, entry));
  for (const file of files(out)) {
    const text = readFileSync(join(out, file), 'utf8');
    writeFileSync(join(out, file), text.replaceAll(root, ''));
  }
  const set = join(out, 'set.binpb');
  execFileSync(bin('buf'), ['build', join(root, 'proto'), '--exclude-source-info', '-o', set]);
  const base64 = readFileSync(set)
    .toString('base64')
    .replace(/(.{1,110})/g, '$1\n');
  rmSync(set);
  writeFileSync(
    join(out, 'descriptor-set.ts'),
    `// Generated from proto/ by packages/rpc/generate.js; do not edit.\n\n/** A google.protobuf.FileDescriptorSet of every .proto file, base64. */\nexport const descriptorSetBase64 = \`\n${base64}\`;\n`,
  );
  // Reflection serves the descriptors as protoc writes them; the process itself loads this form, with camelCase names.
  const protoRoot = new protobuf.Root();
  protoRoot.resolvePath = (origin, target) => join(root, 'proto', target);
  protoRoot.loadSync(protos, { keepCase: false });
  const json = JSON.stringify(protoRoot.toJSON());
  writeFileSync(
    join(out, 'root-json.ts'),
    `// Generated from proto/ by packages/rpc/generate.js; do not edit.\n\n/** Every message and service, as protobufjs writes a root. */\nexport const rootJson = ${JSON.stringify(json)};\n`,
  );
  if (process.argv.includes('--check')) {
    const same =
      files(out).join() === files(committed).join() &&
      files(out).every((f) => readFileSync(join(out, f)).equals(readFileSync(join(committed, f))));
    if (!same) {
      process.stderr.write(`${relative(root, committed)} is out of step with proto/; run: make generate\n`);
      process.exitCode = 1;
    }
  } else {
    rmSync(committed, { recursive: true, force: true });
    execFileSync('cp', ['-r', out, committed]);
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}
