// Tests of Lineage are on the way.
