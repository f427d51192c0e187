// The steps of the Dockerfile, as far as they go without its base image.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Metafile } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { at, chartDir } from '../../support/kube/helm.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const tsc = join(root, 'node_modules/tsc/bin/tsc')

interface Wanted {
  readonly dependencies?: object
  readonly devDependencies?: object
  readonly optionalDependencies?: object
}
interface Locked {
  readonly packages: { readonly '': Wanted }
}

let scratch: string
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'stagely-image-'))
})
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

/** The packages that the command below `dist` loads, at its start or when it needs them. */
const packagesLoadedBy = (dist: string): string[] => {
  const outputs = JSON.parse(
    readFileSync(join(dist, 'bundled.json'), 'utf8'),
  ) as Metafile['outputs']
  const names = Object.values(outputs)
    .flatMap(({ imports }) => imports.filter(({ external }) => external))
    .map(({ path }) => /^(@[^/]+\/)?[^/]+/.exec(path)![0])
  return [...new Set(names)].filter((name) => !isBuiltin(name))
}

/** Packages that others ask for, and go on without. */
const optional = ['encoding', 'pg-native', 'supports-color']

/** What the build of a folder compiles, and the scripts that it calls. */
const partsOfBuild = (folder: string): string[] => {
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    scripts: { build: string }
  }
  const projects = Array.from(scripts.build.matchAll(/tsc (?:--\w+ )*-p (\S+)/g), ([, p]) => p!)
  expect(projects).not.toEqual([])
  const fileNames = projects.flatMap((project) => {
    const shown = execFileSync(process.execPath, [tsc, '-p', project, '--showConfig'], {
      cwd: folder,
      encoding: 'utf8',
    })
    const { files } = JSON.parse(shown) as { files: string[] }
    const base = project.endsWith('.json') ? folder : join(folder, project)
    // Tests are not in the image.
    return files.filter((name) => !name.endsWith('.test.ts')).map((name) => join(base, name))
  })
  const called = [...scripts.build.matchAll(/ (scripts\/\S+)/g)].map(([, name]) =>
    join(folder, name!),
  )
  expect(called.filter((name) => !existsSync(name))).toEqual([])
  return [...fileNames, ...called].map((name) => relative(folder, name)).sort()
}

test('what the Dockerfile copies is enough to build and run the command', () => {
  // .dockerignore names what goes in; the steps are those of the build stage.
  const ignore = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
  for (const line of ignore.filter((l) => l.startsWith('!')))
    cpSync(join(root, line.slice(1)), join(scratch, 'app', line.slice(1)), { recursive: true })
  const cwd = join(scratch, 'app')
  symlinkSync(join(root, 'node_modules'), join(cwd, 'node_modules'))
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
  const [, open] = /^RUN npm run build && (chmod .*)$/m.exec(dockerfile)! // prettier-ignore
  // The same sources by the same compiler make what was built of this folder before the tests.
  expect(partsOfBuild(cwd)).toEqual(partsOfBuild(root))
  expect(readFileSync(join(cwd, 'tsconfig.json'))).toEqual(
    readFileSync(join(root, 'tsconfig.json')),
  )
  cpSync(join(root, 'dist'), join(cwd, 'dist'), { recursive: true })
  // As in a checkout of one user alone.
  execFileSync('chmod', ['-R', 'go=', cwd])
  execFileSync('bash', ['-c', open!], { cwd })
  // What `npm ci` takes; the command itself needs no package.
  const [wanted, locked] = ['package.json', 'package-lock.json'].map(
    (name) => JSON.parse(readFileSync(join(cwd, name), 'utf8')) as Wanted & Locked,
  )
  for (const part of ['dependencies', 'devDependencies', 'optionalDependencies'] as const)
    expect(locked!.packages[''][part]).toEqual(wanted![part])
  expect(wanted).not.toHaveProperty('dependencies')
  const missing = packagesLoadedBy(join(cwd, 'dist')).filter((name) => !optional.includes(name))
  expect(missing).toEqual([])
  // The runtime stage has what it copies from there, and no more; its own RUN makes the command.
  const image = join(scratch, 'image')
  const copied = [...dockerfile.matchAll(/^COPY --from=build \/app\/(\S+) /gm)].map(([, n]) => n!)
  for (const name of copied) cpSync(join(cwd, name), join(image, name), { recursive: true })
  const [, link] = /^RUN (ln -s .*)$/m.exec(dockerfile)!
  const here = link!.replaceAll('/app/', `${image}/`).replace('/usr/local/bin', image)
  execFileSync('bash', ['-c', here], { cwd: image })
  const closed = execFileSync('find', [image, '-mindepth', '1', '!', '-type', 'l', '!', '-perm', '-o+r']) // prettier-ignore
  expect(closed.toString()).toBe('')
  const output = execFileSync(join(image, 'stagely'), ['--version'], { encoding: 'utf8' })
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string
  }
  expect(output).toContain(version)
  const chart: unknown = parse(readFileSync(join(chartDir, 'Chart.yaml'), 'utf8'))
  expect(at(chart, 'appVersion')).toBe(version)
}, 180_000)
