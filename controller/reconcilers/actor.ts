/** Actor of the reconcilers' writes, as the audit log shows it. */
export const reconcilerActor = { name: 'reconciler', source: 'system', authority: 'whole' } as const
