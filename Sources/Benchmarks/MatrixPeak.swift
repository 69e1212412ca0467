import COpenBLAS
import Foundation
import Streams
import Tensors

/// Times one product of n × n matrices on each of `threads` threads at once, by OpenBLAS: what the machine
/// itself can do, for speeds to be compared with. Returns floating-point operations; the caller times it.
///
/// The only use of OpenBLAS: its kernels depend on the processor, its version and the environment, so that
/// nothing that an artifact holds may come from it.
package struct MatrixPeak: Sendable {
  private let size: Int
  private let operands: [[AlignedBuffer]]

  package init(size: Int = 1024, threads: Int) {
    self.size = size
    operands = (0..<max(threads, 1)).map { _ in
      (0..<3).map { _ in
        let buffer = AlignedBuffer(count: size * size)
        buffer.pointer.update(repeating: 0.5, count: size * size)
        return buffer
      }
    }
  }

  package func run() -> Int {
    _ = singleThreadedBLAS
    parallel(operands.count, threads: operands.count) { item, _ in
      let matrices = operands[item].map(\.pointer)
      let n = blasint(size)
      cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, matrices[0], n, matrices[1], n, 0,
        matrices[2], n)
    }
    return 2 * size * size * size * operands.count
  }
}

/// Threads are ours to run: OpenBLAS's own are switched off once, for the process.
private let singleThreadedBLAS: Void = openblas_set_num_threads(1)

/// Ends the threads that OpenBLAS starts as soon as it is loaded: they would look for work for a
/// while, on every core, also in a process that has none for them. Not every build of it has any.
package func endBLASThreads() {
  guard let symbol = dlsym(nil, "blas_thread_shutdown_") else { return }
  typealias Function = @convention(c) () -> Int32
  _ = unsafeBitCast(symbol, to: Function.self)()
}
