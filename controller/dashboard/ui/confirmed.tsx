// Things that need a login that was confirmed within ten minutes: the controller says so, and the token is asked for
// once more. What was wanted is then tried again.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ComponentChild } from 'preact'
import { confirmSession, methods } from '../app/session.ts'
import { ApiProblem } from '../api/client.ts'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'
import { detailOf, titleOf } from './problem.tsx'
import s from './confirmed.module.css'

const needsConfirmation = (error: unknown): boolean =>
  error instanceof ApiProblem && error.problem.reason === 'ConfirmationRequired'

interface FormProps {
  readonly onDone: () => void
  readonly onClose: () => void
}

const ConfirmForm = ({ onDone, onClose }: FormProps) => {
  const field = useRef<HTMLInputElement>(null)
  const [failed, setFailed] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const [oidc, setOidc] = useState<string>()
  useEffect(() => {
    field.current?.focus()
    methods().then(
      (found) => {
        setOidc(found.oidc?.name)
      },
      () => undefined,
    )
  }, [])
  const confirm = async (): Promise<void> => {
    setBusy(true)
    try {
      await confirmSession(field.current?.value.trim() ?? '')
      if (field.current !== null) field.current.value = ''
      onDone()
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title="Confirm that it is you" onClose={onClose}>
      <form
        class={s['form']}
        onSubmit={(event) => {
          event.preventDefault()
          void confirm()
        }}
      >
        <label for="confirm-token">Token</label>
        <input
          id="confirm-token"
          ref={field}
          type="password"
          autocomplete="current-password"
          spellcheck={false}
        />
        {failed === undefined ? null : (
          <p role="alert">
            {titleOf(failed)} {detailOf(failed)}
          </p>
        )}
        <p class="muted">This holds for ten minutes.</p>
        <Button look="primary" submit busy={busy} onPress={() => undefined}>
          Confirm
        </Button>
        {oidc === undefined ? null : (
          <a
            href={`/api/v1/auth/web/login?confirm=true&return_to=${encodeURIComponent(location.pathname + location.search)}`}
          >
            Confirm with {oidc}
          </a>
        )}
      </form>
    </Dialog>
  )
}

/** `run` calls it, and asks for a confirmation where that is needed; show `dialog` in the page. */
export const useConfirmed = (): {
  readonly run: <T>(what: () => Promise<T>) => Promise<T>
  readonly dialog: ComponentChild
} => {
  const [asked, setAsked] = useState<{ readonly done: (isConfirmed: boolean) => void }>()
  const answer = (isConfirmed: boolean) => (): void => {
    setAsked(undefined)
    asked?.done(isConfirmed)
  }
  return {
    run: async (what) => {
      try {
        return await what()
      } catch (error) {
        if (!needsConfirmation(error)) throw error
        const isConfirmed = await new Promise<boolean>((done) => {
          setAsked({ done })
        })
        if (!isConfirmed) throw error
        return await what()
      }
    },
    dialog:
      asked === undefined ? null : <ConfirmForm onDone={answer(true)} onClose={answer(false)} />,
  }
}
