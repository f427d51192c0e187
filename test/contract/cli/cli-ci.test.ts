// Jobs of GitHub, Forgejo, GitLab and Kubernetes that use the command, our action and our component, with an issuer of
// their own. The runners themselves are not there: run-steps.ts does what they document.
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readAction, runAction, runComponentJob } from '../../support/ci/run-steps.ts'
import {
  githubClaims,
  gitlabClaims,
  kubernetesClaims,
  pullRequestClaims,
  startCiIssuer,
  type CiIssuer,
} from '../../support/http/ci-issuer.ts'
import { runPage } from '../../support/page-commands.ts'
import { main, runCli, type Ran } from '../../support/programs/cli.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'

const actionFolder = resolve('integrations/github')
const component = resolve('integrations/gitlab/template.yml')
const runnerToken = 'the-token-of-the-runner'

interface Comment {
  id: number
  body: string
}

let dir: string
let controller: TestController
let issuer: CiIssuer
let runner: Server
/** Of the next job. */
let claims: object = githubClaims
const given: string[] = []
const comments: Comment[] = []

/** What a runner and the API of its server answer: a token of the job, and comments. */
const startRunner = async (): Promise<Server> => {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://runner')
    const send = (body: unknown): void => {
      response.end(JSON.stringify(body))
    }
    const allowed = request.headers.authorization === `Bearer ${runnerToken}`
    if (!allowed) {
      response.writeHead(401).end()
      return
    }
    if (url.pathname === '/token') {
      void issuer.sign({ ...claims, aud: url.searchParams.get('audience') ?? '' }).then((value) => {
        given.push(value)
        send({ count: value.length, value })
      })
      return
    }
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      if (request.method === 'GET') {
        send(url.searchParams.get('page') === '1' ? comments : [])
        return
      }
      const { body } = JSON.parse(text) as Comment
      const id = Number(/\/comments\/(\d+)$/.exec(url.pathname)?.[1] ?? comments.length + 1)
      if (request.method === 'POST') comments.push({ id, body })
      else comments.find((comment) => comment.id === id)!.body = body
      send({ id, body })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const runnerUrl = (): string => `http://127.0.0.1:${(runner.address() as AddressInfo).port}`

/** What GitHub and Forgejo give a job. */
const ofGithub = (): Record<string, string> => ({
  HOME: dir,
  PATH: `${join(dir, 'bin')}:${process.env['PATH'] ?? ''}`,
  ACTIONS_ID_TOKEN_REQUEST_URL: `${runnerUrl()}/token?api-version=2.0`,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: runnerToken,
  GITHUB_API_URL: runnerUrl(),
  GITHUB_REPOSITORY: 'acme/shop',
})

const newFolder = async (name: string): Promise<string> => {
  const path = join(dir, name)
  await mkdir(path, { recursive: true })
  return path
}

const ca = (): string => join(controller.dataDir, 'ca.crt')
const login = (env: Record<string, string>, ...more: string[]): Promise<Ran> =>
  runCli(
    ['login', '--ci', '--server', controller.url, '--ca-file', ca(), '-n', 'default', ...more],
    { HOME: dir, ...env },
  )

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stagely-ci-'))
  issuer = await startCiIssuer()
  runner = await startRunner()
  controller = await startTestController({
    env: { STAGELY_EGRESS_ALLOW: '127.0.0.1' },
    argv: ['--failure-limit', '0'],
  })
  const admin = async (path: string, body: object): Promise<void> => {
    const answer = await controller.call('POST', `/api/v1${path}`, { body })
    expect(answer.status, answer.text).toBe(201)
  }
  const environments = [{ name: 'production', protected: true }, { name: 'preview' }]
  await admin('/agents', { name: 'box' })
  const preview = { environment: 'preview', agent: 'box', directory: '/srv/previews/{name}' }
  await admin('/projects', { name: 'shop', environments, preview })
  await admin('/stagelets', {
    name: 'shop-pr',
    project: 'shop',
    agent: 'box',
    environment: 'preview',
    compose: { directory: '/srv/shop' },
  })
  const grant = { role: 'deployer', projects: ['shop'], environments: ['preview'] }
  await admin('/issuers', {
    name: 'ci',
    issuer: issuer.url,
    audience: controller.url,
    rules: [
      { claims: { repository: 'acme/shop' }, ...grant },
      { claims: { project_path: 'acme/shop' }, ...grant },
      { claims: { 'kubernetes.io/namespace': 'ci' }, ...grant },
    ],
  })
  // Previews need an engine: this one says what the command prints of one, and all else is the command.
  const shown = JSON.stringify({ name: 'pr-42', addresses: ['http://web-1:20001'] })
  const comment = '<!-- stagely-preview shop/pr-42 -->\n### Preview pr-42 of shop: healthy\n'
  await writeFile(join(dir, 'comment.md'), comment)
  await newFolder('bin')
  const lines = [
    '#!/bin/bash',
    `if [ "$1" != preview ]; then exec ${process.execPath} ${main} "$@"; fi`,
    `echo "$@" >> ${dir}/previews`,
    `while [ $# -gt 0 ]; do [ "$1" != --comment ] || cp ${dir}/comment.md "$2"; shift; done`,
    `echo '${shown}'`,
  ]
  await writeFile(join(dir, 'bin', 'stagely'), `${lines.join('\n')}\n`)
  await chmod(join(dir, 'bin', 'stagely'), 0o755)
})
afterAll(async () => {
  await controller.remove()
  await issuer.stop()
  runner.close()
  await rm(dir, { recursive: true, force: true })
})

