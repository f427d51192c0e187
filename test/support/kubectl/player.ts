// Plays commands of kubectl against a controller of its own, each on what was set up for it.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTestController, type TestController } from '../controller.ts'
import { writeManifests } from './manifests.ts'
import { meaningOf } from './meaning.ts'

export interface Play {
  /** Commands that make what the command is to find; '' for an empty namespace. */
  readonly setup: string
  readonly cmd: string
  /** True where the command leaves everything as it was: the next one may have it too. */
  readonly readsOnly: boolean
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

const namespaces = ['probe', 'probe-dir', 'probe-tmp']
const group = '/apis/stagely.dev/v1alpha1'

export class Player {
  readonly #server: TestController
  readonly #folder: string
  readonly #kubeConfig: string
  /** The set-up that is there, untouched; undefined: anything may be. */
  #holds: string | undefined

  private constructor(server: TestController, folder: string, kubeConfig: string) {
    this.#server = server
    this.#folder = folder
    this.#kubeConfig = kubeConfig
  }

  static async start(databaseUrl: string): Promise<Player> {
    const server = await startTestController({ databaseUrl })
    const folder = await mkdtemp(join(tmpdir(), 'stagely-replay-'))
    await writeManifests(folder)
    return new Player(server, folder, await server.writeKubeConfig())
  }

  async play({ setup, cmd, readsOnly }: Play): Promise<Played> {
    if (this.#holds !== setup) {
      await this.#reset()
      if (setup !== '') await this.#shell(setup)
    }
    this.#holds = readsOnly ? setup : undefined
    const { rc, stdout, stderr } = await this.#shell(cmd)
    return { facts: [`exit ${rc}`, ...meaningOf(stdout, stderr)], output: stdout + stderr }
  }

  async remove(): Promise<void> {
    await this.#server.remove()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #shell(cmd: string): Promise<Ended> {
    const cwd = this.#folder
    // Short processes need no garbage collection, which is a good part of their time.
    const env = {
      KUBECONFIG: this.#kubeConfig,
      HOME: cwd,
      TMPDIR: cwd,
      PATH: '/usr/bin:/bin',
      GOGC: 'off',
    }
    return new Promise((resolve) => {
      const options = { cwd, env, timeout: 60_000 }
      execFile('/bin/bash', ['-c', cmd], options, (error, stdout, stderr) => {
        resolve({ rc: error === null ? 0 : Number(error.code ?? -1), stdout, stderr })
      })
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
