/// The nodes that jobs of a pipeline may come to, where they are of several kinds.
package struct NodeKinds: Sendable, Hashable {
  /// How many there are by their features, of a partition; `nil` for the scheduler's default.
  var partitions: [String?: [String: Int]]

  /// `nil` where there is nothing to say: nodes are of one kind, jobs name theirs, or Slurm does not answer.
  package init?(of pipeline: Pipeline, environment: [String: String]) {
    guard let slurm = try? Slurm(environment: environment) else { return nil }
    partitions = [:]
    for instance in pipeline.instances where instance.executor.constraint == nil {
      let partition = instance.executor.partition
      if partitions[partition] == nil {
        partitions[partition] = slurm.nodeKinds(partition: partition)
      }
    }
    partitions = partitions.filter { $0.value.count > 1 }
    if partitions.isEmpty { return nil }
  }

  /// One line.
  package var text: String {
    "the cluster's nodes are of several kinds: "
      + partitions.map { partition, kinds in
        let list = kinds.sorted { $0.key < $1.key }.map { "\($0.value) with \($0.key)" }
        return (partition.map { "partition `\($0)`: " } ?? "") + list.joined(separator: ", ")
      }.sorted().joined(separator: "; ")
      + "; a stage is refused on one that computes otherwise than this machine: name a kind with"
      + " `executor: { constraint: … }` or --set executor.constraint=…"
  }
}
