"""How the notifier is put together: the only package that names concrete classes."""
