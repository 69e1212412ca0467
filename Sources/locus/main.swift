import Benchmarks
import Experiments
import Foundation

// A reader that goes away must not end a run: writing then fails, and is dealt with.
signal(SIGPIPE, SIG_IGN)
// A limit on the size of files is an error to tell of, as a full disk is.
signal(SIGXFSZ, SIG_IGN)
endBLASThreads()
exit(
  CommandLineTool.run(
    Array(CommandLine.arguments.dropFirst()), console: .standard(),
    kinds: Experiments.stageKinds))
