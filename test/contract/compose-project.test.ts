// What `init` proposes for real projects, as the real Compose reads them.
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { renderDotenv } from '../../cli/formats/dotenv.ts'
import { readComposeProject, type ComposeProject } from '../../cli/init/compose-project.ts'
import { propose, type Proposal } from '../../cli/init/propose.ts'
import { baseEnvironment } from '../../src/compose/environment.ts'

const folders: string[] = []

const folderWith = async (files: Record<string, string>): Promise<string> => {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'stagely-init-')))
  folders.push(dir)
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), text)
  }
  return dir
}

const read = (directory: string, more: { profiles?: string[] } = {}): Promise<ComposeProject> =>
  readComposeProject({
    directory,
    files: undefined,
    envFiles: undefined,
    profiles: more.profiles,
    projectName: undefined,
    env: baseEnvironment(process.env),
  })

const rows = ({ secrets }: Proposal): string[] =>
  secrets.map(({ key, scope, value, from }) => `${key} ${scope} ${JSON.stringify(value)} ${from}`)

const shop = {
  'compose.yaml': `
name: shop
include: [more/compose.yaml]
services:
  web:
    image: web:\${TAG:-latest}
    environment:
      DATABASE_URL: postgres://app:\${DB_PASSWORD}@db/\${DB_NAME:-app}
      STRIPE_KEY:
      API: \${API_TOKEN:?needed}
      LOG_LEVEL: info
      CASH: a$$b
      HARD_TOKEN: hard-coded-in-git
    env_file: [web.env, {path: gone.env, required: false}]
  db:
    image: postgres
    environment: ["POSTGRES_PASSWORD=\${DB_PASSWORD}", PGDATA]
    env_file: db.env
  job:
    image: job
    profiles: [tools]
    command: sh -c "$\${HOME} \${JOB_TOKEN}"
    environment: {SHARED: "\${SHARED:-none}"}
  cache: {image: redis}
  sidecar: {image: side, network_mode: "service:web"}
`,
  'compose.override.yaml': 'services: {web: {environment: {FROM_OVERRIDE: "${EXTRA}"}}}\n',
  'more/compose.yaml': 'services: {mail: {image: mail, env_file: mail.env}}\n',
  'more/mail.env': 'SMTP="a\\nb"\n',
  '.env':
    "DB_PASSWORD='p$w\"d'\nSTRIPE_KEY=sk_1 # live\nAPI_TOKEN=t\nJOB_TOKEN=j\nEXTRA=${API_TOKEN}-x\nNOBODY=n\nCOMPOSE_PROFILES=\nTAG=1\n",
  'web.env': 'WEB_ONLY=w\n1BAD=x\n',
  'db.env': 'DBV=1\n',
}

