// What is staged, and about how much that would touch; the review asks the controller for the exact answer.
import { useLocation } from 'preact-iso'
import { useState } from 'preact/hooks'
import { discardAll, editsOf } from '../../staging/staging.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { projectUrl } from '../../ui/links.ts'
import { State } from '../../ui/state.tsx'
import { useStagelets, type ProjectPlace, type SecretRow } from './data.ts'
import s from './page.module.css'

/** At most: an edit may turn out to be equal. */
const useReach = (
  place: ProjectPlace,
  rows: readonly SecretRow[],
): { services: number; stagelets: number } => {
  const stagelets = useStagelets(place)
  const touched = new Set<string>()
  for (const { edit, runs, secret } of rows) {
    if (edit === undefined) continue
    for (const { stagelet, service } of runs.consumers)
      touched.add(`${stagelet.name}/${service.name}`)
    const scope = edit.moved?.scope ?? secret.scope
    for (const { name, services } of stagelets)
      for (const service of services)
        if ((edit.stagelet ?? name) === name && (scope === 'global' || scope === service.name))
          touched.add(`${name}/${service.name}`)
  }
  return {
    services: touched.size,
    stagelets: new Set([...touched].map((one) => one.split('/', 1)[0])).size,
  }
}

const many = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

export const StagingBar = ({
  place,
  rows,
}: {
  readonly place: ProjectPlace
  readonly rows: readonly SecretRow[]
}) => {
  const { team, project } = place
  const { route } = useLocation()
  const [asks, setAsks] = useState(false)
  const edits = editsOf(team, project)
  const { services, stagelets } = useReach(place, rows)
  if (edits.length === 0) return null
  return (
    <section class={s['bar']} aria-label="Staged changes">
      <State kind="staged">{edits.length} staged</State>
      <p class="muted">
        {services === 0
          ? 'no container is reached'
          : `at most ${many(services, 'service')} of ${many(stagelets, 'stagelet')}`}
      </p>
      <Button
        onPress={() => {
          setAsks(true)
        }}
      >
        Discard
      </Button>
      <Button
        look="primary"
        keys="Mod+Enter"
        onPress={() => {
          route(`${projectUrl({ team, name: project })}/review`)
        }}
      >
        Review
      </Button>
      {asks ? (
        <Confirm
          title="Discard what is staged?"
          action={`Discard ${many(edits.length, 'edit')}`}
          danger
          onClose={() => {
            setAsks(false)
          }}
          onConfirm={() => {
            discardAll(team, project)
            setAsks(false)
          }}
        >
          Nothing of it was stored. The new values are gone then.
        </Confirm>
      ) : null}
    </section>
  )
}
