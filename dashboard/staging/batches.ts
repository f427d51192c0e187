// Edits that are more than one request takes: they go in several, which make one revision. Pure.
import { defined } from '../../src/kernel/defined.ts'
import type { BatchAnswer, Edit, ChangeImpact, Operation } from './staging.ts'

/** Limits of one request; some bytes are left for the text around the operations. */
const mostOperations = 500
const mostBytes = 3 * 1024 * 1024 - 4096

export interface EditBatch {
  readonly edits: readonly Edit[]
  readonly operations: readonly Operation[]
}

export const editBatches = (
  edits: readonly Edit[],
  operations: readonly Operation[],
): readonly EditBatch[] => {
  const encoder = new TextEncoder()
  const batches: { edits: Edit[]; operations: Operation[] }[] = []
  let bytes = 0
  for (const [index, operation] of operations.entries()) {
    const edit = edits[index]!
    const size = encoder.encode(JSON.stringify(operation)).length + 1
    const last = batches.at(-1)
    if (last === undefined || last.edits.length === mostOperations || bytes + size > mostBytes) {
      batches.push({ edits: [edit], operations: [operation] })
      bytes = size
    } else {
      last.edits.push(edit)
      last.operations.push(operation)
      bytes += size
    }
  }
  return batches
}

type Hit = ChangeImpact['affected'][number]

const nameOf = ({ stagelet_id: id, service }: { stagelet_id: string; service: string }): string =>
  `${id} ${service}`

const union = <T>(lists: readonly (readonly T[])[], key: (element: T) => string): Map<string, T> =>
  new Map(lists.flat().map((element) => [key(element), element]))

const countOf = ({ affected, cascaded, held, untouched }: ChangeImpact): number =>
  affected.length +
  cascaded.length +
  held.reduce((sum, { services }) => sum + services.length, 0) +
  untouched

const affectedOf = (impacts: readonly ChangeImpact[]): readonly Hit[] => {
  const found = new Map<string, Hit>()
  for (const hit of impacts.flatMap(({ affected }) => affected)) {
    const before = found.get(nameOf(hit))
    const keys = [...new Set([...(before?.keys ?? []), ...hit.keys])].sort()
    found.set(nameOf(hit), { ...hit, keys })
  }
  return [...found.values()]
}

/** Each batch was tried by itself: what all of them reach is what any of them reaches. */
export const impactOfAll = (impacts: readonly ChangeImpact[]): ChangeImpact => {
  const [first] = impacts
  if (first === undefined || impacts.length === 1)
    return first ?? { affected: [], cascaded: [], held: [], widened: [], untouched: 0 }
  const affected = affectedOf(impacts)
  const isAffected = new Set(affected.map(nameOf))
  const cascaded = [
    ...union(
      impacts.map((impact) => impact.cascaded),
      nameOf,
    ).values(),
  ].filter((service) => !isAffected.has(nameOf(service)))
  const held = [
    ...union(
      impacts.map((impact) => impact.held),
      ({ stagelet_id: id }) => id,
    ).values(),
  ].map((repeated) => {
    const hits = impacts.flatMap((impact) =>
      impact.held.filter(({ stagelet_id: id }) => id === repeated.stagelet_id),
    )
    return {
      ...repeated,
      services: [
        ...union(
          hits.map(({ services }) => services),
          ({ service }) => service,
        ).values(),
      ],
    }
  })
  const widened = impacts.flatMap((impact) => impact.widened)
  const rest = { affected: [...affected], cascaded, held, widened, untouched: 0 }
  return { ...rest, untouched: Math.max(0, countOf(first) - countOf(rest)) }
}

/** One answer for all batches, with the operations counted through. */
export const answerOfAll = (answers: readonly BatchAnswer[]): BatchAnswer => {
  const [first] = answers
  if (first === undefined || answers.length === 1) return first!
  let before = 0
  const warnings = answers.flatMap(({ results, warnings: own }) => {
    const warnings = own.map((warning) => ({ ...warning, operation: warning.operation + before }))
    before += results.length
    return warnings
  })
  const revision = answers.find((answer) => answer.revision !== undefined)?.revision
  return {
    ...first,
    results: answers.flatMap(({ results }) => results),
    warnings,
    impact: impactOfAll(answers.map(({ impact }) => impact)),
    ...defined({ revision }),
  }
}

const essenceOf = ({ results, impact, warnings }: BatchAnswer) => [
  results.map(({ op, change, id }) => [op, change, id]),
  impact,
  warnings,
]

/**
 * True where two dry runs of the same edits promise the same, whatever else has changed between them. Never of
 * deletions: nothing in the answer tells whether what they delete is what it was.
 */
export const saysSame = (answer: BatchAnswer, other: BatchAnswer): boolean =>
  answer.results.every(({ op }) => op !== 'delete') &&
  JSON.stringify(essenceOf(answer)) === JSON.stringify(essenceOf(other))
