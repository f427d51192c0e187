// The stagelets of a project whose agents are away: nobody sees what runs there, and nothing is delivered.
import { findCondition } from '../../../src/resources/conditions.ts'
import type { AgentSpec, AgentStatus } from '../../../src/kinds/agent/schema.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Reader } from '../../../src/store/store.ts'

type Agent = KubeObject<AgentSpec, AgentStatus>

export const awayIn = async (
  reader: Pick<Reader, 'get' | 'list'>,
  place: { readonly namespace: string; readonly project: string },
): Promise<string[]> => {
  const { items } = await reader.list('Stagelet', place)
  const names = new Set(items.map(({ spec }) => spec.agentRef.name))
  const here = new Set<string>()
  for (const name of names) {
    const ref = { kind: 'Agent', namespace: place.namespace, name }
    const agent = (await reader.get(ref)) as Agent | undefined
    if (findCondition(agent?.status?.conditions, 'Ready')?.status === 'True') here.add(name)
  }
  return items
    .filter(({ spec }) => !here.has(spec.agentRef.name))
    .map(({ metadata }) => metadata.name)
}
