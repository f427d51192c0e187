// A real kubectl with a home of its own.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { shortGo } from '../short-go.ts'

const kubectlPath = '/usr/bin/kubectl'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Kubectl {
  (...args: string[]): Promise<Ran>
  /** With more in its environment, such as an EDITOR. */
  with(env: Record<string, string>, ...args: string[]): Promise<Ran>
  /** With that text on its standard input. */
  fed(input: string, ...args: string[]): Promise<Ran>
  /** Path of a manifest with these objects. */
  manifest(...objects: object[]): Promise<string>
  remove(): Promise<void>
}

/** Runs it to its end in an environment of the caller's. */
export const kubectl = (
  args: readonly string[],
  env: Record<string, string>,
  input = '',
): Promise<Ran> =>
  new Promise((resolve) => {
    const options = { env: { PATH: '/usr/bin:/bin', ...shortGo, ...env }, timeout: 30_000 }
    const child = execFile(kubectlPath, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr })
    })
    child.stdin?.end(input)
  })

export const createKubectl = async (kubeConfig: string): Promise<Kubectl> => {
  const home = await mkdtemp(join(tmpdir(), 'stagely-kubectl-'))
  const env = { KUBECONFIG: kubeConfig, HOME: home }
  let files = 0
  const run = (...args: string[]): Promise<Ran> => kubectl(args, env)
  return Object.assign(run, {
    with: (more: Record<string, string>, ...args: string[]) => kubectl(args, { ...env, ...more }),
    fed: (input: string, ...args: string[]) => kubectl(args, env, input),
    manifest: async (...objects: object[]): Promise<string> => {
      const file = join(home, `${++files}.yaml`)
      await writeFile(file, objects.map((o) => stringify(o)).join('---\n'))
      return file
    },
    remove: () => rm(home, { recursive: true, force: true }),
  })
}
