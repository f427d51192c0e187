import { describe, expect, it } from 'vitest'
import { aDesired } from '../../test/support/builders.ts'
import { noState } from '../../test/support/agents/no-state.ts'
import { lonelyLocks } from '../../test/support/agents/project-locks.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import type { DesiredStagelet } from '../../src/protocol/messages.ts'
import type { Engine } from '../docker/engine.ts'
import { createManualRuns } from '../by-hand/manual-runs.ts'
import { createContainerExits } from '../observed/container-exits.ts'
import { withoutFiles } from '../../test/support/files.ts'
import { createStackCell, createStackState } from '../state/stack-state.ts'
import { createStackTarget } from '../state/stack-target.ts'
import { toObservation } from './stack-report.ts'
import { runPass, type PassDeps } from './stagelet-pass.ts'
import type { Deployment, StateFile } from '../state/state-file.ts'

interface World {
  /** Folder that the one container of the project was made from; undefined: the project is down. */
  readonly directory?: string
  readonly allowDirs?: readonly string[]
  /** Projects that were deployed, by stagelet. */
  readonly deployed?: Readonly<Record<string, string>>
  readonly foundVolumes?: string[]
  readonly volumes?: readonly string[]
  /** Folders of containers of other projects, by name. */
  readonly others?: Readonly<Record<string, string>>
}

const stateWith = ({ deployed = {}, foundVolumes }: World): StateFile => ({
  ...noState,
  get: (uid): Deployment | undefined => {
    const project = deployed[uid]
    if (project === undefined) return undefined
    const found = foundVolumes === undefined ? {} : { foundVolumes }
    return { project, services: ['web'], redeploy: '', signature: '', ...found }
  },
  uids: () => Object.keys(deployed),
})

const engineWith = (world: World, removed: string[]): Engine => {
  const { volumes = [], others = {} } = world
  const container = (directory: string) => ({
    Id: 'id',
    Names: ['/victim-web-1'],
    Labels: {
      'com.docker.compose.service': 'web',
      'com.docker.compose.project.working_dir': directory,
    },
    State: '',
    Status: '',
    Created: 0,
  })
  return {
    listContainers: (project: string) => {
      const directory = project === 'victim' ? world.directory : others[project]
      return Promise.resolve(directory === undefined ? [] : [container(directory)])
    },
    inspect: () =>
      Promise.resolve({
        Id: 'id',
        RestartCount: 0,
        State: { Status: 'running', ExitCode: 0, Error: '', OOMKilled: false, StartedAt: '' },
        Config: { Tty: false },
        HostConfig: { RestartPolicy: { Name: 'no' } },
      }),
    imageId: () => Promise.resolve('image'),
    listVolumes: () => Promise.resolve([...volumes]),
    listNetworks: () => Promise.resolve([]),
    projectsOfVolumes: () => Promise.resolve(new Map()),
    removeVolume: (name: string) => {
      removed.push(name)
      return Promise.resolve()
    },
  } as unknown as Engine
}

/** Passes of the stagelet "mine", whose stack lies in /srv/allowed and is called "victim". */
const pass = async (
  world: World,
  tweak: Partial<DesiredStagelet> = {},
  passes = 1,
  after: () => unknown = () => undefined,
) => {
  const verbs: string[] = []
  const removed: string[] = []
  const followed: (string | undefined)[] = []
  const web = { name: 'web', dependsOn: [], waitsFor: [], restartsAfter: [], sharesWith: [] }
  const more = {
    ports: [],
    openPorts: [],
    scale: 1,
    containerName: undefined,
    envFiles: [],
    variables: [],
    linksTo: [],
  }
  const made = { image: 'x', refreshes: false, definition: undefined }
  const model = {
    projectName: 'victim',
    flags: [],
    services: [{ ...web, ...more, ...made }],
    missingVariables: [],
    signature: '',
    inputs: '',
    roots: ['/srv/allowed'],
    uses: new Map(),
    variables: [],
    mounts: { mounts: new Map() },
    networks: [],
    volumes: [],
    fixedVolumes: [],
  }
  const deps: PassDeps = {
    engine: engineWith(world, removed),
    compose: {
      version: '2.40.0',
      lookAgain: () => Promise.resolve(),
      run: ({ verb }) => {
        verbs.push(verb.join(' '))
        return Promise.resolve({ stdout: '', stderr: '' })
      },
      pipe: () => Promise.resolve({ exitCode: 0, startError: undefined }),
    },
    stateFile: stateWith(world),
    models: { read: () => Promise.resolve({ model }) },
    locks: lonelyLocks(),
    files: withoutFiles,
    exits: createContainerExits(),
    lives: { catchUp: () => Promise.resolve() },
    folders: { allowDirs: world.allowDirs ?? ['/srv'], ownDirs: [] },
    imagesFile: (uid) => `/nowhere/${uid}`,
    upDeadlineMs: 1_000,
    manualRuns: createManualRuns(realClock),
    clock: realClock,
    log: silentLogger,
    onProject: (project) => followed.push(project),
  }
  const compose = { directory: '/srv/allowed', projectName: 'victim', onChange: 'Hold' } as const
  const desired = aDesired({ uid: 'mine', compose, ...tweak })
  const target = createStackTarget({ desired, entries: [], base: {} }, undefined, false)
  const cell = createStackCell(createStackState(target))
  const signal = new AbortController().signal
  for (let n = 0; n < passes; n++) {
    await runPass(deps, cell, { isSuperseded: () => false, signal })
    after()
  }
  const { services, fault, phase, composeProject: project } = toObservation(cell.state)
  return {
    verbs,
    removed,
    fault: fault?.reason,
    message: fault?.message,
    phase,
    project,
    services: services.map((s) => s.name),
    held: cell.state.claimed?.project,
    follows: followed.at(-1),
  }
}

