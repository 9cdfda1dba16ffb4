import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const CHROMIUM_PATH = '/usr/bin/chromium'

/** Why a test with a real browser cannot run here, or false where it can. */
export const chromiumMissing = existsSync(CHROMIUM_PATH)
  ? false
  : `there is no ${CHROMIUM_PATH} on this machine`

/** Debian's Chromium without a window or sound; whoever started it closes it. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM_PATH,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--mute-audio',
      '--autoplay-policy=no-user-gesture-required',
    ],
  })
}