describe('init', () => {
  afterEach(async () => {
    for (const dir of folders.splice(0)) await rm(dir, { recursive: true, force: true })
  })

  it('proposes what each service sees today, by env files, variables and environment', async () => {
    const dir = await folderWith(shop)
    const project = await read(dir)
    expect(project).toMatchObject({
      name: 'shop',
      files: ['compose.yaml', 'compose.override.yaml'],
    })
    expect(project.services.map(({ name, enabled }) => [name, enabled])).toEqual([
      ['cache', true],
      ['db', true],
      ['job', false],
      ['mail', true],
      ['sidecar', true],
      ['web', true],
    ])
    const proposal = propose(project, { exclude: [], global: [] })
    expect(rows(proposal)).toEqual([
      'API web "t" environment: ${API_TOKEN}',
      String.raw`DATABASE_URL web "postgres://app:p$w\"d@db/app" environment: ${'${DB_PASSWORD}'}`,
      'DBV db "1" db.env',
      'FROM_OVERRIDE web "t-x" environment: ${EXTRA}',
      'HARD_TOKEN web "hard-coded-in-git" environment: in the compose file',
      String.raw`POSTGRES_PASSWORD db "p$w\"d" environment: ${'${DB_PASSWORD}'}`,
      String.raw`SMTP mail "a\nb" more/mail.env`,
      'STRIPE_KEY web "sk_1" environment: ${STRIPE_KEY}',
      'WEB_ONLY web "w" web.env',
    ])
    expect(proposal.kept.map(({ key, file, why }) => `${file} ${key}: ${why}`)).toEqual([
      '.env COMPOSE_PROFILES: steers Compose itself',
      '.env JOB_TOKEN: used in command of job; --global JOB_TOKEN makes it a secret',
      '.env NOBODY: no service uses it',
      '.env TAG: used in image of web',
      'web.env 1BAD: is no name that Stagely stores',
    ])
    expect(proposal.recreated).toEqual(['db', 'mail', 'sidecar', 'web'])
    expect(proposal.untouched).toEqual(['cache'])
    const tools = propose(await read(dir, { profiles: ['tools'] }), {
      exclude: ['DBV'],
      global: ['JOB_TOKEN'],
    })
    expect(rows(tools)).toContain('JOB_TOKEN global "j" ${JOB_TOKEN}')
    expect(tools.recreated).toEqual(['cache', 'db', 'job', 'mail', 'sidecar', 'web'])
    expect(tools.kept).toContainEqual({ key: 'DBV', file: 'db.env', why: 'excluded' })
  })

  it('makes one global secret of what all services get alike', async () => {
    const compose = 'services: {a: {image: x, env_file: .env}, b: {image: x, env_file: .env}}\n'
    const dir = await folderWith({ 'docker-compose.yml': compose, '.env': 'A=1\nB=2\n' })
    await writeFile(
      join(dir, 'docker-compose.override.yml'),
      'services: {b: {environment: {B: "3"}}}',
    )
    const proposal = propose(await read(dir), { exclude: [], global: [] })
    expect(rows(proposal)).toEqual(['A global "1" .env', 'B a "2" .env'])
  })

  it('leaves the files of top-level secrets where they are, and says so', async () => {
    const dir = await folderWith({
      'compose.yaml': `
services: {a: {image: x, secrets: [smtp, token]}}
secrets: {smtp: {file: ./smtp.txt}, token: {environment: TOKEN}}
`,
      'smtp.txt': 'smtp-password',
    })
    const { secrets, kept } = propose(await read(dir), { exclude: [], global: [] })
    const why = 'a file; "stagely seal --file" makes a secret of type file'
    expect([secrets, kept]).toEqual([[], [{ key: 'smtp', file: 'smtp.txt', why }]])
  })

  it('names the project as its file does with a variable', async () => {
    const dir = await folderWith({
      'compose.yaml': 'name: shop-${ENV}\nservices: {a: {image: x}}\n',
      '.env': 'ENV=prod\n',
    })
    expect((await read(dir)).name).toBe('shop-prod')
  })

  it('says what Compose does not like, and quotes no value', async () => {
    const dir = await folderWith({
      'compose.yaml': 'services: {a: {image: x, environment: {A: "hush-${bad-secret"}}}\n',
    })
    await expect(read(dir)).rejects.toThrow(/^Compose does not accept the project: .*environment.A/)
    await expect(read(dir)).rejects.not.toThrow('hush')
    const required = await folderWith({
      'compose.yaml': 'services: {a: {image: x, environment: {A: "${NEEDED:?set it}"}}}\n',
    })
    await expect(read(required)).rejects.toThrow('NEEDED')
    await expect(read(await folderWith({}))).rejects.toThrow('no compose file')
    // Compose itself falls over this one, but not where the variable is filled in.
    const closed = await folderWith({
      'compose.yaml': 'services: {a: {image: x}}\nvolumes: {v: {external: "${OUTSIDE:-false}"}}\n',
    })
    const told = /^Compose accepts the project, but cannot tell .*"stagely secrets import"$/
    await expect(read(closed)).rejects.toThrow(told)
  })

  it('reads every value that our dotenv writer writes, whatever is in it, and leaves the folder as it was', async () => {
    const unit = fc.string({ unit: 'binary', maxLength: 30 }).filter((v) => !v.includes('\0'))
    const nasty = [
      '',
      ' a ',
      '"',
      "'",
      '\\',
      'a\\"',
      '$A',
      '${A:-x}',
      '$$',
      '\n',
      '\r\n',
      '# x',
      'é😀',
    ]
    const values = [...nasty, ...fc.sample(unit, { numRuns: 200, seed: 7 })].map((v) =>
      Buffer.from(v).toString(),
    )
    const entries = values.map((value, i) => ({ key: `K${i}`, value }))
    const dir = await folderWith({
      'compose.yaml': 'services: {a: {image: x, env_file: a.env}, b: {image: x}}\n',
      'a.env': renderDotenv(entries),
    })
    const before = await readFile(join(dir, 'a.env'))
    const { secrets } = propose(await read(dir), { exclude: [], global: [] })
    const found = new Map(secrets.map(({ key, value }) => [key, value]))
    expect(entries.map(({ key }) => found.get(key))).toEqual(values)
    expect(await readdir(dir)).toEqual(['a.env', 'compose.yaml'])
    expect(await readFile(join(dir, 'a.env'))).toEqual(before)
  })
})
