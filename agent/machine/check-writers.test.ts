import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkWriters } from './check-writers.ts'

let folder = ''
let containers: unknown = []
const engine = createServer((request, response) => {
  const isVolumes = request.url?.startsWith('/volumes') === true
  const Options = { type: 'none', o: 'bind', device: join(folder, 'srv/b') }
  response.end(JSON.stringify(isVolumes ? { Volumes: [{ Name: 'v', Options }] } : containers))
})
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stagely-writers-'))
  for (const name of ['a', 'b', 'c']) await mkdir(join(folder, 'srv', name), { recursive: true })
  await new Promise<void>((done) => engine.listen(join(folder, 'engine.sock'), done))
})
afterAll(async () => {
  engine.close()
  await rm(folder, { recursive: true, force: true })
})

const container = (name: string, ...Mounts: unknown[]) => ({
  Id: name,
  Names: [`/${name}-web-1`],
  Mounts,
  Labels: {
    'com.docker.compose.project': name,
    'com.docker.compose.project.working_dir': join(folder, 'srv', name),
    'com.docker.compose.project.config_files': join(folder, 'srv', name, 'compose.yml'),
  },
})
const bind = (Source: string, RW: boolean) => ({ Type: 'bind', Source: join(folder, Source), RW })
const check = () => checkWriters({ dockerSocket: join(folder, 'engine.sock'), allowDirs: [join(folder, 'srv')] }) // prettier-ignore

it('doctor names the stacks whose files containers may write, and those containers, by volumes that are folders too', async () => {
  containers = [
    container('a', bind('srv/a/data', true)),
    container('b', bind('srv/b', false)),
    container('c', bind('srv', false)),
  ]
  expect(await check()).toMatchObject({ status: 'ok' })
  containers = [
    container('a', bind('srv/a', true)),
    container('b'),
    container('c', { Type: 'volume', Name: 'v', Source: '/var/lib/v', RW: true }),
  ]
  const { status, message, remedy } = await check()
  expect(status).toBe('warning')
  expect(message.replaceAll(folder, '')).toMatch(
    /: a: container a-web-1 may write \/srv\/a; b: container c-web-1 may write \/srv\/b$/,
  )
  expect(remedy).toMatch(/spec\.compose\.writableFolders$/)
})

it('doctor looks at nothing below other folders, and says where the engine does not tell', async () => {
  containers = [container('a', { Type: 'bind', Source: '/', RW: true })]
  const dockerSocket = join(folder, 'engine.sock')
  expect(await checkWriters({ dockerSocket, allowDirs: ['/nowhere'] })).toMatchObject({ status: 'ok' }) // prettier-ignore
  expect(await checkWriters({ dockerSocket: join(folder, 'none'), allowDirs: ['/'] })).toMatchObject({ status: 'skipped' }) // prettier-ignore
})
