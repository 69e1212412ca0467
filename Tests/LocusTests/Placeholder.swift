// Tests of Locus are on the way.
