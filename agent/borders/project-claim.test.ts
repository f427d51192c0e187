import { expect, it } from 'vitest'
import { noState } from '../../test/support/agents/no-state.ts'
import { lonelyLocks } from '../../test/support/agents/project-locks.ts'
import type { ServiceModel } from '../compose/service-model.ts'
import type { ContainerSummary, Engine } from '../docker/engine.ts'
import { claimProject, type ProjectClaimDeps } from './project-claim.ts'

interface World {
  readonly left?: ReturnType<ProjectClaimDeps['stateFile']['leftOf']>
  /** Folders of the containers of the project; '' for one that does not tell its own. */
  readonly containers?: readonly string[]
  readonly volumes?: readonly string[]
  readonly networks?: readonly string[]
  /** By volume that the stack uses, the project that it was made for. */
  readonly used?: Readonly<Record<string, string>>
  readonly adopt?: readonly string[]
  /** A container of the project "q" that may write /srv/p/data: the folder that it was made from. */
  readonly twin?: string
  /** What the stack may write. */
  readonly writes?: readonly string[]
  /** Volumes whose names the stack's files give. */
  readonly fixedVolumes?: readonly string[]
  readonly services?: readonly ServiceModel[]
  /** Containers of other stacks. */
  readonly others?: readonly ContainerSummary[]
}

/** Claims the project "p" for a stack in /srv/p; the reason and message of a fault, or the volumes of others. */
const claim = async (world: World) => {
  const {
    left,
    containers = [],
    volumes = ['p_data'],
    networks = [],
    adopt = [],
    used = {},
    twin,
    writes = ['/srv/p/data'],
    fixedVolumes = [],
    services = [],
    others = [],
  } = world
  const details = {
    State: { Status: 'running' },
    Config: {},
    HostConfig: { RestartPolicy: { Name: 'no' } },
  }
  const listed = containers.map((folder, i) => ({
    Id: `${i}`,
    Names: [`/p-web-${i}`],
    Created: 0,
    Labels: {
      'com.docker.compose.service': 'web',
      ...(folder === '' ? {} : { 'com.docker.compose.project.working_dir': folder }),
    },
  }))
  const engine = {
    listContainers: () => Promise.resolve(listed),
    listAllContainers: () => Promise.resolve(others),
    inspect: () => Promise.resolve(details),
    listVolumes: () => Promise.resolve(volumes),
    listNetworks: () => Promise.resolve(networks),
    writableMounts: () =>
      Promise.resolve([
        ...(twin === undefined
          ? []
          : ['/var/run/docker.sock', '/srv/p/data'].map((source) => ({
              source,
              container: 'q-db-1',
              project: 'q',
              directory: twin,
            }))),
        { source: '/srv/p/data', container: 'p-db-1', project: 'p', directory: '/srv/p' },
      ]),
    projectsOfVolumes: () => Promise.resolve(new Map(Object.entries(used))),
  } as unknown as Engine
  const folders = { allowDirs: ['/srv'], ownDirs: [] }
  const stateFile = { ...noState, leftOf: () => left }
  const found = await claimProject(
    { engine, folders, locks: lonelyLocks(), stateFile },
    {
      uid: 'mine',
      project: 'p',
      roots: ['/srv/p'],
      adopt,
      volumes: ['p_new', ...Object.keys(used)],
      writes,
      fixedVolumes,
      services,
    },
  )
  return 'fault' in found ? [found.fault.reason, found.fault.message] : found.foundVolumes
}

