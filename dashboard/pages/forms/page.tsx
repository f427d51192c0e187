// Makes or changes an object of any kind that has a form: /ui/new/stack, /ui/t/TEAM/edit/stack/NAME.
import { useLocation, useRoute } from 'preact-iso'
import { forms } from '../../../src/rest/forms.ts'
import { teamsToCreateIn } from '../../app/known-teams.ts'
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
  const of = editableKind(word)
  const title = name === undefined ? `New ${of?.word ?? word}` : `Edit ${name}`
  const found =
    of === undefined || name === undefined
      ? undefined
      : findIn(
          of.list(team, query['project'] ?? ''),
          (one) => one.team === team && one.name === name,
        )
  return (
    <PageFrame windowTitle={title} title={title}>
      {of === undefined ? (
        <Missing>{`Nothing is called ${word}.`}</Missing>
      ) : found === undefined ? (
        <Editor key={of.kind} of={of} edited={undefined} first={firstDraft(of, query)} />
      ) : (
        <WhenKnown
          of={found}
          rows={8}
          none={<Missing>{`The team ${team} has no ${of.word} ${name ?? ''}.`}</Missing>}
        >
          {(edited) => (
            <Editor key={edited.id} of={of} edited={edited} first={firstDraft(of, {})} />
          )}
        </WhenKnown>
      )}
    </PageFrame>
  )
}
