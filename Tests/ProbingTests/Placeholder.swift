// Tests of Probing are on the way.