describe('login --ci', () => {
  it('asks the runner of GitHub or Forgejo, and tells the steps that follow', async () => {
    const folder = await newFolder('github')
    claims = githubClaims
    const env = {
      ...ofGithub(),
      GITHUB_ACTIONS: 'true',
      RUNNER_TEMP: folder,
      GITHUB_ENV: join(folder, 'env'),
    }
    const ran = await login(env)
    expect(ran.stderr).toBe('')
    expect(ran.code).toBe(0)
    const file = join(folder, 'stagely-token')
    const token = (await readFile(file, 'utf8')).trim()
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    // What is said of the tokens is for the runner, which shows none of it.
    const shown = ran.stdout.split('\n').filter((line) => !line.startsWith('::add-mask::'))
    expect(ran.stdout).toContain(`::add-mask::${token}\n`)
    expect(ran.stdout).toContain(`::add-mask::${given.at(-1) ?? ''}\n`)
    expect(shown.join('\n')).not.toMatch(/smt_|eyJ/)
    expect(await readFile(join(folder, 'env'), 'utf8')).toBe(
      [
        `STAGELY_SERVER=${controller.url}`,
        `STAGELY_TOKEN_FILE=${file}`,
        'STAGELY_NAMESPACE=default',
        `STAGELY_CA_FILE=${ca()}\n`,
      ].join('\n'),
    )
    // Nothing that outlives the job.
    await expect(stat(join(dir, '.config'))).rejects.toThrow('ENOENT')
  })

  it('takes the token of GitLab, and that of a pod, into the file of STAGELY_TOKEN_FILE', async () => {
    const folder = await newFolder('gitlab')
    const aud = controller.url
    const idFile = join(folder, 'projected')
    await writeFile(idFile, `${await issuer.sign({ ...kubernetesClaims, aud })}\n`)
    for (const [name, env] of [
      ['gitlab', { STAGELY_ID_TOKEN: await issuer.sign({ ...gitlabClaims, aud }) }],
      ['pod', { STAGELY_ID_TOKEN_FILE: idFile }],
    ] as const) {
      const file = join(folder, name)
      const ran = await login({ ...env, STAGELY_TOKEN_FILE: file })
      expect([ran.code, ran.stderr, ran.stdout.includes('::')]).toEqual([0, '', false])
      const whoami = await runCli(['whoami'], {
        HOME: dir,
        STAGELY_SERVER: controller.url,
        STAGELY_CA_FILE: ca(),
        STAGELY_TOKEN_FILE: file,
      })
      expect(whoami.stdout).toContain('preview')
      expect(ran.stdout + whoami.stdout).not.toContain((await readFile(file, 'utf8')).trim())
    }
  })

  it('says what it has looked for where there is nothing, and what the service needs', async () => {
    const nowhere = { STAGELY_TOKEN_FILE: join(dir, 'none') }
    const { code, stderr } = await login(nowhere)
    expect(code).toBe(1)
    for (const text of [
      ...['STAGELY_ID_TOKEN', 'STAGELY_ID_TOKEN_FILE', 'ACTIONS_ID_TOKEN_REQUEST_URL'],
      ...['/var/run/secrets/stagely/token', 'this is no job of'],
    ])
      expect(stderr).toContain(text)
    for (const [env, remedy] of [
      [{ GITHUB_ACTIONS: 'true' }, 'id-token: write'],
      [{ GITLAB_CI: 'true' }, 'id_tokens'],
      [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 'projected volume'],
    ] as const)
      expect((await login({ ...nowhere, ...env })).stderr).toContain(remedy)
  })

  it('refuses what would lose the token, and says why the controller takes none', async () => {
    const aud = controller.url
    const token = await issuer.sign({ ...gitlabClaims, aud })
    const file = join(dir, 'refused')
    expect((await login({ STAGELY_ID_TOKEN: token })).stderr).toContain('STAGELY_TOKEN_FILE=FILE')
    const set = { STAGELY_ID_TOKEN: token, STAGELY_TOKEN: 'x', STAGELY_TOKEN_FILE: file }
    expect((await login(set)).stderr).toContain('STAGELY_TOKEN is set')
    const other = await issuer.sign({ ...gitlabClaims, project_path: 'acme/shop-evil', aud })
    const refused = await login({ STAGELY_ID_TOKEN: other, STAGELY_TOKEN_FILE: file })
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('no rule')])
    expect(refused.stderr).not.toContain(other)
    await expect(stat(file)).rejects.toThrow('ENOENT')
    const asked = await login({ STAGELY_ID_TOKEN: token }, '--context', 'ci')
    expect(asked.stdout).toContain('remembered as ci')
    expect((await runCli(['context'], { HOME: dir })).stdout).toContain(controller.url)
  })
})

