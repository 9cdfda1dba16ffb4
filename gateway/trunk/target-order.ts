import type { TrunkTarget } from '../../config/trunk-config.ts'

/**
 * The order in which a call tries its targets: by priority, within one by weighted chance (RFC 2782),
 * those that keep-alives found down last, since a wrong judgement must not refuse a call.
 *
 * `random` gives numbers from 0 up to 1.
 */
export function orderTargets(
  targets: readonly TrunkTarget[],
  isUp: (target: TrunkTarget) => boolean,
  random: () => number,
): readonly TrunkTarget[] {
  const up = targets.filter((target) => isUp(target))
  const down = targets.filter((target) => !isUp(target))
  return [...byPriority(up, random), ...byPriority(down, random)]
}

function byPriority(targets: readonly TrunkTarget[], random: () => number): readonly TrunkTarget[] {
  const priorities = [...new Set(targets.map((target) => target.priority))].sort((a, b) => a - b)
  return priorities.flatMap((priority) =>
    shuffleByWeight(
      targets.filter((target) => target.priority === priority),
      random,
    ),
  )
}

function shuffleByWeight(targets: TrunkTarget[], random: () => number): readonly TrunkTarget[] {
  // Targets of weight 0 stand first so that only a draw of exactly 0 takes them early (RFC 2782).
  const left = targets.toSorted((a, b) => Number(a.weight > 0) - Number(b.weight > 0))
  const ordered: TrunkTarget[] = []
  while (left.length > 0) {
    const total = left.reduce((sum, target) => sum + target.weight, 0)
    const drawn = random() * total
    let passed = 0
    const chosen = left.findIndex((target) => {
      passed += target.weight
      return total === 0 || (target.weight > 0 && passed > drawn)
    })
    ordered.push(...left.splice(Math.max(0, chosen), 1))
  }
  return ordered
}
