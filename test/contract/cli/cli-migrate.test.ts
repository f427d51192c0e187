// Stacks whose values another tool holds, adopted by the built command.
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runPage } from '../../support/page-commands.ts'
import type { Ran } from '../../support/programs/cli.ts'
import { startCommandWorld, type CommandWorld } from '../../support/programs/command-world.ts'

const composeFile = `services:
  web:
    image: web:\${TAG}
    environment:
      STRIPE_KEY:
      DATABASE_URL: postgres://app:\${DB_PASSWORD}@db/app
      LOG_LEVEL: \${LOG_LEVEL}
  db:
    image: postgres
    environment: {POSTGRES_PASSWORD: "\${DB_PASSWORD}"}
`
const variables = {
  STRIPE_KEY: 'canary-sk-live-77',
  DB_PASSWORD: 'canary-db-9Qx',
  LOG_LEVEL: 'debug',
  TAG: '1.4',
  NOBODY: 'canary-unused',
}
/** What the commands of this file never print. */
const canaries = /canary-/

let world: CommandWorld
let server: Server
let url: string
let answer: (path: string, headers: IncomingHttpHeaders, body: string) => [number, unknown]

const migrate = async (
  env: Readonly<Record<string, string>>,
  stack: string,
  ...args: string[]
): Promise<Ran> => {
  const own = ['migrate', join(world.dir, stack), '--agent', 'box', '--yes']
  const ran = await world.cliWithin(env, ...own, ...args)
  expect(ran.stdout + ran.stderr).not.toMatch(canaries)
  return ran
}

const stackFolder = async (name: string, files: Record<string, string>): Promise<string> => {
  const dir = join(world.dir, name)
  await mkdir(dir)
  for (const [file, text] of Object.entries(files)) await writeFile(join(dir, file), text)
  return dir
}

const valuesIn = async (project: string): Promise<Record<string, string>> => {
  const text = await world.must('secrets', 'export', '--format', 'json', '-p', project)
  const { secrets } = JSON.parse(text) as { secrets: Record<string, string>[] }
  return Object.fromEntries(
    secrets.map(({ key, scope, value, visibility }) => [
      `${key} ${scope}`,
      `${value}${visibility === 'Plain' ? ' (plain)' : ''}`,
    ]),
  )
}

const adopted = {
  'STRIPE_KEY web': 'canary-sk-live-77',
  'DATABASE_URL web': 'postgres://app:canary-db-9Qx@db/app',
  'POSTGRES_PASSWORD db': 'canary-db-9Qx',
  'LOG_LEVEL web': 'debug (plain)',
  'TAG global': '1.4 (plain)',
}

