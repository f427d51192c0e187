// The build before this one, for tests of two builds that meet: made from the history of this repository,
// with the packages of today.
import { execFile } from 'node:child_process'
import { access, copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'

/** Of the release before this one. Moved at each release, to the commit of the one that is out then. */
const commit = '20ca43ff6a7a0ff8d4d9e01e4e4a1d4642fa7f6e'

const parts = ['src', 'controller', 'agent', 'cli', 'crds', 'scripts', 'package.json']
const settings = ['tsconfig.json', 'tsconfig.build.json']

const root = resolve(import.meta.dirname, '../..')
const cache = join(root, 'node_modules/.cache/stagely-build-before')

const run = promisify(execFile)
const git = (...args: readonly string[]): Promise<unknown> =>
  // The clone may be somebody else's, such as one that is mounted into a container of CI.
  run('git', ['-c', `safe.directory=${root}`, ...args], { cwd: root, timeout: 60_000 })

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )

/** A shallow clone asks where it comes from for this one commit. */
const needCommit = async (): Promise<void> => {
  const hasCommit = (): Promise<unknown> => git('cat-file', '-e', `${commit}^{commit}`)
  try {
    await hasCommit().catch(() => git('fetch', '--quiet', '--depth', '1', 'origin', commit))
    await hasCommit()
  } catch (cause) {
    const why = `the build before this one is made from commit ${commit}, which this clone does not have`
    throw new Error(`${why}: git fetch --unshallow`, { cause })
  }
}

const compile = async (folder: string): Promise<void> => {
  const archive = join(folder, 'archive.tar')
  await git('archive', '--output', archive, commit, ...parts, ...settings)
  await run('tar', ['-xf', archive, '-C', folder])
  await rm(archive)
  const cluster = 'src/store/empty-cluster.tar.gz'
  await copyFile(join(root, cluster), join(folder, cluster))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  // Its types were checked when it was today's.
  await run(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--noCheck'], { cwd: folder })
  await run(process.execPath, ['scripts/copy-assets.mjs'], { cwd: folder })
  // Left out by tsc below node_modules.
  await copyFile(join(folder, 'package.json'), join(folder, 'dist/package.json'))
}

/** The file that is its command. Compiled once for each commit. */
export const buildBefore = async (): Promise<string> => {
  const built = join(cache, commit)
  const main = join(built, 'dist/cli/main.js')
  if (await isThere(main)) return main
  await needCommit()
  await rm(cache, { recursive: true, force: true })
  await mkdir(dirname(built), { recursive: true })
  const folder = await mkdtemp(join(cache, 'new-'))
  await compile(folder)
  await rename(folder, built)
  return main
}
