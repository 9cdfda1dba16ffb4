/** Base values of SIP's timers, milliseconds (RFC 3261 §17.1.1.1). */
export const T1_MS = 500
export const T2_MS = 4_000
export const T4_MS = 5_000

/** How long a transaction waits at most: timers B, F, H, J, L and M. */
export const TIMEOUT_MS = 64 * T1_MS

/** Timer D: how long the ACK is repeated for retransmitted failures over datagrams; at least 32 s. */
export const TIMER_D_MS = 32_000
