// Which mail server Notifiers use, and to whom: STAGELY_SMTP_URL, STAGELY_SMTP_FROM and STAGELY_SMTP_DOMAINS.
type Env = Readonly<Record<string, string | undefined>>

export interface SmtpConfig {
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls' | 'none'
  readonly user: string | undefined
  readonly password: string | undefined
  /** Sender, such as `Stagely <stagely@example.com>`. */
  readonly from: string
  /** Mail goes to addresses of these domains alone; undefined: to any. */
  readonly domains: readonly string[] | undefined
}

const urlFault =
  'STAGELY_SMTP_URL must be smtps://user:password@mail.example.com, or smtp://… for a server with STARTTLS; smtp://localhost:25?tls=none for a relay without TLS'

const given = (text: string): string | undefined =>
  text === '' ? undefined : decodeURIComponent(text)

const ports = { implicit: 465, starttls: 587, none: 587 } as const

type Server = Omit<SmtpConfig, 'from' | 'domains'>

const tlsOf = ({ protocol, searchParams }: URL): Server['tls'] | undefined => {
  const said = searchParams.get('tls')
  if (protocol === 'smtps:') return said === null ? 'implicit' : undefined
  if (protocol !== 'smtp:') return undefined
  if (said === null) return 'starttls'
  return said === 'none' ? 'none' : undefined
}

/** undefined where it is no such URL. */
const serverOf = (text: string): Server | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const tls = url && tlsOf(url)
  if (url === undefined || tls === undefined || url.hostname === '') return undefined
  try {
    return {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? ports[tls] : Number(url.port),
      tls,
      user: given(url.username),
      password: given(url.password),
    }
  } catch {
    return undefined
  }
}

const domainsOf = (text: string, faults: string[]): readonly string[] | undefined => {
  if (text.trim() === '') return undefined
  const domains = text.split(',').map((domain) => domain.trim().toLowerCase())
  if (!domains.every((domain) => /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(domain)))
    faults.push('STAGELY_SMTP_DOMAINS must be domains, such as example.com, example.org')
  return domains
}

/** Faults name no part of the URL: there may be a password in it. */
export const parseSmtp = (env: Env, faults: string[]): SmtpConfig | undefined => {
  const { STAGELY_SMTP_URL: text = '', STAGELY_SMTP_FROM: from = '' } = env
  if (text === '' && from === '') return undefined
  const server = text === '' ? undefined : serverOf(text)
  if (text === '') faults.push('STAGELY_SMTP_FROM is set, and STAGELY_SMTP_URL is not')
  else if (server === undefined) faults.push(urlFault)
  if (!/@[^\s@]+$/.test(from))
    faults.push('STAGELY_SMTP_FROM must be a sender, such as Stagely <stagely@example.com>')
  const domains = domainsOf(env['STAGELY_SMTP_DOMAINS'] ?? '', faults)
  return server && { ...server, from, domains }
}
