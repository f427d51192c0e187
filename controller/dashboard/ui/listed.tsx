// What is shown of a collection: why its list could not be read, its rows, that there are none, or that they are to come.
import type { ComponentChild } from 'preact'
import type { Collection } from '../live/collection.ts'
import { Skeleton } from './page.tsx'
import { ProblemBox } from './problem.tsx'

interface Props {
  readonly of: Pick<Collection<never>, 'loading' | 'error' | 'refresh'>
  /** About how many rows are to come. */
  readonly rows?: number
  /** In place of the rows where there are none. */
  readonly none: ComponentChild
  /** The rows. False: there are none, or none are known yet. */
  readonly children?: ComponentChild
}

export const Listed = ({ of, rows = 4, none, children = false }: Props) => {
  const error = of.error.value
  const isReady = of.loading.value === 'ready'
  return (
    <>
      {error === undefined ? null : <ProblemBox error={error} onRetry={() => void of.refresh()} />}
      {children !== false ? (
        children
      ) : isReady ? (
        none
      ) : error === undefined ? (
        <Skeleton rows={rows} />
      ) : null}
    </>
  )
}
