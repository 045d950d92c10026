"""The commands, one module each, imported when they are run.

What a command needs of its surroundings is handed to it; none reads the environment.
"""
