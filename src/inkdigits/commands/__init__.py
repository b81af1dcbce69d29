"""The commands, a module a theme; each is a thin skin over the library."""
