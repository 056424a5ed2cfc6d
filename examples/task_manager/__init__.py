"""An asynchronous task manager, whose tasks fail in every way that tasks fail."""
