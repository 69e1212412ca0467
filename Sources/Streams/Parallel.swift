import Dispatch
import Synchronization

/// Runs `body(item, worker)` for every item of `0 ..< count` on at most `threads` threads.
///
/// Items are handed out in order, to whichever worker is free; `worker` is in `0 ..< threads` and
/// no two calls share one at a time, so that it can name a workspace. Results stay independent
/// of the number of threads as long as an item writes only to what belongs to that item.
package func parallel(
  _ count: Int, threads: Int, _ body: @Sendable (_ item: Int, _ worker: Int) -> Void
) {
  let workers = max(1, min(threads, count))
  if workers == 1 {
    for item in 0..<count { body(item, 0) }
    return
  }
  let next = Atomic(0)
  DispatchQueue.concurrentPerform(iterations: workers) { worker in
    while true {
      let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
      if item >= count { return }
      body(item, worker)
    }
  }
}
