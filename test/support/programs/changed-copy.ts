// A copy of the program whose sources are changed, with its controller at work.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { KubeConfig } from '@kubernetes/client-node'
import { buildSync } from 'esbuild'
import { freshDatabase } from '../databases/fresh-database.ts'
import { createKubectl, type Kubectl } from '../kubectl/run.ts'
import { shortLived } from '../short-lived.ts'
import { freePort } from './processes.ts'

const root = resolve(import.meta.dirname, '../../..')

interface Reply {
  readonly status: number
  readonly body: Record<string, unknown>
}

export interface ChangedCopy {
  readonly folder: string
  readonly kubectl: Kubectl
  /** What a program of the copy prints. */
  readonly run: (args: readonly string[]) => Promise<string>
  /** As an admin; `content` goes as JSON. */
  readonly call: (method: string, path: string, content?: unknown) => Promise<Reply>
  stop(): Promise<void>
}

const writeKubeConfig = async (folder: string, server: string): Promise<string> => {
  const config = new KubeConfig()
  const ca = await readFile(join(folder, 'data/ca.crt'))
  config.loadFromOptions({
    clusters: [{ name: 's', server, caData: ca.toString('base64'), skipTLSVerify: false }],
    users: [
      { name: 'admin', token: (await readFile(join(folder, 'data/admin-token'), 'utf8')).trim() },
    ],
    contexts: [{ name: 's', cluster: 's', user: 'admin', namespace: 'default' }],
    currentContext: 's',
  })
  const file = join(folder, 'kubeconfig')
  await writeFile(file, config.exportConfig(), { mode: 0o600 })
  return file
}

/** As scripts/bundle.mjs does, but for the packages: they are the same, and most of its work. */
const bundle = async (folder: string): Promise<void> => {
  buildSync({
    absWorkingDir: folder,
    entryPoints: ['cli/main.ts'],
    outdir: 'dist/cli',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  })
  await cp(join(folder, 'src/store/drivers/migrations'), join(folder, 'dist/cli/migrations'), {
    recursive: true,
  })
}

const callAt = async (
  { folder, server }: { folder: string; server: string },
  { method, path, content }: { method: string; path: string; content: unknown },
): Promise<Reply> => {
  const ca = await readFile(join(folder, 'data/ca.crt'))
  const token = (await readFile(join(folder, 'data/admin-token'), 'utf8')).trim()
  const type = path.endsWith('/status') ? 'application/merge-patch+json' : 'application/json'
  const headers = { authorization: `Bearer ${token}`, 'content-type': type }
  const sent = request(server + path, { method, ca, headers })
  sent.end(content === undefined ? undefined : JSON.stringify(content))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const text = (await response.toArray()).join('')
  return { status: response.statusCode ?? 0, body: JSON.parse(text) as Reply['body'] }
}

/** `change` edits the sources in the copy. */
export const startChangedCopy = async (
  change: (folder: string) => Promise<void>,
): Promise<ChangedCopy> => {
  const folder = await mkdtemp(join(tmpdir(), 'stagely-copy-'))
  const parts = ['src', 'controller', 'agent', 'cli', 'dashboard', 'scripts', 'docs', 'charts']
  // Node's own copying takes five times as long for so many files.
  await promisify(execFile)('cp', ['-r', ...parts, 'package.json', folder], { cwd: root })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await change(folder)
  await bundle(folder)
  const database = await freshDatabase()
  const port = await freePort()
  const server = `https://127.0.0.1:${port}`
  const args = ['controller', '--data-dir', join(folder, 'data'), '--listen', `127.0.0.1:${port}`]
  const controller = spawn(process.execPath, [...shortLived, 'dist/cli/main.js', ...args], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: database.url,
      STAGELY_SECRET_KEY: Buffer.alloc(32, 9).toString('base64'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = controller.stderr
    .setEncoding('utf8')
    .reduce((text: string, part: string) => text + part, '')
  const isReady = once(controller.stdout, 'data') // the line that says it is ready
  const ended = once(controller, 'exit').then(async () => {
    throw new Error(`the changed controller ended before it was ready: ${await said}`)
  })
  await Promise.race([isReady, ended])
  ended.catch(() => undefined)
  const kubectl = await createKubectl(await writeKubeConfig(folder, server))
  return {
    folder,
    kubectl,
    run: async (args) => {
      const env = {
        PATH: process.env['PATH'],
        HOME: folder,
        KUBECONFIG: join(folder, 'kubeconfig'),
      }
      const options = { cwd: folder, env }
      return (await promisify(execFile)(process.execPath, [...shortLived, ...args], options)).stdout
    },
    call: (method, path, content) => callAt({ folder, server }, { method, path, content }),
    stop: async () => {
      controller.kill('SIGTERM')
      await once(controller, 'exit')
      await database.drop()
      await kubectl.remove()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
