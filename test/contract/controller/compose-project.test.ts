// What `init` proposes for real projects, as the real Compose reads them.
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { renderDotenv } from '../../../cli/formats/dotenv.ts'
import { readComposeProject, type ComposeProject } from '../../../cli/init/compose-project.ts'
import { propose, usedInOtherPlaces, type Proposal } from '../../../cli/init/propose.ts'
import { baseEnvironment } from '../../../src/compose/environment.ts'
import { codePoint } from '../../support/code-point.ts'

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
      'DATABASE_URL web "postgres://app:${db/POSTGRES_PASSWORD}@db/app" environment: ${DB_PASSWORD}, ${DB_NAME}',
      'HARD_TOKEN web "hard-coded-in-git" environment: in the compose file',
      String.raw`POSTGRES_PASSWORD db "p$w\"d" environment: ${'${DB_PASSWORD}'}`,
      'STRIPE_KEY web "sk_1" environment: ${STRIPE_KEY}',
    ])
    const plain = 'is no secret by its name or its form; --all takes it'
    expect(proposal.kept.map(({ key, file, why }) => `${file} ${key}: ${why}`)).toEqual([
      '.env COMPOSE_PROFILES: steers Compose itself',
      `.env FROM_OVERRIDE: ${plain}`,
      '.env JOB_TOKEN: used in command of job; --global JOB_TOKEN makes it a secret',
      '.env NOBODY: no service uses it',
      '.env TAG: used in image of web',
      `compose.yaml SHARED: ${plain}`,
      `db.env DBV: ${plain}`,
      `more/mail.env SMTP: ${plain}`,
      'web.env 1BAD: is no name that Stagely stores',
      `web.env WEB_ONLY: ${plain}`,
    ])
    expect(proposal.recreated).toEqual(['db', 'sidecar', 'web'])
    expect(proposal.untouched).toEqual(['cache', 'mail'])
    const all = propose(project, { exclude: [], global: [], all: true })
    expect(rows(all).filter((row) => !rows(proposal).includes(row))).toEqual([
      'DBV db "1" db.env',
      'FROM_OVERRIDE web "t-x" environment: ${EXTRA}',
      String.raw`SMTP mail "a\nb" more/mail.env`,
      'WEB_ONLY web "w" web.env',
    ])
    expect(all.kept).toContainEqual({
      key: 'SHARED',
      file: 'compose.yaml',
      why: 'service job is in no active profile; --profile NAME takes it',
    })
    expect(all.recreated).toEqual(['db', 'mail', 'sidecar', 'web'])
    const active = await read(dir, { profiles: ['tools'] })
    expect(rows(propose(active, { exclude: [], global: [], all: true }))).toContain(
      'SHARED job "none" environment: default of ${SHARED}',
    )
    const tools = propose(active, {
      exclude: ['DBV'],
      global: ['JOB_TOKEN'],
    })
    expect(rows(tools)).toContain('JOB_TOKEN global "j" ${JOB_TOKEN}, also in command of job')
    expect(tools.recreated).toEqual(['cache', 'db', 'job', 'mail', 'sidecar', 'web'])
    expect(tools.kept).toContainEqual({ key: 'DBV', file: 'db.env', why: 'excluded' })
  })

  it('proposes no tag, published port or setting of Compose, also where an env_file gives a service all of .env', async () => {
    const image = 'image: "shop:${TAG}", ports: ["${WEB_PORT}:80"]'
    const dir = await folderWith({
      'compose.yaml': `services: {web: {${image}, env_file: .env}}\n`,
      '.env': 'TAG=1\nWEB_PORT=8080\nMODE=fast\nCOMPOSE_PROJECT_NAME=shop\nPORT=80\n',
    })
    const proposal = propose(await read(dir), { exclude: [], global: [], all: true })
    expect(rows(proposal)).toEqual(['MODE web "fast" .env', 'PORT web "80" .env'])
    expect(proposal.secrets.every(({ plain }) => plain === true)).toBe(true)
    expect(proposal.kept.map(({ key, why }) => `${key}: ${why}`)).toEqual([
      'COMPOSE_PROJECT_NAME: steers Compose itself',
      'TAG: used in image of web',
      'WEB_PORT: used in ports of web',
    ])
  })

  it('makes one global secret of what all services get alike', async () => {
    const compose = 'services: {a: {image: x, env_file: .env}, b: {image: x, env_file: .env}}\n'
    const dir = await folderWith({ 'docker-compose.yml': compose, '.env': 'A=1\nB=2\n' })
    await writeFile(
      join(dir, 'docker-compose.override.yml'),
      'services: {b: {environment: {B: "3"}}}',
    )
    const proposal = propose(await read(dir), { exclude: [], global: [], all: true })
    expect(rows(proposal)).toEqual(['A global "1" .env', 'B a "2" .env'])
    // Plain values that differ between services are proposed, others only with --all.
    expect(rows(propose(await read(dir), { exclude: [], global: [] }))).toEqual(['B a "2" .env'])
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
  })

  it('reads what Compose accepts only with its variables filled in, as where they are written out', async () => {
    const fields: Record<string, string> = {
      '${PULL:-always}': 'always',
      '${RO:-true}': 'true',
      '${OUTSIDE:-false}': 'false',
      '${DB:-db}': 'db',
    }
    const compose = `
include: ["\${PART:-parts/mail.yaml}"]
services:
  web:
    extends: {file: base/web.yaml, service: base}
    pull_policy: \${PULL:-always}
    depends_on: ["\${DB:-db}"]
    environment: {DATABASE_URL: "postgres://app:\${DB_PASSWORD}@db/app", STRIPE_KEY: }
    env_file: ["\${WHICH:-web}.env", {path: gone.env, required: false}]
  db: {image: postgres, read_only: "\${RO:-true}", env_file: db.env}
volumes: {v: {external: "\${OUTSIDE:-false}"}}
`
    const others = {
      'base/web.yaml':
        'services: {base: {image: "web:${TAG:-1}", env_file: own.env, environment: ["TOKEN=${API_TOKEN}"]}}\n',
      'base/own.env': 'BASE_ONLY=b\n',
      'parts/mail.yaml': 'services: {mail: {image: mail, env_file: mail.env}}\n',
      'parts/mail.env': 'SMTP=s\n',
      '.env': 'DB_PASSWORD=p\nSTRIPE_KEY=sk_1\nAPI_TOKEN=t\nTAG=7\n',
      'web.env': 'WEB_ONLY=w\n',
      'db.env': 'DBV=1\n',
    }
    const plain = Object.entries(fields).reduce((text, [k, v]) => text.replace(k, v), compose)
    const proposals = []
    for (const text of [compose, plain]) {
      const dir = await folderWith({ 'compose.yaml': text, ...others })
      proposals.push(propose(await read(dir), { exclude: [], global: [], all: true }))
    }
    expect(proposals[0]).toEqual(proposals[1])
    expect(rows(proposals[0]!)).toEqual([
      'BASE_ONLY web "b" base/own.env',
      'DATABASE_URL web "postgres://app:p@db/app" environment: ${DB_PASSWORD}',
      'DBV db "1" db.env',
      'SMTP mail "s" parts/mail.env',
      'STRIPE_KEY web "sk_1" environment: ${STRIPE_KEY}',
      'TOKEN web "t" environment: ${API_TOKEN}',
      'WEB_ONLY web "w" web.env',
    ])
    expect(proposals[0]!.kept).toEqual([{ key: 'TAG', file: '.env', why: 'used in image of web' }])
  })

  it('keeps a value once where it stands in several places, and lets the others refer to it', async () => {
    const dir = await folderWith({
      'compose.yaml': `
services:
  api:
    image: api
    depends_on: [db]
    env_file: shared.env
    environment: {DATABASE_URL: "postgres://\${DB_USER:-app}:\${DB_PASSWORD}@db/$\${x}", LITERAL_TOKEN: twelve-chars}
  db:
    image: postgres
    environment: {POSTGRES_PASSWORD: "\${DB_PASSWORD}", POSTGRES_USER: "\${DB_USER:-app}"}
  worker:
    image: worker
    depends_on: [db]
    env_file: shared.env
    environment: {DB_PASSWORD: , OTHER_TOKEN: twelve-chars, TOKEN: short}
  cron:
    image: cron
    env_file: cron.env
    environment: {TOKEN: short}
`,
      '.env': 'DB_PASSWORD=hunter2hunter2\nDB_USER=postgres\n',
      'shared.env': 'MODE=fast\n',
      'cron.env':
        'URL=postgres://postgres:hunter2hunter2@db/app\nWHO=postgres\nPASS=$${hunter2hunter2\n',
    })
    const project = await read(dir)
    const { secrets } = propose(project, { exclude: [], global: [], all: true })
    const apart = propose(project, { exclude: [], global: [], all: true, references: false })
    expect(apart.secrets.filter(({ value }) => value === 'hunter2hunter2')).toHaveLength(2)
    expect(
      secrets.map(({ key, scope, value, refersTo = [] }) => [
        `${scope}/${key}`,
        value,
        ...refersTo,
      ]),
    ).toEqual([
      [
        'api/DATABASE_URL',
        'postgres://${db/POSTGRES_USER}:${db/POSTGRES_PASSWORD}@db/$${x}',
        'db/POSTGRES_USER',
        'db/POSTGRES_PASSWORD',
      ],
      ['worker/DB_PASSWORD', '${db/POSTGRES_PASSWORD}', 'db/POSTGRES_PASSWORD'],
      ['api/LITERAL_TOKEN', 'twelve-chars'],
      ['api/MODE', 'fast'],
      ['worker/MODE', '${api/MODE}', 'api/MODE'],
      ['worker/OTHER_TOKEN', '${api/LITERAL_TOKEN}', 'api/LITERAL_TOKEN'],
      ['cron/PASS', '${hunter2hunter2'],
      ['db/POSTGRES_PASSWORD', 'hunter2hunter2'],
      ['db/POSTGRES_USER', 'postgres'],
      ['cron/TOKEN', 'short'],
      ['worker/TOKEN', 'short'],
      ['cron/URL', 'postgres://postgres:${db/POSTGRES_PASSWORD}@db/app', 'db/POSTGRES_PASSWORD'],
      ['cron/WHO', 'postgres'],
    ])
  })

  it('lets a service that sees a global secret have no copy of it', async () => {
    const dir = await folderWith({
      'compose.yaml': `
services:
  web: {image: "web:\${NPM_TOKEN}", environment: {NPM_TOKEN: "\${NPM_TOKEN}"}}
  job: {image: job, environment: {TOKEN: "\${NPM_TOKEN}"}}
`,
      '.env': 'NPM_TOKEN=npm_12345678\n',
    })
    const { secrets } = propose(await read(dir), { exclude: [], global: ['NPM_TOKEN'] })
    expect(secrets.map(({ key, scope, value }) => `${scope}/${key} ${value}`)).toEqual([
      'global/NPM_TOKEN npm_12345678',
      'job/TOKEN ${global/NPM_TOKEN}',
    ])
  })

  it('never splits a password between a variable of a container and a command or a health check', async () => {
    const dir = await folderWith({
      'compose.yaml': `
services:
  redis:
    image: redis:7
    command: redis-server --requirepass \${REDIS_PASSWORD:-difyai123456}
    environment: {REDISCLI_AUTH: "\${REDIS_PASSWORD:-difyai123456}"}
    healthcheck: {test: ["CMD", "redis-cli", "ping"]}
  api:
    image: api
    environment:
      REDIS_PASSWORD: \${REDIS_PASSWORD:-difyai123456}
      BROKER_URL: redis://:\${REDIS_PASSWORD:-difyai123456}@redis:\${REDIS_PORT:-6379}/1
      POSTGRES_USER: \${POSTGRES_USER:-lago}
      LOG_LEVEL: \${LOG_LEVEL:-info}
  db:
    image: postgres:16
    environment: {POSTGRES_USER: "\${POSTGRES_USER:-lago}", POSTGRES_PASSWORD: "\${DB_PW:-changeme1}", REDIS_PASSWORD: "its own"}
    healthcheck: {test: "pg_isready -U \${POSTGRES_USER:-lago}"}
  mssql:
    image: mssql
    environment: {SA_PASSWORD: example_123, TOKEN: "\${TOKEN:-first-token}"}
    healthcheck: {test: "sqlcmd -U sa -P example_123"}
  worker: {image: worker, command: "work \${TOKEN:-second-token}", environment: {API_TOKEN: "\${TOKEN:-first-token}"}}
configs: {app: {content: "secret=\${APP_SECRET}"}}
`,
      '.env': 'POSTGRES_USER=lago\nAPP_SECRET=app-secret-1\n',
    })
    const project = await read(dir)
    const proposal = propose(project, { exclude: [], global: [] })
    const shown = ({ secrets }: Proposal): string[] =>
      secrets.map(({ key, scope, value }) => `${scope}/${key} ${value}`)
    expect(shown(proposal)).toEqual([
      'api/BROKER_URL redis://:${global/REDIS_PASSWORD}@redis:6379/1',
      'db/POSTGRES_PASSWORD changeme1',
      'redis/REDISCLI_AUTH ${global/REDIS_PASSWORD}',
      // It wins over the global one, as the file did.
      'db/REDIS_PASSWORD its own',
      'global/REDIS_PASSWORD difyai123456',
    ])
    expect(usedInOtherPlaces(project, proposal.secrets)).toEqual(['REDIS_PASSWORD'])
    expect(proposal.secrets.find(({ scope }) => scope === 'global')?.from).toBe(
      '${REDIS_PASSWORD}, also in command of redis',
    )
    const why = (key: string): string | undefined =>
      proposal.kept.find((one) => one.key === key)?.why
    expect(why('SA_PASSWORD')).toContain('the same text stands in healthcheck of mssql')
    for (const key of ['TOKEN', 'API_TOKEN'])
      expect(why(key)).toBe(
        '${TOKEN} stands in command of worker too, with other defaults: give it one value in .env',
      )
    expect(why('POSTGRES_USER')).toContain('is no secret')
    expect(why('APP_SECRET')).toBe('used in configs; --global APP_SECRET makes it a secret')
    // Excluded as a whole, too.
    const without = propose(project, { exclude: ['REDIS_PASSWORD'], global: [] })
    expect(shown(without)).toEqual(['db/POSTGRES_PASSWORD changeme1'])
  })

  it('follows a reference through defaults that are in use, and a file that fills variables and services', async () => {
    const dir = await folderWith({
      'compose.yaml': `
x-backend: &backend
  DATABASE_URL: postgresql://\${POSTGRES_USER:-lago}:\${POSTGRES_PASSWORD:-changeme}@\${POSTGRES_HOST:-db}:\${POSTGRES_PORT:-5432}/\${POSTGRES_DB:-lago}
  ENCRYPTION_KEY_PATH: /certs/key.pem
services:
  db: {image: postgres, environment: {POSTGRES_PASSWORD: "\${POSTGRES_PASSWORD:-changeme}"}}
  api: {image: api, depends_on: [db], environment: {<<: *backend, TOKEN_TTL: "\${TOKEN_TTL:-3600}"}}
  clock: {image: api, depends_on: [db], environment: *backend}
  minio: {image: minio, env_file: .env, command: "serve \${MINIO_ROOT_PASSWORD}"}
  tool: {image: tool, environment: {SECRET_KEY: "\${MINIO_ROOT_PASSWORD}"}}
`,
      '.env': 'MINIO_ROOT_PASSWORD=minio-secret-1\nTZ=Europe/Berlin\n',
    })
    const { secrets, kept } = propose(await read(dir), { exclude: [], global: [] })
    const url = 'postgresql://lago:${db/POSTGRES_PASSWORD}@db:5432/lago'
    expect(secrets.map(({ key, scope, value }) => `${scope}/${key} ${value}`)).toEqual([
      `api/DATABASE_URL ${url}`,
      `clock/DATABASE_URL ${url}`,
      'global/MINIO_ROOT_PASSWORD minio-secret-1',
      'db/POSTGRES_PASSWORD changeme',
      'tool/SECRET_KEY ${global/MINIO_ROOT_PASSWORD}',
    ])
    expect(kept.map(({ key }) => key)).toEqual(['TZ', 'ENCRYPTION_KEY_PATH', 'TOKEN_TTL'])
  })

  it('leaves a path that names a file where it is', async () => {
    const dir = await folderWith({
      'compose.yaml': `
services:
  db: {image: x, env_file: db.env, environment: {POSTGRES_PASSWORD_FILE: /run/secrets/pw, TLS_KEY_FILE: "\${KEY_FILE}"}}
`,
      '.env': 'KEY_FILE=./certs/tls.key\n',
      'db.env': 'CA_FILE=certs/ca.pem\nUPLOAD_FILE=none\n',
    })
    const { secrets, kept } = propose(await read(dir), { exclude: [], global: [], all: true })
    expect(secrets.map(({ key }) => key)).toEqual(['UPLOAD_FILE'])
    expect(kept.map(({ key, file }) => `${file} ${key}`)).toEqual([
      '.env TLS_KEY_FILE',
      'compose.yaml POSTGRES_PASSWORD_FILE',
      'db.env CA_FILE',
    ])
    expect(kept[0]?.why).toMatch(/^names a file; "stagely seal --file"/)
  })

  it('reads every value that our dotenv writer writes, whatever is in it, and leaves the folder as it was', async () => {
    const unit = fc.string({ unit: codePoint, maxLength: 30 }).filter((v) => !v.includes('\0'))
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
    const { secrets } = propose(await read(dir), { exclude: [], global: [], all: true })
    const found = new Map(secrets.map(({ key, value }) => [key, value]))
    expect(entries.map(({ key }) => found.get(key))).toEqual(values)
    expect(await readdir(dir)).toEqual(['a.env', 'compose.yaml'])
    expect(await readFile(join(dir, 'a.env'))).toEqual(before)
  })
})
