// Whose tokens let jobs of a CI log in to a team, and what they may.
import { useState } from 'preact/hooks'
import { narrowingText } from '../../../src/access/place.ts'
import type { TrustedIssuer } from '../../../src/generated/rest-types.ts'
import { deleteObject } from '../../actions/kinds.ts'
import { whyNot } from '../../session/session.ts'
import { allIssuers } from '../../live/collections.ts'
import { inTeam } from '../../live/known.ts'
import { whyNotOwned } from '../../ui/action.ts'
import { Button } from '../../ui/button.tsx'
import { ConfirmAction } from '../../ui/dialogs/confirm-action.tsx'
import { EditButton, NewButton } from '../../ui/form-buttons.tsx'
import { ListPanel } from '../../ui/list.tsx'
import { Empty } from '../../ui/page.tsx'
import { RowActions, type TableColumn } from '../../ui/table.tsx'
import { Ago } from '../../ui/time.tsx'

type Rule = TrustedIssuer['rules'][number]

const ruleText = ({ claims, role, ...place }: Rule): string => {
  const wanted = Object.entries(claims).map(([name, text]) => `${name} ${text}`)
  const where = narrowingText(place)
  return `${wanted.join(', ')}: ${role}${where === '' ? '' : `, ${where}`}`
}

const columnsOf = (
  onDelete: (issuer: TrustedIssuer) => void,
): readonly TableColumn<TrustedIssuer>[] => [
  {
    title: 'Name',
    head: true,
    render: ({ name, issuer }) => (
      <>
        {name}
        <small>{issuer}</small>
      </>
    ),
  },
  {
    title: 'Rules',
    render: ({ rules }) => (
      <ol>
        {rules.map((rule, at) => (
          <li key={at}>{ruleText(rule)}</li>
        ))}
      </ol>
    ),
  },
  { title: 'Last used', wide: true, render: ({ last_exchange_at: at }) => <Ago at={at} /> },
  {
    title: 'Actions',
    end: true,
    render: (issuer) => {
      const { name, team, source } = issuer
      return (
        <RowActions>
          <EditButton small kind="issuer" resource="trustedissuers" object={issuer} />
          <Button
            small
            variant="quiet"
            label={`Delete ${name}`}
            whyNot={whyNot('delete', 'trustedissuers', team) ?? whyNotOwned(source)}
            onPress={() => onDelete(issuer)}
          >
            Delete
          </Button>
        </RowActions>
      )
    },
  },
]

export const IssuersPanel = ({ team }: { readonly team: string }) => {
  const [deleted, setDeleted] = useState<TrustedIssuer | undefined>()
  return (
    <>
      <ListPanel
        title="Trusted issuers"
        label="Trusted issuers"
        aside={<NewButton kind="issuer" resource="trustedissuers" given={{ team }} />}
        rows={inTeam(allIssuers().list.value, team)}
        idOf={({ id }) => id}
        columns={columnsOf(setDeleted)}
        empty={
          <Empty title="No trusted issuers yet">
            A job of GitHub, GitLab, Forgejo or Kubernetes can log in by its own token, so that the
            CI stores none of Stagely.
          </Empty>
        }
      />
      {deleted === undefined ? null : (
        <ConfirmAction
          danger
          title={`Delete ${deleted.name}?`}
          label={`Delete ${deleted.name}`}
          action={deleteObject('TrustedIssuer', deleted)}
          onDone={`${deleted.name} is deleted.`}
          onClose={() => setDeleted(undefined)}
        >
          <p>Its jobs are refused from now on. Tokens that they have got end.</p>
        </ConfirmAction>
      )}
    </>
  )
}