describe('the action for GitHub and Forgejo', () => {
  const run = async (name: string, more: Record<string, string>, number = '42') =>
    runAction(actionFolder, {
      dir: await newFolder(name),
      env: ofGithub(),
      context: {
        'github.token': runnerToken,
        'github.event.pull_request.number': number,
      },
      with: { server: controller.url, team: 'default', 'ca-file': ca(), project: 'shop', ...more },
    })

  it('fills nothing that others write into a script', async () => {
    const { runs } = await readAction(actionFolder)
    expect(runs.using).toBe('composite')
    for (const step of runs.steps) expect(step.run).not.toContain('${{')
  })

  it('sets secrets of its place, and none of production', async () => {
    claims = pullRequestClaims
    const secrets = 'API_KEY=first=value with spaces\n\nOTHER=$(id)\n'
    const done = await run('set', { secrets, environments: 'preview', scope: 'global' })
    expect(done.code, done.log).toBe(0)
    expect(done.log).not.toMatch(/smt_|eyJ|first=value|\$\(id\)/)
    const read = async (key: string): Promise<string> =>
      (
        await runCli(
          ['secrets', 'get', key, '--project', 'shop', '--reveal', '--environment', 'preview'],
          {
            HOME: dir,
            STAGELY_SERVER: controller.url,
            STAGELY_CA_FILE: ca(),
            STAGELY_TOKEN: controller.token,
          },
        )
      ).stdout.trim()
    expect([await read('API_KEY'), await read('OTHER')]).toEqual([
      'first=value with spaces',
      '$(id)',
    ])
    const refused = await run('refused', { secrets: 'API_KEY=x', environments: 'production' })
    expect([refused.code, refused.log]).toEqual([1, expect.stringContaining('Forbidden')])
  })

  it('deploys and waits, and fails with the reason where nothing comes', async () => {
    const done = await run('deploy', { deploy: 'shop-pr', timeout: '1s' })
    expect(done.code).toBe(1)
    expect(done.log).toMatch(/shop-pr/)
    const path = '/apis/stagely.dev/v1alpha1/namespaces/default/stagelets/shop-pr'
    expect((await controller.call('GET', path)).text).toContain('stagely.dev/redeploy')
  })

  it('makes a preview, and comments it once', async () => {
    const more = { preview: 'up', ttl: '72h', images: 'web=acme/web:1', variables: 'A=b c' }
    for (const name of ['up', 'again']) {
      const done = await run(name, more)
      expect(done.code, done.log).toBe(0)
      expect(done.outputs['address']).toBe('http://web-1:20001')
      expect(JSON.parse(done.outputs['preview'] ?? '')).toMatchObject({ name: 'pr-42' })
    }
    expect(comments).toHaveLength(1)
    expect(comments[0]!.body).toContain('Preview pr-42 of shop: healthy')
    const down = await run('down', { preview: 'down' })
    expect(down.code, down.log).toBe(0)
    const asked = await readFile(join(dir, 'previews'), 'utf8')
    expect(asked).toContain(
      'preview up pr-42 --timeout 10m --from shop --ttl 72h --image web=acme/web:1 --set A=b c',
    )
    expect(asked).toContain('preview down pr-42 --timeout 10m --from shop --yes')
  })

  it('says of a pull request from a fork that it gets no token', async () => {
    const env = {
      ...ofGithub(),
      ACTIONS_ID_TOKEN_REQUEST_URL: '',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: '',
    }
    const fork = await runAction(actionFolder, {
      dir: await newFolder('fork'),
      env,
      context: {},
      with: { server: controller.url, team: 'default', 'ca-file': ca(), secrets: 'A=b' },
    })
    expect([fork.code, fork.log]).toEqual([1, expect.stringContaining('id-token: write')])
  })
})

