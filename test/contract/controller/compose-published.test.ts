// What `init` ties, and what it leaves apart, in stacks made as published ones are.
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readComposeProject } from '../../../cli/init/compose-project.ts'
import { propose, type Proposal } from '../../../cli/init/propose.ts'
import { baseEnvironment } from '../../../src/compose/environment.ts'

const folders: string[] = []

const proposeFor = async (
  compose: string,
  files: Record<string, string> = {},
): Promise<Proposal> => {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'stagely-published-')))
  folders.push(directory)
  for (const [name, text] of Object.entries({ 'compose.yaml': compose, ...files }))
    await writeFile(join(directory, name), text)
  const none = {
    files: undefined,
    envFiles: undefined,
    profiles: undefined,
    projectName: undefined,
  }
  const env = baseEnvironment(process.env)
  return propose(await readComposeProject({ directory, ...none, env }), { exclude: [], global: [] })
}

const shown = ({ secrets }: Proposal): string[] =>
  secrets.map(({ key, scope, value }) => `${scope}/${key} ${value}`)

const untied = (proposal: Proposal): string[] =>
  proposal.untied.map(({ key, scope, sameAs, why }) => `${scope}/${key} = ${sameAs}: ${why}`)

describe('init, of stacks as they are published,', () => {
  afterEach(async () => {
    for (const dir of folders.splice(0)) await rm(dir, { recursive: true, force: true })
  })

  it('ties a password of any length to the URL that goes to its service, at its place alone', async () => {
    const proposal = await proposeFor(`
services:
  web:
    image: web
    environment: {DATABASE_URL: "postgresql://umami:umami@db:5432/umami", APP_SECRET: a-random-string}
  db:
    image: postgres:15-alpine
    environment: {POSTGRES_DB: umami, POSTGRES_USER: umami, POSTGRES_PASSWORD: umami}
`)
    expect(shown(proposal)).toEqual([
      'web/APP_SECRET a-random-string',
      'web/DATABASE_URL postgresql://umami:${db/POSTGRES_PASSWORD}@db:5432/umami',
      'db/POSTGRES_PASSWORD umami',
    ])
    expect(proposal.untied).toEqual([])
  })

  it('ties a URL by the service that it goes to, where two of them have the same password', async () => {
    const backend =
      '{DATABASE_URL: "${DATABASE_URL:-postgresql://plane:plane@plane-db/plane}", AMQP_URL: "${AMQP_URL:-amqp://plane:plane@queue:5672/plane}", MINIO_ROOT_USER: "${AWS_ACCESS_KEY_ID}", AWS_ACCESS_KEY_ID: "${AWS_ACCESS_KEY_ID}"}'
    const proposal = await proposeFor(
      `
services:
  api: {image: backend, environment: ${backend}, depends_on: [plane-db]}
  worker: {image: backend, environment: ${backend}, depends_on: [api]}
  plane-db: {image: "postgres:15", environment: {POSTGRES_USER: plane, POSTGRES_PASSWORD: "\${POSTGRES_PASSWORD:-plane}"}}
  mq:
    image: rabbitmq:3
    hostname: queue
    environment: {RABBITMQ_DEFAULT_USER: plane, RABBITMQ_DEFAULT_PASS: "\${RABBITMQ_PASSWORD:-plane}"}
  minio: {image: minio/minio, environment: {MINIO_ROOT_USER: "\${AWS_ACCESS_KEY_ID}"}}
`,
      { '.env': 'DATABASE_URL=\nAWS_ACCESS_KEY_ID=access-key\n' },
    )
    expect(shown(proposal)).toEqual([
      'api/AMQP_URL amqp://plane:${mq/RABBITMQ_DEFAULT_PASS}@queue:5672/plane',
      'worker/AMQP_URL ${api/AMQP_URL}',
      'api/AWS_ACCESS_KEY_ID ${minio/MINIO_ROOT_USER}',
      'worker/AWS_ACCESS_KEY_ID ${minio/MINIO_ROOT_USER}',
      'api/DATABASE_URL postgresql://plane:${plane-db/POSTGRES_PASSWORD}@plane-db/plane',
      'worker/DATABASE_URL ${api/DATABASE_URL}',
      'api/MINIO_ROOT_USER ${minio/MINIO_ROOT_USER}',
      'minio/MINIO_ROOT_USER access-key',
      'worker/MINIO_ROOT_USER ${minio/MINIO_ROOT_USER}',
      'plane-db/POSTGRES_PASSWORD plane',
      'mq/RABBITMQ_DEFAULT_PASS plane',
    ])
    // A secret follows it.
    expect(proposal.secrets.filter(({ plain }) => plain === true)).toEqual([])
    expect(untied(proposal)).toEqual([
      'mq/RABBITMQ_DEFAULT_PASS = plane-db/POSTGRES_PASSWORD: two variables fill them',
    ])
  })

  it('ties keys beside a host, connection strings and other names of a service, and no other user', async () => {
    const proposal = await proposeFor(`
services:
  blog:
    image: wordpress
    environment: {WORDPRESS_DB_HOST: "mysql.local:3306", WORDPRESS_DB_USER: wp, WORDPRESS_DB_PASSWORD: "\${WP_PW:-wp}"}
  app:
    image: app
    environment:
      CONNECTION: Server=tcp:the-db,1433;Database=wp;User Id=root;Password=wp;
      JDBC: jdbc:mysql://db:3306/wp?user=wp&password=wp
      DB_HOST: elsewhere.example.com
      DB_PASSWORD: wp
      OTHER_URL: mysql://reader:wp@db/wp
      FAR_URL: mysql://wp:wp@elsewhere.example.com/wp
      ENCODED_URL: redis://:a%2Fb@cache
  db:
    image: mysql:8
    container_name: the-db
    networks: {back: {aliases: [mysql.local]}}
    environment: {MYSQL_USER: wp, MYSQL_PASSWORD: "\${MYSQL_PW:-wp}", MYSQL_ROOT_PASSWORD: wp}
  cache: {image: redis, environment: {REDIS_PASSWORD: a/b}}
networks: {back: {}}
`)
    const own = new Map(shown(proposal).map((line) => [line.split(' ')[0], line]))
    const valueOf = (name: string): string => own.get(name)?.slice(name.length + 1) ?? ''
    expect(valueOf('blog/WORDPRESS_DB_PASSWORD')).toBe('${db/MYSQL_PASSWORD}')
    expect(valueOf('app/CONNECTION')).toBe(
      'Server=tcp:the-db,1433;Database=wp;User Id=root;Password=${db/MYSQL_ROOT_PASSWORD};',
    )
    expect(valueOf('app/JDBC')).toBe(
      'jdbc:mysql://db:3306/wp?user=wp&password=${db/MYSQL_PASSWORD}',
    )
    expect(untied(proposal)).toEqual([
      'app/DB_PASSWORD = db/MYSQL_PASSWORD: texts this short may be equal by chance',
      'app/ENCODED_URL = cache/REDIS_PASSWORD: it is percent-encoded there, and a reference gives it as it is',
      'app/FAR_URL = db/MYSQL_PASSWORD: its host is not db',
      'app/OTHER_URL = db/MYSQL_PASSWORD: it is of another user',
      'db/MYSQL_ROOT_PASSWORD = db/MYSQL_PASSWORD: they are two keys of one service',
    ])
  })

  it('keeps the passwords of a database with it, where another service has them by the same keys', async () => {
    const proposal = await proposeFor(`
services:
  cloud: {image: nextcloud, environment: {MYSQL_HOST: db, MYSQL_USER: cloud, MYSQL_PASSWORD: nextcloud}}
  front: {image: front, depends_on: [cloud]}
  db: {image: mariadb, environment: {MYSQL_USER: cloud, MYSQL_PASSWORD: nextcloud, MYSQL_ROOT_PASSWORD: nextcloud}}
`)
    expect(shown(proposal)).toEqual([
      'cloud/MYSQL_PASSWORD ${db/MYSQL_PASSWORD}',
      'db/MYSQL_PASSWORD nextcloud',
      'db/MYSQL_ROOT_PASSWORD nextcloud',
    ])
  })

  it('takes paths, users, hosts and names for plain, also where a password has the same text, and has no key in both tables', async () => {
    const { secrets, kept } = await proposeFor(
      `
services:
  server: {image: photos, env_file: .env, volumes: ["\${UPLOAD_LOCATION}:/data"], environment: {SERVER_URL: "http://postgres:80"}}
  learning: {image: learning, env_file: .env}
  database:
    image: example.com/photos/postgres:14
    environment: {POSTGRES_PASSWORD: "\${DB_PASSWORD}", POSTGRES_USER: "\${DB_USERNAME}"}
    volumes: ["\${DB_DATA_LOCATION}:/var/lib/postgresql/data"]
`,
      {
        '.env':
          'DB_PASSWORD=postgres\nDB_USERNAME=postgres\nDB_HOSTNAME=the_postgres\nDB_DATA_LOCATION=./postgres\nUPLOAD_LOCATION=./library\n',
      },
    )
    expect(secrets.map(({ key, scope, value }) => `${scope}/${key} ${value}`)).toEqual([
      'learning/DB_PASSWORD ${database/POSTGRES_PASSWORD}',
      'server/DB_PASSWORD ${database/POSTGRES_PASSWORD}',
      'database/POSTGRES_PASSWORD postgres',
    ])
    expect(kept.filter(({ key }) => secrets.some((secret) => secret.key === key))).toEqual([])
    expect(kept.find(({ key }) => key === 'DB_DATA_LOCATION')?.why).toBe(
      'used in volumes of database',
    )
  })

  it('keeps the keys of an application out of its database, and with the one that shows itself', async () => {
    const proposal = await proposeFor(
      `
services:
  postgresql:
    image: docker.io/library/postgres:16-alpine
    env_file: .env
    environment: {POSTGRES_PASSWORD: "\${PG_PASS}"}
    healthcheck: {test: "PGPASSWORD=$$SHOWN_TOKEN pg_isready"}
  background: {image: "app:1", env_file: .env, depends_on: [postgresql]}
  server: {image: "app:1", env_file: .env, depends_on: [postgresql], ports: ["80:80"]}
`,
      {
        '.env':
          'PG_PASS=a-long-password\nSECRET_KEY=key-of-the-application\nSHOWN_TOKEN=used-by-its-check\n',
      },
    )
    expect(shown(proposal)).toEqual([
      'background/PG_PASS ${postgresql/POSTGRES_PASSWORD}',
      'server/PG_PASS ${postgresql/POSTGRES_PASSWORD}',
      'postgresql/POSTGRES_PASSWORD a-long-password',
      'background/SECRET_KEY ${server/SECRET_KEY}',
      'server/SECRET_KEY key-of-the-application',
      'global/SHOWN_TOKEN used-by-its-check',
    ])
    expect(proposal.unread).toEqual([
      { service: 'postgresql', file: '.env', keys: ['PG_PASS', 'SECRET_KEY'] },
    ])
  })

  it('says who gains a variable that becomes global for a command', async () => {
    const { gains } = await proposeFor(`
services:
  web: {image: web, environment: {REDIS_AUTH: "\${REDIS_AUTH:-redis-secret}"}}
  redis: {image: "redis:7", command: "--requirepass \${REDIS_AUTH:-redis-secret}"}
  queue: {image: queue}
`)
    expect(gains).toEqual([
      { key: 'REDIS_AUTH', place: 'command of redis', services: ['queue', 'redis'] },
    ])
  })

  it('finds a password in a command also where it has a slash, and takes numbers for passwords by their names', async () => {
    const proposal = await proposeFor(`
services:
  cache:
    image: redis
    command: redis-server --requirepass /hunter2
    environment: {REDIS_PASSWORD: /hunter2, REDIS_AUTH: "12345", PORT: "6379", DATA_LOCATION: ./redis}
  web:
    image: web
    environment: {DATABASE_URL: "postgres://u:pa/ss@db", OTHER: "Server=db;Password=ab&cd;"}
  db:
    image: postgres
    environment: {POSTGRES_PASSWORD: pa/ss, APP_PASSWORD: ab&cd}
`)
    expect(shown(proposal)).toEqual([
      'db/APP_PASSWORD ab&cd',
      'web/DATABASE_URL postgres://u:${db/POSTGRES_PASSWORD}@db',
      'web/OTHER Server=db;Password=${db/APP_PASSWORD};',
      'db/POSTGRES_PASSWORD pa/ss',
      'cache/REDIS_AUTH 12345',
    ])
    expect(proposal.kept.map(({ key, why }) => `${key}: ${why}`)).toEqual([
      'REDIS_PASSWORD: the same text stands in command of cache: write a variable in both places',
    ])
  })
})
