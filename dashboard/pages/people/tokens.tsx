// Tokens of a person or of a team's machines: created, shown once, and revoked.
import { useState } from 'preact/hooks'
import { narrowingText } from '../../../src/access/place.ts'
import type { Token } from '../../../src/generated/rest-types.ts'
import { revokeToken } from '../../actions/people.ts'
import { mapKnown } from '../../live/known.ts'
import { Button } from '../../ui/button.tsx'
import { ConfirmAction } from '../../ui/dialogs/confirm-action.tsx'
import { CopyCommand } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialogs/dialog.tsx'
import { ListPanel } from '../../ui/list.tsx'
import { Empty } from '../../ui/page.tsx'
import type { TableColumn } from '../../ui/table.tsx'
import { Ago, Since } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { NewTokenDialog, type TokenPlace } from './new-token.tsx'
import f from '../../ui/fields/form.module.css'

const limitsOf = ({ role, read_only: isReadOnly, teams, ...token }: Token): string =>
  [
    role ?? 'same as the owner',
    isReadOnly ? 'read-only' : '',
    (teams ?? []).join(', '),
    narrowingText(token),
  ]
    .filter((text) => text !== '')
    .join(' · ')

/** The token leaves the page with the dialog. */
const ShownOnce = ({
  token,
  onClose,
}: {
  readonly token: string
  readonly onClose: () => void
}) => (
  <Dialog
    firm
    title="Copy your new token"
    onClose={onClose}
    actions={
      <Button variant="primary" onPress={onClose}>
        I have saved it
      </Button>
    }
  >
    <div class={f['form']}>
      <p>It is shown only now. Stagely stores its hash alone.</p>
      <CopyCommand text={token} />
    </div>
  </Dialog>
)

const columnsOf = (
  whyNotRevoke: string | undefined,
  onRevoke: (token: Token) => void,
): readonly TableColumn<Token>[] => [
  {
    title: 'Name',
    head: true,
    render: ({ name, hint }) => (
      <>
        {name}
        <small class="mono">{hint}…</small>
      </>
    ),
  },
  { title: 'Permissions', render: limitsOf },
  { title: 'Last used', wide: true, render: ({ last_used_at: at }) => <Ago at={at} /> },
  {
    title: 'Expires',
    render: ({ expires_at: at }) => (at === undefined ? 'never' : <Since at={at} />),
  },
  {
    title: 'Created',
    wide: true,
    render: ({ created_by: by, created_at: at }) => (
      <>
        <Ago at={at} /> by {by}
      </>
    ),
  },
  {
    title: 'Action',
    end: true,
    render: (token) => (
      <Button
        small
        variant="quiet"
        label={`Revoke ${token.name}`}
        whyNot={whyNotRevoke}
        onPress={() => onRevoke(token)}
      >
        Revoke
      </Button>
    ),
  },
]

export const TokensPanel = ({ place }: { readonly place: TokenPlace }) => {
  const tokens = useQuery({ key: ['tokens', place.key], read: place.list })
  const [isCreating, setCreating] = useState(false)
  const [created, setCreated] = useState<string | undefined>()
  const [revoked, setRevoked] = useState<Token | undefined>()
  const reload = (): void => void tokens.refetch()
  return (
    <>
      <ListPanel
        title={place.title}
        aside={
          <Button
            small
            command={`new-token:${place.key}`}
            whyNot={place.whyNotCreate}
            onPress={() => setCreating(true)}
          >
            New token
          </Button>
        }
        label={place.title}
        rows={mapKnown(tokens, ({ tokens: all }) => all)}
        idOf={({ id }) => id}
        columns={columnsOf(place.whyNotRevoke, setRevoked)}
        empty={<Empty title="No tokens yet" />}
      />
      {isCreating ? (
        <NewTokenDialog
          place={place}
          onCreated={(token) => {
            setCreating(false)
            setCreated(token)
            reload()
          }}
          onClose={() => setCreating(false)}
        />
      ) : null}
      {created === undefined ? null : (
        <ShownOnce token={created} onClose={() => setCreated(undefined)} />
      )}
      {revoked === undefined ? null : (
        <ConfirmAction
          danger
          title={`Revoke ${revoked.name}?`}
          label="Revoke token"
          action={revokeToken(revoked, place.team)}
          onDone={reload}
          onClose={() => setRevoked(undefined)}
        >
          <p>Everything that uses it is refused from now on, open connections too.</p>
        </ConfirmAction>
      )}
    </>
  )
}
