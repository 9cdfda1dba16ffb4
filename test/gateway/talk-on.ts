import { setTimeout as delay } from 'node:timers/promises'

/** Lets a call go on for so long. The wait is the thing itself: what was said in it is counted or heard afterwards. */
export async function talkOn(forMs: number): Promise<void> {
  await delay(forMs)
}