it('makes and takes down previews with the token of a job', async () => {
  const file = join(dir, 'for-previews')
  const token = await issuer.sign({ ...gitlabClaims, aud: controller.url })
  expect((await login({ STAGELY_ID_TOKEN: token, STAGELY_TOKEN_FILE: file })).code).toBe(0)
  const env = {
    HOME: dir,
    STAGELY_SERVER: controller.url,
    STAGELY_CA_FILE: ca(),
    STAGELY_TOKEN_FILE: file,
  }
  const up = ['preview', 'up', 'pr-7', '--from', 'shop', '--no-wait', '--json']
  const made = await runCli(up, env)
  expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('pr-7')])
  expect(JSON.parse(made.stdout)).toMatchObject({ name: 'pr-7', environment: 'preview' })
  const down = ['preview', 'down', 'pr-7', '--from', 'shop', '--no-wait', '--yes']
  expect((await runCli(down, env)).code).toBe(0)
})

it.each(['up', 'down'])(
  'preview %s knows the flags that the integrations give it',
  async (verb) => {
    const { stdout: help } = await runCli(['preview', verb, '--help'], { HOME: dir })
    const asked = await readFile(join(dir, 'previews'), 'utf8')
    const lines = asked.split('\n').filter((line) => line.startsWith(`preview ${verb} `))
    const flags = lines.flatMap((line) => line.match(/--[a-z]+/g) ?? [])
    expect(flags).toContain('--timeout')
    for (const flag of new Set(flags)) expect(help).toContain(flag)
  },
)

