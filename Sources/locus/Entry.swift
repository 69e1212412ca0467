import Experiments
import Foundation

/// Where the program begins: the package manager links what is called so as `main`, in programs that it builds
/// for tests and for use. Swift's own beginning would not hand on its arguments.
@c(locus_main)
func begin(
  _ count: Int32, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> Int32 {
  // A stream that the parent closed would be the next file that is opened: the lock, or the database.
  for stream in STDIN_FILENO...STDERR_FILENO where fcntl(stream, F_GETFD) < 0 && errno == EBADF {
    _ = open("/dev/null", O_RDWR)
  }
  OutOfMemory.watch()
  // A reader that goes away must not end a run: writing then fails, and is dealt with.
  signal(SIGPIPE, SIG_IGN)
  // A limit on the size of files is an error to tell of, as a full disk is.
  signal(SIGXFSZ, SIG_IGN)
  let arguments = ProgramArguments(count, words)
  exit(
    CommandLineTool.run(
      try arguments.words(), console: .standard(arguments), kinds: Experiments.stageKinds))
}
