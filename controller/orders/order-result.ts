/** What became of an order. `away`: the agent has no stream; `tooOld`: it does not know the order. */
export type OrderResult = 'asked' | 'away' | 'tooOld'
