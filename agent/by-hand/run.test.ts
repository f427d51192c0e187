import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseHandCommand } from '../../src/compose/by-hand.ts'
import type { PipedCall } from '../../src/compose/compose.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { createMasker } from '../../src/masking/masker.ts'
import { withoutFiles } from '../../test/support/files.ts'
import { held } from '../../test/support/held.ts'
import type { Engine } from '../docker/engine.ts'
import { lonelyLocks } from '../../test/support/agents/project-locks.ts'
import { createStackTarget } from '../state/stack-target.ts'
import { createManualRuns } from './manual-runs.ts'
import { runByHand, type ManualRunDeps } from './run.ts'
import { tmpBorders } from '../../test/support/agents/allowed-folders.ts'
import { noState } from '../../test/support/agents/no-state.ts'

const secret = 'the-secret-of-a-hand'
const entries = [held('TOKEN', secret, 'web')]
const masker = createMasker(entries.map((e) => e.value))
const desired = { uid: 'uid', name: 'shop', compose: { directory: '/srv/shop' } }

const emptyEngine = {
  listContainers: () => Promise.resolve([]),
  listVolumes: () => Promise.resolve([]),
  listNetworks: () => Promise.resolve([]),
  projectsOfVolumes: () => Promise.resolve(new Map()),
}
/** The label of a container that was made from the stack’s folder. */
const ofFolder = { 'com.docker.compose.project.working_dir': join(tmpdir(), 'shop') }

/** A stack of one service; Compose says the secret, in two pieces. */
const stackOf = (tweak: Partial<ManualRunDeps> = {}, release?: 'Retain') => {
  const calls: PipedCall[] = []
  const given = { desired: { ...desired, release } as never, entries, base: { PATH: '/bin' } }
  const target = createStackTarget(given, undefined, false)
  const service = {
    name: 'web',
    dependsOn: [],
    sharesWith: [],
    envFiles: [],
    openPorts: [],
    scale: 1,
  }
  const model = {
    mounts: { mounts: new Map() },
    projectName: 'shop',
    flags: ['-f', 'c.yml'],
    services: [service],
    roots: [join(tmpdir(), 'shop')],
  } as never
  const deps: ManualRunDeps = {
    engine: emptyEngine as unknown as Engine,
    compose: {
      version: '2.40.0',
      lookAgain: () => Promise.resolve(),
      run: () => Promise.reject(new Error('not asked for')),
      pipe: (call) => {
        calls.push(call)
        call.stdout.write(Buffer.from(`it is ${secret.slice(0, 8)}`))
        call.stdout.end(Buffer.from(`${secret.slice(8)}\n`))
        call.stderr.end()
        return new Promise((resolve) =>
          call.stdout.once('close', () => {
            resolve({ exitCode: 0, startError: undefined })
          }),
        )
      },
    },
    files: withoutFiles,
    locks: lonelyLocks(),
    log: silentLogger,
    models: { read: () => Promise.resolve({ model }), watched: () => [], forget: () => undefined },
    manualRuns: createManualRuns(realClock),
    folders: tmpBorders,
    stateFile: noState,
    baseEnv: { PATH: '/bin' },
    upDeadlineMs: 60_000,
    choose: () => target,
    masker: () => masker,
    ...tweak,
  }
  const output: string[] = []
  const notes: string[] = []
  const run = (line: string, signal = new AbortController().signal): Promise<number> =>
    runByHand(deps, {
      command: parseHandCommand(line.split(' ')),
      user: 'ann',
      onOutput: (_from, bytes, taken) => {
        output.push(bytes.toString())
        taken()
      },
      onNote: (text) => notes.push(text),
      signal,
    })
  return { deps, calls, output, notes, run }
}

describe('Compose for a person', () => {
  it('gets the secrets on its input only where it makes containers, and says none of them', async () => {
    const { calls, output, run } = stackOf()
    await run('up web')
    await run('stop web')
    await run('config')
    const inputs = calls.map(({ stdin }) => String(stdin))
    expect(inputs[0]).toContain(secret)
    expect(inputs[1]).toBe('undefined')
    expect(inputs[2]).toMatch(/"TOKEN": "\*{3}REDACTED\*{3}"/)
    expect(JSON.stringify(calls.map(({ flags, verb, env }) => [flags, verb, env]))).not.toContain(
      secret,
    )
    expect(calls[0]?.flags).toEqual('-f c.yml -p shop -f - --progress plain'.split(' '))
    expect(output.join('')).toBe('it is ***REDACTED***\n'.repeat(3))
  })

  it('waits for its turn where it alters the stack, and is not begun when nobody waits any more', async () => {
    const { deps, calls, notes, run } = stackOf()
    let finish = (): void => undefined
    const agent = deps.locks.run('shop', () => new Promise<void>((done) => (finish = done)))
    const gone = new AbortController()
    const running = Promise.all([run('restart'), run('stop', gone.signal)])
    await expect.poll(() => notes.length).toBe(2)
    expect(notes[0]).toMatch(/waiting: the agent is at work/)
    expect(await run('ps')).toBe(0)
    expect(calls.map(({ verb }) => verb[0])).toEqual(['ps'])
    gone.abort()
    finish()
    await agent
    expect(await running).toEqual([0, 130])
    expect(calls.map(({ verb }) => verb[0])).toEqual(['ps', 'restart'])
    expect(deps.manualRuns.last()?.command).toBe('restart')
  })

  it('stops the container of a run that nobody watches any more, and no other one', async () => {
    const stopped: string[] = []
    const labelOf = (): string => calls[0]?.verb[2]?.split('=')[1] ?? ''
    const engine = {
      ...emptyEngine,
      listContainers: () =>
        Promise.resolve([
          { Id: 'other', Labels: { ...ofFolder, 'dev.stagely.run': 'another' } },
          { Id: 'own', Labels: { ...ofFolder, 'dev.stagely.run': labelOf() } },
        ]),
      inspect: () => Promise.resolve(undefined),
      stop: (id: string) => Promise.resolve(void stopped.push(id)),
    } as unknown as Engine
    const { calls, run } = stackOf({ engine })
    await run('run web job')
    expect(calls[0]?.verb.join(' ')).toMatch(
      /^run --label dev\.stagely\.run=[0-9a-f-]{36} --no-deps -T web job$/,
    )
    expect(stopped).toEqual([])
    calls.length = 0
    await run('run web job', AbortSignal.abort())
    expect(stopped).toEqual(['own'])
  })

  it('is over as well where it fails, so that the agent goes on judging', async () => {
    const broken = {
      read: () =>
        Promise.resolve({ fault: { reason: 'r', message: 'no file' }, missingVariables: [] }),
      watched: () => [],
      forget: () => undefined,
    }
    const { deps, run } = stackOf({ models: broken })
    await expect(run('up')).rejects.toThrow('no file')
    expect(deps.manualRuns.isBusy()).toBe(false)
  })

  it('is refused while the stagelet is let go of, or its project is another one’s', async () => {
    await expect(stackOf({}, 'Retain').run('ps')).rejects.toThrow(/letting go of this stagelet/)
    const locks = lonelyLocks()
    await locks.claim('shop', 'another')
    await expect(stackOf({ locks }).run('ps')).rejects.toThrow(
      /another stagelet on this agent already runs/,
    )
  })
})
