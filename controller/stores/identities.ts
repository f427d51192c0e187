// Identities of the controller's own that stores may use: an admin's file grants each to teams.

/** How the controller itself gets in; it holds no credential, only where one is. */
export interface StoreIdentity {
  readonly name: string
  /** Kind of store that the identity is for. */
  readonly provider: 'aws' | 'gcp' | 'vault' | 'onePassword' | 'infisical' | 'doppler'
  /** Teams (namespaces) whose stores may use the identity. */
  readonly teams: readonly string[]
  /** The only address that the credential is sent to. */
  readonly address?: string | undefined
  /** File that holds what `auth.secretRef` would hold; undefined: the cloud's own way. */
  readonly credentialFile?: string | undefined
}
