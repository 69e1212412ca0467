import Foundation
import Testing

@testable import Formats

/// Golden bytes written by NumPy 2.4 and by the safetensors library.
private enum Golden {
  static let bytes =
    "k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAQIDBAU="
  static let floats =
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAQwFnZADM="
  static let integersVersion2 =
    "k05VTVBZAgB0AAAAeydkZXNjcic6ICc8aTgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwgMSksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAAAAAAAAAAAAAA////"
  static let scalar =
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAKQA=="
  static let fortran =
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAABAQAAAgD8AAIBAAAAAQAAAoEA="
  static let safetensors =
    "oAAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJrIjoiw6kiLCJuZXR3b3JrIjoidW5ldCJ9LCJhIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsxXSwiZGF0YV9vZmZzZXRzIjpbMCw0XX0sImIiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsMl0sImRhdGFfb2Zmc2V0cyI6WzQsMjBdfX0gICAgICAgAAAAPwAAgD8AAABAAABAQAAAgEA="
  static let halves =
    "cAAAAAAAAAB7ImIiOnsiZHR5cGUiOiJCRjE2Iiwic2hhcGUiOls2XSwiZGF0YV9vZmZzZXRzIjpbMCwxMl19LCJoIjp7ImR0eXBlIjoiRjE2Iiwic2hhcGUiOls5XSwiZGF0YV9vZmZzZXRzIjpbMTIsMzBdfX0gAACAPyDAf38BAKs+AAAAgAA8AMH/ewAEAQD/g1U1"

  static func data(_ text: String) throws -> Data { try #require(Data(base64Encoded: text)) }
}

@Suite("npy and safetensors")
struct ArrayFormatTests {
  @Test("arrays that NumPy wrote are read, and written back byte for byte")
  func numpy() throws {
    let bytes = try NPYArray(npy: Golden.data(Golden.bytes))
    #expect(bytes.shape == [1, 2, 3] && bytes.elements == .uint8([0, 1, 2, 3, 4, 5]))
    #expect(bytes.npyData() == (try Golden.data(Golden.bytes)))
    let floats = try NPYArray(npy: Golden.data(Golden.floats))
    #expect(floats.shape == [3] && floats.elements == .float32([1.5, -2.25, 3e-8]))
    #expect(floats.npyData() == (try Golden.data(Golden.floats)))
    let integers = try NPYArray(npy: Golden.data(Golden.integersVersion2))
    #expect(integers.shape == [2, 1] && integers.elements == .int64([1, -(1 << 40)]))
    let scalar = try NPYArray(npy: Golden.data(Golden.scalar))
    #expect(scalar.shape == [] && scalar.elements == .float64([3.25]))
  }

  @Test("Fortran order becomes C order, of any number of dimensions")
  func fortran() throws {
    let plane = try NPYArray(npy: Golden.data(Golden.fortran))
    #expect(plane.shape == [2, 3] && plane.elements == .float32([0, 1, 2, 3, 4, 5]))
    // Element (i, j, k) is 100 i + 10 j + k; the first index runs fastest in the file.
    let shape = [2, 3, 4]
    let values = (0..<24).map { place -> Double in
      let (i, j, k) = (place % 2, place / 2 % 3, place / 6)
      return Double(100 * i + 10 * j + k)
    }
    var data = try NPYArray(shape: shape, elements: .float64(values)).npyData()
    let word = try #require(data.range(of: Data("False".utf8)))
    data.replaceSubrange(word, with: Data("True ".utf8))
    let expected = (0..<24).map { place -> Double in
      let (i, j, k) = (place / 12, place / 4 % 3, place % 4)
      return Double(100 * i + 10 * j + k)
    }
    #expect(try NPYArray(npy: data).elements == .float64(expected))
  }

