import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TallenneError } from '../../base/tallenne-error.ts'

const BYTES_PER_MS = 8
/** Silence in µ-law (ITU-T G.711). */
const SILENCE = 0xff

interface Turn {
  readonly who: 'caller' | 'agent'
  /** Raw µ-law at 8 kHz, made by voices/make.sh. */
  readonly file: string
  /** Silence before it, milliseconds. */
  readonly pauseMs: number
  /** What is said. */
  readonly text: string
}

/** A call to customer support, as short as such calls never are. */
const TURNS: readonly Turn[] = [
  {
    who: 'agent',
    file: '1-agent.ulaw',
    pauseMs: 400,
    text: 'Asiakastuki, hyvää huomenta. Kuinka voin auttaa?',
  },
  {
    who: 'caller',
    file: '2-caller.ulaw',
    pauseMs: 350,
    text: 'Hei. Sain viime kuun laskun kahteen kertaan.',
  },
  {
    who: 'agent',
    file: '3-agent.ulaw',
    pauseMs: 300,
    text: 'Hetki, tarkistan. Kyllä, sama lasku lähti kahdesti. Poistan toisen heti.',
  },
  {
    who: 'caller',
    file: '4-caller.ulaw',
    pauseMs: 300,
    text: 'Kiitos, sehän kävi nopeasti.',
  },
  {
    who: 'agent',
    file: '5-agent.ulaw',
    pauseMs: 250,
    text: 'Ole hyvä. Mukavaa päivänjatkoa!',
  },
]

export interface Dialogue {
  /** What the caller and the agent send, µ-law at 8 kHz and equally long. */
  readonly audio: readonly [Uint8Array, Uint8Array]
  readonly durationMs: number
}

/** Lays the turns out in time. Throws `voices_missing` where the files are not in `voicesPath`. */
export function readDialogue(voicesPath: string): Dialogue {
  const caller: Uint8Array[] = []
  const agent: Uint8Array[] = []
  for (const { who, file, pauseMs } of TURNS) {
    const said = readVoice(join(voicesPath, file))
    const [speaks, listens] = who === 'caller' ? [caller, agent] : [agent, caller]
    speaks.push(silence(pauseMs * BYTES_PER_MS), said)
    listens.push(silence(pauseMs * BYTES_PER_MS + said.length))
  }
  const tail = silence(400 * BYTES_PER_MS)
  const audio = [Buffer.concat([...caller, tail]), Buffer.concat([...agent, tail])] as const
  return { audio, durationMs: audio[0].length / BYTES_PER_MS }
}

function silence(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(SILENCE)
}

function readVoice(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new TallenneError(
      'voices_missing',
      `The demonstration's voices are incomplete: ${path} cannot be read. Restore it from the repository.`,
      { cause: error },
    )
  }
}
