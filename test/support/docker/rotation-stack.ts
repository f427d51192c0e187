// Stacks of rotations: a Postgres, and a service that logs in to it anew all the time, with what a Rotation gives it, and
// writes down what the server says. A stack without a Postgres logs in to that of its network.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { realClock } from '../../../src/kernel/clock.ts'
import type { Login } from '../../../src/databases/step.ts'
import { databaseImage } from '../databases/database-images.ts'
import { createStack, idleService, inspectProject, serviceOf, type Stack } from './stack.ts'

/** Of the administrator of the database. */
export const boss: Login = { username: 'postgres', password: 'the-boss' }
const slots = ['app_a', 'app_b']

/** `$` is the shell's in the container, which has no login before the first rotation. While the file /said/die is there, logins of the slot in it end the service. */
const client = (everySeconds: number): string =>
  `[ -n "$DB_USER" ] || exec sleep 2147483
if [ "$(cat /said/die 2>/dev/null)" = "$DB_USER" ]; then sleep 1; echo "this service cannot work with its login"; exit 3; fi
while :; do
  if printf '%s\\nselect 1;\\n' "$DB_PASSWORD" | psql -XqAtW -h pg -U "$DB_USER" -d shop >/dev/null 2>/tmp/said
  then touch /tmp/ok; echo "ok $DB_USER" >> /said/all
  elif grep -q 'authentication failed\\|not permitted to log in' /tmp/said
  then echo "refused $DB_USER" >> /said/all; fi
  sleep ${everySeconds}
done`

const server = `  pg:
    image: ${databaseImage('postgres')}
    environment: { POSTGRES_PASSWORD: ${boss.password}, POSTGRES_DB: shop }
    restart: always
    stop_signal: SIGKILL
`

interface LoginStackOptions {
  /** With another stack's Postgres, in this network of the engine. */
  readonly network?: string
  readonly hasServer?: boolean
  readonly everySeconds?: number
}

export interface LoginStack extends Stack {
  /** What the server said to the service, by the words ok and refused, since the stack is there. */
  said(): Promise<{ readonly ok: number; readonly refused: readonly string[] }>
  /** A folder that its service sees as /said. */
  readonly folder: string
  /** With what the service logs in now. */
  login(): Promise<Login>
}

export const createLoginStack = async ({
  network,
  hasServer = true,
  everySeconds = 0.2,
}: LoginStackOptions = {}): Promise<LoginStack> => {
  const folder = await mkdtemp(join(tmpdir(), 'stagely-said-'))
  const command = JSON.stringify(client(everySeconds).replaceAll('$', '$$$$'))
  const stack = await createStack(`services:
${hasServer ? server : ''}  web:
    image: ${databaseImage('postgres')}
    entrypoint: ["/bin/sh", "-c"]
    command: [${command}]
    volumes: ['${folder}:/said']
    stop_signal: SIGKILL
    healthcheck: { test: "test -e /tmp/ok", interval: 30s, start_period: 60s, start_interval: 500ms }
${idleService('other')}${network === undefined ? '' : `networks: { default: { name: ${network}, external: true } }\n`}`)
  await stack.compose('up', '-d')
  if (hasServer) await (await logIn(stack, boss))?.end()
  return {
    ...stack,
    folder,
    said: async () => {
      const lines = (await readFile(join(folder, 'all'), 'utf8').catch(() => '')).split('\n')
      return {
        ok: lines.filter((line) => line.startsWith('ok')).length,
        refused: lines.filter((line) => line.startsWith('refused')),
      }
    },
    login: async () => {
      const { DB_USER: username = '', DB_PASSWORD: password = '' } =
        await stack.environmentOf('web')
      return { username, password }
    },
    remove: async () => {
      await stack.remove()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const refusals = new Set(['28P01', '28000'])

/** Waits for a server that is starting. undefined where the login is refused. */
const logIn = async (
  stack: Stack,
  { username: user, password }: Login,
): Promise<pg.Client | undefined> => {
  for (let tries = 0; ; tries += 1) {
    const found = (await inspectProject(stack.project)).find((c) => serviceOf(c) === 'pg')!
    const [{ IPAddress: host } = { IPAddress: '' }] = Object.values(found.NetworkSettings.Networks)
    const one = new pg.Client({ host, database: 'shop', user, password })
    one.on('error', () => undefined)
    try {
      if (host === '') throw new Error('the database has no address: its container does not run')
      await one.connect()
      return one
    } catch (error) {
      await one.end().catch(() => undefined)
      const { code = '' } = error as { code?: string }
      if (refusals.has(code)) return undefined
      if (tries === 60) throw error
      await realClock.sleep(500)
    }
  }
}

export const isAccepted = async (stack: Stack, login: Login): Promise<boolean> => {
  const one = await logIn(stack, login)
  await one?.end()
  return one !== undefined
}

/** Slots whose login is not ended. */
export const openSlots = async (stack: Stack): Promise<string[]> => {
  const one = (await logIn(stack, boss))!
  try {
    const { rows } = await one.query<{ name: string }>(
      'select rolname as name from pg_roles where rolcanlogin and rolname = any($1) order by 1',
      [slots],
    )
    return rows.map(({ name }) => name)
  } finally {
    await one.end()
  }
}

interface Manifests {
  readonly project: string
  /** The first has the Postgres. */
  readonly stagelets: readonly {
    readonly name: string
    readonly agent: string
    readonly stack: Stack
  }[]
  readonly overlap?: string
}

export const document = (kind: string, name: string, spec: string): string =>
  `---\napiVersion: stagely.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`

export const stageletOf = (
  project: string,
  { name, agent, stack }: Manifests['stagelets'][number],
): string =>
  document(
    'Stagelet',
    name,
    `{projectRef: {name: ${project}}, agentRef: {name: ${agent}}, compose: {directory: ${stack.directory}, projectName: ${stack.project}}}`,
  )

/** A secret that a rotation fills, or that follows another one. */
export const outputOf = (
  project: string,
  { name, key, scope, from }: { name: string; key: string; scope: string; from: string },
): string =>
  document(
    'StagelySecret',
    name,
    `{projectRef: {name: ${project}}, key: ${key}, scope: ${scope}, valueFrom: ${from}}`,
  )

/** A project whose stacks log in as the Rotation of the project's name says. */
export const loginManifests = ({ project, stagelets, overlap = '1m' }: Manifests): string => {
  const output = (name: string, key: string): string =>
    outputOf(project, {
      name: `${project}-${name}`,
      key,
      scope: 'web',
      from: `{rotation: {name: ${project}, output: ${name}}}`,
    })
  return [
    document('Project', project, '{}'),
    output('username', 'DB_USER'),
    output('password', 'DB_PASSWORD'),
    ...stagelets.map((one) => stageletOf(project, one)),
    document(
      'Rotation',
      project,
      `{projectRef: {name: ${project}}, outputs: {username: ${project}-username, password: ${project}-password}, overlap: ${overlap}, rotator: {postgres: {in: {stagelet: ${stagelets[0]!.name}, service: pg}, database: shop, owner: app, roles: [${slots.join(', ')}]}}}`,
    ),
  ].join('')
}
