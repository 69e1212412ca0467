// Tests of Formats are on the way.
