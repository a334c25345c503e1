"""The commands of `attend`, a file for each group."""
