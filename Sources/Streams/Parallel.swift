import Synchronization

/// Runs `body(item, worker)` for every item of `0 ..< count` on at most `threads` threads, the calling one
/// among them.
///
/// Items are handed out in order, to whichever worker is free; `worker` is in `0 ..< threads` and
/// no two calls share one at a time, so that it can name a workspace. Results stay independent
/// of the number of threads as long as an item writes only to what belongs to that item; so a thread that
/// cannot be made is done without. Making one takes some 20 µs: items are worth more.
package func parallel(
  _ count: Int, threads: Int, _ body: @Sendable (_ item: Int, _ worker: Int) -> Void
) {
  let workers = max(1, min(threads, count))
  if workers == 1 {
    for item in 0..<count { body(item, 0) }
    return
  }
  withoutActuallyEscaping(body) { body in
    let items = Items(count)
    var others: [SystemThread] = []
    for worker in 1..<workers {
      guard let thread = SystemThread.make({ items.each { body($0, worker) } }).thread else {
        break
      }
      others.append(thread)
    }
    items.each { body($0, 0) }
    for thread in others { thread.join() }
  }
}

/// Hands out each of `0 ..< count` once.
private final class Items: Sendable {
  private let next = Atomic(0)
  private let count: Int

  init(_ count: Int) { self.count = count }

  func each(_ body: (Int) -> Void) {
    while true {
      let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
      if item >= count { return }
      body(item)
    }
  }
}
