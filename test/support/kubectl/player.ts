// Plays commands of kubectl against a controller of its own, each on what was set up for it.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalJson } from '../../../src/kernel/canonical-json.ts'
import { startTestController, type TestController } from '../controller.ts'
import { shortGo } from '../short-go.ts'
import { writeLogins } from './logins.ts'
import { writeManifests } from './manifests.ts'
import { meaningOf } from './meaning.ts'

/** Of Kubernetes 1.35, as scripts/lib/setup.sh fetches it. */
const newerKubectl =
  process.env['STAGELY_NEWER_KUBECTL'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'stagely/kubectl-2.2.2')

export interface Play {
  /** What makes that which the command is to find: commands, or requests; '' for an empty namespace. */
  readonly setup: string | ((server: TestController) => Promise<void>)
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

/** What `kubectl apply` sends for a stagelet that is not there: the same request, without the process. */
export const applied =
  (...stagelets: readonly object[]): Play['setup'] =>
  async (server) => {
    for (const stagelet of stagelets) {
      const { metadata } = stagelet as { metadata: { namespace: string } }
      const all = { ...stagelet, metadata: { annotations: {}, ...metadata } }
      const annotations = { [lastApplied]: `${canonicalJson(all)}\n` }
      const path = `${group}/namespaces/${metadata.namespace}/stagelets`
      await server.call('POST', `${path}?fieldManager=kubectl-client-side-apply`, {
        body: { ...stagelet, metadata: { ...metadata, annotations } },
      })
    }
  }

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
const path = '/usr/bin:/bin'
const namespaces = ['probe', 'probe-dir', 'probe-tmp', 'gz']
const group = '/apis/stagely.dev/v1alpha1'

export class Player {
  readonly #server: TestController
  readonly #folder: string
  readonly #kubeConfig: string
  readonly #logins: Readonly<Record<string, string>>
  /** The set-up that is there, untouched; undefined: anything may be. */
  #holds: Play['setup'] | undefined

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
      await this.#setUp(setup)
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

  async #setUp(setup: Play['setup']): Promise<void> {
    if (typeof setup !== 'string') {
      await setup(this.#server)
      return
    }
    const { rc, stderr } = await this.#shell(`set -e; ${setup}`)
    if (rc !== 0) throw new Error(`${setup}: ${stderr}`)
  }

  #shell(cmd: string, more: Record<string, string> = {}): Promise<Ended> {
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
      await this.#server.call('DELETE', one)
      await this.#server.call('PATCH', one, {
        body: { metadata: { finalizers: null } },
        headers: { 'content-type': 'application/merge-patch+json' },
      })
    }
    for (const name of namespaces) await this.#server.call('DELETE', `/api/v1/namespaces/${name}`)
    await this.#server.call('POST', '/api/v1/namespaces', {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'probe' } },
    })
  }
}
