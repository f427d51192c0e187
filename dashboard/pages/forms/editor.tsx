// One object in a form, its YAML beside it, and the review before anything is stored.
import { useLocation } from 'preact-iso'
import { useState } from 'preact/hooks'
import { forms } from '../../../src/generated/forms.ts'
import type { FormField } from '../../../src/resources/schemas/form.ts'
import { ApiProblem } from '../../api/client.ts'
import { teamsToCreateIn } from '../../session/known-teams.ts'
import { whyNot } from '../../session/session.ts'
import type { ApiAction } from '../../actions/copy-as.ts'
import { newObject, patchObject, patchOf, type Spec } from '../../actions/kinds.ts'
import { yaml } from '../../api/text.ts'
import { agents, knownSecrets, projects, secretsOf, stagelets } from '../../live/collections.ts'
import { someOf } from '../../live/known.ts'
import { perform, whyNotOwned } from '../../ui/action.ts'
import { toast } from '../../ui/announce.tsx'
import { Button } from '../../ui/button.tsx'
import { Panel } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { TeamField } from '../../ui/fields/team-field.tsx'
import { Field } from './fields.tsx'
import { Faults } from './labelled.tsx'
import { FormBody } from './form-body.tsx'
import {
  bodyOf,
  draftProject,
  tryRequest,
  optionTexts,
  type EditableKind,
  type FormObject,
  type WriteAnswer,
} from './kinds.ts'
import { ObjectReview } from './review.tsx'
import {
  draftOf,
  faultsByField,
  givenOf,
  formManifest,
  objectOf,
  fieldPlaces,
  restPatchOf,
  type Draft,
  type FieldFault,
} from './values.ts'
import { YamlPanel, type ParsedYaml } from './yaml-panel.tsx'
import f from '../../ui/fields/form.module.css'
import s from './forms.module.css'

interface Props {
  readonly kind: EditableKind
  /** undefined: a new one. */
  readonly edited: FormObject | undefined
  /** Of a new one. */
  readonly first: Draft
}

const nameField: FormField = {
  name: 'name',
  path: [],
  type: 'text',
  help: 'Unique in its team. It cannot be changed later.',
  required: true,
}

/** Names of objects of the team that a field may refer to. */
const namesFor =
  (team: string, project: string) =>
  ({ refersTo, type }: FormField): readonly string[] => {
    const named = (all: readonly { readonly team: string; readonly name: string }[]): string[] =>
      all.flatMap((object) => (object.team === team ? [object.name] : [])).sort()
    if (refersTo === 'Project') return named(someOf(projects.list.value))
    if (refersTo === 'Agent') return named(someOf(agents.list.value))
    if (refersTo === 'Stagelet') return named(someOf(stagelets.list.value))
    if (refersTo !== 'StagelySecret') return []
    if (type === 'map')
      return project === '' ? [] : named(someOf(secretsOf(team, project).list.value))
    return named(knownSecrets().filter(({ audience }) => audience === 'Controller'))
  }

/** What writes the draft: a new object, or what differs of one. */
const actionOf = (kind: EditableKind, isNew: boolean, draft: Draft, before: Draft): ApiAction => {
  const form = forms[kind.kind]
  const spec = formManifest(form, draft.value)
  const body = bodyOf(kind, draft.value)
  const object = { ...draft, ...(kind.kind === 'Rotation' && { project: draftProject(draft) }) }
  if (!isNew)
    return patchObject(
      kind.kind,
      object,
      restPatchOf(form, bodyOf(kind, before.value), body),
      patchOf(formManifest(form, before.value), spec),
    )
  const action = newObject(kind.kind, object, body, spec)
  if (kind.kind !== 'Rotation') return action
  const { team: _, ...inProject } = action.request.body as Spec
  return { ...action, request: { ...action.request, body: inProject } }
}

