// Tests of Interventions are on the way.
