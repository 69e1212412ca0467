import Synchronization
import Testing

@testable import Streams

@Suite("parallel work")
struct ParallelTests {
  @Test(
    "every item is done once, by workers that no two calls share at a time",
    arguments: [(0, 4), (1, 4), (3, 8), (1000, 1), (1000, 2), (1000, 7)])
  func items(_ count: Int, _ threads: Int) {
    let state = Mutex((done: [Int](repeating: 0, count: count), busy: Set<Int>(), shared: 0))
    parallel(count, threads: threads) { item, worker in
      state.withLock { state in
        state.done[item] += 1
        if !(0..<threads).contains(worker) || !state.busy.insert(worker).inserted {
          state.shared += 1
        }
      }
      // Others have a chance to come in between.
      for _ in 0..<100 { _ = RandomStream(seed: 1, purpose: .subset, index: UInt64(item)) }
      state.withLock { _ = $0.busy.remove(worker) }
    }
    state.withLock { state in
      #expect(state.done.allSatisfy { $0 == 1 })
      #expect(state.shared == 0)
    }
  }

  @Test("work within work, and from many threads at once, is done too")
  func nested() {
    let sum = Atomic(0)
    parallel(8, threads: 4) { outer, _ in
      parallel(8, threads: 4) { inner, _ in
        sum.wrappingAdd(outer * 8 + inner, ordering: .relaxed)
      }
    }
    #expect(sum.load(ordering: .relaxed) == 63 * 64 / 2)
  }

  @Test("several threads are at work at once")
  func atOnce() {
    let arrived = Atomic(0)
    // Each waits for the other: one thread alone would never get through.
    parallel(2, threads: 2) { _, _ in
      arrived.wrappingAdd(1, ordering: .acquiringAndReleasing)
      while arrived.load(ordering: .acquiring) < 2 {}
    }
    #expect(arrived.load(ordering: .acquiring) == 2)
  }
}
