// Which status of each condition is good. Whoever shows what needs somebody reads it here: a list by hand forgets a new
// condition, and then says the opposite of the truth. What each says is in scripts/reference/conditions.yaml.

/** `good`: somebody should look where it is not True. `bad`: where it is True. `neutral`: work goes on. */
export type Polarity = 'good' | 'bad' | 'neutral'

export const conditionTypes: Readonly<Record<string, Readonly<Record<string, Polarity>>>> = {
  Stagelet: {
    SecretsInSync: 'good',
    Ready: 'good',
    Progressing: 'neutral',
    Degraded: 'bad',
    Drifted: 'bad',
    Accepted: 'good',
    AgentReachable: 'good',
    ComposeFileChanged: 'bad',
    VariableMissing: 'bad',
    FileNotMounted: 'bad',
    Ending: 'bad',
    ReportCut: 'bad',
  },
  Agent: { Ready: 'good', Refused: 'bad' },
  Project: {
    Ready: 'good',
    Progressing: 'neutral',
    Degraded: 'bad',
    Separated: 'good',
    KeyRotationDue: 'bad',
    GlassBroken: 'bad',
  },
  StagelySecret: {
    Accepted: 'good',
    InSync: 'good',
    ScopeMatched: 'good',
    Fresh: 'good',
    Expiring: 'bad',
    Expired: 'bad',
    Renewed: 'good',
    RotationDue: 'bad',
  },
  Rotation: {
    Ready: 'good',
    Progressing: 'neutral',
    Blocked: 'bad',
    Failed: 'bad',
    Overdue: 'bad',
    Tested: 'good',
    Accepted: 'good',
  },
  SecretStore: {
    Ready: 'good',
    Fresh: 'good',
    Throttled: 'bad',
    Braked: 'bad',
    Listening: 'good',
  },
  Notifier: { Delivering: 'good' },
  AccessPolicy: { EmergencyNotified: 'good', Usable: 'good' },
  // Of a team, and of whoever shows one as a Kubernetes namespace.
  Namespace: { ManifestsApplied: 'good', ClusterFollowed: 'good' },
}

/** Whether somebody should look at it. One that is not declared is looked at, unless it is True. */
export const isBadCondition = (
  kind: string,
  { type, status }: { readonly type: string; readonly status: string },
): boolean => {
  switch (conditionTypes[kind]?.[type] ?? 'good') {
    case 'good':
      return status !== 'True'
    case 'bad':
      return status === 'True'
    case 'neutral':
      return false
  }
}
