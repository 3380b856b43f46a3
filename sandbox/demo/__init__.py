"""The demo: the main job from end to end, on the development stack, shown in the terminal."""