  @Test("lies and truncations are refused with what was expected")
  func refusals() throws {
    func message(_ data: Data) -> String {
      do {
        _ = try NPYArray(npy: data)
        return "accepted"
      } catch {
        return error.description
      }
    }
    let good = try Golden.data(Golden.floats)
    #expect(message(good.dropLast()).contains("needs 3"))
    #expect(message(good + Data([0])).contains("needs 3"))
    #expect(message(Data()).contains("NUMPY"))
    func edited(_ from: String, _ to: String) -> Data {
      var data = good
      if let range = data.range(of: Data(from.utf8)) {
        data.replaceSubrange(range, with: Data(to.utf8))
      }
      return data
    }
    #expect(message(edited("(3,), }   ", "(-3,), }  ")).contains("from 0 up"))
    #expect(
      message(edited("(3,), }                   ", "(3037000500,3037000500,3,)")) != "accepted")
    #expect(
      message(edited("<f4", ">f4")).hasSuffix(
        "elements are '>f4'; u1, <f4, <i8 and <f8 are read: save `a.astype('<f4')`"))
    #expect(message(edited("'shape'", "'shap_'")).contains("lacks"))
    #expect(throws: FormatError.self) { try NPYArray(shape: [2, 2], elements: .uint8([1])) }
    #expect(throws: FormatError.self) { try NPYArray(shape: [.max, 2], elements: .uint8([])) }
  }

  @Test("tensors that the library wrote are read, and written back the same")
  func safetensors() throws {
    let golden = try Golden.data(Golden.safetensors)
    let file = try Safetensors(data: golden)
    #expect(file.metadata == ["network": "unet", "k": "é"])
    #expect(file.tensors["a"] == Safetensors.Tensor(shape: [1], values: [0.5]))
    #expect(file.tensors["b"] == Safetensors.Tensor(shape: [2, 2], values: [1, 2, 3, 4]))
    #expect(try Safetensors(data: file.data()) == file)
    #expect(file.data() == file.data())
  }

  @Test("half precision that PyTorch wrote becomes float32 without a change of value")
  func halves() throws {
    let file = try Safetensors(data: Golden.data(Golden.halves))
    let halves = try #require(file.tensors["h"])
    #expect(
      halves.values == [
        0, 0, 1, -2.5, 65504, 0x1p-14, 0x1p-24, -0x1.ff8p-15, 0.333251953125,
      ])
    #expect(halves.values[1].sign == .minus)
    #expect(
      file.tensors["b"]?.values == [0, 1, -2.5, 0x1.fep+127, 0x1p-133, 0.333984375])
  }

  @Test(
    "headers that lie are refused by tensor",
    arguments: [
      ("\"F32\",\"shape\":[1]", "\"F64\",\"shape\":[1]", "F64; F32, F16, BF16 are read"),
      ("[0,4]", "[0,8]", "fill"), ("[4,20]", "[4,24]", "outside"), ("[4,20]", "[0,16]", "begins"),
      ("[2,2]", "[2,3]", "fill"), ("[4,20]", "[-4,12]", "outside"), ("[1]", "[-1]", "whole"),
    ])
  func lies(from: String, to: String, words: String) throws {
    var data = try Golden.data(Golden.safetensors)
    let range = try #require(data.range(of: Data(from.utf8)))
    data.replaceSubrange(range, with: Data(to.utf8))
    let added = to.utf8.count - from.utf8.count
    data[0] = UInt8(Int(data[0]) + added)
    do {
      _ = try Safetensors(data: data)
      Issue.record("accepted")
    } catch {
      #expect(error.description.contains(words), "\(error)")
    }
  }

  /// A seeded generator: any failure can be repeated.
  private struct Mutator {
    var state: UInt64
    mutating func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(max(bound, 1)))
    }
    mutating func mutate(_ data: Data) -> Data {
      var bytes = [UInt8](data)
      for _ in 0...next(4) where !bytes.isEmpty {
        switch next(4) {
        case 0: bytes[next(bytes.count)] = UInt8(next(256))
        case 1: bytes.remove(at: next(bytes.count))
        case 2: bytes.insert(UInt8(next(256)), at: next(bytes.count))
        default: bytes.removeLast(next(bytes.count))
        }
      }
      return Data(bytes)
    }
  }

  @Test("ten thousand mutated files are refused or read, never a trap")
  func mutations() throws {
    var mutator = Mutator(state: 1)
    let arrays = try [Golden.bytes, Golden.floats, Golden.integersVersion2].map(Golden.data)
    let tensors = try Golden.data(Golden.safetensors)
    let pipeline = Data(
      "{ a: [1, 'x', { b: null, c: 0x1F, d: -1.5e3 } ], /* c */ e: \"\\u00e9\" }".utf8)
    for round in 0..<10_000 {
      _ = try? NPYArray(npy: mutator.mutate(arrays[round % 3]))
      _ = try? Safetensors(data: mutator.mutate(tensors))
      _ = try? JSONValue.parse(mutator.mutate(pipeline))
    }
  }
}
