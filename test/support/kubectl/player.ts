// Plays commands of kubectl against a controller of its own, each on what was set up for it.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTestController, type TestController } from '../programs/controller.ts'
import { shortGo } from '../short-go.ts'
import { writeLogins } from './logins.ts'
import { writeManifests } from './manifests.ts'
import { meaningOf } from './meaning.ts'
import type { Setup } from './setups.ts'

/** Of Kubernetes 1.35, as scripts/lib/setup.sh fetches it. */
const newerKubectl =
  process.env['STAGELY_NEWER_KUBECTL'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'stagely/kubectl-2.2.2')

export interface Play {
  /** What makes that which the command is to find, in an empty namespace. */
  readonly setup: Setup
  readonly cmd: string
  /** True where the command leaves everything as it was: the next one may have it too. */
  readonly readsOnly: boolean
  /** One of `logins.ts`; the admin's where there is none of that name. */
  readonly login?: string
  /** True for the command of a newer kubectl. */
  readonly newer?: boolean
}

export interface Played {
  /** Exit code, and what the output says. */
  readonly facts: string[]
  readonly output: string
}

interface Ended {
  readonly rc: number
  readonly stdout: string
  readonly stderr: string
}

const path = '/usr/bin:/bin'
const namespaces = ['probe', 'probe-dir', 'probe-tmp', 'gz']
const group = '/apis/stagely.dev/v1alpha1'

export class Player {
  readonly #server: TestController
  readonly #folder: string
  readonly #kubeConfig: string
  readonly #logins: Readonly<Record<string, string>>
  /** The set-up that is there, untouched; undefined: anything may be. */
  #holds: Setup | undefined

  private constructor(
    server: TestController,
    folder: string,
    kubeConfig: string,
    logins: Readonly<Record<string, string>>,
  ) {
    this.#server = server
    this.#folder = folder
    this.#kubeConfig = kubeConfig
    this.#logins = logins
  }

  static async start(databaseUrl: string): Promise<Player> {
    const server = await startTestController({ databaseUrl })
    const folder = await mkdtemp(join(tmpdir(), 'stagely-replay-'))
    await writeManifests(folder)
    await mkdir(join(folder, 'newer'))
    await symlink(newerKubectl, join(folder, 'newer/kubectl'))
    const logins = await writeLogins(server, folder)
    return new Player(server, folder, await server.writeKubeConfig(), logins)
  }

  async play({ setup, cmd, readsOnly, login = '', newer = false }: Play): Promise<Played> {
    if (this.#holds !== setup) {
      await this.#reset()
      await setup(this.#server)
    }
    this.#holds = readsOnly ? setup : undefined
    const { rc, stdout, stderr } = await this.#shell(cmd, {
      KUBECONFIG: this.#logins[login] ?? this.#kubeConfig,
      // What another login found out is not known to this one.
      ...(login === '' ? {} : { KUBECACHEDIR: join(this.#folder, 'cache', login) }),
      ADMIN_TOKEN: this.#server.token,
      PATH: newer ? `${this.#folder}/newer:${path}` : path,
    })
    return { facts: [`exit ${rc}`, ...meaningOf(stdout, stderr)], output: stdout + stderr }
  }

  async remove(): Promise<void> {
    await this.#server.remove()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #shell(cmd: string, more: Record<string, string>): Promise<Ended> {
    const cwd = this.#folder
    const env = {
      KUBECONFIG: this.#kubeConfig,
      HOME: cwd,
      TMPDIR: cwd,
      PATH: path,
      ...shortGo,
      ...more,
    }
    return new Promise((resolve) => {
      const options = { cwd, env, timeout: 60_000 }
      const child = execFile('/bin/bash', ['-c', cmd], options, (error, stdout, stderr) => {
        resolve({ rc: error === null ? 0 : Number(error.code ?? -1), stdout, stderr })
      })
      // Nobody is there to be asked for a name.
      child.stdin?.end()
    })
  }

  /** An empty namespace `probe`, and none of the others. */
  async #reset(): Promise<void> {
    const { items } = (await this.#server.call('GET', `${group}/stagelets`)).json<{
      items: { metadata: { namespace: string; name: string } }[]
    }>()
    for (const { metadata } of items) {
      const one = `${group}/namespaces/${metadata.namespace}/stagelets/${metadata.name}`
      const deleted = await this.#server.call('DELETE', one)
      if (deleted.json()['kind'] === 'Status') continue
      await this.#server.call('PATCH', one, {
        body: { metadata: { finalizers: null } },
        headers: { 'content-type': 'application/merge-patch+json' },
      })
    }
    const found = (await this.#server.call('GET', '/api/v1/namespaces')).json<{
      items: { metadata: { name: string } }[]
    }>()
    for (const { metadata } of found.items)
      if (namespaces.includes(metadata.name))
        await this.#server.call('DELETE', `/api/v1/namespaces/${metadata.name}`)
    await this.#server.call('POST', '/api/v1/namespaces', {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'probe' } },
    })
  }
}
