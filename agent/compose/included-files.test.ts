import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { namedIn, withIncluded } from './included-files.ts'

it('an include and a service that extends another name files, env files and folders', () => {
  expect(
    namedIn({
      include: [
        'a.yml',
        { path: ['b.yml', 'c.yml'], env_file: 'b.env', project_directory: '../p' },
      ],
      services: { x: { extends: { file: 'd.yml', service: 'x' } }, y: { extends: 'x' }, z: null },
    }),
  ).toEqual({ files: ['a.yml', 'b.yml', 'c.yml', 'd.yml'], others: ['b.env', '../p'] })
  for (const odd of [undefined, null, 'text', { include: 'a.yml', services: [] }])
    expect(namedIn(odd)).toEqual({ files: [], others: [] })
})

it('what Compose reads of a stack is found through every file, in circles too; mounted files are none of it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'stagely-included-'))
  await mkdir(join(root, 'parts/base'), { recursive: true })
  const files = {
    'compose.yml': `include: [{path: parts/one.yml, env_file: parts/one.env}, "\${WHERE}/x.yml", "far/\${X}.yml"]\nservices: {web: {image: x, volumes: ["./prometheus.yml:/p.yml"]}}\n`,
    'parts/one.yml': 'services: {one: {extends: {file: base/two.yml, service: two}}}\n',
    'parts/base/two.yml': 'include: [../../compose.yml]\nservices: {two: {image: x}}\n',
    'broken.yml': 'include: [\n',
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text)
  const found = await withIncluded([join(root, 'compose.yml'), join(root, 'broken.yml')], root)
  const names = found.map((path) => path.slice(root.length + 1)).sort()
  expect(names).toEqual(
    expect.arrayContaining(['', 'compose.yml', 'far', 'parts/base/two.yml', 'parts/one.env', 'parts/one.yml']), // prettier-ignore
  )
  expect(names.join()).not.toMatch(/prometheus/)
  await rm(root, { recursive: true })
})

it('an include is found in any document of a file, however often it uses anchors, and behind a merge', async () => {
  const root = await mkdtemp(join(tmpdir(), 'stagely-included-'))
  const uses = Array.from({ length: 200 }, (_, i) => `  s${i}: {image: x, environment: *e}\n`)
  const files = {
    'two.yml': 'services: {a: {image: x}}\n---\ninclude: [parts/a.yml]\n',
    'many.yml': `x-e: &e {A: 1}\ninclude: [parts/b.yml]\nservices:\n${uses.join('')}`,
    'merged.yml':
      'x-m: &m {extends: {file: parts/c.yml, service: a}}\nservices: {a: {<<: [*m], image: x}}\n',
    'twice.yml': 'include: [parts/d.yml]\nservices: {a: {image: x, image: y}}\n',
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text)
  const found = await withIncluded(
    Object.keys(files).map((name) => join(root, name)),
    root,
  )
  const names = found.map((path) => path.slice(root.length + 1)).sort()
  expect(names).toEqual(
    [...Object.keys(files), ...['a', 'b', 'c', 'd'].map((n) => `parts/${n}.yml`)].sort(),
  )
  await rm(root, { recursive: true })
})
