// The settings of a project. What is edited is shown as YAML first, and applied together; nobody else's edit is lost,
// since only what differs is sent.
import { useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import type { Project } from '../../../src/rest/types.ts'
import { isAdmin, needsAdmin, whyNot } from '../../app/session.ts'
import { manifestNames, patchObject, patchOf } from '../../actions/kinds.ts'
import { projects } from '../../live/collections.ts'
import { perform, whyNotOwned } from '../../ui/action.ts'
import { toast } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { FactList } from '../../ui/drawer.tsx'
import { projectUrl } from '../../ui/text/links.ts'
import { DetailPage, findByName } from '../../ui/detail.tsx'
import { PageFrame, Panel } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { ProjectTabs } from '../../ui/project-tabs.tsx'
import { Since } from '../../ui/time.tsx'
import { useSending } from '../../ui/use-sending.ts'
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
        <FactList
          rows={[
            ['Managed by', project.source],
            ['Created', <Since at={project.created_at} />],
            ['Keys', project.key_provider ?? 'controller'],
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
  const { team, source } = project
  const [edited, setEdited] = useState<Partial<Fields>>({})
  const [isGoing, setGoing] = useState(false)
  const { busy, error: failed, run } = useSending()
  const fields = { ...fieldsOf(project), ...edited }
  const [before, after] = [specOf(project, fieldsOf(project)), specOf(project, fields)]
  const [was, is] = [manifestNames(before), manifestNames(after)]
  const lines = changesOf(was, is)
  const action = patchObject('Project', project, patchOf(before, after), patchOf(was, is))
  const why = whyNot('patch', 'projects', team) ?? whyNotOwned(source)
  const apply = async (): Promise<void> => {
    await perform(action)
    setEdited({})
    toast({ kind: 'ok', text: 'The settings are saved.' })
  }
  return (
    <>
      <div class={s['split']}>
        <Panel title="Settings">
          <SettingsForm
            fields={fields}
            whyNot={why}
            change={(part) => setEdited({ ...edited, ...part })}
            onSubmit={() => void run(apply)}
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
                  whyNot={isChanged(lines) ? undefined : 'No changes yet.'}
                  onPress={() => setEdited({})}
                >
                  Discard
                </Button>
                <Button
                  look="primary"
                  busy={busy}
                  whyNot={why ?? (isChanged(lines) ? undefined : 'No changes yet.')}
                  onPress={() => void run(apply)}
                >
                  Apply
                </Button>
              </div>
              {isChanged(lines) ? <CopyAs action={action} /> : null}
            </div>
          </Panel>
          <About project={project} />
          <Panel title="Delete">
            <div class={s['diff']}>
              <p>
                The project is deleted with all its secrets. A project that stagelets use cannot be
                deleted.
              </p>
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
  const project = findByName(projects.known.value, { team, name })
  return (
    <DetailPage of={project} name={name} back={{ href: '/ui/projects', text: 'Back to projects' }}>
      {(found) => (
        <PageFrame
          windowTitle={`${name} settings`}
          title="Settings"
          within={<a href={projectUrl({ team, name })}>{name}</a>}
          tabs={<ProjectTabs {...{ team, name }} current="Settings" />}
        >
          <Shown key={found.id} project={found} />
        </PageFrame>
      )}
    </DetailPage>
  )
}
