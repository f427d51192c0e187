// The eight integration steps of the product text, by REST and with real containers.
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agentHere } from '../support/agents/agent-here.ts'
import { controllerHere } from '../support/programs/controller-here.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import { stageletYaml } from '../support/shop.ts'
import { createStack, idleService, recreatedBetween, type Stack } from '../support/docker/stack.ts'

let world: World
let stack: Stack

beforeAll(async () => {
  stack = await createStack(`services:\n${idleService('backend')}${idleService('frontend')}`)
  world = await startWorld({
    controllerBy: controllerHere,
    agentBy: agentHere,
    database: await freshDatabase(),
  })
})
afterAll(async () => {
  await world?.stop()
  await stack?.remove()
})

const rest = async (
  method: string,
  path: string,
  body?: object,
): Promise<Record<string, string>> => {
  const ca = await readFile(join(world.controllerDir, 'ca.crt'))
  const token = (await readFile(join(world.controllerDir, 'admin-token'), 'utf8')).trim()
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const url = `${world.url}/api/v1${path}`
    const sent = request(url, { method, ca, headers }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => {
        if ((response.statusCode ?? 500) < 300) resolve(JSON.parse(text) as Record<string, string>)
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const inSync = (): Promise<string> =>
  world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '60s')

it('passes the eight steps', async () => {
  // 1. Create a test project. 2. Add a secret via API.
  const project = await rest('POST', '/projects', { name: 'shop' })
  const secrets = `/projects/${project['id']}/secrets`
  const value = { key: 'SECRET_KEY', value: 'first-secret-value', scope: 'backend' }
  const secret = await rest('POST', secrets, value)
  // 3. Deploy a test stagelet.
  expect((await world.apply(stageletYaml(stack.directory, stack.project))).code).toBe(0)
  await inSync()
  // 4. and 5. The secret is in the container.
  expect((await stack.environmentOf('backend'))['SECRET_KEY']).toBe('first-secret-value')
  const before = await stack.containers()
  // 6. Update the secret via API.
  await rest('PATCH', `${secrets}/${secret['id']}`, { value: 'second-secret-value' })
  await inSync()
  // 7. The container was re-created by itself, and no other. 8. The new value is in it.
  expect(recreatedBetween(before, await stack.containers())).toEqual(['backend'])
  expect((await stack.environmentOf('backend'))['SECRET_KEY']).toBe('second-secret-value')
})
