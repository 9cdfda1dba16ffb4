import type { CallAdmission, Obstacle } from '../../gateway/admission/admission.ts'

/** Admission that takes every call, or none for a reason. */
export function admission(obstacle?: Partial<Obstacle>): CallAdmission & {
  readonly turnedAway: readonly string[]
} {
  const turnedAway: string[] = []
  return {
    obstacle: obstacle && {
      resource: 'spool',
      kind: 'storage',
      reason: 'disk_full',
      message: 'the disk is too full',
      retryAfterS: 30,
      ...obstacle,
    },
    turned: (resource, became) => turnedAway.push(`${resource} ${became}`),
    turnedAway,
  }
}
