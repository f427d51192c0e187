// What is staged, and about how much that would touch; the review asks the controller for the exact answer.
import { useLocation } from 'preact-iso'
import { useMemo, useState } from 'preact/hooks'
import { discardAll, editsOf, type Edit } from '../../staging/staging.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialogs/dialog.tsx'
import { projectUrl } from '../../ui/text/links.ts'
import { StateText } from '../../ui/state.tsx'
import { isStagedIn } from './cells.ts'
import type { ProjectPlace, ProjectSecrets } from '../project/data.ts'
import s from './page.module.css'

/** At most: an edit may turn out to be equal. */
const useReach = (
  edits: readonly Edit[],
  { matrix }: ProjectSecrets,
): { services: number; stagelets: number } =>
  useMemo(() => {
    const touched = new Set<string>()
    for (const edit of edits) {
      if (edit.secretId !== undefined)
        for (const { stagelet, service } of matrix.consumersOf({
          id: edit.secretId,
          key: edit.key,
        }))
          touched.add(`${stagelet.name}/${service.name}`)
      for (const serviceRef of matrix.serviceRefs)
        if (isStagedIn(edit, [serviceRef], matrix))
          touched.add(`${serviceRef.stagelet}/${serviceRef.service}`)
    }
    return {
      services: touched.size,
      stagelets: new Set([...touched].map((service) => service.split('/', 1)[0])).size,
    }
  }, [edits, matrix])

const many = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

export const StagingBar = ({
  place,
  all,
}: {
  readonly place: ProjectPlace
  readonly all: ProjectSecrets
}) => {
  const { team, project } = place
  const { route } = useLocation()
  const [asks, setAsks] = useState(false)
  const edits = editsOf(team, project)
  const { services, stagelets } = useReach(edits, all)
  if (edits.length === 0) return null
  return (
    <section class={s['bar']} aria-label="Staged changes">
      <StateText kind="staged">{edits.length} staged</StateText>
      <p class="muted">
        {services === 0
          ? 'no container changes'
          : `up to ${many(services, 'service')} of ${many(stagelets, 'stagelet')}`}
      </p>
      <Button onPress={() => setAsks(true)}>Discard</Button>
      <Button
        variant="primary"
        keys="Mod+Enter"
        onPress={() => route(`${projectUrl({ team, name: project })}/review`)}
      >
        Review
      </Button>
      {asks ? (
        <Confirm
          title="Discard staged edits?"
          action={`Discard ${many(edits.length, 'edit')}`}
          danger
          onClose={() => setAsks(false)}
          onConfirm={() => {
            discardAll(team, project)
            setAsks(false)
          }}
        >
          They were not saved. The new values will be lost.
        </Confirm>
      ) : null}
    </section>
  )
}
