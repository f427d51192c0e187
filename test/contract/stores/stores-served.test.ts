// Stores of secrets elsewhere, over the port: signed notifications, names for an import, commands, and no value anywhere.
import { createHmac } from 'node:crypto'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { eventually } from '../../support/eventually.ts'
import { runPage } from '../../support/page-commands.ts'
import { runCli } from '../../support/programs/processes.ts'
import { startPlainVault, type PlainVault } from '../../support/stores/plain-vault.ts'

const rest = '/api/v1'
const canaries = { token: 'canary-token-of-vault', hook: 'canary-key-of-the-hook' }
let vault: PlainVault
let controller: TestController
let id = ''

const must = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const init = body === undefined ? {} : { body }
  const { status, text } = await controller.call(method, rest + path, init)
  expect(status, text).toBeLessThan(300)
  return text === '' ? undefined : (JSON.parse(text) as unknown)
}
const project = '/projects/default%2Fshop'
const versionOf = async (name: string): Promise<number> =>
  ((await must('GET', `${project}/secrets/${name}`)) as { version: number }).version
const notification = (body: string, headers: Record<string, string>): Promise<{ status: number }> =>
  controller.call('POST', `/hooks/stores/${id}`, {
    raw: body,
    headers: { authorization: '', 'content-type': 'application/json', ...headers },
  })
const signed = (body: string, at = Math.floor(Date.now() / 1000)): Record<string, string> => {
  const signature = createHmac('sha256', canaries.hook)
    .update(`msg_1.${at}.${body}`)
    .digest('base64')
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(at),
    'webhook-signature': `v1,${signature}`,
  }
}

const openCli = async (): Promise<(...args: string[]) => ReturnType<typeof runCli>> => {
  const env = { HOME: controller.dataDir, KUBECONFIG: await controller.writeKubeConfig() }
  return (...args) => runCli(args, env)
}

beforeAll(async () => {
  vault = await startPlainVault(canaries.token)
  controller = await startTestController({ env: { STAGELY_EGRESS_ALLOW: '127.0.0.1' } })
  await must('POST', '/projects', { name: 'shop' })
  for (const [key, value] of [
    ['TOKEN', canaries.token],
    ['HOOK', canaries.hook],
  ])
    await must('POST', `${project}/secrets`, { key, value, audience: 'Controller' })
  vault.put('prod/shop/db', 'canary-first-value')
  vault.put('prod/shop/api-key', 'canary-of-the-api')
  vault.put('prod/other/db', 'canary-of-others')
  const made = await must('POST', '/stores', {
    name: 'vault',
    vault: { address: vault.url },
    auth: { secret: 'token' },
    allow: { projects: ['shop'], remote: ['prod/shop/*'] },
    refresh: { every: '10h' },
    push: { hook: { signing_key: 'hook', signature: 'StandardWebhooks' } },
  })
  ;({ id } = made as { id: string })
  await must('POST', `${project}/secrets`, {
    key: 'DB',
    value_from: { external: { store: 'vault', key: 'prod/shop/db', property: '/value' } },
  })
})
afterAll(async () => {
  await controller?.remove()
  vault?.close()
})

test('a secret takes its value from Vault, and the store says whom it takes the controller for', async () => {
  await eventually(() => versionOf('db.global')).toBe(1)
  await eventually(() => must('GET', `/stores/${id}`)).toMatchObject({
    provider: 'vault',
    identity: 'reader',
    secrets: 1,
    conditions: expect.arrayContaining([
      expect.objectContaining({ type: 'Ready', status: 'True', reason: 'Accepted' }),
    ]) as unknown,
  })
  const { value } = (await must('POST', `${project}/secrets/db.global/reveal`, {})) as {
    value: string
  }
  expect(value).toBe('canary-first-value')
})

test('a signed notification starts a look; another one is refused', async () => {
  vault.put('prod/shop/db', 'canary-second-value')
  const body = JSON.stringify({ type: 'changed', data: { keys: ['prod/shop/db'] } })
  const old = Math.floor(Date.now() / 1000) - 3600
  const answers = [
    await notification(body, {}),
    await notification(body, { ...signed(body), 'webhook-signature': 'v1,AAAA' }),
    await notification(`${body} `, signed(body)),
    await notification(body, signed(body, old)),
  ]
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401])
  expect(await versionOf('db.global')).toBe(1)
  expect((await notification(body, signed(body))).status).toBe(202)
  await eventually(() => versionOf('db.global')).toBe(2)
  vault.put('prod/shop/db', 'canary-third-value')
  expect((await notification('{}', signed('{}'))).status).toBe(202)
  expect((await notification('{}', signed('{}'))).status).toBe(202)
  await eventually(() => versionOf('db.global')).toBe(3)
})

