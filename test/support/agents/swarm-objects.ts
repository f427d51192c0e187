// What the controller has to know of a swarm: an agent and a stagelet for each, all of one project.
import type { World } from '../programs/processes.ts'
import { projectYaml, secretYaml } from '../shop.ts'

/** Calls `work` for each, so many at a time. */
export const inParallel = async <T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const left = [...items].reverse()
  const one = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item)
  }
  await Promise.all(Array.from({ length: width }, one))
}

/** Makes the objects, and returns a join token for each agent. */
export const declareSwarm = async (
  world: Pick<World, 'apply' | 'call'>,
  size: number,
): Promise<string[]> => {
  const applied = await world.apply(projectYaml() + secretYaml('TOKEN', 'first'))
  if (applied.code !== 0) throw new Error(applied.stderr)
  const names = Array.from({ length: size }, (_, i) => `swarm-${i}`)
  const tokens: string[] = []
  await inParallel(names, 16, async (name) => {
    const spec = { expirationSeconds: 3600 }
    const made = await world.call('POST', `agents/${name}/token`, { spec })
    tokens.push((made as { status: { token: string } }).status.token)
    await world.call('POST', 'stagelets', {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Stagelet',
      metadata: { name },
      spec: {
        projectRef: { name: 'shop' },
        agentRef: { name },
        compose: { directory: `/srv/${name}`, projectName: name },
      },
    })
  })
  return tokens
}

interface StageletList {
  readonly items: readonly {
    status?: { conditions?: readonly { type: string; status: string }[] }
  }[]
}

/** True when there are `size` stagelets and all have SecretsInSync. */
export const areInSync = async (world: Pick<World, 'read'>, size: number): Promise<boolean> => {
  const { items } = (await world.read('stagelets')) as StageletList
  const count = items.filter((s) =>
    s.status?.conditions?.some((c) => c.type === 'SecretsInSync' && c.status === 'True'),
  ).length
  return items.length === size && count === size
}
