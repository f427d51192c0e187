// Makes dist/cli from the sources: the command, and beside it one file for each part that is loaded when
// used. A start reads a few files in place of hundreds (ADR 0052). dist/bundled.json says what is in which.
import { chmodSync, cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = join(root, 'dist/cli')

// What an earlier build left would be in the way: a migration that was renamed would be applied twice.
rmSync(join(root, 'dist'), { recursive: true, force: true })

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'cli/main.ts',
    // For tests, which run the command in a process that is there already.
    'command-line': 'cli/command-line.ts',
    'pglite-worker': 'src/store/drivers/pglite-worker.js',
  },
  outdir: out,
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // These read files of their own, which they look for beside themselves.
  external: ['@electric-sql/pglite', '@google-cloud/kms', 'swagger-ui-dist', 'pg-native'],
  banner: {
    // Packages in the older format ask for Node's modules by `require`.
    js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
  },
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
})

// Found by import.meta.url, as beside the source that names them.
for (const asset of ['migrations', 'empty-cluster.tar.gz']) {
  cpSync(join(root, 'src/store/drivers', asset), join(out, asset), { recursive: true })
}
chmodSync(join(out, 'main.js'), 0o755)
writeFileSync(join(root, 'dist/bundled.json'), JSON.stringify(metafile.outputs))
