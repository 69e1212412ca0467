// Tests of Workflow are on the way.
