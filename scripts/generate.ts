// `npm run generate` writes the generated files; `--check` fails when one is stale.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { crdKinds, renderCrd } from '../src/resources/crd.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const crdsDir = join(root, 'crds')
const check = process.argv.includes('--check')

const wanted = new Map(
  crdKinds.map((kind) => [
    join(crdsDir, `${kind.group}_${kind.plural}.yaml`),
    `# Generated from src/resources by "npm run generate". Do not edit.\n${stringify(renderCrd(kind), { lineWidth: 120, aliasDuplicateObjects: false })}`,
  ]),
)

mkdirSync(crdsDir, { recursive: true })
const present = readdirSync(crdsDir)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => join(crdsDir, name))
const contentOf = (path: string): string | undefined =>
  present.includes(path) ? readFileSync(path, 'utf8') : undefined
const stale = [
  ...[...wanted].filter(([path, content]) => contentOf(path) !== content).map(([path]) => path),
  ...present.filter((path) => !wanted.has(path)),
]

if (check && stale.length > 0) {
  console.error(
    `stale, run "npm run generate": ${stale.map((path) => relative(root, path)).join(', ')}`,
  )
  process.exit(1)
}
if (!check) {
  for (const [path, content] of wanted) writeFileSync(path, content)
  for (const path of present) if (!wanted.has(path)) rmSync(path)
}
