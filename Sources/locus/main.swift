import Experiments
import Foundation

// A stream that the parent closed would be the next file that is opened: the lock, or the database.
for stream in STDIN_FILENO...STDERR_FILENO where fcntl(stream, F_GETFD) < 0 && errno == EBADF {
  _ = open("/dev/null", O_RDWR)
}
OutOfMemory.watch()
// A reader that goes away must not end a run: writing then fails, and is dealt with.
signal(SIGPIPE, SIG_IGN)
// A limit on the size of files is an error to tell of, as a full disk is.
signal(SIGXFSZ, SIG_IGN)
exit(
  CommandLineTool.run(
    try ProgramArguments.words(), console: .standard(), kinds: Experiments.stageKinds))
