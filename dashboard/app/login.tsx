// Logging in: by a token, by the OpenID provider, or as the person who ran `stagely open`.
import { signal } from '@preact/signals'
import { useLocation } from 'preact-iso'
import { useEffect, useState } from 'preact/hooks'
import type { ComponentChild } from 'preact'
import { isDashboardPage } from '../../src/access/dashboard-page.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialogs/dialog.tsx'
import { ProblemBox } from '../ui/problem.tsx'
import { useQuery } from '../ui/use-query.ts'
import { WhenKnown } from '../ui/when-known.tsx'
import { mapKnown, type Known } from '../live/known.ts'
import { useSending } from '../ui/use-sending.ts'
import { useToken } from '../ui/fields/use-token.ts'
import { Logo } from './logo.tsx'
import { logIn, me, methods, ownerOfCode, resume, type Methods } from '../session/session.ts'
import s from './login.module.css'

/** Only places in the dashboard; the server checks it as well. */
const returnTo = (): string => {
  const asked = new URLSearchParams(location.search).get('return_to')
  if (asked !== null && isDashboardPage(asked)) return asked
  const here = location.pathname + location.search
  return location.pathname === '/ui/login' || !here.startsWith('/ui/') ? '/ui/' : here
}

const useMethods = (): Known<Methods> => useQuery({ key: ['login methods'], read: () => methods() })

const TokenForm = ({ onDone }: { readonly onDone: () => void }) => {
  const { field, busy, fault, onSubmit } = useToken((token) => logIn({ token }), onDone)
  return (
    <form class={s['form']} onSubmit={onSubmit}>
      <label for="token">Token</label>
      <input
        id="token"
        name="token"
        ref={field}
        type="password"
        autocomplete="current-password"
        spellcheck={false}
        aria-invalid={fault !== undefined}
        aria-describedby="token-help"
      />
      {fault === undefined ? null : (
        <p class={s['error']} role="alert">
          {fault}
        </p>
      )}
      <p id="token-help" class="muted">
        <code>stagely open</code> logs you in without one.
      </p>
      <Button variant="primary" submit busy={busy} onPress={() => undefined}>
        Log in
      </Button>
    </form>
  )
}

const Frame = ({ children }: { readonly children: ComponentChild }) => {
  useEffect(() => {
    document.title = 'Log in · Stagely'
  }, [])
  return (
    <main class={s['page']}>
      <div class={s['card']}>
        <Logo size={44} />
        {children}
      </div>
      <p class={`${s['about']} muted`}>
        {location.host} · Stagely {STAGELY_VERSION} ·{' '}
        {location.protocol === 'https:' ? 'TLS' : 'without TLS'}
      </p>
    </main>
  )
}

let refusal: string | undefined

/** Why the provider's login was refused: from a cookie, which only the controller sets. Taken away at once. */
const takeRefusal = (): string | undefined => {
  const [attributes, name] =
    location.protocol === 'https:'
      ? ['; Secure', '__Host-stagely-refused']
      : ['', 'stagely-refused']
  const found = document.cookie.split('; ').find((cookie) => cookie.startsWith(`${name}=`))
  if (found !== undefined) {
    document.cookie = `${name}=; Path=/; Max-Age=0${attributes}`
    refusal = new URLSearchParams(found).get(name) ?? undefined
  }
  return refusal
}

const Refused = () => {
  const [why] = useState(takeRefusal)
  return why === undefined ? null : (
    <p class={s['error']} role="alert">
      The login was refused: {why}
    </p>
  )
}

/** The code of `stagely open`, taken out of the address at once. */
const takeCode = (): string | undefined => {
  const code = new URLSearchParams(location.hash.slice(1)).get('code') ?? undefined
  if (code !== undefined) history.replaceState(null, '', location.pathname + location.search)
  return code
}
const code = signal(takeCode())
// A link that is pasted into a tab with this page changes only what is behind #.
window.addEventListener('hashchange', () => {
  code.value = takeCode() ?? code.value
})

/** The page asks first: a link must not log a person into the account of another one. */
const WithCode = ({ given, onDone }: { readonly given: string; readonly onDone: () => void }) => {
  const [owner, setOwner] = useState<string>()
  const { busy, error, run } = useSending()
  useEffect(() => {
    void run(async () => setOwner(await ownerOfCode(given)))
  }, [given])
  const proceed = async (): Promise<void> => {
    await logIn({ code: given })
    onDone()
  }
  return (
    <>
      <h1>Log in from the command line</h1>
      <p class="muted">
        Continue only if you ran <code>stagely open</code> yourself a moment ago.
      </p>
      {error === undefined ? null : <ProblemBox error={error} />}
      <div class={s['buttons']}>
        {owner === undefined ? null : (
          <Button variant="primary" busy={busy} onPress={() => void run(proceed)}>
            Continue as {owner}
          </Button>
        )}
        <LinkButton href="/ui/">Cancel</LinkButton>
      </div>
    </>
  )
}

export const LoginPage = () => {
  const { route } = useLocation()
  const found = useMethods()
  const done = (): void => route(returnTo(), true)
  if (code.value !== undefined)
    return (
      <Frame>
        <WithCode key={code.value} given={code.value} onDone={done} />
      </Frame>
    )
  if (me.value !== undefined)
    return (
      <Frame>
        <h1>You are logged in as {me.value.name}</h1>
        <Refused />
        <LinkButton href={returnTo()} primary>
          Continue
        </LinkButton>
      </Frame>
    )
  return (
    <Frame>
      <h1>Log in to Stagely</h1>
      <Refused />
      <WhenKnown value={mapKnown(found, ({ oidc }) => oidc)} rows={1} none={null}>
        {({ name }) => (
          <>
            <OidcButton name={name} />
            <p class={s['or']}>or</p>
          </>
        )}
      </WhenKnown>
      <TokenForm onDone={done} />
    </Frame>
  )
}

/** A whole page load: the provider is elsewhere. */
const OidcButton = ({ name }: { readonly name: string }) => (
  <Button
    variant="primary"
    onPress={() =>
      location.assign(`/api/v1/auth/web/login?return_to=${encodeURIComponent(returnTo())}`)
    }
  >
    Log in with {name}
  </Button>
)

/** Over the page, which stays: what is staged there is in this page's memory only. */
export const SessionEnded = () => {
  const found = useMethods()
  return (
    <Dialog title="Your login has ended" firm onClose={() => undefined}>
      <div class={s['ended']}>
        <p class="muted">Your staged edits stay here. Log in to continue.</p>
        <TokenForm onDone={() => undefined} />
        <WhenKnown value={mapKnown(found, ({ oidc }) => oidc)} rows={1} none={null}>
          {({ name }) => (
            <p class="muted">
              Or log in with {name}{' '}
              <a href="/ui/login" target="_blank" rel="noreferrer">
                in another tab
              </a>
              , then{' '}
              <button type="button" class={s['link']} onClick={() => void resume()}>
                go on here
              </button>
              .
            </p>
          )}
        </WhenKnown>
      </div>
    </Dialog>
  )
}

export const UnreachablePage = () => {
  useEffect(() => {
    const timer = setInterval(() => void resume(), 3000)
    return () => clearInterval(timer)
  }, [])
  return (
    <Frame>
      <h1>The controller does not answer</h1>
      <p class="muted">The page tries again by itself.</p>
      <Button onPress={() => void resume()}>Try now</Button>
    </Frame>
  )
}
