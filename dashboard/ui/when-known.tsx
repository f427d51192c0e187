// Draws a value of the controller: the value, that there is none, that it is loading, or why it could not be read. Lists,
// pages and numbers of the dashboard are drawn by these.
import type { ComponentChild } from 'preact'
import { isTransient } from '../live/retry.ts'
import { knownFailure, partOf, type Failure, type Known } from '../live/known.ts'
import { Skeleton } from './page.tsx'
import { ProblemBox } from './problem.tsx'
import { StateText } from './state.tsx'
import { clockOf } from './time.tsx'

/** Why it could not be read, since when, and that it is tried again. */
export const FailureBox = ({
  failure: { error, since, retry },
  what,
}: {
  readonly failure: Failure
  /** What is not known, where a page shows several: `The stagelets`. */
  readonly what?: string | undefined
}) => (
  <ProblemBox error={error} what={what} onRetry={retry}>
    <p class="muted">
      Since {clockOf(since)}.{isTransient(error) ? ' Retrying automatically.' : ''}
    </p>
  </ProblemBox>
)

interface Props<T> {
  readonly value: Known<T>
  /** `The stagelets`, where a page shows several things. */
  readonly what?: string
  /** About how many rows are to come. */
  readonly rows?: number
  /** In place of an empty list, or of what is not there: once that is known. */
  readonly none?: ComponentChild
  /** `isWhole`: there is no more of it. */
  readonly children?: (value: NonNullable<T>, isWhole: boolean) => ComponentChild
}

const isNone = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0)

export const WhenKnown = <T,>({ value, what, rows = 4, none, children }: Props<T>) => {
  const failure = knownFailure(value)
  const part = partOf(value)
  const isWhole = value.state === 'known'
  const isDrawn = !isNone(part) || (isWhole && none === undefined)
  return (
    <>
      {failure === undefined ? null : <FailureBox failure={failure} what={what} />}
      {isDrawn ? (
        children?.(part as NonNullable<T>, isWhole)
      ) : isWhole ? (
        none
      ) : value.state === 'loading' ? (
        <Skeleton rows={rows} />
      ) : null}
    </>
  )
}

/** For a number in a row: nothing while it loads, and "not known" where it could not be read. */
export const InlineKnown = <T,>({
  value,
  children,
}: {
  readonly value: Known<T>
  readonly children: (value: T) => ComponentChild
}) => {
  if (value.state === 'known') return <>{children(value.value)}</>
  return value.state === 'failed' ? <StateText kind="unknown">not known</StateText> : null
}
