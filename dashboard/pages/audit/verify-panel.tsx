// How far the chain goes, and its verification in this browser.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ChainVerdict } from '../../../src/audit/verify.ts'
import { Button } from '../../ui/button.tsx'
import { Panel } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { StateText } from '../../ui/state.tsx'
import { Ago } from '../../ui/time.tsx'
import { WhenKnown } from '../../ui/when-known.tsx'
import { useAuditState } from './rows.ts'
import { parseHead, verifyChain } from './verify.ts'
import { hasEd25519 } from './web-crypto.ts'
import f from '../../ui/fields/form.module.css'
import s from './audit.module.css'

type Verification =
  | { readonly step: 'not yet' }
  | { readonly step: 'cannot' }
  | { readonly step: 'running'; readonly seq: number }
  | { readonly step: 'done'; readonly verdict: ChainVerdict; readonly withHead: boolean }
  | { readonly step: 'failed'; readonly error: unknown }

const Outcome = ({ verdict, withHead }: { verdict: ChainVerdict; withHead: boolean }) => {
  if (!verdict.ok) {
    const { seq, message } = verdict.fault
    return (
      <div role="alert" class={s['outcome']}>
        <StateText kind="fail">The log was changed</StateText>
        <p>
          {seq === undefined ? '' : <b>First bad row: {seq}. </b>}
          {message}.
        </p>
      </div>
    )
  }
  const { rows, hidden, head, pruned } = verdict
  return (
    <div role="status" class={s['outcome']}>
      <StateText kind="ok">Verified in this browser to row {head.seq}</StateText>
      <p>
        {rows} rows are unchanged
        {hidden === 0 ? '' : `, ${hidden} of them checked by their digest only`}.{' '}
        {pruned === undefined
          ? ''
          : `Rows 1 to ${pruned.upTo} were deleted by the retention policy, which is signed. `}
        {withHead
          ? 'The saved head is in this chain.'
          : 'Give a saved head to also find rows that were cut off, and a replaced key.'}
      </p>
      <p class="muted">
        Signed with the key <code>{head.public_key}</code>
      </p>
    </div>
  )
}

const Shown = ({ verification }: { readonly verification: Verification }) => {
  switch (verification.step) {
    case 'not yet':
      return <StateText kind="unknown">Not verified in this browser</StateText>
    case 'cannot':
      return (
        <p role="alert">
          This browser does not support Ed25519 and cannot check the signature. Use a newer browser,
          or <code>stagely admin audit verify</code>.
        </p>
      )
    case 'running':
      return <StateText kind="run">Verifying, row {verification.seq}</StateText>
    case 'done':
      return <Outcome {...verification} />
    case 'failed':
      return <ProblemBox error={verification.error} />
  }
}

const useVerification = () => {
  const [verification, setVerification] = useState<Verification>({ step: 'not yet' })
  const stopping = useRef<AbortController | undefined>(undefined)
  useEffect(
    () => () => {
      stopping.current?.abort()
    },
    [],
  )
  const run = async (head: ReturnType<typeof parseHead>): Promise<void> => {
    const { signal } = (stopping.current = new AbortController())
    const onRow = (seq: number): void => setVerification({ step: 'running', seq })
    onRow(0)
    try {
      if (!(await hasEd25519())) setVerification({ step: 'cannot' })
      else {
        const verdict = await verifyChain(head, onRow, signal)
        setVerification({ step: 'done', verdict, withHead: head !== undefined })
      }
    } catch (error) {
      if (!signal.aborted) setVerification({ step: 'failed', error })
    }
  }
  return { verification, run }
}

const ControllerState = () => {
  const state = useAuditState()
  return (
    <WhenKnown value={state} rows={1}>
      {({ fault, linked_to: linked, head_at: at }) =>
        fault !== undefined ? (
          <div role="alert" class={s['outcome']}>
            <StateText kind="fail">The controller no longer signs the log</StateText>
            <p>{fault}</p>
          </div>
        ) : (
          <p class="muted">
            The controller says: linked to row {linked}, head signed <Ago at={at} />
          </p>
        )
      }
    </WhenKnown>
  )
}

export const VerifyPanel = () => {
  const { verification, run } = useVerification()
  const [text, setText] = useState('')
  const head = parseHead(text)
  const isBad = text.trim() !== '' && head === undefined
  return (
    <Panel title="Integrity of the log">
      <div class={s['chain']}>
        <div class={s['said']}>
          <ControllerState />
          <Shown verification={verification} />
        </div>
        <form
          class={f['form']}
          onSubmit={(event) => {
            event.preventDefault()
            if (!isBad) void run(head)
          }}
        >
          <label>
            <span>Saved signed head (optional)</span>
            <textarea
              class={s['head']}
              rows={2}
              spellcheck={false}
              placeholder="output of “stagely admin audit head”"
              aria-invalid={isBad}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
          {isBad ? (
            <p class={f['error']} role="alert">
              This is not a signed head.
            </p>
          ) : null}
          <div>
            <Button
              variant="primary"
              submit
              busy={verification.step === 'running'}
              whyNot={isBad ? 'This is not a signed head.' : undefined}
              onPress={() => undefined}
            >
              Verify in this browser
            </Button>
          </div>
        </form>
      </div>
    </Panel>
  )
}
