// Makes or changes an object of any kind that has a form: /ui/new/stack, /ui/t/TEAM/edit/stack/NAME.
import { useLocation, useRoute } from 'preact-iso'
import { forms } from '../../../src/generated/forms.ts'
import { teamsToCreateIn } from '../../session/known-teams.ts'
import { findIn } from '../../live/known.ts'
import { LinkButton } from '../../ui/button.tsx'
import { Empty, PageFrame } from '../../ui/page.tsx'
import { WhenKnown } from '../../ui/when-known.tsx'
import { Editor } from './editor.tsx'
import { editableKind, type EditableKind } from './kinds.ts'
import type { Draft } from './values.ts'

const Missing = ({ children }: { readonly children: string }) => (
  <Empty
    title="Not there, or not yours."
    action={<LinkButton href="/ui/">To the overview</LinkButton>}
  >
    {children}
  </Empty>
)

/** The query may give texts of the first level: ?project=shop&agent=web-1. */
const firstDraft = ({ kind }: EditableKind, query: Readonly<Record<string, string>>): Draft => ({
  team: query['team'] ?? teamsToCreateIn()[0] ?? 'default',
  name: query['name'] ?? '',
  value: Object.fromEntries(
    forms[kind].fields.flatMap(({ name, type }) => {
      const text = query[name]
      return type === 'text' && text !== undefined ? [[name, text]] : []
    }),
  ),
})

export const Page = () => {
  const { team = '', kind: word = '', name } = useRoute().params
  const { query } = useLocation()
  const kind = editableKind(word)
  const title = name === undefined ? `New ${kind?.word ?? word}` : `Edit ${name}`
  const found =
    kind === undefined || name === undefined
      ? undefined
      : findIn(
          kind.list(team, query['project'] ?? ''),
          (object) => object.team === team && object.name === name,
        )
  return (
    <PageFrame windowTitle={title} title={title}>
      {kind === undefined ? (
        <Missing>{`Nothing is called ${word}.`}</Missing>
      ) : found === undefined ? (
        <Editor key={kind.kind} kind={kind} edited={undefined} first={firstDraft(kind, query)} />
      ) : (
        <WhenKnown
          value={found}
          rows={8}
          none={<Missing>{`The team ${team} has no ${kind.word} ${name ?? ''}.`}</Missing>}
        >
          {(edited) => (
            <Editor key={edited.id} kind={kind} edited={edited} first={firstDraft(kind, {})} />
          )}
        </WhenKnown>
      )}
    </PageFrame>
  )
}
