// run.mjs PROGRAM [ARGUMENT…]: runs a program of TypeScript as one file of JavaScript. It starts in a third of
// the CPU that it takes to compile its modules one by one.
import { rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { build } from 'esbuild'
import { inPlace } from './in-place.mjs'

// It runs for seconds: see test/support/short-lived.ts.
if (Number(process.versions.node.split('.')[0]) < 22)
  setFlagsFromString('--interrupt-budget=3000000')
setFlagsFromString('--wasm-tiering-budget=180000000')
setFlagsFromString('--wasm-lazy-validation')

const [program, ...args] = process.argv.slice(2)
/** Where packages are found. */
const cache = fileURLToPath(new URL('../../node_modules/.cache/stagely-scripts', import.meta.url))
const outfile = join(cache, `${basename(program, '.ts')}-${process.pid}.mjs`)

process.on('exit', () => {
  rmSync(outfile, { force: true })
})
await build({
  entryPoints: [program],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  plugins: [inPlace],
  logLevel: 'warning',
})
process.argv = [process.execPath, resolve(program), ...args]
await import(pathToFileURL(outfile).href)
