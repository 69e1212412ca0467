// Tests of Tensors are on the way.
