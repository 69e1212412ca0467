// Tests of Evaluation are on the way.
