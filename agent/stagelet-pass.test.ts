import { describe, expect, it } from 'vitest'
import { aDesired } from '../test/support/builders.ts'
import { lonelyLocks } from '../test/support/project-locks.ts'
import { realClock } from '../src/kernel/clock.ts'
import { silentLogger } from '../src/kernel/log.ts'
import type { DesiredStagelet } from '../src/protocol/messages.ts'
import type { Engine } from './docker/engine.ts'
import { createHands } from './by-hand/hands.ts'
import { createEndings } from './endings.ts'
import { withoutFiles } from '../test/support/files.ts'
import { createStackState, createWant } from './stack-state.ts'
import { runPass, type PassDeps } from './stagelet-pass.ts'

/** One pass over a Compose project whose one container was made from `directory`. */
const pass = async (
  directory: string,
  allowDirs: readonly string[],
  tweak: Partial<DesiredStagelet> = {},
): Promise<{ verbs: string[]; fault: string | undefined }> => {
  const verbs: string[] = []
  const Labels = {
    'com.docker.compose.service': 'web',
    'com.docker.compose.project.working_dir': directory,
  }
  const engine = {
    listContainers: () =>
      Promise.resolve([
        { Id: 'id', Names: ['/victim-web-1'], Labels, State: '', Status: '', Created: 0 },
      ]),
    inspect: () =>
      Promise.resolve({
        Id: 'id',
        RestartCount: 0,
        State: { Status: 'running', ExitCode: 0, Error: '', OOMKilled: false, StartedAt: '' },
        Config: { Tty: false },
        HostConfig: { RestartPolicy: { Name: 'no' } },
      }),
  } as unknown as Engine
  const model = {
    projectName: 'victim',
    flags: [],
    services: [],
    missingVariables: [],
    signature: '',
    isStale: false,
    roots: [],
    uses: new Map(),
    mounts: { mounts: new Map() },
  }
  const deps: PassDeps = {
    engine,
    compose: {
      version: '2.40.0',
      lookAgain: () => Promise.resolve(),
      run: ({ verb }) => {
        verbs.push(verb[0] ?? '')
        return Promise.resolve({ stdout: '', stderr: '' })
      },
      pipe: () => Promise.resolve({ exitCode: 0, startError: undefined }),
    },
    stateFile: {
      get: () => undefined,
      set: () => Promise.resolve(),
      forget: () => Promise.resolve(),
      uids: () => [],
    },
    models: { read: () => Promise.resolve({ model }), watched: () => [], forget: () => undefined },
    locks: lonelyLocks(),
    files: withoutFiles,
    endings: createEndings(),
    allowDirs,
    upDeadlineMs: 1_000,
    hands: createHands(realClock),
    clock: realClock,
    log: silentLogger,
    publish: () => undefined,
    onProject: () => undefined,
  }
  const compose = { directory: '/srv/allowed', projectName: 'victim', onChange: 'Hold' } as const
  const desired = aDesired({ compose, ...tweak })
  const state = createStackState(createWant({ desired, entries: [], base: {} }, undefined, false))
  const signal = new AbortController().signal
  await runPass(deps, state, { isSuperseded: () => false, signal })
  return { verbs, fault: state.fault?.reason }
}

describe('a Compose project by the name of another stack', () => {
  it('is not taken down when its folder is not allowed', async () => {
    expect(await pass('/srv/other', ['/srv/allowed'], { release: 'Down' })).toEqual({
      verbs: [],
      fault: 'DirectoryNotAllowed',
    })
  })

  it('is not touched either', async () => {
    expect(await pass('/srv/other', ['/srv/allowed'])).toMatchObject({
      verbs: [],
      fault: 'DirectoryNotAllowed',
    })
  })

  it('is taken down from an allowed folder, and from any when none is named', async () => {
    for (const allowDirs of [['/srv/allowed'], []])
      expect(await pass('/srv/allowed', allowDirs, { release: 'Down' })).toEqual({
        verbs: ['down'],
        fault: undefined,
      })
  })
})
