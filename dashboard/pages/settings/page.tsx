// The settings of a project, what its keys are, and its deletion.
import { useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import type { Project } from '../../../src/generated/rest-types.ts'
import { isAdmin, needsAdmin, whyNot } from '../../session/session.ts'
import { projects } from '../../live/collections.ts'
import { findIn } from '../../live/known.ts'
import { whyNotOwned } from '../../ui/action.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { FactList } from '../../ui/dialogs/drawer.tsx'
import { EditButton } from '../../ui/form-buttons.tsx'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { ProjectTabs } from '../../ui/tabs.tsx'
import { projectUrl } from '../../ui/text/links.ts'
import { visibleText } from '../../ui/text/visible-text.ts'
import { Since } from '../../ui/time.tsx'
import { WhenKnown } from '../../ui/when-known.tsx'
import { DeleteProject } from './delete.tsx'
import { ReadersPanel } from './readers.tsx'
import { RotateKeys } from './rotate-keys.tsx'
import s from './settings.module.css'

const valuesText = ({ secret_policy: policy }: Project): string => {
  if (policy === undefined) return 'any age'
  const { max_age: age, exempt = [], enforce } = policy
  const but = exempt.length === 0 ? '' : `, but for ${exempt.join(', ')}`
  const refused = enforce === 'Refuse' ? '; other new values are refused while one is too old' : ''
  return `${age} at most${but}${refused}`
}

const keyText = ({ key_rotation: keys }: Project): string => {
  if (keys === undefined) return 'replaced as the controller says'
  const refused = keys.enforce === true ? '; new values are refused 30 days after that' : ''
  return `replaced every ${keys.every}${refused}`
}

const rolloutText = ({ rollout }: Project): string => {
  if (rollout === undefined) return 'all stacks at once'
  const { max_concurrent: most, progress_deadline_seconds: limit = 600, paused } = rollout
  const many = most === undefined ? 'all stacks at once' : `${most} at the same time`
  return `${many}, each within ${limit} seconds${paused === true ? '; paused' : ''}`
}

const Settings = ({ project }: { readonly project: Project }) => (
  <Panel
    title="Settings"
    aside={<EditButton small kind="project" resource="projects" object={project} />}
  >
    <FactList
      rows={[
        ['Description', visibleText(project.description ?? '–')],
        ['Age of values', valuesText(project)],
        ['Data key', keyText(project)],
        ['Rollout', rolloutText(project)],
        ['Keys', project.key_provider ?? 'those of the controller'],
        ['Owner', project.source],
        ['Made', <Since at={project.created_at} />],
      ]}
    />
  </Panel>
)

const Shown = ({ project }: { readonly project: Project }) => {
  const [asked, setAsked] = useState<'deletion' | 'key'>()
  const close = (): void => setAsked(undefined)
  const { team, source } = project
  return (
    <div class={s['split']}>
      <Settings project={project} />
      <div class={s['side']}>
        <ReadersPanel project={project} />
        <Panel title="Data key">
          <div class={s['part']}>
            <p>A new data key re-creates no container. Values are sealed anew in the background.</p>
            <div>
              <Button
                whyNot={isAdmin.value ? undefined : needsAdmin}
                onPress={() => setAsked('key')}
              >
                Rotate the data key…
              </Button>
            </div>
          </div>
        </Panel>
        <Panel title="Delete">
          <div class={s['part']}>
            <p>With all its secrets. A project that stacks use cannot be deleted.</p>
            <div>
              <Button
                variant="danger"
                whyNot={whyNot('delete', 'projects', team) ?? whyNotOwned(source)}
                onPress={() => setAsked('deletion')}
              >
                Delete the project…
              </Button>
            </div>
          </div>
        </Panel>
      </div>
      {asked === 'key' ? (
        <RotateKeys kind="data" project={project} onDone={close} onClose={close} />
      ) : null}
      {asked === 'deletion' ? <DeleteProject project={project} onClose={close} /> : null}
    </div>
  )
}

export const Page = () => {
  const { team = '', project: name = '' } = useRoute().params
  const project = findIn(
    projects.list.value,
    (project) => project.team === team && (project.name === name || project.id === name),
  )
  return (
    <PageFrame
      windowTitle={`${name} settings`}
      title="Settings"
      within={<a href={projectUrl({ team, name })}>{name}</a>}
      tabs={<ProjectTabs team={team} name={name} current="Settings" />}
    >
      <WhenKnown
        value={project}
        rows={8}
        none={
          <Empty
            title="Not there, or not yours."
            action={<LinkButton href="/ui/projects">To the projects</LinkButton>}
          />
        }
      >
        {(found) => <Shown key={found.id} project={found} />}
      </WhenKnown>
    </PageFrame>
  )
}
