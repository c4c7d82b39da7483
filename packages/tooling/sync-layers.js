// Writes each package's tsconfig.json and the workspace part of its package.json from the layer table, and the
// root tsconfig.json. `--check` writes nothing and exits 1 when a file is out of step.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { layers } from './layers.js';

const check = process.argv.includes('--check');
const stale = [];

/** @param {string} file @param {unknown} content */
function put(file, content) {
  const text = JSON.stringify(content, null, 2) + '\n';
  if (existsSync(file) && JSON.stringify(JSON.parse(readFileSync(file, 'utf8'))) === JSON.stringify(content))
    return;
  if (check) stale.push(file);
  else writeFileSync(file, text);
}

for (const [name, layer] of Object.entries(layers)) {
  const dir = `packages/${name}`;
  if (!existsSync(dir)) mkdirSync(`${dir}/src`, { recursive: true });
  const usesNode = layer.kind === 'edge' || layer.kind === 'dev';
  put(`${dir}/tsconfig.json`, {
    extends: '../tooling/tsconfig.base.json',
    compilerOptions: {
      rootDir: 'src',
      outDir: 'dist',
      tsBuildInfoFile: 'dist/.tsbuildinfo',
      ...(usesNode ? { types: ['node'] } : {}),
    },
    include: ['src'],
    references: layer.imports.map((target) => ({ path: `../${target}` })),
  });
  const packageFile = `${dir}/package.json`;
  const old = existsSync(packageFile) ? JSON.parse(readFileSync(packageFile, 'utf8')) : {};
  const external = Object.entries(old.dependencies ?? {}).filter(([key]) => !key.startsWith('@tidemark/'));
  put(packageFile, {
    name: `@tidemark/${name}`,
    version: '0.1.0',
    private: true,
    license: 'Apache-2.0',
    type: 'module',
    ...(old.bin ? { bin: old.bin } : {}),
    exports: {
      '.': { '@tidemark/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
    },
    dependencies: Object.fromEntries(
      [...layer.imports.map((target) => [`@tidemark/${target}`, '0.1.0']), ...external].sort(([a], [b]) =>
        a < b ? -1 : 1,
      ),
    ),
  });
}
put('tsconfig.json', {
  files: [],
  references: Object.keys(layers).map((name) => ({ path: `packages/${name}` })),
});
if (stale.length > 0) {
  process.stderr.write(
    `out of step with packages/tooling/layers.js: ${stale.join(', ')}\nrun: node packages/tooling/sync-layers.js\n`,
  );
  process.exit(1);
}
