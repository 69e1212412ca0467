import Formats
import Foundation
import Streams
import Tensors

/// Times one product of n × n matrices on each of `threads` threads at once, by OpenBLAS: what the machine
/// itself can do, for speeds to be compared with. Returns floating-point operations; the caller times it.
package struct MatrixPeak: Sendable {
  private let size: Int
  private let operands: [[AlignedBuffer]]
  private let library: OpenBLAS

  /// - Throws: `OpenBLAS.Missing`.
  package init(size: Int = 1024, threads: Int) throws {
    library = try OpenBLAS()
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
    parallel(operands.count, threads: operands.count) { item, _ in
      library.multiply(operands[item].map(\.pointer), size: Int32(size))
    }
    return 2 * size * size * size * operands.count
  }
}

/// The only use of OpenBLAS: its kernels depend on the processor, its version and the environment, so that
/// nothing that an artifact holds may come from it.
///
/// It is loaded here and nowhere else. Linked, it would start its threads in every process, and where an
/// address space has no room for them (`ulimit -v`) it looks for it for ever.
package struct OpenBLAS: Sendable {
  /// There is none, or not one that can be used.
  package struct Missing: CategorizedError, CustomStringConvertible {
    package var reason: String
    package init(reason: String) { self.reason = reason }
    package var category: ErrorCategory { .unavailable }
    package var description: String {
      "OpenBLAS, to compare with, cannot be loaded (\(reason)); apt-get install libopenblas0"
    }
  }

  private typealias Product =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
      UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void

  private let product: Product

  #if canImport(Darwin)
    package static let names = [
      "libopenblas.dylib", "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
    ]
  #else
    package static let names = ["libopenblas.so.0", "libopenblas.so"]
  #endif

  /// - Parameter names: of the library, the first that can be loaded counts; it stays loaded.
  package init(_ names: [String] = OpenBLAS.names) throws(Missing) {
    // Threads are ours to run; it makes its own as soon as it is loaded.
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    var reason = "no name to look for"
    for name in names {
      guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
        reason = dlerror().map { String(cString: $0) } ?? name
        continue
      }
      guard let symbol = dlsym(library, "cblas_sgemm") else {
        reason = "\(name) has no cblas_sgemm"
        continue
      }
      product = unsafeBitCast(symbol, to: Product.self)
      return
    }
    throw Missing(reason: reason)
  }

  /// The third of three square matrices becomes the product of the others.
  fileprivate func multiply(_ matrices: [UnsafeMutablePointer<Float>], size n: Int32) {
    // CblasRowMajor and CblasNoTrans.
    product(101, 111, 111, n, n, n, 1, matrices[0], n, matrices[1], n, 0, matrices[2], n)
  }
}
