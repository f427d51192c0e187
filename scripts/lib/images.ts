// Stand-ins for the example's images, made from the machine's static busybox: no registry is needed.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, type Outcome } from './processes.ts'

export const standInLabel = 'dev.stagely.example'

// PID 1 gets no default signal handling, so the trap is what makes it stop at once.
const idle = `trap 'exit 0' TERM INT; sleep 2147483647 & wait`
const web = `trap 'exit 0' TERM INT; httpd -f -p "\${PORT:-80}" -h /www & wait`

/** Images of docs/examples/shop and what their stand-ins do. */
export const shopImages: Readonly<Record<string, string>> = {
  'my-api': web,
  'my-ui': web,
  'postgres:14': idle,
}

const busyboxPath = async (): Promise<string> => {
  const { stdout } = await run('sh', ['-c', 'command -v busybox'])
  return stdout.trim()
}

/**
 * Makes those of `images` (name → shell script it runs) that the engine does not have. Returns the
 * names of all that are stand-ins, also of a killed earlier run: those are ours to remove.
 */
export const makeMissingImages = async (
  images: Readonly<Record<string, string>>,
): Promise<string[]> => {
  const standIns: string[] = []
  const label = `{{index .Config.Labels "${standInLabel}"}}`
  for (const [name, script] of Object.entries(images)) {
    const found = await run('docker', ['image', 'inspect', '--format', label, name])
    if (found.code !== 0) await makeImage(name, script)
    if (found.code !== 0 || found.stdout.trim() === 'stand-in') standIns.push(name)
  }
  return standIns
}

const makeImage = async (name: string, script: string): Promise<void> => {
  const root = mkdtempSync(join(tmpdir(), 'stagely-image-'))
  try {
    for (const folder of ['bin', 'tmp', 'www', 'etc']) mkdirSync(join(root, folder))
    copyFileSync(await busyboxPath(), join(root, 'bin/busybox'))
    for (const applet of [
      'sh',
      'httpd',
      'sleep',
      'env',
      'cat',
      'ls',
      'wget',
      'printenv',
      'true',
      'test',
    ]) {
      symlinkSync('busybox', join(root, 'bin', applet))
    }
    const command = JSON.stringify(['/bin/sh', '-c', script])
    const archive = join(root, '..', `${root.split('/').pop() ?? 'image'}.tar`)
    try {
      check(await run('tar', ['-C', root, '-cf', archive, '.']), 'tar')
      check(
        await run('docker', [
          'import',
          ...['--change', `CMD ${command}`, '--change', `LABEL ${standInLabel}=stand-in`],
          archive,
          name,
        ]),
        `docker import ${name}`,
      )
    } finally {
      rmSync(archive, { force: true })
    }
  } finally {
    rmSync(root, { recursive: true })
  }
}

const check = (outcome: Outcome, what: string): void => {
  if (outcome.code !== 0) throw new Error(`${what} failed: ${outcome.stderr.trim()}`)
}

/** Removes stand-ins; one that a container still uses stays. */
export const removeImages = async (names: readonly string[]): Promise<void> => {
  if (names.length > 0) await run('docker', ['image', 'rm', ...names])
}
