// The machine of a new preview. Pure.
import { findCondition } from '../../src/resources/conditions.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { PreviewSpec } from '../../src/kinds/project/preview.ts'
import type { Typed } from '../../src/kinds/typed.ts'

type Agent = Typed<'Agent'>

interface Fleet {
  readonly agents: readonly Agent[]
  readonly stagelets: readonly Typed<'Stagelet'>[]
  /** True: the caller may not read agents, so no message names one that the template does not. */
  readonly hidesAgents: boolean
}

const canTake = ({ metadata, spec, status }: Agent): boolean =>
  metadata.deletionTimestamp === undefined &&
  spec?.paused !== true &&
  spec?.drained !== true &&
  findCondition(status?.conditions, 'Ready')?.status === 'True'

const nameIn = ({ agentRef }: PreviewSpec, source: Typed<'Stagelet'> | undefined): string =>
  agentRef?.name ?? source?.spec.agentRef.name ?? ''

const hasLabels = ({ metadata: { labels = {} } }: Agent, wanted: readonly [string, string][]) =>
  wanted.every(([label, value]) => labels[label] === value)

/**
 * False for a machine that the template does not run previews on: the stagelet that is there was made by hand, or the
 * template is another one by now. One that is gone runs nothing.
 */
export const isOfTemplate = (
  { agents }: Fleet,
  template: PreviewSpec,
  { agent, source }: { readonly agent: string; readonly source: Typed<'Stagelet'> | undefined },
): boolean => {
  const { agentSelector } = template
  if (agentSelector === undefined) return agent === nameIn(template, source)
  const wanted = Object.entries(agentSelector.matchLabels)
  return agents.every((one) => one.metadata.name !== agent || hasLabels(one, wanted))
}

/** The agent that the template names, else the least used one that it selects, else that of the source. */
export const chooseAgent = (
  { agents, stagelets, hidesAgents }: Fleet,
  template: PreviewSpec,
  source: Typed<'Stagelet'> | undefined,
): string => {
  const { agentSelector } = template
  if (agentSelector === undefined) {
    const name = nameIn(template, source)
    if (agents.some(({ metadata }) => metadata.name === name)) return name
    throw new StagelyError(
      'Conflict',
      `the template runs previews on agent ${JSON.stringify(name)}, which there is not: correct spec.preview of the project, or let the agent join`,
    )
  }
  const wanted = Object.entries(agentSelector.matchLabels)
  const labelled = agents.filter((agent) => hasLabels(agent, wanted))
  const loadOf = ({ metadata: { name } }: Agent): number =>
    stagelets.filter(({ spec }) => spec.agentRef.name === name).length
  const [best] = labelled
    .filter(canTake)
    .map((agent) => ({ name: agent.metadata.name, load: loadOf(agent) }))
    .sort((a, b) => a.load - b.load || (a.name < b.name ? -1 : 1))
  if (best !== undefined) return best.name
  const text = wanted.map(([label, value]) => `${label}=${value}`).join(', ')
  const who = hidesAgents ? ['each of them'] : labelled.map(({ metadata }) => metadata.name)
  throw new StagelyError(
    'Conflict',
    labelled.length === 0
      ? `no agent has the labels of spec.preview.agentSelector (${text})`
      : `no agent with the labels ${text} can take a preview now: ${who.join(', ')} ${who.length === 1 ? 'is' : 'are'} away, paused or drained`,
  )
}
