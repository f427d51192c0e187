// The rollouts of projects: computed by the controller from all stagelets, so they are asked for again whenever the
// stream tells of a change of the project or of one of its stagelets.
import { useEffect, useRef, useState } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import type { Project, Rollout, Stagelet } from '../../../../src/rest/types.ts'
import { stagelets } from '../../live/collections.ts'
import { isOf } from '../../live/states.ts'

const readRollout = (project: Project, signal: AbortSignal): Promise<Rollout> =>
  must(
    api.GET('/projects/{project_id}/rollout', {
      params: { path: { project_id: project.id } },
      signal,
    }),
  )

/** Changes when the project or one of its stagelets did. */
const signOf = (project: Project, all: readonly Stagelet[]): string =>
  JSON.stringify([
    project.revision,
    project.rollout,
    all
      .filter((one) => isOf(project, one))
      .map(({ id, wanted_revision: wanted, running_revision: running, paused, conditions }) => [
        ...[id, wanted, running, paused],
        conditions.map(({ type, status, reason, since }) => [type, status, reason, since]),
      ]),
  ])

export interface Read {
  readonly rollout: Rollout | undefined
  readonly error: unknown
  /** Shows an answer that came by another way. */
  readonly show: (rollout: Rollout) => void
}

const calmMs = 250

/** One read at a time; what changes meanwhile is read once more. */
export const useRollout = (project: Project): Read => {
  const [rollout, setRollout] = useState<Rollout>()
  const [error, setError] = useState<unknown>()
  const isFirst = useRef(true)
  const sign = signOf(project, stagelets.rows.value)
  useEffect(() => {
    const abort = new AbortController()
    const timer = setTimeout(
      () => {
        readRollout(project, abort.signal).then(
          (read) => {
            setRollout(read)
            setError(undefined)
          },
          (reason: unknown) => {
            if (!abort.signal.aborted) setError(reason)
          },
        )
      },
      isFirst.current ? 0 : calmMs,
    )
    isFirst.current = false
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [project.id, sign])
  return { rollout, error, show: setRollout }
}