describe('migrate', () => {
  beforeAll(async () => {
    world = await startCommandWorld()
    server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const [status, body] = answer(
          request.url ?? '',
          request.headers,
          Buffer.concat(parts).toString(),
        )
        response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    server.close()
    await world.stop()
  })

  it('takes all that the stack uses from the variables that another tool has started it with', async () => {
    const dir = await stackFolder('shop', { 'compose.yaml': composeFile })
    const ran = await migrate({ ...variables, COMPOSE_PROJECT_NAME: 'other', LANG: 'C' }, 'shop')
    expect(ran.code, ran.stderr).toBe(0)
    expect(ran.stdout).not.toContain('NOBODY global')
    expect(await valuesIn('shop')).toEqual(adopted)
    expect((await readdir(dir)).sort()).toEqual(['compose.yaml', 'stagely.yaml'])
    expect(await readFile(join(dir, 'stagely.yaml'), 'utf8')).not.toMatch(canaries)
    const again = await migrate(variables, 'shop')
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('nothing to do')])
  })

  it('reads the variables and the compose file of a stack of Portainer', async () => {
    await stackFolder('porter', {})
    answer = (path, headers) => {
      if (headers['x-api-key'] !== 'ptr_key') return [401, { message: 'canary-refusal' }]
      if (path === '/api/stacks/7/file') return [200, { StackFileContent: composeFile }]
      // What steers Compose or the loader is no variable of the stack, whoever wrote it there.
      const steering = { COMPOSE_PROJECT_NAME: 'taken-over', LD_PRELOAD: '/tmp/evil.so' }
      const env = Object.entries({ ...variables, ...steering }).map(([name, value]) => ({
        name,
        value,
      }))
      const stacks = [
        { Id: 3, Name: 'other', Env: null },
        { Id: 7, Name: 'porter', Env: env },
      ]
      return path === '/api/stacks' ? [200, stacks] : [404, {}]
    }
    const args = ['--from', 'portainer', '--url', `${url}/`]
    const keyless = await migrate({}, 'porter', ...args)
    expect([keyless.code, keyless.stderr.includes('PORTAINER_API_KEY')]).toEqual([2, true])
    const wrong = await migrate({ PORTAINER_API_KEY: 'x' }, 'porter', ...args)
    expect(wrong.stderr).toBe('error: Portainer refuses the API key (status 401)\n')
    const cut = await migrate({ PORTAINER_API_KEY: 'ptr_…' }, 'porter', ...args)
    expect([cut.code, cut.stderr.includes('copy it again')]).toEqual([2, true])
    const key = { PORTAINER_API_KEY: 'ptr_key' }
    const unknown = await migrate(key, 'porter', ...args, '--stack', 'nope')
    expect(unknown.stderr).toContain('Portainer has no stack "nope"; it has other, porter')
    const ran = await migrate(key, 'porter', ...args, '--save-compose-file')
    expect(ran.code, ran.stderr).toBe(0)
    expect(await readFile(join(world.dir, 'porter/compose.yaml'), 'utf8')).toBe(composeFile)
    expect(await valuesIn('porter')).toEqual(adopted)
    const over = await migrate(key, 'porter', ...args, '--save-compose-file')
    expect(over.stderr).toContain('overwrites no file')
  })

  it('reads the environment of a stack of Komodo, and names what Komodo alone can fill in', async () => {
    await stackFolder('dragon', { 'compose.yaml': composeFile })
    let environment = Object.entries(variables)
      .map(([name, value]) => `${name}=${name === 'STRIPE_KEY' ? '[[STRIPE]]' : value}`)
      .join('\n')
    answer = (path, headers, body) => {
      const { type, params } = JSON.parse(body) as { type: string; params: { stack: string } }
      expect([path, type, params.stack]).toEqual(['/read', 'GetStack', 'dragon'])
      expect([headers['x-api-key'], headers['x-api-secret']]).toEqual(['K-1', 'S-1'])
      return [200, { name: 'dragon', config: { environment, file_contents: '' } }]
    }
    const keys = { KOMODO_API_KEY: 'K-1', KOMODO_API_SECRET: 'S-1' }
    const args = ['--from', 'komodo', '--url', url]
    const none = await migrate(keys, 'dragon', ...args, '--save-compose-file')
    expect(none.stderr).toContain('Komodo holds no compose file of this stack')
    const ran = await migrate(keys, 'dragon', ...args)
    expect(ran.code, ran.stderr).toBe(0)
    expect(ran.stderr).toContain('from its own variables: STRIPE_KEY.')
    const { 'STRIPE_KEY web': _, ...others } = adopted
    expect(await valuesIn('dragon')).toEqual(others)
    environment = 'A=canary-1\nnot a line with canary-2\n'
    const broken = await migrate(keys, 'dragon', ...args)
    expect(broken.stderr).toContain('environment of dragon: line 2: is not KEY=VALUE')
  })

  it('repeats nothing of an answer, sends no key unencrypted, and changes nothing when it is refused', async () => {
    await stackFolder('safe', { 'compose.yaml': composeFile })
    const key = { PORTAINER_API_KEY: 'ptr_key' }
    const from = ['--from', 'portainer', '--url']
    answer = () => [200, '<html>canary-in-html']
    const html = await migrate(key, 'safe', ...from, url)
    expect(html.stderr).toContain('answered with status 200, and not as its documents say')
    const plain = await migrate(key, 'safe', ...from, 'http://portainer.example')
    expect([plain.code, plain.stderr.includes('unencrypted')]).toEqual([2, true])
    const named = await migrate(key, 'safe', ...from, 'https://me:canary-pw@portainer.example')
    expect([named.code, named.stderr.includes('a user or a password')]).toEqual([2, true])
    const noCa = await migrate(key, 'safe', ...from, url, '--ca', '/nowhere/ca.crt')
    expect(noCa.stderr).toContain('cannot read the certificate of --ca /nowhere/ca.crt')
    const gone = await migrate(key, 'safe', ...from, 'http://127.0.0.1:1')
    expect(gone.stderr).toContain('did not answer (ECONNREFUSED): check --url and --ca')
    const tool = await migrate({}, 'safe', '--from', 'vaultwarden')
    expect([tool.code, tool.stderr.includes('use environment')]).toEqual([2, true])
    const dry = await migrate(variables, 'safe', '--dry-run', '--save-compose-file')
    expect(dry.code).toBe(2)
    const shown = await migrate(variables, 'safe', '--dry-run')
    expect(shown.code, shown.stderr).toBe(0)
    expect(await readdir(join(world.dir, 'safe'))).toEqual(['compose.yaml'])
    expect((await world.cli('get', 'project', 'safe')).code).toBe(1)
  })

  it('takes the commands of docs/coming-from.md, with stand-ins of the other tools', async () => {
    const shop = await stackFolder('from', {
      'compose.yaml': composeFile,
      '.env': 'LOG_LEVEL=debug\n',
    })
    const programs = join(shop, 'bin')
    await mkdir(programs)
    const given = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
    const starts = { doppler: 'shift 2', infisical: 'shift 3', sops: 'set -- sh -c "$3"' }
    for (const [name, start] of Object.entries(starts))
      await writeFile(
        join(programs, name),
        `#!/bin/sh\n${start}\nexec env ${given.join(' ')} "$@"\n`,
        { mode: 0o755 },
      )
    await writeFile(join(programs, 'docker'), '#!/bin/sh\necho canary-of-swarm\n', { mode: 0o755 })
    const env = Object.entries(variables).map(([name, value]) => ({ name, value }))
    answer = (path) =>
      path === '/read'
        ? [200, { name: 'shop', config: { environment: given.join('\n'), file_contents: '' } }]
        : [200, [{ Id: 7, Name: 'shop', Env: env }]]
    let printed = ''
    await runPage('coming-from.md', {
      folder: shop,
      env: world.env(),
      names: {
        '/srv/shop': shop,
        '=…': '=key',
        '--agent web-1': '--agent box --yes --overwrite',
        'https://portainer:9443': url,
        'https://komodo.example': url,
        '--project shop': '--project from',
      },
      after: (_, stdout) => {
        printed += stdout
      },
    })
    expect(printed).not.toMatch(canaries)
    expect(await valuesIn('from')).toMatchObject(adopted)
  })
})