describe('the component for GitLab', () => {
  const run = async (job: string, name: string, inputs: Record<string, string>) => {
    const folder = await newFolder(name)
    const env = {
      HOME: dir,
      PATH: ofGithub()['PATH'] ?? '',
      GITLAB_CI: 'true',
      STAGELY_CA_FILE: ca(),
      CI_PROJECT_DIR: folder,
      CI_MERGE_REQUEST_IID: '7',
      API_KEY: 'of gitlab',
      STAGELY_ID_TOKEN: await issuer.sign({ ...gitlabClaims, aud: controller.url }),
    }
    const own = { server: controller.url, team: 'default', image: 'stagely', project: 'shop' }
    const done = await runComponentJob(component, job, {
      dir: folder,
      env,
      inputs: { ...own, ...inputs },
    })
    await expect(stat(`${folder}.tmp/stagely-token`)).rejects.toThrow('ENOENT')
    expect(done.log).not.toMatch(/smt_|eyJ|of gitlab/)
    return done
  }

  it('has jobs that name an audience, and no secret of ours', async () => {
    const [, jobs = ''] = (await readFile(component, 'utf8')).split('\n---\n')
    const base = (parse(jobs) as Record<string, { id_tokens: object }>)['.stagely']!
    expect(base.id_tokens).toEqual({ STAGELY_ID_TOKEN: { aud: '$[[ inputs.server ]]' } })
  })

  it('sets the variables of the CI that it names, and leaves no token behind', async () => {
    const done = await run('stagely-deploy', 'gl-set', {
      secrets: 'API_KEY',
      environments: 'preview',
    })
    expect(done.code, done.log).toBe(0)
    const missing = await run('stagely-deploy', 'gl-missing', { secrets: 'NONE' })
    expect([missing.code, missing.log]).toEqual([2, expect.stringContaining('no variable NONE')])
  })

  it('shows the address of a preview at the merge request', async () => {
    const done = await run('stagely-preview', 'gl-up', {
      'preview-images': 'web=acme/web:1 api=acme/api:1',
    })
    expect([done.code, done.outputs['url']]).toEqual([0, 'http://web-1:20001'])
    expect((await run('stagely-preview-down', 'gl-down', {})).code).toBe(0)
    expect(await readFile(join(dir, 'previews'), 'utf8')).toContain(
      '--image web=acme/web:1 --image api=acme/api:1',
    )
  })
})

describe('the documents', () => {
  it('log in as docs/ci.md and docs/api.md say', async () => {
    const folder = await newFolder('pages')
    const page = await readFile(resolve('docs/ci.md'), 'utf8')
    const [, trust = ''] = /```yaml\n(# trust.yaml\n[^`]*)```/.exec(page) ?? []
    await writeFile(join(folder, 'trust.yaml'), trust)
    claims = githubClaims
    const names = { 'https://stagely.example.com': controller.url }
    const env: NodeJS.ProcessEnv = { STAGELY_CA_FILE: ca(), STAGELY_SERVER: controller.url }
    const runnerEnv = { GITHUB_ACTIONS: 'true', GITHUB_ENV: join(folder, 'env') }
    await runPage('ci.md', {
      folder,
      env,
      names: { ...names, 'team-a': 'default' },
      before: (block) => {
        if (block.includes('--ci'))
          Object.assign(env, ofGithub(), runnerEnv, {
            RUNNER_TEMP: folder,
            STAGELY_TOKEN: undefined,
          })
        else env['STAGELY_TOKEN'] = controller.token
      },
    })
    expect(await readFile(join(folder, 'stagely-token'), 'utf8')).toMatch(/^smt_/)
    await writeFile(
      join(folder, 'token'),
      await issuer.sign({ ...githubClaims, aud: controller.url }),
    )
    await runPage('api.md', {
      folder,
      part: 'curl https://stagely.example.com',
      env: {},
      names: { ...names, TEAM: 'default', 'curl ': `curl --cacert ${ca()} ` },
      after: (_, stdout) => {
        expect(JSON.parse(stdout)).toMatchObject({ token_type: 'Bearer' })
      },
    })
  })
})