it('volumes and networks that a stack left which is down are nobody’s until they are adopted by name', async () => {
  expect(await claim({ volumes: [] })).toEqual([])
  expect(await claim({ networks: ['p_default'] })).toEqual([
    'NotAdopted',
    'the Compose project "p" is down, and left volumes or networks that this agent does not know, so they may be another stack’s: p_data, p_default. Where they are this stack’s, a person starts it once from its folder on the machine (docker compose up -d), or the stagelet names them: spec.compose.adopt: [p_data, p_default]. Otherwise give this one a spec.compose.projectName of its own',
  ])
  expect(await claim({ networks: ['p_default'], adopt: ['p_data'] })).toMatchObject(['NotAdopted', expect.stringMatching(/: p_default\. /)]) // prettier-ignore
  // They stay where the stagelet is deleted with its volumes.
  expect(await claim({ networks: ['p_default'], adopt: ['p_default', 'p_data'] })).toEqual(['p_data']) // prettier-ignore
})

it('volumes are the stack’s own where its containers use them, or its folder had the project', async () => {
  const own = ['/srv/p']
  expect(await claim({ containers: own })).toEqual([])
  expect(await claim({ left: { directory: '/srv/p/', foundVolumes: [] } })).toEqual([])
  const left = { directory: '/srv/p', foundVolumes: ['p_old'] }
  expect(await claim({ left })).toEqual(['p_old'])
  // Containers may be those that a stagelet before this one has given somebody else's volumes to.
  expect(await claim({ left, containers: own })).toEqual(['p_old'])
})

it('what the agent knows to be of another folder is adopted by a person on the machine alone', async () => {
  const left = { directory: '/srv/q', foundVolumes: [] }
  for (const adopt of [[], ['p_data']])
    expect(await claim({ left, adopt })).toMatchObject([
      'NotAdopted',
      expect.stringMatching(/of a stack of another folder: p_data/),
    ])
  expect(await claim({ left, containers: ['/srv/p'] })).toEqual(['p_data'])
  expect(await claim({ left, volumes: [] })).toEqual([])
})

it('a container that does not tell its folder is of another stack', async () => {
  expect(await claim({ containers: ['/srv/p', ''] })).toMatchObject(['ProjectClaimed', expect.anything()]) // prettier-ignore
})

it('a volume of the right name that was made by hand is adopted, and one of another project is nobody’s here', async () => {
  const none: string[] = []
  const byHand = { volumes: none, used: { p_data: '' } }
  expect(await claim(byHand)).toMatchObject(['NotAdopted', expect.stringMatching(/: p_data\. /)])
  expect(await claim({ ...byHand, adopt: ['p_data'] })).toEqual(['p_data'])
  expect(await claim({ ...byHand, containers: ['/srv/p'] })).toEqual([])
  // The project "p_q" has a volume "data", and "p" has one that is called "q_data".
  const other = { volumes: none, used: { p_q_data: 'p_q' } }
  for (const adopt of [none, ['p_q_data']])
    expect(await claim({ ...other, adopt })).toMatchObject(['ProjectClaimed', expect.stringMatching(/p_q_data/)]) // prettier-ignore
  expect(await claim({ volumes: none, used: { p_data: 'p' } })).toEqual([])
})

it('a stack does not start beside one of its folder under another name that may write the same data', async () => {
  const fresh = { volumes: [] }
  const [reason, message] = (await claim({ ...fresh, twin: '/srv/p' })) as string[]
  expect([reason, message]).toEqual([
    'FolderShared',
    expect.stringMatching(/"q" .*q-db-1 may write \/srv\/p\/data .*adopt: \[\/srv\/p\/data\]/),
  ])
  expect(await claim({ ...fresh, twin: '/srv/p', writes: ['/srv'] })).toContain('FolderShared')
})

it.each([
  ['runs already', { containers: ['/srv/p'] }],
  ['says that it shares the folder', { adopt: ['/srv/p/data'] }],
  ['writes other folders', { writes: ['/srv/p/other', '/var/run/docker.sock'] }],
  ['is beside a stack of another folder, as programs that share a library', { twin: '/srv/q' }],
])('a stack starts that %s', async (_what, world) => {
  expect(await claim({ volumes: [], twin: '/srv/p', ...world })).toEqual([])
})
