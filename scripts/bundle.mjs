// Makes dist from the sources: the command, one file for each part that is loaded when used (ADR 0052), and the files
// that they look for beside themselves. It needs no package. dist/bundled.json says what is in which; it is not shipped.
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { onlyWhatIsUsed } from './lib/bundle-options.mjs'
import { noticesOf } from './lib/notices.mjs'

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
  // Names stay: stacks are read by people, and with its maps the program is smaller so.
  minifySyntax: true,
  minifyWhitespace: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // A driver in C, which pg asks for and goes on without.
  external: ['pg-native'],
  plugins: [onlyWhatIsUsed],
  banner: {
    // Packages in the older format ask for Node's modules by `require`.
    js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
  },
  // For src/kernel/source-stacks.ts, which finds them by their names.
  sourcemap: 'external',
  sourcesContent: false,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
})

// A stack says where it is in a package by the name of the file. Where nearly all of a file is of packages, it does so too.
for (const [name, { inputs, bytes }] of Object.entries(metafile.outputs)) {
  const ours = Object.entries(inputs).filter(([input]) => !input.startsWith('node_modules/'))
  const oursBytes = ours.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0)
  if (oursBytes * 10 < bytes) rmSync(join(root, `${name}.map`), { force: true })
}

const beside = (folder, names, to) => {
  mkdirSync(to, { recursive: true })
  for (const name of names) cpSync(join(folder, name), join(to, name), { recursive: true })
}
const packageFolder = (name) => dirname(fileURLToPath(import.meta.resolve(name)))
beside(join(root, 'src/store/drivers'), ['migrations', 'empty-cluster.tar.gz'], out)
beside(packageFolder('@electric-sql/pglite'), ['pglite.wasm', 'pglite.data', 'initdb.wasm'], out)
beside(
  packageFolder('swagger-ui-dist/package.json'),
  ['swagger-ui-bundle.js', 'swagger-ui.css'],
  join(root, 'dist/api-docs'),
)
chmodSync(join(out, 'main.js'), 0o755)
writeFileSync(join(root, 'dist/THIRD-PARTY-NOTICES.txt'), noticesOf(root, metafile))
writeFileSync(join(root, 'dist/bundled.json'), JSON.stringify(metafile.outputs))
