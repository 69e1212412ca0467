// Tests of Scenes are on the way.
