// Every write of the agent and of the Compose processes that it starts, as the kernel sees them: none
// that holds a secret goes to a file, but on a tmpfs.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeAsRoot } from '../support/as-root.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { newFilesRoot } from '../support/files.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import { createStack, idleService, type Stack } from '../support/docker/stack.ts'

const canary = 'canary-of-the-tracer'
const fileSecret = (value: string): string => `---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: shop-file.web}
spec:
  projectRef: {name: shop}
  key: FILE
  scope: web
  type: file
  file: {target: /run/traced}
  value: ${value}
`
/** Everything that can put bytes somewhere; `-y` names what a descriptor stands for. */
const calls = 'write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,splice,tee,vmsplice'
const flags = ['-f', '-qq', '-y', '-s', '262144', '-e', `trace=${calls},io_uring_setup`]

interface Writes {
  /** Lines of the trace. */
  readonly lines: number
  /** What writes that hold the canary went to: `pipe:[1]`, `socket:[2]`, or a path. */
  readonly targets: readonly string[]
  readonly usesRing: boolean
}

const readTrace = async (file: string): Promise<Writes> => {
  const lines = (await readFile(file, 'latin1')).split('\n')
  const targets = lines
    .filter((line) => line.includes(canary))
    .map((line) => /\w+\(\d+<([^>]*)>/.exec(line)?.[1] ?? `unknown: ${line.slice(0, 60)}`)
  const usesRing = lines.some((line) => line.includes('io_uring_setup('))
  return { lines: lines.length, targets: [...new Set(targets)], usesRing }
}

const tmpfs = 0x01021994

/** Those that a disk keeps. */
const onDisk = async (targets: readonly string[]): Promise<string[]> => {
  const kept: string[] = []
  for (const target of targets) {
    if (/^(pipe|socket|UNIX|TCP|TCPv6|UNIX-STREAM):/.test(target)) continue
    const folder = target.slice(0, target.lastIndexOf('/')) || '/'
    const found = await statfs(folder).catch(() => undefined)
    if (found?.type !== tmpfs) kept.push(target)
  }
  return kept
}

/** The kernel says who traces a process. */
const untilTraced = async (pid: number): Promise<void> => {
  for (let tries = 0; tries < 600; tries++) {
    if (/TracerPid:\t[1-9]/.test(await readFile(`/proc/${pid}/status`, 'utf8'))) return
    await realClock.sleep(50)
  }
  throw new Error('strace did not attach within 30 s: may this user trace processes?')
}

describeAsRoot('what agent and Compose write', () => {
  let world: World
  let stack: Stack
  let dir: string
  let tracer: ChildProcess
  const filesDir = newFilesRoot()
  const traceFile = (): string => join(dir, 'trace')

  beforeAll(async () => {
    dir = await mkdtemp('/var/tmp/stagely-trace-')
    stack = await createStack(`services:\n${idleService('web')}${idleService('db')}`)
    world = await startWorld({
      database: await freshDatabase(),
      agentArgs: ['--files-dir', filesDir],
    })
    const args = [...flags, '-o', traceFile(), '-p', String(world.agent.child.pid)]
    tracer = spawn('strace', args, { stdio: 'ignore' })
    await untilTraced(world.agent.child.pid!)
    const inSync = async (yaml: string): Promise<void> => {
      expect(await world.apply(yaml)).toMatchObject({ code: 0 })
      await world.must(
        'wait',
        '--for=condition=SecretsInSync',
        'stagelet/shop',
        '--timeout',
        '120s',
      )
    }
    const first = secretYaml('TOKEN', `${canary}-1`) + fileSecret(`${canary}-file-1`)
    await inSync(projectYaml() + first + stageletYaml(stack.directory, stack.project))
    await inSync(secretYaml('TOKEN', `${canary}-2`) + fileSecret(`${canary}-file-2`))
    const ended = once(tracer, 'exit')
    tracer.kill('SIGINT')
    await ended
  }, 400_000)
  afterAll(async () => {
    tracer?.kill('SIGKILL')
    await world?.stop()
    await stack?.remove()
    for (const path of [dir, filesDir])
      if (path !== undefined) await rm(path, { recursive: true, force: true })
  })

  it('has secrets in it, to Compose and to the tmpfs: so the trace sees them', async () => {
    expect((await stack.environmentOf('web'))['TOKEN']).toBe(`${canary}-2`)
    const { targets, usesRing } = await readTrace(traceFile())
    expect(targets.some((t) => t.startsWith('pipe:') || t.startsWith('socket:'))).toBe(true)
    expect(targets.some((t) => t.startsWith(filesDir))).toBe(true)
    // Writes through a ring would pass the tracer by.
    expect(usesRing).toBe(false)
  })

  it('puts none on a disk', async () => {
    const { targets, lines } = await readTrace(traceFile())
    console.info(`${lines} writes traced; secrets went to: ${targets.join(', ')}`)
    expect(await onDisk(targets)).toEqual([])
  })

  it('would be found: a program that writes one to a disk is', async () => {
    const [control, file] = [join(dir, 'control'), join(dir, 'leak')]
    const script = `echo ${canary} >${file}`
    const child = spawn('strace', [...flags, '-o', control, 'sh', '-c', script])
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(await onDisk((await readTrace(control)).targets)).toEqual([file])
  })
})