const down = { release: 'Down', releaseVolumes: true } as const

describe('a Compose project by the name of another stack', () => {
  const untouched = { verbs: [], services: [], held: undefined, follows: undefined }

  it.each<[string, World, string]>([
    ['its folder is not allowed', { directory: '/other' }, 'DirectoryNotAllowed'],
    ['no folder is allowed', { directory: '/srv/allowed', allowDirs: [] }, 'DirectoryNotAllowed'],
    ['it was made from another folder', { directory: '/srv/other' }, 'ProjectClaimed'],
    [
      'another stagelet has deployed it',
      { directory: '/srv/allowed', deployed: { other: 'victim' } },
      'ProjectClaimed',
    ],
    ['it is down, and its volumes are there', { volumes: ['victim_data'] }, 'NotAdopted'],
  ])('is not looked at, told or touched where %s', async (_what, world, fault) => {
    for (const paused of [false, true])
      expect(await pass(world, { paused })).toMatchObject({ ...untouched, fault })
  })

  it('is looked at where it runs from the stack’s own folder, or was deployed from here', async () => {
    const own: World[] = [
      { directory: '/srv/allowed' },
      { directory: '/srv/moved', deployed: { mine: 'victim' } },
    ]
    for (const world of own)
      expect(await pass(world, { paused: true })).toMatchObject({
        services: ['web'],
        held: 'victim',
        follows: 'victim',
        fault: undefined,
      })
  })

  it.each<[string, World]>([
    ['its folder is not allowed', { directory: '/other' }],
    ['it was made from another folder', { directory: '/srv/other' }],
    ['another stagelet has deployed it', { deployed: { other: 'victim' } }],
    ['it is down, and was not deployed from here', { volumes: ['victim_data'] }],
  ])('is not taken down where %s, and that is said', async (_what, world) => {
    const end = await pass(world, down)
    expect(end).toMatchObject({
      verbs: [],
      removed: [],
      phase: 'Released',
      fault: 'NothingTakenDown',
    })
    expect(end.message).toMatch(/^nothing was taken down: /)
  })

  it('stays where it was deployed from here and is somebody else’s by now', async () => {
    const world = { directory: '/other', deployed: { mine: 'victim' } }
    expect(await pass(world, down)).toMatchObject({
      verbs: [],
      phase: 'Failed',
      fault: 'DirectoryNotAllowed',
    })
  })

  it('is taken down with its volumes where it was deployed from here, or runs from its folder', async () => {
    for (const world of [{ deployed: { mine: 'victim' } }, { directory: '/srv/allowed' }])
      expect(await pass(world, down)).toMatchObject({
        verbs: ['down --volumes'],
        phase: 'Released',
        fault: undefined,
      })
  })

  it('keeps volumes that were there before', async () => {
    const world: World = {
      deployed: { mine: 'victim' },
      foundVolumes: ['victim_theirs'],
      volumes: ['victim_own', 'victim_theirs'],
    }
    expect(await pass(world, down)).toMatchObject({ verbs: ['down'], removed: ['victim_own'] })
  })
})

describe('a stack that has another project name by now', () => {
  const renamed: World = { deployed: { mine: 'before' }, others: { before: '/srv/allowed' } }

  it('is told under the name that it runs by, and not started under the new one', async () => {
    expect(await pass(renamed)).toMatchObject({
      verbs: [],
      phase: 'Failed',
      fault: 'ProjectRenamed',
      services: ['web'],
      held: 'before',
      follows: 'before',
      project: 'before',
    })
  })

  it('is refused with the way back and the way on', async () => {
    expect((await pass(renamed)).message).toMatch(
      /runs as the Compose project "before" and is "victim" by now .*go back to "before", or take that down .*: docker compose -p before down --remove-orphans\. Its volumes stay/,
    )
  })

  it('starts once nothing of the old name is left', async () => {
    const world = { deployed: { mine: 'before' } }
    expect(await pass(world, {}, 2)).toMatchObject({ verbs: ['up -d --'], held: 'victim' })
  })

  it('is taken down under the name that it was deployed by', async () => {
    expect(await pass(renamed, down)).toMatchObject({ verbs: ['down --volumes'], held: 'before' })
  })
})

describe('a fault of the stack that is over', () => {
  it('is no failure of the revision while the stack is looked at anew', async () => {
    const world: { directory?: string } & World = {
      directory: '/other',
      deployed: { mine: 'victim' },
    }
    expect(await pass(world)).toMatchObject({ phase: 'Failed', fault: 'DirectoryNotAllowed' })
    const observed = await pass(world, {}, 2, () => delete world.directory)
    expect(observed).toMatchObject({ phase: 'Pending', fault: undefined, services: ['web'] })
  })
})

describe('the first action of an agent', () => {
  it('comes at once on a stack that no agent has deployed on this machine', async () => {
    expect(await pass({})).toMatchObject({ verbs: ['up -d --'] })
  })

  it('follows a look at the stack that is newer than the end of what an earlier agent left at work', async () => {
    const world = { deployed: { mine: 'victim' } }
    expect(await pass(world)).toMatchObject({ verbs: [], phase: 'Pending' })
    expect(await pass(world, {}, 2)).toMatchObject({ verbs: ['up -d --'] })
  })
})
