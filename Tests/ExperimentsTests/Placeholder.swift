// Tests of Experiments are on the way.
