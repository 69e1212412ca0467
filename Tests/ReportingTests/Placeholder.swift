// Tests of Reporting are on the way.
