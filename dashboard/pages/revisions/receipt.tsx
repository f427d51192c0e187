// The receipt of a revision: what the controller has signed, in words, checked by this browser, and as a file.
import { useState } from 'preact/hooks'
import { receiptWords } from '../../../src/audit/receipt.ts'
import { reportFault } from '../../../src/audit/signed-report.ts'
import { api, must } from '../../api/client.ts'
import type { Receipt } from '../../../src/generated/rest-types.ts'
import { partOf } from '../../live/known.ts'
import { Button } from '../../ui/button.tsx'
import { CopyCommand } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialogs/dialog.tsx'
import { saveFile } from '../../ui/save-file.ts'
import { StateText } from '../../ui/state.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { hasEd25519, webCrypto } from '../audit/web-crypto.ts'
import s from './revisions.module.css'

interface Props {
  readonly team: string
  readonly project: string
  readonly revision: number
}

/** `fault`: why it does not hold; null: this browser cannot tell. */
interface Checked {
  readonly signed: Receipt
  readonly fault: string | undefined | null
}

const useReceipt = ({ team, project, revision }: Props) =>
  useQuery<Checked>({
    key: ['receipt', team, project, revision],
    read: async (signal) => {
      const path = { project_id: `${team}/${project}`, revision: String(revision) }
      const signed = await must(
        api.GET('/projects/{project_id}/revisions/{revision}/receipt', {
          params: { path },
          signal,
        }),
      )
      const fault = (await hasEd25519()) ? await reportFault(webCrypto, signed) : null
      return { signed, fault }
    },
  })

const Verdict = ({ fault }: Pick<Checked, 'fault'>) => {
  if (fault === undefined)
    return <StateText kind="ok">Signature verified in this browser</StateText>
  if (fault === null)
    return (
      <StateText kind="unknown">
        This browser does not support Ed25519 and cannot verify the signature
      </StateText>
    )
  return <StateText kind="fail">It does not hold: {fault}</StateText>
}

const Shown = ({ signed, fault }: Checked) => (
  <div class={s['receipt']}>
    <p>
      <Verdict fault={fault} />
    </p>
    {receiptWords(signed).map((line) => (
      <p key={line}>{line}</p>
    ))}
    <p class="muted">
      Key <code>{signed.public_key}</code>
    </p>
    <CopyCommand text={`stagely report verify ${nameOf(signed.receipt)} --head audit.head`} />
  </div>
)

const nameOf = ({ project, revision }: Receipt['receipt']): string => `${project}-r${revision}.json`

const ReceiptDialog = ({ onClose, ...place }: Props & { readonly onClose: () => void }) => {
  const receipt = useReceipt(place)
  const found = partOf(receipt)
  return (
    <Dialog
      wide
      title={`Receipt of r${place.revision}`}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Close</Button>
          <Button
            variant="primary"
            busy={receipt.state === 'loading'}
            onPress={() => {
              if (found === undefined) return
              const text = JSON.stringify(found.signed, null, 2)
              saveFile(nameOf(found.signed.receipt), text, 'application/json')
            }}
          >
            Download the signed JSON
          </Button>
        </>
      }
    >
      <WhenKnown value={receipt}>{(checked) => <Shown {...checked} />}</WhenKnown>
    </Dialog>
  )
}

export const ReceiptButton = (place: Props) => {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <Button onPress={() => setOpen(true)}>Receipt…</Button>
      {isOpen ? <ReceiptDialog {...place} onClose={() => setOpen(false)} /> : null}
    </>
  )
}
