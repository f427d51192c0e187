// All stacks with their services: which are shown, and in which order. Pure.
import type { Service, Stagelet } from '../../../src/generated/rest-types.ts'
import { serviceState, stageletState, type ShownState } from '../../live/states.ts'

interface ServiceInRow {
  readonly service: Service
  readonly state: ShownState
}

export interface StackRow {
  readonly stack: Stagelet
  readonly state: ShownState
  /** The newest revision of its project. */
  readonly declared: number | undefined
  readonly services: readonly ServiceInRow[]
}

export const stackRow = (stack: Stagelet, declared = stack.wanted_revision): StackRow => ({
  stack,
  declared,
  state: stageletState(stack),
  services: stack.services.map((service) => ({
    service,
    state: serviceState(service, declared),
  })),
})

const textOf = ({ stack, state, services }: StackRow): string =>
  [
    ...[stack.team, stack.project, stack.name, stack.agent, stack.directory, state.word],
    stack.environment ?? '',
    ...services.flatMap(({ service, state: own }) => [service.name, own.word]),
  ]
    .join('\n')
    .toLowerCase()

/** Those in which each word stands somewhere; what needs a person is first. */
export const shownRows = (rows: readonly StackRow[], filter: string): readonly StackRow[] => {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  return rows
    .filter((row) => {
      const text = words.length === 0 ? '' : textOf(row)
      return words.every((word) => text.includes(word))
    })
    .sort(
      (a, b) =>
        b.state.weight - a.state.weight ||
        a.stack.project.localeCompare(b.stack.project) ||
        a.stack.name.localeCompare(b.stack.name),
    )
}

/** `r4`, or `r3 of r4` while it does not run what is declared. */
export const stackRevision = ({ stack, declared }: StackRow): string => {
  const { running_revision: runs } = stack
  if (runs === undefined) return declared === undefined ? '–' : `r${declared} is declared`
  return declared === undefined || declared === runs ? `r${runs}` : `r${runs} of r${declared}`
}
