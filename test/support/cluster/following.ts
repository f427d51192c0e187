// Controllers of this process that follow a test cluster, which they find by KUBECONFIG.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestCluster } from './cluster.ts'

export interface Following {
  /** Holds the kubeconfig, and what a test puts there. */
  readonly folder: string
  /** Flags of the controller. */
  readonly argv: string[]
  /** Takes KUBECONFIG and the folder away again. */
  remove(): Promise<void>
}

export const startFollowing = async (cluster: TestCluster): Promise<Following> => {
  const former = process.env['KUBECONFIG']
  const folder = await mkdtemp(join(tmpdir(), 'stagely-following-'))
  const file = join(folder, 'kubeconfig')
  await writeFile(file, cluster.kubeConfig.exportConfig())
  process.env['KUBECONFIG'] = file
  return {
    folder,
    argv: ['--kubernetes', '--kubernetes-namespace', cluster.namespace],
    remove: async () => {
      await rm(folder, { recursive: true, force: true })
      if (former === undefined) delete process.env['KUBECONFIG']
      else process.env['KUBECONFIG'] = former
    },
  }
}
