// Says that the controller serves another version of the dashboard than this page, and loads that one: not before what
// is staged is applied or discarded, since its values are in the memory of this page alone.
import { useState } from 'preact/hooks'
import { stagedPlaces } from '../staging/staging.ts'
import { Button } from '../ui/button.tsx'
import { projectUrl } from '../ui/text/links.ts'
import { StateText } from '../ui/state.tsx'
import { isOldVersion } from '../loading/version.ts'
import s from './outdated.module.css'

const many = (count: number): string => `${count} staged ${count === 1 ? 'edit' : 'edits'}`

const Staged = () => (
  <span>
    First apply or discard{' '}
    {stagedPlaces.value.map(({ team, project, count }, index) => (
      <span key={`${team}/${project}`}>
        {index === 0 ? '' : ', '}
        <a href={`${projectUrl({ team, name: project })}/review`}>
          {many(count)} of {project}
        </a>
      </span>
    ))}
    : a reload would lose them.
  </span>
)

export const Outdated = () => {
  const [isLoading, setLoading] = useState(false)
  if (!isOldVersion.value) return null
  const isStaged = stagedPlaces.value.length > 0
  return (
    <div class={s['outdated']} role="status">
      <StateText kind="warn">A new version of the dashboard is there.</StateText>
      {isStaged ? <Staged /> : <span class="muted">You can keep using this page.</span>}
      <Button
        small
        busy={isLoading}
        whyNot={isStaged ? 'Edits are staged: a reload would lose them.' : undefined}
        onPress={() => {
          setLoading(true)
          location.reload()
        }}
      >
        Reload the page
      </Button>
    </div>
  )
}
