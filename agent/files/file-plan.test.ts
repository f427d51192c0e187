import { describe, expect, it } from 'vitest'
import { heldFile, held } from '../../test/support/held.ts'
import { parseMounts, type RawStack } from '../compose/compose-mounts.ts'
import { planFiles, type FilePlan } from './file-plan.ts'
import type { OpenedSecret } from '../state/stack-target.ts'

const directory = '/srv/shop'

/** The plan for one service `web` that mounts what `web` says. */
const planOf = (
  entries: readonly OpenedSecret[],
  web: NonNullable<RawStack['services']>[string] = {},
  more: {
    stack?: RawStack
    envFiles?: string[]
    stackEnvFiles?: string[]
    roots?: string[]
    fileTargets?: string[]
  } = {},
): FilePlan =>
  planFiles({
    roots: more.roots ?? [directory],
    envFiles: more.stackEnvFiles ?? [],
    fileTargets: more.fileTargets ?? [],
    pathOf: (digest) => `/run/stagely/${digest}`,
    services: [
      {
        name: 'web',
        mounts: parseMounts({ ...more.stack, services: { web } }).get('web')!,
        envFiles: more.envFiles ?? [],
        entries,
      },
    ],
  })
const targetsOf = (plan: FilePlan): string[] =>
  (plan.services.get('web')?.mounts ?? []).map((m) => `${m.target}${m.readOnly ? ':ro' : ''}`)
const bind = (source: string, target: string, read_only = false) => ({
  type: 'bind',
  source,
  target,
  read_only,
})
const config = heldFile('CONFIG', 'x', { path: './config/app.json' })

describe('a file secret', () => {
  it('goes where programs are run from only if the stagelet allows it, by its target or its path', () => {
    const entrypoint = heldFile('RUN', 'x', { target: '/docker-entrypoint.sh' })
    const program = heldFile('TOOL', 'y', { path: 'tool' })
    const web = { volumes: [bind('/srv/shop/tool', '/usr/local/bin/tool')] }
    expect(planOf([entrypoint, program], web).faults).toEqual([
      'web: RUN goes to /docker-entrypoint.sh, which containers run, or take programs from: where that is meant, list it in the stagelet: spec.compose.fileTargets: [/docker-entrypoint.sh]',
      'web: TOOL goes to /usr/local/bin/tool, which is a path of the system: where that is meant, list it in the stagelet: spec.compose.fileTargets: [/usr/local/bin/tool]',
    ])
    const fileTargets = ['/docker-entrypoint.sh', '/usr/local/bin']
    expect(planOf([entrypoint, program], web, { fileTargets }).faults).toEqual([])
  })

  it.each([
    'config/app.json',
    './x/../config//app.json',
    './config/app.json/',
    '/srv/shop/config/app.json',
  ])('with the path %s replaces what is mounted from there, and keeps ro', (path) => {
    const plan = planOf([heldFile('CONFIG', 'x', { path })], {
      volumes: [bind('/srv/shop/config/app.json', '/a', true), bind('/srv/shop/other', '/b')],
    })
    expect(targetsOf(plan)).toEqual(['/a:ro'])
    expect(plan.mountPoints).toEqual([])
  })

  it('goes over its file in every mounted folder above it, where that file must exist', () => {
    const plan = planOf([config], {
      volumes: [bind('/srv/shop/config', '/conf', true), bind('/srv/shop', '/all')],
    })
    expect(targetsOf(plan)).toEqual(['/all/config/app.json', '/conf/app.json:ro'])
    expect(plan.mountPoints.map((p) => p.path)).toEqual([
      '/srv/shop/config/app.json',
      '/srv/shop/config/app.json',
    ])
  })

  it('is not in a folder whose name only begins alike', () => {
    expect(targetsOf(planOf([config], { volumes: [bind('/srv/shop/conf', '/c')] }))).toEqual([])
  })

  it('replaces secrets and configs with that file, each at its default or given target', () => {
    const files = { s: { file: '/srv/shop/config/app.json' }, other: null }
    const plan = planOf(
      [config],
      {
        secrets: [{ source: 's' }, { source: 's', target: 'name' }, { source: 'other' }],
        configs: [{ source: 's' }, { source: 's', target: '/etc/s' }],
      },
      { stack: { secrets: files, configs: files } },
    )
    expect(targetsOf(plan)).toEqual([
      '/etc/s:ro',
      '/run/secrets/name:ro',
      '/run/secrets/s:ro',
      '/s:ro',
    ])
  })

  it('may be relative to the folder of the first compose file too', () => {
    const plan = planOf(
      [config],
      { volumes: [bind('/srv/shop/deploy/config/app.json', '/a')] },
      { roots: [directory, '/srv/shop/deploy'] },
    )
    expect(targetsOf(plan)).toEqual(['/a'])
  })

  it('goes to its target read-only, unless the user mounts there for writing', () => {
    const secret = heldFile('CONFIG', 'x', { target: '/etc//app/' })
    expect(targetsOf(planOf([secret]))).toEqual(['/etc/app:ro'])
    expect(targetsOf(planOf([secret], { volumes: [bind('/somewhere', '/etc/app')] }))).toEqual([
      '/etc/app',
    ])
  })

  it('needs no mount point of the user’s in a named volume or a tmpfs within his folder', () => {
    const secret = heldFile('CONFIG', 'x', { target: '/data/cache/x' })
    const volumes = [bind('/srv/shop', '/data')]
    expect(planOf([secret], { volumes }).mountPoints.map((p) => p.path)).toEqual([
      '/srv/shop/cache/x',
    ])
    expect(planOf([secret], { volumes, tmpfs: '/data/cache:size=1m' }).mountPoints).toEqual([])
    const named = [...volumes, { type: 'volume', source: 'cache', target: '/data/cache' }]
    expect(planOf([secret], { volumes: named }).mountPoints).toEqual([])
  })

  it('is pointed at by its variable only where it is mounted', () => {
    const secret = heldFile('PASSWORD', 'x', { target: '/p', envVar: 'PASSWORD_FILE' })
    const variables = planOf([secret]).services.get('web')!.variables
    expect(variables).toEqual([{ key: 'PASSWORD_FILE', value: Buffer.from('/p') }])
    const unused = heldFile('PASSWORD', 'x', { path: './p', envVar: 'PASSWORD_FILE' })
    expect(planOf([unused]).services.size).toBe(0)
    expect(planOf([unused]).unmounted).toEqual(['PASSWORD'])
  })

  it.each<[string, FilePlan, RegExp]>([
    [
      'an env_file of the service',
      planOf([config], {}, { envFiles: ['/srv/shop/config/app.json'] }),
      /web: CONFIG has the path of its env_file .* make it secrets of type env/,
    ],
    [
      'an env file of the stack',
      planOf([config], {}, { stackEnvFiles: ['/srv/shop/config/app.json'] }),
      /make it secrets of type env/,
    ],
    [
      'the target of another one',
      planOf([config, heldFile('SECOND', 'y', { target: '/a' })], {
        volumes: [bind('/srv/shop/config/app.json', '/a')],
      }),
      /CONFIG and SECOND both go to \/a/,
    ],
    [
      'a variable that is a secret',
      planOf([held('P_FILE', 'x'), heldFile('P', 'y', { target: '/p', envVar: 'P_FILE' })]),
      /the variable P_FILE of P is a secret of its own/,
    ],
  ])('is refused with the place of %s', (_what, plan, expected) => {
    expect(plan.faults.join('\n')).toMatch(expected)
  })
})
