// A program of the tests as one file of JavaScript: its process starts in a quarter of the CPU that it takes
// to compile its modules one by one.
import { buildSync } from 'esbuild'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

const build = (entry: string): string => {
  const outfile = join(root, 'node_modules/.stagely-tests', entry.replace(/\.\w+$/, '.mjs'))
  buildSync({
    entryPoints: [join(import.meta.dirname, entry)],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    // The store alone reads what is beside its sources.
    define: {
      'import.meta.url': JSON.stringify(pathToFileURL(join(root, 'src/store/drivers/migrate.ts'))),
    },
  })
  return outfile
}

const built = new Map<string, string>()

/** Path of the file; packages are found from there. `entry` is a path from this folder. */
export const bundled = (entry: string): string => {
  const path = built.get(entry) ?? build(entry)
  built.set(entry, path)
  return path
}
