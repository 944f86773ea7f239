"""A demo clinic at work: made-up people come, made-up colleagues call, treat, test and dispense.

Everything goes through the core as the people at the terminals do; nobody's real data, and nothing that a clinic runs.
"""
