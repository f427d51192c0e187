// What needs a login that was confirmed within the last minutes: the controller refuses it, the person proves
// anew who they are, and the same request is made again. One dialog for all pages.
import { signal, type ReadonlySignal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { ApiProblem } from '../../api/client.ts'
import { confirmLogin, readConfirmedUntil, methods, session } from '../../session/session.ts'
import { now } from '../../api/clock.ts'
import { Button } from '../button.tsx'
import { Dialog } from './dialog.tsx'
import { useToken } from '../fields/use-token.ts'
import s from '../fields/form.module.css'

interface Asked {
  /** An earlier confirmation does not count. */
  readonly anew: boolean
  readonly answer: Promise<boolean>
  readonly done: (isConfirmed: boolean) => void
}
const asked = signal<Asked | undefined>(undefined)

/** True once the person has confirmed, false when they closed the dialog. Asked once for all that wait. */
const ask = (anew: boolean): Promise<boolean> => {
  const open = asked.peek()
  if (open !== undefined) return open.answer
  let done: Asked['done'] = () => undefined
  const answer = new Promise<boolean>((resolve) => {
    done = (isDone) => {
      asked.value = undefined
      resolve(isDone)
    }
  })
  asked.value = { anew, answer, done }
  return answer
}

const locked = signal(false)
/** While a screen is shared: no value is read before the person has confirmed anew, whatever still holds. */
export const valuesLocked: ReadonlySignal<boolean> = locked
export const lockValues = (): void => {
  locked.value = true
}

/** The person has said that values may be read again; throws where they do not. */
export const unlockValues = async (): Promise<void> => {
  if (!locked.peek()) return
  if (!(await ask(true))) throw new ValuesLocked()
  locked.value = false
}

export class ValuesLocked extends Error {}

/** Makes a request, and makes it again after a confirmation where the controller wants one. */
export const confirmed = async <T,>(request: () => Promise<T>): Promise<T> => {
  try {
    return await request()
  } catch (error) {
    const needsIt = error instanceof ApiProblem && error.problem.reason === 'ConfirmationRequired'
    if (!needsIt || !(await ask(false))) throw error
    return request()
  }
}

const ConfirmDialog = ({ done, anew }: Pick<Asked, 'done' | 'anew'>) => {
  const { field, busy, fault, onSubmit } = useToken(confirmLogin, () => done(true))
  const [provider, setProvider] = useState<string | undefined>()
  useEffect(() => {
    methods().then(
      ({ oidc }) => setProvider(oidc?.name),
      () => undefined,
    )
    // Another tab may have confirmed it: the session is the browser's.
    const before = anew ? Date.parse(session.peek()?.confirmed_until ?? '1970-01-01') : now()
    const readAgain = (): void => {
      readConfirmedUntil().then(
        (confirmedUntil) => {
          if (confirmedUntil > before) done(true)
        },
        () => undefined,
      )
    }
    window.addEventListener('focus', readAgain)
    return () => window.removeEventListener('focus', readAgain)
  }, [])
  return (
    <Dialog title="Confirm your identity" onClose={() => done(false)}>
      <form class={s['form']} onSubmit={onSubmit}>
        <p class="muted">This action needs a fresh login. It is valid for ten minutes.</p>
        <label>
          <span>Your token</span>
          <input
            ref={field}
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            aria-invalid={fault !== undefined}
          />
        </label>
        {fault === undefined ? null : (
          <p class={s['error']} role="alert">
            {fault}
          </p>
        )}
        {provider === undefined ? null : (
          <p>
            Or confirm with {provider}{' '}
            <a
              href="/api/v1/auth/web/login?confirm=true&return_to=/ui/me"
              target="_blank"
              rel="noreferrer"
            >
              in another tab
            </a>
            , and come back here.
          </p>
        )}
        <div class={s['buttons']}>
          <Button onPress={() => done(false)}>Cancel</Button>
          <Button variant="primary" submit busy={busy} onPress={() => undefined}>
            Confirm
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** Shows the dialog while something waits for it. */
export const ConfirmLogin = () =>
  asked.value === undefined ? null : <ConfirmDialog {...asked.value} />
