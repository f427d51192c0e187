// The settings of a project. What is edited is shown as YAML first, and applied together; nobody else's edit is lost,
// since only what differs is sent.
import { useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import type { Project } from '../../../src/rest/types.ts'
import { isAdmin, needsAdmin, whyNot } from '../../app/session.ts'
import { editSpecDoing, manifestNames, patchOf, type Spec } from '../../copy-as/spec.ts'
import { projects } from '../../live/collections.ts'
import { useAction, whyNotOwned } from '../../ui/action.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { Facts } from '../../ui/drawer.tsx'
import { projectUrl } from '../../ui/text/links.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { findIn } from '../../live/known.ts'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { ProjectTabs } from '../../ui/project-tabs.tsx'
import { Since } from '../../ui/time.tsx'
import { changesOf, isChanged, YamlDiff } from '../../ui/yaml-diff.tsx'
import { DeleteProject } from './delete.tsx'
import { fieldsOf, specOf, type Fields } from './fields.ts'
import { SettingsForm } from './form.tsx'
import { RotateKeys } from './rotate-keys.tsx'
import s from './settings.module.css'

const About = ({ project }: { readonly project: Project }) => {
  const [asks, setAsks] = useState(false)
  const close = (): void => setAsks(false)
  return (
    <Panel title="About">
      <div class={s['diff']}>
        <Facts
          rows={[
            ['Owner', project.source],
            ['Made', <Since at={project.created_at} />],
            ['Keys', project.key_provider ?? 'those of the controller'],
          ]}
        />
        <div>
          <Button whyNot={isAdmin.value ? undefined : needsAdmin} onPress={() => setAsks(true)}>
            Rotate the data key…
          </Button>
        </div>
        {asks ? <RotateKeys kind="data" project={project} onDone={close} onClose={close} /> : null}
      </div>
    </Panel>
  )
}

const Shown = ({ project }: { readonly project: Project }) => {
  const { team, name, id, source } = project
  const [edited, setEdited] = useState<Partial<Fields>>({})
  const [failed, setFailed] = useState<unknown>()
  const [isGoing, setGoing] = useState(false)
  const { busy, run } = useAction()
  const fields = { ...fieldsOf(project), ...edited }
  const [before, after] = [specOf(project, fieldsOf(project)), specOf(project, fields)]
  const body = patchOf(before, after)
  const names: readonly Spec[] = [manifestNames(before), manifestNames(after)]
  const [was = {}, is = {}] = names
  const lines = changesOf(was, is)
  const doing = editSpecDoing(
    { team, name, kind: 'Project', path: 'projects' },
    body,
    patchOf(was, is),
  )
  const why = whyNot('patch', 'projects', team) ?? whyNotOwned(source)
  const apply = async (): Promise<void> => {
    setFailed(undefined)
    const send = async (): Promise<void> => {
      const params = { path: { project_id: id } }
      try {
        await must(api.PATCH('/projects/{project_id}', { params, body: body as never }))
      } catch (error) {
        setFailed(error)
        throw error
      }
      setEdited({})
    }
    await run(send, 'The settings are stored.', doing)
  }
  return (
    <>
      <div class={s['split']}>
        <Panel title="Settings">
          <SettingsForm
            fields={fields}
            whyNot={why}
            change={(part) => setEdited({ ...edited, ...part })}
            onSubmit={() => void apply()}
          />
        </Panel>
        <div class={s['side']}>
          <Panel title="What changes">
            <div class={s['diff']}>
              {failed === undefined ? null : <ProblemBox error={failed} />}
              <YamlDiff lines={lines} />
              <p class="muted">No container is re-created by this.</p>
              <div class={s['buttons']}>
                <Button
                  whyNot={isChanged(lines) ? undefined : 'Nothing is changed yet.'}
                  onPress={() => {
                    setEdited({})
                    setFailed(undefined)
                  }}
                >
                  Discard
                </Button>
                <Button
                  look="primary"
                  busy={busy}
                  whyNot={why ?? (isChanged(lines) ? undefined : 'Nothing is changed yet.')}
                  onPress={() => void apply()}
                >
                  Apply
                </Button>
              </div>
              {isChanged(lines) ? <CopyAs doing={doing} /> : null}
            </div>
          </Panel>
          <About project={project} />
          <Panel title="Delete">
            <div class={s['diff']}>
              <p>With all its secrets. A project that stagelets use cannot be deleted.</p>
              <div>
                <Button
                  look="danger"
                  whyNot={whyNot('delete', 'projects', team) ?? whyNotOwned(source)}
                  onPress={() => setGoing(true)}
                >
                  Delete the project…
                </Button>
              </div>
            </div>
          </Panel>
        </div>
      </div>
      {isGoing ? <DeleteProject project={project} onClose={() => setGoing(false)} /> : null}
    </>
  )
}

export const Page = () => {
  const { team = '', project: name = '' } = useRoute().params
  const project = findIn(
    projects.known.value,
    (one) => one.team === team && (one.name === name || one.id === name),
  )
  return (
    <PageFrame
      windowTitle={`${name} settings`}
      title="Settings"
      within={<a href={projectUrl({ team, name })}>{name}</a>}
      tabs={<ProjectTabs {...{ team, name }} current="Settings" />}
    >
      <WhenKnown
        of={project}
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