const useEditor = ({ kind, edited, first }: Props) => {
  const { route, query } = useLocation()
  const form = forms[kind.kind]
  const [before] = useState<Draft>(() =>
    edited === undefined
      ? first
      : { team: edited.team, name: edited.name, value: givenOf(form, edited as never) },
  )
  const [draft, setDraft] = useState(before)
  const [typed, setTyped] = useState<string>()
  const [yamlFaults, setYamlFaults] = useState<readonly string[]>([])
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const [tried, setTried] = useState<WriteAnswer>()
  const isNew = edited === undefined
  const action = actionOf(kind, isNew, draft, before)
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true)
    setError(undefined)
    try {
      await work()
    } catch (reason) {
      setError(reason)
      if (faultsOf(reason).length > 0) setTried(undefined)
    } finally {
      setBusy(false)
    }
  }
  return {
    form,
    before,
    draft,
    isNew,
    action,
    yamlFaults,
    error,
    busy,
    tried,
    text: typed ?? yaml(objectOf(kind.kind, form, draft)),
    change: (part: Partial<Draft>): void => {
      setDraft({ ...draft, ...part })
      setTyped(undefined)
      setYamlFaults([])
    },
    type: (text: string, parsed: ParsedYaml): void => {
      setTyped(text)
      if ('fault' in parsed) {
        setYamlFaults([parsed.fault])
        return
      }
      const { draft: next, faults } = draftOf(kind.kind, form, parsed.value, edited)
      setYamlFaults(faults.map(({ field, message }) => `${field}: ${message}`))
      if (faults.length === 0) setDraft(next)
    },
    review: () => attempt(async () => setTried(await tryRequest(action.request))),
    apply: () =>
      attempt(async () => {
        await perform(action)
        toast({ kind: 'ok', text: `${draft.name} is ${isNew ? 'made' : 'changed'}.` })
        // The first-run page goes on where it was left.
        const { then = '' } = query
        route(/^\/ui\/(\?team=[a-z0-9-]+)?$/.test(then) ? then : kind.next(draft, isNew))
      }),
    back: () => {
      setTried(undefined)
      setError(undefined)
    },
  }
}

const faultsOf = (error: unknown): readonly FieldFault[] =>
  error instanceof ApiProblem ? (error.problem.errors ?? []) : []

const Refusal = ({
  error,
  rest,
}: {
  readonly error: unknown
  readonly rest: readonly string[]
}) => {
  const { length } = faultsOf(error)
  if (error === undefined) return null
  if (length === 0) return <ProblemBox error={error} />
  return (
    <div role="alert">
      <p class={f['error']}>
        {length === 1 ? 'One thing is wrong.' : `${length} things are wrong.`} Nothing was stored.
      </p>
      <Faults id="form-faults" faults={rest} />
    </div>
  )
}

export const Editor = (props: Props) => {
  const { kind, edited } = props
  const at = useEditor(props)
  const { form, before, draft, isNew, tried, busy, error } = at
  const project = typeof draft.value['project'] === 'string' ? draft.value['project'] : ''
  const faults = faultsByField(['name', 'team', ...fieldPlaces(form)], faultsOf(error))
  const refused =
    whyNot(isNew ? 'create' : 'patch', kind.resource, draft.team) ??
    (edited?.source === undefined ? undefined : whyNotOwned(edited.source))
  const isSame = !isNew && JSON.stringify(before.value) === JSON.stringify(draft.value)
  const notYet =
    at.yamlFaults.length > 0
      ? 'Mend the YAML first.'
      : isSame
        ? 'Nothing is changed yet.'
        : undefined
  if (tried !== undefined)
    return (
      <ObjectReview
        kind={kind}
        isNew={isNew}
        tried={tried}
        busy={busy}
        error={error}
        action={at.action}
        before={isNew ? {} : objectOf(kind.kind, form, before)}
        after={objectOf(kind.kind, form, draft)}
        onApply={() => void at.apply()}
        onBack={at.back}
      />
    )
  const mine = teamsToCreateIn().filter(
    (team) => whyNot('create', kind.resource, team) === undefined,
  )
  const teams = [...new Set([...mine, draft.team])]
  const around = {
    faults,
    words: optionTexts,
    namesOf: namesFor(draft.team, project),
    fixed: new Set(isNew || kind.kind !== 'Rotation' ? [] : ['project']),
    disabled: refused !== undefined,
  }
  return (
    <div class={s['split']}>
      <Panel>
        <form
          class={f['form']}
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            if (refused === undefined && notYet === undefined) void at.review()
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
            event.preventDefault()
            event.currentTarget.requestSubmit()
          }}
        >
          {refused === undefined ? null : <p class="muted">{refused}</p>}
          <Refusal error={error} rest={faults.get('') ?? []} />
          {isNew ? (
            <>
              <Field
                field={nameField}
                value={draft.name === '' ? undefined : draft.name}
                faults={faults.get('name') ?? []}
                names={[]}
                words={{}}
                disabled={around.disabled}
                onChange={(name) => at.change({ name: typeof name === 'string' ? name : '' })}
              />
              <TeamField teams={teams} team={draft.team} onTeam={(team) => at.change({ team })} />
            </>
          ) : null}
          <FormBody
            form={form}
            value={draft.value}
            around={around}
            onChange={(value) => at.change({ value })}
          />
          <div class={f['buttons']}>
            <Button
              variant="primary"
              submit
              busy={busy}
              whyNot={refused ?? notYet}
              onPress={() => undefined}
            >
              Review
            </Button>
          </div>
        </form>
      </Panel>
      <div class={s['side']}>
        <YamlPanel
          text={at.text}
          faults={at.yamlFaults}
          disabled={around.disabled}
          onText={at.type}
        />
      </div>
    </div>
  )
}
