import type { Clock, Timer } from './clock.ts'

/** Whether `work` resolves within so many milliseconds; false as soon as they are over. Rejects as `work` does. */
export async function settledWithin(
  work: Promise<unknown>,
  { clock, limitMs }: { readonly clock: Clock; readonly limitMs: number },
): Promise<boolean> {
  let timer: Timer | undefined
  const isOver = new Promise<false>((resolve) => {
    timer = clock.after(limitMs, () => resolve(false))
  })
  try {
    return await Promise.race([work.then(() => true), isOver])
  } finally {
    timer?.cancel()
  }
}
