// Tokens of a person or of a team's machines: made, shown once, and revoked.
import { useState } from 'preact/hooks'
import type { Token } from '../../../src/rest/types.ts'
import { revokeTokenDoing } from '../../copy-as/people.ts'
import { useAction } from '../../ui/action.ts'
import { Button } from '../../ui/button.tsx'
import { confirmed } from '../../ui/confirm-login.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { Command } from '../../ui/copy.tsx'
import { Confirm, Dialog } from '../../ui/dialog.tsx'
import { WhenKnown } from '../../ui/when-known.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { Table } from '../../ui/table.tsx'
import { Ago, Since } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { NewTokenDialog, type TokenPlace } from './new-token.tsx'
import f from '../../ui/form.module.css'

const limitsOf = ({ role, read_only: isReadOnly, teams }: Token): string =>
  [role ?? 'all of its owner', isReadOnly ? 'reads only' : '', (teams ?? []).join(', ')]
    .filter((one) => one !== '')
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
    title="Keep this token"
    onClose={onClose}
    actions={
      <Button look="primary" onPress={onClose}>
        I have kept it
      </Button>
    }
  >
    <div class={f['form']}>
      <p>It is shown this one time: only its hash is stored.</p>
      <Command text={token} />
    </div>
  </Dialog>
)

interface TableProps {
  readonly place: TokenPlace
  readonly tokens: readonly Token[]
  readonly onRevoke: (token: Token) => void
}

const TokenTable = ({ place, tokens, onRevoke }: TableProps) => (
  <Table
    label={place.title}
    rows={tokens}
    idOf={({ id }) => id}
    columns={[
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
      { title: 'May', render: limitsOf },
      { title: 'Last used', wide: true, render: ({ last_used_at: at }) => <Ago at={at} /> },
      {
        title: 'Ends',
        render: ({ expires_at: at }) =>
          at === undefined ? 'when it is revoked' : <Since at={at} />,
      },
      {
        title: 'Made by',
        wide: true,
        render: ({ created_by: by, created_at: at }) => (
          <>
            {by}, <Ago at={at} />
          </>
        ),
      },
      {
        title: 'Action',
        end: true,
        render: (token) => (
          <Button
            small
            look="quiet"
            label={`Revoke ${token.name}`}
            whyNot={place.whyNotRevoke}
            onPress={() => onRevoke(token)}
          >
            Revoke
          </Button>
        ),
      },
    ]}
  />
)

export const TokensPanel = ({ place }: { readonly place: TokenPlace }) => {
  const tokens = useQuery({ key: ['tokens', place.key], read: place.list })
  const [isMaking, setMaking] = useState(false)
  const [made, setMade] = useState<string | undefined>()
  const [going, setGoing] = useState<Token | undefined>()
  const { busy, run } = useAction()
  const revoke = async (token: Token): Promise<void> => {
    const doing = revokeTokenDoing(token, place.team)
    const done = `${token.name} opens nothing any more.`
    await run(() => confirmed(() => place.revoke(token.id)), done, doing)
    setGoing(undefined)
    await tokens.again()
  }
  return (
    <Panel
      flush
      title={place.title}
      aside={
        <Button
          small
          command={`new-token:${place.key}`}
          whyNot={place.whyNotCreate}
          onPress={() => setMaking(true)}
        >
          New token
        </Button>
      }
    >
      <WhenKnown of={tokens} rows={2}>
        {({ tokens: all }) =>
          all.length === 0 ? (
            <Empty title="There is no token." />
          ) : (
            <TokenTable place={place} tokens={all} onRevoke={setGoing} />
          )
        }
      </WhenKnown>
      {isMaking ? (
        <NewTokenDialog
          place={place}
          onMade={(token) => {
            setMaking(false)
            setMade(token)
            void tokens.again()
          }}
          onClose={() => setMaking(false)}
        />
      ) : null}
      {made === undefined ? null : <ShownOnce token={made} onClose={() => setMade(undefined)} />}
      {going === undefined ? null : (
        <Confirm
          danger
          title={`Revoke ${going.name}?`}
          action="Revoke it for good"
          busy={busy}
          onConfirm={() => void revoke(going)}
          onClose={() => setGoing(undefined)}
        >
          <p>Whatever uses it is refused from now on, open streams too.</p>
          <CopyAs doing={revokeTokenDoing(going, place.team)} />
        </Confirm>
      )}
    </Panel>
  )
}
