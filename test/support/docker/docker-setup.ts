// Global set-up of the integration tests: an engine must answer, and the one image that they use is
// made from busybox, as no registry can be counted on.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { testImage as image } from './stack.ts'

const run = promisify(execFile)

const requireEngine = async (): Promise<void> => {
  try {
    await run('docker', ['version', '--format', '{{.Server.Version}}'])
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    const message = `the integration tests need a Docker engine, and none answers (${(stderr ?? '').trim()}): start dockerd, or run "npm test"`
    const fault = new Error(message, { cause: error })
    // Vitest fails where it looks for the lines of a stack in its cache of modules, and would say only that.
    fault.stack = message
    throw fault
  }
}

/** Makes the image unless it exists: busybox-static at /bin/busybox with a link for each applet. */
export const makeTestImage = async (): Promise<void> => {
  const existing = await run('docker', ['images', '-q', image])
  if (existing.stdout.trim() !== '') return
  const folder = await mkdtemp(join(tmpdir(), 'stagely-image-'))
  try {
    for (const name of ['bin', 'tmp', 'etc'])
      await mkdir(join(folder, 'root', name), { recursive: true })
    await cp('/bin/busybox', join(folder, 'root/bin/busybox'), { dereference: true })
    const applets = (await run('/bin/busybox', ['--list'])).stdout
      .split('\n')
      .filter((a) => a !== '')
    for (const applet of applets.filter((a) => a !== 'busybox'))
      await symlink('busybox', join(folder, 'root/bin', applet))
    await run('tar', ['-C', join(folder, 'root'), '-cf', join(folder, 'image.tar'), '.'])
    await run('docker', ['import', join(folder, 'image.tar'), image])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const setup = async (): Promise<void> => {
  await requireEngine()
  await makeTestImage()
}

// eslint-disable-next-line import-x/no-default-export -- vitest calls the default export
export default setup
