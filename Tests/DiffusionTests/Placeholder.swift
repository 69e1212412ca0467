// Tests of Diffusion are on the way.