test('an import makes secrets of all keys that the store allows, and reads no value', async () => {
  expect(await must('GET', `/stores/${id}/keys?prefix=prod%2F`)).toEqual({
    keys: ['prod/shop/api-key', 'prod/shop/db'],
    is_cut: false,
  })
  const cli = await openCli()
  const args = ['secrets', 'import', '--store', 'vault', '--prefix', 'prod/shop/', '-p', 'shop']
  const dry = await cli(...args, '--dry-run')
  expect(dry.stdout).toContain('key: API_KEY')
  expect(dry.stdout).toContain('key: prod/shop/api-key')
  expect(dry.stdout).not.toContain('canary')
  await cli(...args, '--yes')
  await eventually(() => versionOf('api-key.global')).toBe(1)
  expect((await cli('get', 'secretstores')).stdout).toMatch(/vault\s+vault\s+True\s+True\s+\w+\s+2/)
  expect((await cli('stores', 'check', 'vault')).stdout).toContain('Ready=True Accepted')
})

test('the commands of docs/stores.md, with Vault in place of AWS', async () => {
  const folder = await mkdtemp(join(controller.dataDir, 'page-'))
  const page = await readFile(join(import.meta.dirname, '../../../docs/stores.md'), 'utf8')
  const [, manifests = ''] = /```yaml\n([^`]*)```/.exec(page) ?? []
  const aws = 'aws: { region: eu-central-1 }'
  expect(manifests).toContain(aws)
  const filled = manifests.replace(aws, `vault: { address: "${vault.url}" }`)
  await writeFile(join(folder, 'store.yaml'), filled.replace('/password', '/value'))
  await runPage('stores.md', {
    folder,
    env: {
      STAGELY_SERVER: controller.url,
      STAGELY_TOKEN: controller.token,
      STAGELY_CA_FILE: join(controller.dataDir, 'ca.crt'),
    },
    names: {
      'stagely secrets set': `printf ${canaries.token} | stagely secrets set`,
      'store.yaml': 'store.yaml\nstagely wait --for=condition=Ready secretstore/prod-aws',
    },
  })
  await eventually(() => versionOf('db-password.backend')).toBe(1)
})

test('a value that production has is refused for a preview, and the others of the look are stored', async () => {
  const environments = [
    { name: 'production' },
    { name: 'preview', inherits: 'Nothing', differs_from: ['production'] },
  ]
  await must('PATCH', project, { environments })
  await must('POST', `${project}/secrets`, {
    key: 'LIVE',
    value: 'canary-of-production',
    environments: ['production'],
  })
  vault.put('prod/shop/copied', 'canary-of-production')
  vault.put('prod/shop/own', 'canary-of-a-preview')
  for (const name of ['copied', 'own'])
    await must('POST', `${project}/secrets`, {
      key: name.toUpperCase(),
      environments: ['preview'],
      value_from: { external: { store: 'vault', key: `prod/shop/${name}`, property: '/value' } },
    })
  await eventually(() => versionOf('own.global.preview')).toBe(1)
  await eventually(() => must('GET', `${project}/secrets/copied.global.preview`)).toMatchObject({
    conditions: expect.arrayContaining([
      expect.objectContaining({
        type: 'Fresh',
        status: 'False',
        reason: 'Refused',
        message: expect.stringContaining('(LIVE) in environment "production"') as string,
      }),
    ]) as unknown,
  })
  expect(await versionOf('copied.global.preview')).toBe(0)
})

test('no value, token or key is in what the controller shows', async () => {
  const shown = await Promise.all([
    controller.call('GET', '/metrics'),
    controller.call('GET', `${rest}/stores`),
    controller.call('GET', `${rest}/audit?limit=200`),
    controller.call('GET', `${rest}/events?team=default`),
    controller.call('GET', `${rest}${project}/secrets`),
    ...['stagelysecrets', 'secretstores'].map((plural) =>
      controller.call('GET', `/apis/stagely.dev/v1alpha1/${plural}`),
    ),
    controller.call('GET', '/api/v1/events'),
  ])
  const text = shown.map((answer) => answer.text).join('\n')
  expect(text).toContain('prod/shop/db')
  expect(text).toContain('store:default/vault')
  expect(text).not.toContain('canary')
})

test('nobody is told that a store was looked at which did not answer', async () => {
  vault.close()
  const cli = await openCli()
  const asked = await cli('stores', 'refresh', 'vault')
  expect([asked.code, asked.stdout]).toEqual([1, ''])
  expect(asked.stderr).toContain('Ready=False Unavailable')
})
